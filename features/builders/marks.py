"""Nodes that a source marks, such as confirmed parties, and whose row marks them.

A node that the rows of one unit alone mark says nothing about that unit that is not its
own outcome: for this unit it is not marked.
"""

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table, Value

from configs.keys import KeyProblem
from configs.network import MarkedSpec
from features.adjacency import Flags, Numbers
from features.associations import Associated
from features.builders.nodes import node_values, with_numbers
from features.expressions import compile_text
from features.graph import UNKNOWN
from features.links import strong

# Of a unit that is the only one to mark some node: its number among such; else NOBODY.
OWN = "_own"
NOBODY = -1


@dataclass(frozen=True)
class Marks:
    """The marked nodes of one kind.

    Attributes:
        table: `value`, each once; `node`, UNKNOWN where nothing ties it; `owner`, the
            only unit whose rows mark it, by its number in `owners`; NOBODY where there
            are several or where no unit is named.
        owners: `unit` (its key) and `owner`, from 0.
        unit_column: the units' column of such keys.
    """

    table: Table
    owners: Table
    unit_column: str


@dataclass(frozen=True)
class Marked:
    """Marked nodes in arrays; `node` and `owner` as in `Marks`."""

    node: Numbers
    owner: Numbers

    @classmethod
    def of(cls, rows: pa.Table) -> "Marked":
        return cls(rows["node"].to_numpy(), rows["owner"].to_numpy())

    @property
    def owners(self) -> int:
        return int(self.owner.max(initial=NOBODY)) + 1

    def flags(self, size: int, chosen: Flags | None = None) -> Flags:
        """Which of so many nodes are marked, or are one of the chosen marks."""
        nodes = self.node if chosen is None else self.node[chosen]
        found = np.zeros(size, dtype=bool)
        found[nodes[nodes != UNKNOWN]] = True
        return found

    def owned(self, owner: Numbers) -> tuple[Numbers, Numbers]:
        """Pairs of a row and a mark of its own unit alone, as positions in both."""
        order = np.argsort(self.owner, kind="stable")
        ranked = self.owner[order]
        first = np.searchsorted(ranked, owner, side="left")
        last = np.searchsorted(ranked, owner, side="right")
        counts = np.where(owner == NOBODY, 0, last - first)
        row = np.repeat(np.arange(len(owner)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        return row, order[first[row] + nth]


def marks(
    associated: Associated, units: Table, marked: MarkedSpec, kind: str, name: str
) -> Marks:
    """The nodes that the rows known at `as_of` mark.

    Args:
        name: what the results are called in the engine.
    """
    rows = associated.known.rows(marked.source, units)
    if marked.where is not None:
        rows = rows.filter(compile_text(marked.where, rows))
    unit_column, unit = _unit(associated, rows, marked.source)
    node = node_values(associated, rows, marked.source, marked.by)
    named = rows.select(value=node, _unit=unit)
    named = named.filter(named["value"].notnull())
    grouped = named.group_by("value").aggregate(_sole=_sole(named))
    keep = associated.engine.keep
    found = with_numbers(grouped, "value", kind, "node", associated.made(units))
    found = keep(found, f"{name}_marks")
    sole = found.filter(found["_sole"].notnull()).select(unit="_sole").distinct()
    number = ibis.row_number().over(ibis.window(order_by=sole["unit"]))
    owners = keep(sole.mutate(owner=number.cast("int64")), f"{name}_owners")
    joined = found.left_join(owners, found["_sole"] == owners["unit"])
    owner = joined["owner"].fill_null(NOBODY)
    table = keep(joined.select("value", "node", owner=owner), f"{name}_marked")
    return Marks(table, owners, unit_column)


def with_own(units: Table, marked: Marks) -> Table:
    """The units with the column OWN."""
    owners = marked.owners.select(_owner="owner", _owner_unit="unit")
    keyed = units.mutate(_unit=strong(units, marked.unit_column).cast("string"))
    joined = keyed.left_join(owners, keyed["_unit"] == owners["_owner_unit"])
    own = joined["_owner"].fill_null(NOBODY)
    return joined.select(*units.columns, **{OWN: own})


def with_marked_by_others(units: Table, value: str, marked: Marks, name: str) -> Table:
    """The units with a flag: the value is marked, and not only by the unit itself.

    Args:
        units: with the column OWN.
        value: column of values of the marks' kind.
    """
    table = marked.table.select(_marked="value", _marked_by="owner")
    joined = units.left_join(table, units[value] == table["_marked"])
    by = joined["_marked_by"]
    others = joined["_marked"].notnull() & ((by == NOBODY) | (by != joined[OWN]))
    return joined.select(*units.columns, **{name: others.fill_null(False)})


def _unit(associated: Associated, rows: Table, source: str) -> tuple[str, Value]:
    """The units' column and the rows' value that tell which unit a row is about."""
    spec = associated.known.spec
    if source == spec.unit.source:
        return "unit_id", rows["unit_id"]
    for role, column in spec.roles_of(spec.unit.source).items():
        if column == spec.unit.key:
            try:
                link = associated.known.link(source, (role,), ())
            except KeyProblem:
                break
            return column, link.source_keys(rows)[link.keys[0]]
    return "unit_id", ibis.null("string")


def _sole(named: Table) -> Value:
    """The unit that all rows of a group are about, if they are about one."""
    unit: Any = named["_unit"]
    alone = (unit.min() == unit.max()) & (unit.count() == named.count())
    return ibis.ifelse(alone, unit.min(), ibis.null())
