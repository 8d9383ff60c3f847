"""Brings the columns of a published table to one exact form, or says what is wrong.

Both databases must keep the same values: what one would change (NaN, -0.0, NUL) is
replaced here, before anything is stored or digested.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import StoreError
from configs.tables import COUNT, NUMBER, PUBLISHED, TEXT, TIME

# Null says "not known" in these. Other texts may be null where nothing is needed, and
# become empty; any other null is an error. A dotted name is of one table alone.
NULLABLE = {
    *("money", "value", "peer_median", "percentile", "reasons.contribution", "line"),
    *("event_at", "known_at", "leads.group_id", "band_low", "band_high"),
    *("office", "peer_percentile"),
}
NEEDED_TEXT = {
    *("unit_id", "code", "feature", "source", "group_id", "other"),
    *("left_kind", "left", "right_kind", "right"),
    *("kind", "stratum", "part"),
}

_ARROW = {
    TEXT: pa.string(),
    NUMBER: pa.float64(),
    COUNT: pa.int64(),
    TIME: pa.timestamp("us"),
}
_CHECKS: dict[str, Callable[[pa.DataType], bool]] = {
    TEXT: lambda got: pa.types.is_string(got) or pa.types.is_large_string(got),
    NUMBER: lambda got: pa.types.is_integer(got) or pa.types.is_floating(got),
    COUNT: pa.types.is_integer,
    TIME: lambda got: pa.types.is_timestamp(got) or pa.types.is_date(got),
}


def exact_columns(table: str, got: pa.Table) -> pa.Table:
    """The table's columns in the contract's order and types; StoreError if unfit."""
    contract = PUBLISHED[table]
    missing = sorted(set(contract) - set(got.column_names))
    further = sorted(set(got.column_names) - set(contract))
    if missing or further:
        raise StoreError(
            f"table {table!r}: missing columns {missing}, unexpected {further}; "
            f"expected {list(contract)}"
        )
    columns = {
        name: _exact_column(f"{table}.{name}", got[name], contract[name])
        for name in contract
    }
    return pa.table(columns)


def _exact_column(where: str, column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    column = _cast(where, column, kind)
    name = where.partition(".")[2]
    if kind == TEXT:
        column = _exact_text(column, keep_null=name in NULLABLE | NEEDED_TEXT)
    elif kind == NUMBER:
        column = _exact_number(column)
    if column.null_count and not {name, where} & NULLABLE:
        raise StoreError(
            f"column {where}: {column.null_count} of {len(column)} rows are null; every "
            "row needs a value"
        )
    return column


def _cast(where: str, column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    # Arrow would also cast text to numbers: a publisher's slip that must not pass.
    if not _is_kind(column.type, kind):
        raise StoreError(f"column {where}: got type {column.type}; expected {kind}")
    try:
        return column.cast(_ARROW[kind])
    except pa.ArrowInvalid as error:
        raise StoreError(
            f"column {where}: does not fit into {kind} ({error}); mend the values"
        ) from error


def _is_kind(got: pa.DataType, kind: str) -> bool:
    if pa.types.is_dictionary(got):
        return _is_kind(got.value_type, kind)
    if pa.types.is_null(got):
        return True
    return _CHECKS[kind](got)


def _exact_text(column: pa.ChunkedArray, *, keep_null: bool) -> pa.ChunkedArray:
    # PostgreSQL cannot hold NUL.
    column = pc.replace_substring(column, "\x00", "\ufffd")
    return column if keep_null else pc.fill_null(column, "")


def _exact_number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # SQLite keeps NaN as null and -0.0 as 0.0.
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    return pc.add(column, 0.0)
