"""What steps found for the units, joined to them in one go.

A select of all columns after each join would nest the query as deep as there are steps,
and name a hundred columns at each depth.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import ibis
from ibis.expr.operations import Equals, JoinChain, JoinLink, JoinReference, Node
from ibis.expr.types import Table, Value

from features.links import Link

UNIT = "unit_id"
# The columns of keys, what of the units must equal them, and the table.
ByKey = tuple[Mapping[str, Value], Table]


@dataclass(frozen=True, slots=True)
class Found:
    """What a step found, in a table of its own.

    Attributes:
        table: one row per key.
        keys: by the table's columns of keys, what of the units must equal them.
        reads: columns of the units that keys and features name.
        features: the new columns, of the units joined with the table; a unit whose keys
            were not found has nulls there.
    """

    table: Table
    keys: Callable[[Table], Mapping[str, Value]]
    reads: frozenset[str]
    features: Callable[[Table], Mapping[str, Value]]

    @classmethod
    def by_link(
        cls, table: Table, link: Link, features: Callable[[Table], Mapping[str, Value]]
    ) -> "Found":
        """By the keys of a link."""
        reads = frozenset(own for own, _ in link.pairs)
        return cls(table, link.unit_keys, reads, features)

    @classmethod
    def by_unit(
        cls, table: Table, features: Callable[[Table], Mapping[str, Value]]
    ) -> "Found":
        """By `unit_id`."""
        return cls(
            table, lambda units: {UNIT: units[UNIT]}, frozenset({UNIT}), features
        )


def joined(units: Table, found: Iterable[Found]) -> Table:
    """The units with the features of all that was found.

    Args:
        units: with all columns that it reads.
        found: no two with a column of one name, but for keys.
    """
    # The chain of joins as one: Table.left_join looks through all columns of all tables
    # before for each further one, and may take one side's expression for the other's.
    first = JoinReference(units, identifier=0)
    fields, links, found = dict(first.fields), [], tuple(found)
    for number, (keys, said) in enumerate(_by_key(found, first.to_expr()), start=1):
        table = JoinReference(said, identifier=number)
        agree = [Equals(value, table.fields[key]) for key, value in keys.items()]
        links.append(JoinLink("left", table, agree))
        fields |= {name: x for name, x in table.fields.items() if name not in keys}
    together = JoinChain(first, links, fields).to_expr()
    features: dict[str, Value] = {}
    for one in found:
        features.update(one.features(together))
    selected: Table = together.select(*units.columns, **features)
    return selected


def _by_key(found: Iterable[Found], units: Table) -> Iterator[ByKey]:
    """What was found by the same values of the units, in one table for each such key.

    The units are wide, and where memory is short each join of theirs writes them to disk.
    """
    same: dict[tuple[Node, ...], list[ByKey]] = {}
    for one in found:
        keys = one.keys(units)
        values = tuple(value.op() for value in keys.values())
        same.setdefault(values, []).append((keys, one.table))
    for alike in same.values():
        yield reduce(_beside, alike)


def _beside(one: ByKey, other: ByKey) -> ByKey:
    """Two tables by the same key as one, with the keys of either."""
    (keys, left), (theirs, right) = one, other
    # As above, with references: both may be made of one table.
    ours, others = (
        JoinReference(left, identifier=0),
        JoinReference(right, identifier=1),
    )
    both_keys = list(zip(keys, theirs, strict=True))
    agree = [Equals(ours.fields[key], others.fields[their]) for key, their in both_keys]
    again = {f"_other{key}": others.fields[their] for key, their in both_keys}
    rest = {name: x for name, x in others.fields.items() if name not in theirs}
    fields = {**ours.fields, **again, **rest}
    both = JoinChain(ours, [JoinLink("outer", others, agree)], fields).to_expr()
    known = {key: ibis.coalesce(both[key], both[f"_other{key}"]) for key in keys}
    kept = [*(name for name in ours.fields if name not in keys), *rest]
    return keys, both.select(**known, **{name: both[name] for name in kept})
