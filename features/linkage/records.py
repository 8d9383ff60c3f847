"""The distinct records of an entity: what any row of any source says about one.

Rows that say the same are one record, so that a year of monthly postings about a person
is compared once. A record's digest depends on its values alone: it is the same in every
run, and what a person judged about it stays true.
"""

from collections.abc import Collection, Mapping
from functools import reduce

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from configs.linkage import fields_of, role_columns
from configs.schema import ColumnType, EntitySpec, ModelSpec, RoleSpec
from features.linkage.names import KEY, NUMBER, OWN, RECORD, ROWS, UNIQUE
from features.links import STRONG, SURE, strong
from features.sources import known_at

# A record is told apart by a valid identifier, else by at least so many attributes, a
# masked identifier among them: a name alone is borne by many.
NEEDED_ATTRIBUTES = 2
# Beside columns that a source, or the records themselves, may call alike.
_SAID, _IS, _RECORD, _KEY = "_said_", "_is_", "_record", "_key_again"
# Identifiers that others share or mistype: invalid ones are worth nothing.
VALID_ONLY = frozenset({"phone", "account", "plate", "vin", "case_no"})


def records(
    spec: ModelSpec, entity: EntitySpec, cores: Mapping[str, Table], as_of: Value
) -> Table:
    """One row per distinct record known at `as_of`.

    Returns:
        `record`, `_key` (its valid identifier), `_unique` (source and role, of which every
        record is another one), `rows`, and one text column per attribute.
    """
    fields = fields_of(spec, entity)
    parts = [
        _said(known_at(cores[role.source], as_of), role, fields)
        for role in entity.roles
    ]
    rows = reduce(lambda a, b: a.union(b), parts)
    grouped = rows.group_by([KEY, *fields]).aggregate(
        **{UNIQUE: rows[UNIQUE].min(), ROWS: rows.count()}
    )
    # Once a record, not once a row: a digest costs more than the rest of the row.
    return grouped.mutate(**{RECORD: _digest({name: grouped[name] for name in fields})})


def numbered(records: Table) -> Table:
    """The records with `_number`, from 0 on in the order of their digests.

    Args:
        records: a table of the engine, which is read twice.
    """
    # Sorted without their attributes, which would have to be moved along.
    order = ibis.row_number().over(order_by=[RECORD, KEY])
    numbers = records.select(**{_RECORD: RECORD, _KEY: KEY, NUMBER: order})
    same = [
        records[RECORD] == numbers[_RECORD],
        records[KEY].identical_to(numbers[_KEY]),
    ]
    return records.inner_join(numbers, same).drop(_RECORD, _KEY)


def renamed(records: Table, entities: Table, fields: Collection[str]) -> Table:
    """The records whose entity is not called by their own identifier; few, as a rule.

    Args:
        records: as `numbered` has them.
        entities: contract ENTITIES, `_number` and `_own`, of these records.
        fields: names of the attributes.

    Returns:
        `_key`, the attributes, and `_entity` with its `_probability`.
    """
    others = entities.filter(~entities[OWN])
    others = others.select(
        NUMBER, _entity=others["entity_id"], _probability=others["probability"]
    )
    named = records.select(NUMBER, KEY, *fields).inner_join(others, NUMBER)
    return named.select(KEY, *fields, "_entity", "_probability")


def linked(
    rows: Table, role: RoleSpec, fields: Mapping[str, ColumnType], others: Table
) -> Table:
    """The rows of a source with the role's entity as its key and how sure it is.

    A row that has the identifier which its entity is called by is surely its entity's,
    however sure it is which other records are.

    Args:
        others: what `renamed` found of the role's entity; every other row keeps its key.
    """
    told, known, same = _beside(rows, role, fields, others)
    joined = told.left_join(known, same)
    key, sure = STRONG + role.column, SURE + role.column
    kept = [column for column in rows.columns if column not in (key, sure)]
    return joined.select(
        *kept,
        **{
            key: ibis.coalesce(joined["_entity"], joined[KEY]),
            sure: joined["_probability"].fill_null(1.0),
        },
    )


def is_renamed(
    rows: Table, role: RoleSpec, fields: Mapping[str, ColumnType], others: Table
) -> Table:
    """One row where `linked` would give some row another key; else none."""
    told, known, same = _beside(rows, role, fields, others)
    return told.semi_join(known, same).select(KEY).limit(1)


def _beside(
    rows: Table, role: RoleSpec, fields: Mapping[str, ColumnType], others: Table
) -> tuple[Table, Table, list[BooleanValue]]:
    """The rows with what they say, the records to find there, and when both are the same.

    By value: to compute digests of all rows, as records have, would take most of the time.
    """
    told = _with_values(rows, role, fields)
    known = others.rename({_IS + name: name for name in (KEY, *fields)})
    same = [told[_SAID + name].identical_to(known[_IS + name]) for name in fields]
    return told, known, [told[KEY].identical_to(known[_IS + KEY]), *same]


def _said(rows: Table, role: RoleSpec, fields: Mapping[str, ColumnType]) -> Table:
    """What the rows say of somebody."""
    told = _with_values(rows, role, fields)
    # Two registers may call the role by one name; each lists its people once.
    listed = ibis.literal(f"{role.source}.{role.role}")
    unique = listed if role.unique else ibis.null("string")
    values = {name: told[_SAID + name] for name in fields}
    said = told.select(KEY, **{UNIQUE: unique}, **values)
    return said.filter(_tells(said[KEY], {name: said[name] for name in fields}))


def _with_values(
    rows: Table, role: RoleSpec, fields: Mapping[str, ColumnType]
) -> Table:
    """Beside each row its key and the value of each attribute."""
    columns = role_columns(role)
    values = {
        _SAID + name: _value(rows, columns.get(name), kind)
        for name, kind in fields.items()
    }
    key = strong(rows, role.id).cast("string") if role.id else ibis.null("string")
    return rows.mutate(**{KEY: key, **values})


def _tells(key: Value, said: Mapping[str, Value]) -> BooleanValue:
    """Whether what is said tells somebody apart."""
    count = [value.notnull().cast("int8") for value in said.values()]
    enough = reduce(lambda a, b: a + b, count, ibis.literal(0)) >= NEEDED_ATTRIBUTES
    return key.notnull() | enough


def _digest(said: Mapping[str, Value]) -> StringValue:
    # With its length in front, no value can be read as the end of another one.
    told = [value.fill_null("") for value in said.values()]
    parts = [value.length().cast("string") + ":" + value for value in told]
    text = reduce(lambda a, b: a + b, parts)
    return text.hexdigest("sha256").substr(0, 20)


def _value(rows: Table, column: str | None, kind: ColumnType) -> Value:
    if column is None:
        return ibis.null("string")
    if kind in ("date", "timestamp"):
        return rows[column].cast("date").cast("string")
    value = strong(rows, column) if kind in VALID_ONLY else rows[column]
    text = value.cast("string")
    return text.lower() if kind in ("string", "category") else text
