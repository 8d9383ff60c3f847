"""Names of the columns of a record table, and of attributes that tell twins apart.

`configs.linkage` has the other attributes with a meaning of their own.
"""

RECORD, KEY, UNIQUE, ROWS = "record", "_key", "_unique", "rows"
NUMBER = "_number"  # of a record, for the pairs alone
NAME, BIRTH, HOME = "name", "birth", "address"
