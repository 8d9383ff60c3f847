"""Pairs that a score alone must not decide, because evidence adds up as if independent.

Twins share home and birth date, which within one household is one fact and not two. An
identifier that stands with another name and another year of birth was mistyped, or lent,
or stolen: a documented victim lost her aid for a company registered in her name.
"""

from collections.abc import Mapping, Sequence

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue, Table

from configs.linkage import ID
from configs.schema import ColumnType
from features.linkage.engine import LinkEngine, stem
from features.linkage.names import BIRTH, HOME, NAME, NUMBER

MOST = "most"  # the probability that a pair is given at most
AS_TWINS, AS_CONTRADICTED = 0.6, 0.3
_NEEDED: dict[str, ColumnType] = {NAME: "person_name", BIRTH: "date"}


def doubts(
    pairs: Table, records: Table, fields: Mapping[str, ColumnType], engine: LinkEngine
) -> Table:
    """`left`, `right` (record numbers) and `most` of the pairs that are doubted, no other.

    Args:
        records: as `features.linkage.parts.compared` has them.
    """
    name = f"{stem(pairs)}_doubted"
    if any(fields.get(name) != kind for name, kind in _NEEDED.items()):
        none = pa.schema(
            [("left", pa.int64()), ("right", pa.int64()), (MOST, pa.float64())]
        )
        return engine.register(name, none.empty_table())
    # Few pairs have two names: the rest is looked up for them alone.
    named = engine.keep(_other_name(pairs, records), f"{stem(pairs)}_named")
    read = [NAME, BIRTH]
    read += [f"{HOME}_building"] if fields.get(HOME) == "address" else []
    read += [f"{ID}_masked"] if fields.get(ID) == "person_id" else []
    both = _beside(named, records, read)
    most = ibis.cases(
        (_twins(both), AS_TWINS), (_contradicted(both), AS_CONTRADICTED), else_=1.0
    )
    doubted = both.select("left", "right", **{MOST: most})
    kept = engine.keep(doubted.filter(doubted[MOST] < 1), name)
    engine.drop(stem(named))
    return kept


def _beside(pairs: Table, records: Table, read: Sequence[str]) -> Table:
    both = pairs
    for side in ("left", "right"):
        told = {f"_{side}_{name}": records[name] for name in read}
        both = both.inner_join(records.select(**{side: records[NUMBER]}, **told), side)
    return both


def _other_name(pairs: Table, records: Table) -> Table:
    """Of which both names are known in full, and do not even sound the same."""
    sound = f"{NAME}_sound"
    known = records.filter(records[sound].notnull() & ~records[NAME].re_search("[某*]"))
    both = _beside(pairs.select("left", "right"), known, [sound])
    other = both[f"_left_{sound}"] != both[f"_right_{sound}"]
    return both.filter(other).select("left", "right")


def _twins(both: Table) -> BooleanValue:
    if f"_left_{HOME}_building" not in both.columns:
        return ibis.literal(False)
    home = both[f"_left_{HOME}_building"] == both[f"_right_{HOME}_building"]
    born = both[f"_left_{BIRTH}"] == both[f"_right_{BIRTH}"]
    number = ibis.literal(False)
    if f"_left_{ID}_masked" in both.columns:
        number = (both[f"_left_{ID}_masked"] == both[f"_right_{ID}_masked"]).fill_null(
            False
        )
    return (home & born & ~number).fill_null(False)


def _contradicted(both: Table) -> BooleanValue:
    years = [both[f"_{side}_{BIRTH}"].substr(0, 4) for side in ("left", "right")]
    surnames = [both[f"_{side}_{NAME}"].substr(0, 1) for side in ("left", "right")]
    return ((years[0] != years[1]) & (surnames[0] != surnames[1])).fill_null(False)
