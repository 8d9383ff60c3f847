"""raw_<source> to core_<source>: typed values, one row a key, the rest to rejects.

Each part of a source, a file or a table, is read by itself: `typed` reads every column and
says what is wrong with it, `core` keeps the rows that meet the contract, `rejects` lists
every row and value that does not. What only all parts together show, a key that is
repeated, is `features.repeated`.
"""

from functools import reduce
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.privacy import MASK, excluded_columns
from configs.schema import ColumnSpec, ModelSpec, SourceSpec
from configs.tables import REJECTS, TEXT
from features.contracts import conform
from features.identifiers import UPGRADES, VALID
from features.links import STRONG
from features.standardise import cleaned, problem, standardised, trimmed

FILE, LINE, BATCH = "_file", "_line", "_batch"
ROW_KEY, KNOWN, EVENT = "_row_key", "_known_at", "_event_at"
PROVENANCE = (FILE, LINE, BATCH)
BROKEN = "_broken"  # a required value is bad: the row is left out
_TEXT, _PROBLEM = "_text_", "_problem_"


def read_columns(spec: ModelSpec, source: str) -> dict[str, ColumnSpec]:
    """The declared columns that are read: all but those that privacy excludes.

    The date of posting is required: a row without it would count as known for ever,
    before it was posted too. So is the unit's key.
    """
    declared = spec.sources[source]
    dropped = excluded_columns(spec, declared)
    needed = {declared.known_at, spec.unit.key if source == spec.unit.source else None}
    return {
        n: c.model_copy(update={"required": True}) if n in needed else c
        for n, c in declared.columns.items()
        if n not in dropped
    }


def typed(raw: Table, spec: ModelSpec, source: str) -> Table:
    """Every column in its type beside what was delivered and what is wrong with it.

    Args:
        raw: text columns named as declared, plus `_file`, `_line` and `_batch`.
    """
    columns = read_columns(spec, source)
    # One select a step: each step names its input several times.
    texts = raw.select(
        *PROVENANCE,
        **{_TEXT + n: trimmed(raw[n], c) for n, c in columns.items()},
    )
    texts = texts.mutate(
        **{_TEXT + n: cleaned(texts[_TEXT + n], c) for n, c in columns.items()}
    )
    values = {n: standardised(texts[_TEXT + n], c) for n, c in columns.items()}
    table = texts.mutate(**values)
    table = table.mutate(
        **{
            n: UPGRADES[c.type](table[n])
            for n, c in columns.items()
            if c.type in UPGRADES
        }
    )
    problems = {
        _PROBLEM + n: problem(table[_TEXT + n], table[n], c) for n, c in columns.items()
    }
    keys = {
        STRONG + n: ibis.ifelse(VALID[c.type](table[n]), table[n], ibis.null())
        for n, c in columns.items()
        if c.type in VALID
    }
    table = table.mutate(**problems, **keys)
    return table.mutate(**{BROKEN: _required_broken(table, columns)})


def core(table: Table, spec: ModelSpec, source: str) -> Table:
    """The rows that meet the contract; unreadable optional values are null.

    Adds `_row_key`, `_event_at` and `_known_at` (null, where the source declares no
    date of posting: known from the beginning).
    """
    declared = spec.sources[source]
    columns = read_columns(spec, source)
    kept = table.filter(~table[BROKEN])
    cleared = {
        n: ibis.ifelse(kept[_PROBLEM + n].isnull(), kept[n], ibis.null()).cast(
            kept[n].type()
        )
        for n in columns
    }
    strong = [name for name in kept.columns if name.startswith(STRONG)]
    kept = kept.select(*PROVENANCE, *strong, **cleared)
    return kept.mutate(
        **{
            ROW_KEY: _row_key(kept, declared),
            EVENT: _time(kept, declared.event_column),
            KNOWN: _known_at(kept, declared),
        }
    )


def rejects(table: Table, spec: ModelSpec, source: str) -> Table:
    """One row per problem, as the contract of the table `rejects` says, and its batch."""
    columns = read_columns(spec, source)
    parts = [_column_rejects(table, source, n, c) for n, c in columns.items()]
    return reduce(lambda a, b: a.union(b), parts)


def keys(table: Table, key: str) -> Table:
    """Of each row its place, its key as it was delivered and is read, and if it is broken."""
    return table.select(
        *PROVENANCE, BROKEN, key=table[key].cast("string"), text=table[_TEXT + key]
    )


def summary(table: Table, spec: ModelSpec, source: str) -> Table:
    """One row: rows, broken rows, time range, unreadable and unlinkable per column.

    `next_known` is the earliest date of posting that is still to come: from then on
    `last_known` and `future` are others.
    """
    declared, columns = spec.sources[source], read_columns(spec, source)
    table = table.mutate(_known=_known_at(table, declared))
    known = table["_known"]
    return table.aggregate(
        rows=table.count(),
        broken=table[BROKEN].sum().fill_null(0),
        first_known=known.min(),
        last_known=known.max(where=known <= ibis.now()),
        next_known=known.min(where=known > ibis.now()),
        future=(known > ibis.now()).sum().fill_null(0),
        **{
            f"unreadable_{n}": table[_PROBLEM + n].notnull().sum().fill_null(0)
            for n in columns
        },
        **{
            f"unlinkable_{n}": _unlinkable(table, n)
            for n, c in columns.items()
            if c.type in VALID
        },
    )


def known_at(table: Table, as_of: Any) -> Table:
    """The rows that a department had posted by `as_of`; later ones do not exist yet."""
    known = table[KNOWN]
    return table.filter(known.isnull() | (known <= as_of))


def _required_broken(table: Table, columns: dict[str, ColumnSpec]) -> Any:
    required = (table[_PROBLEM + n].notnull() for n, c in columns.items() if c.required)
    return reduce(lambda a, b: a | b, required, ibis.literal(False))


def _row_key(table: Table, declared: SourceSpec) -> Value:
    """The source's key; file and line where it has none or where it is sensitive."""
    if declared.key is not None and not declared.columns[declared.key].sensitive:
        return table[declared.key].cast("string")
    return table[FILE] + ":" + table[LINE].cast("string")


def _time(table: Table, column: str | None) -> Value:
    return ibis.null("timestamp") if column is None else table[column].cast("timestamp")


def _known_at(table: Table, declared: SourceSpec) -> Value:
    known = _time(table, declared.known_at)
    if declared.known_at is None or not declared.lag_days:
        return known
    return known + ibis.interval(days=declared.lag_days)


def _unlinkable(table: Table, name: str) -> Value:
    return (table[name].notnull() & table[STRONG + name].isnull()).sum().fill_null(0)


def _column_rejects(table: Table, source: str, name: str, column: ColumnSpec) -> Table:
    rows = table.filter(table[_PROBLEM + name].notnull())
    left_out = column.required | rows[BROKEN]
    return reject_rows(
        rows,
        source,
        column=column.header or name,
        value=shown(rows[_TEXT + name], column),
        cause=rows[_PROBLEM + name],
        action=ibis.ifelse(left_out, "row", "value"),
    )


def reject_rows(rows: Table, source: str, **values: Any) -> Table:
    """Rows of the table `rejects` for these rows, and their batch."""
    found = rows.select(
        BATCH,
        source=ibis.literal(source),
        file=rows[FILE],
        line=rows[LINE],
        **{
            name: ibis.literal(v) if isinstance(v, str) else v
            for name, v in values.items()
        },
    )
    return conform(found, {**REJECTS, BATCH: TEXT})


def shown(raw: Any, column: ColumnSpec) -> Value:
    """A delivered value for people; masked where the column is sensitive."""
    if not column.sensitive:
        return raw
    return ibis.ifelse(raw.length() > 0, raw.substr(0, 3) + MASK, raw)
