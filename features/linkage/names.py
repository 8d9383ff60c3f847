"""Names of a record table's columns, of attributes that tell twins apart, of owned types.

`configs.linkage` has the other attributes with a meaning of their own.
"""

RECORD, KEY, UNIQUE, ROWS = "record", "_key", "_unique", "rows"
NUMBER = "_number"  # of a record, for the pairs alone
OWN = "_own"  # of an entity: whether it is called by the record's own identifier
NAME, BIRTH, HOME = "name", "birth", "address"
# Types of which one owns a value: it tells by itself, and shared by many it tells nothing.
OWNED = frozenset(
    {"person_id", "company_id", "phone", "account", "vin", "plate", "id", "case_no"}
)
