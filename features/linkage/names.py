"""Names of the columns of a record table, and of attributes with a meaning of their own."""

RECORD, KEY, UNIQUE, ROWS = "record", "_key", "_unique", "rows"
NUMBER = "_number"  # of a record, for the pairs alone
ID, NAME, BIRTH, HOME = "id", "name", "birth", "address"
GIVEN, FAMILY = "given_name", "family_name"
NUMBERED = "birth_numbered"  # the birth date that a resident identity number holds
NAMES = "names"  # given and family name in alphabetical order: the same when swapped
