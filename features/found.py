"""What steps found for the units, joined to them in one go.

A select of all columns after each join would nest the query as deep as there are steps,
and name a hundred columns at each depth.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ibis.expr.operations import Field
from ibis.expr.types import Table, Value

from features.links import Link

UNIT = "unit_id"


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
    found = tuple(found)
    keys = [one.keys(units) for one in found]
    names = [_named(own, number) for number, own in enumerate(keys)]
    together = _with_keys(units, zip(names, keys, strict=True))
    for number, (one, own) in enumerate(zip(found, names, strict=True)):
        # By names: of expressions Ibis may take one side's for the other's.
        agree = [(name, key) for key, name in own.items()]
        together = together.left_join(one.table, agree, rname=f"_{number}_{{name}}")
    features: dict[str, Value] = {}
    for one in found:
        features.update(one.features(together))
    return together.select(*units.columns, **features)


def _named(own: Mapping[str, Value], number: int) -> dict[str, str]:
    """By key its column: one that the units have, or a new one."""
    return {
        key: value.get_name() if _is_column(value) else f"_own_{number}_{key}"
        for key, value in own.items()
    }


def _with_keys(
    units: Table, keys: Iterable[tuple[Mapping[str, str], Mapping[str, Value]]]
) -> Table:
    made = {
        name: own[key]
        for names, own in keys
        for key, name in names.items()
        if not _is_column(own[key])
    }
    return units.mutate(**made) if made else units


def _is_column(value: Value) -> bool:
    return isinstance(value.op(), Field)
