"""Pairs that a score alone must not decide, because evidence adds up as if independent.

Twins share home and birth date, which within one household is one fact and not two. An
identifier that stands with another name and another year of birth was mistyped, or lent,
or stolen: a documented victim lost her aid for a company registered in her name.
"""

from collections.abc import Mapping

import ibis
from ibis.expr.types import BooleanValue, Table

from configs.linkage import ID
from configs.schema import ColumnType
from features.linkage.names import BIRTH, HOME, NAME, NUMBER

MOST = "most"  # the probability that a pair is given at most
AS_TWINS, AS_CONTRADICTED = 0.6, 0.3
_NEEDED: dict[str, ColumnType] = {NAME: "person_name", BIRTH: "date"}


def with_doubts(
    pairs: Table, records: Table, fields: Mapping[str, ColumnType]
) -> Table:
    """The pairs (`left`, `right`: record numbers) with the column `most`."""
    if any(fields.get(name) != kind for name, kind in _NEEDED.items()):
        return pairs.mutate(**{MOST: ibis.literal(1.0)})
    read = [NAME, f"{NAME}_sound", BIRTH]
    read += [f"{HOME}_building"] if fields.get(HOME) == "address" else []
    read += [f"{ID}_masked"] if fields.get(ID) == "person_id" else []
    both = pairs
    for side in ("left", "right"):
        told = {f"_{side}_{name}": records[name] for name in read}
        both = both.inner_join(records.select(**{side: records[NUMBER]}, **told), side)
    named = _other_name(both)
    most = ibis.cases(
        (named & _twins(both), AS_TWINS),
        (named & _contradicted(both), AS_CONTRADICTED),
        else_=1.0,
    )
    return both.select(*pairs.columns, **{MOST: most})


def _other_name(both: Table) -> BooleanValue:
    """Both names are known in full, and they do not even sound the same."""
    left, right = both[f"_left_{NAME}"], both[f"_right_{NAME}"]
    masked = left.re_search("[某*]") | right.re_search("[某*]")
    sounds = both[f"_left_{NAME}_sound"] == both[f"_right_{NAME}_sound"]
    return (~masked & ~sounds).fill_null(False)


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
