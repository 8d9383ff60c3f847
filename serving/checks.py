"""Checks of columns that several published tables share; a failure is a StoreError."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import StoreError, nearest


def check_unique(table: str, rows: pa.Table, key: tuple[str, ...]) -> None:
    """No two rows may agree in all columns of the key."""
    counts = rows.select(key).group_by(list(key)).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))
    if twice.num_rows:
        raise StoreError(
            f"table {table!r}: {twice.num_rows} values of {', '.join(key)} stand there "
            f"more than once, such as {twice.slice(0, 1).to_pylist()[0]}; each may once"
        )


def check_ranks(where: str, ranks: pa.ChunkedArray) -> None:
    """The column holds each of 1..n once."""
    check_first_ranks(where, ranks, len(ranks), len(ranks))


def check_first_ranks(
    where: str, ranks: pa.ChunkedArray, first: int, last: int
) -> None:
    """The column holds each of 1..first once, and no other of 1..last twice."""
    ordered = ranks.take(pc.sort_indices(ranks))
    expected = pa.array(range(1, first + 1), pa.int64())
    whole = ordered.slice(0, first).equals(pa.chunked_array([expected]))
    rest = ordered.slice(first)
    once = pc.count_distinct(rest).as_py() == len(rest)
    if not whole or not once or (pc.max(rest).as_py() or 0) > last:
        others = f" and no other up to {last} twice" if first < last else ""
        raise StoreError(
            f"column {where}: got {len(ranks)} rows ranked from "
            f"{pc.min(ranks).as_py()} to {pc.max(ranks).as_py()}, "
            f"{pc.count_distinct(ranks).as_py()} of them distinct; expected each of "
            f"1..{first} once{others}"
        )


def check_numbered(
    table: str, rows: pa.Table, column: str, within: tuple[str, ...]
) -> None:
    """Within each value of `within`, the column counts 1, 2, ... without a hole."""
    counts = [(column, "min"), (column, "max"), (column, "count_distinct")]
    found = rows.group_by(list(within)).aggregate(counts)
    whole = pc.and_(
        pc.equal(found[f"{column}_min"], 1),
        pc.equal(found[f"{column}_max"], found[f"{column}_count_distinct"]),
    )
    holed = found.filter(pc.invert(whole)).select(within)
    if holed.num_rows:
        raise StoreError(
            f"column {table}.{column}: does not count from 1 without a hole in "
            f"{holed.num_rows} cases, such as {holed.slice(0, 1).to_pylist()[0]}; "
            f"number the rows of each {', '.join(within)}"
        )


def check_scale(
    where: str, values: pa.ChunkedArray, what: str = "every score lies"
) -> None:
    """All values that are known lie in [0, 1]."""
    low, high = pc.min(values).as_py(), pc.max(values).as_py()
    if low is not None and (low < 0 or high > 1):
        raise StoreError(
            f"column {where}: got values from {low!r} to {high!r}; {what} in [0, 1]"
        )


def check_known(where: str, values: Iterable[str], known: Iterable[str]) -> None:
    """Every value is one of those known."""
    names = set(known)
    unknown = sorted(set(values) - names)
    if unknown:
        raise StoreError(
            f"column {where}: got {unknown[0]!r}{nearest(unknown[0], names)}"
        )


def places(
    table: str, values: pa.ChunkedArray, known: pa.ChunkedArray, what: str
) -> pa.ChunkedArray:
    """The place of each value among those known, from 1.

    Args:
        what: those that are not known, such as `units that are no leads`.
    """
    place = pc.index_in(values, value_set=known)
    if place.null_count:
        strange = values.filter(pc.is_null(place))[0].as_py()
        raise StoreError(
            f"table {table!r}: {place.null_count} rows are about {what}, such as "
            f"{strange!r}; publish them too or leave the rows out"
        )
    return pc.add(place.cast(pa.int64()), 1)
