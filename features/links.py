"""Ties units to the rows of a source through valid, normalised identifiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from ibis.expr.types import Table, Value

from configs.column import Column, column_kind
from configs.keys import key_pairs
from configs.schema import ModelSpec

# Beside an identifier column: its value where it is valid, else null (see sources).
STRONG = "_key_"
# Beside the column of a linked role: the probability that the row is its entity's; not
# there where all rows are for sure.
SURE = "_sure_"


@dataclass(frozen=True, slots=True)
class Link:
    """Column pairs (unit, source) that must agree.

    Attributes:
        pairs: as they are named.
        times: those whose both sides are times, which are compared as such; all others
            are compared as text.
    """

    pairs: tuple[tuple[str, str], ...]
    times: frozenset[tuple[str, str]] = frozenset()

    @property
    def keys(self) -> list[str]:
        return [f"_link{number}" for number in range(len(self.pairs))]

    def unit_keys(self, units: Table) -> dict[str, Value]:
        """The units' key values, null where an identifier is not valid."""
        return self._keys(units, 0)

    def source_keys(self, rows: Table) -> dict[str, Value]:
        return self._keys(rows, 1)

    def complete(self, table: Table) -> Value:
        """True where every key of the link is known."""
        return _all_known([table[key] for key in self.keys])

    def known_to(self, units: Table) -> Value:
        """True for units that have every key."""
        return _all_known(list(self.unit_keys(units).values()))

    def _keys(self, table: Table, side: int) -> dict[str, Value]:
        named = zip(self.keys, self.pairs, strict=True)
        return {key: self._key(table, pair, side) for key, pair in named}

    def _key(self, table: Table, pair: tuple[str, str], side: int) -> Value:
        value = strong(table, pair[side])
        return value if pair in self.times else value.cast("string")


def link(
    spec: ModelSpec,
    of: str,
    by: tuple[str, ...],
    as_: tuple[str, ...],
    unit_columns: Mapping[str, Column],
) -> Link:
    """The link from the units to source `of`, as the declaration says."""
    pairs = tuple(key_pairs(spec, of, by, as_, unit_columns))
    declared = spec.sources[of].columns

    def is_time(own: str, other: str) -> bool:
        same = of == spec.unit.source
        there = unit_columns[other].kind if same else column_kind(declared[other])
        return unit_columns[own].kind == there == "time"

    return Link(pairs, frozenset(pair for pair in pairs if is_time(*pair)))


def strong(table: Table, column: str) -> Value:
    """A column, or its valid values alone where the column is an identifier."""
    return table[STRONG + column if STRONG + column in table.columns else column]


def _all_known(values: list[Value]) -> Value:
    return reduce(lambda a, b: a & b, (value.notnull() for value in values))
