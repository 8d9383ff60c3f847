"""Nodes that a source marks, such as confirmed parties, and whose row marks them.

A node that the rows of one unit alone mark says nothing about that unit that is not its
own outcome: for this unit it is not marked.
"""

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table, Value

from configs.keys import KeyProblem
from configs.network import MarkedSpec
from features.associations import Associated
from features.builders.nodes import node_values
from features.expressions import compile_text
from features.graph import UNKNOWN, Flags, Graph, Numbers
from features.links import strong

# The unit's key where it is the only one that marks some node; else empty.
OWN = "_own"
NOBODY = -1


@dataclass(frozen=True)
class Marks:
    """The marked nodes of one kind.

    Attributes:
        values: each once.
        owner: beside each, the only unit whose rows mark it, as a position in `owners`;
            NOBODY where there are several or where no unit is named.
        owners: keys of units.
        unit_column: the units' column of such keys.
    """

    kind: str
    values: pa.Array
    owner: Numbers
    owners: pa.Array
    unit_column: str

    def nodes(self, graph: Graph) -> Numbers:
        return graph.nodes(self.kind, self.values)

    def flags(self, graph: Graph, chosen: Flags | None = None) -> Flags:
        """Which nodes of the graph are marked, or are one of the chosen marks."""
        nodes = self.nodes(graph) if chosen is None else self.nodes(graph)[chosen]
        found = np.zeros(graph.size, dtype=bool)
        found[nodes[nodes != UNKNOWN]] = True
        return found

    def owner_of(self, own: pa.Array) -> Numbers:
        """Units' keys as positions in `owners`."""
        return _positions(own, self.owners)

    def holds(self, values: pa.Array, owner: Numbers) -> Flags:
        """Whether each value is marked, and not only by the unit beside it."""
        at = _positions(values, self.values)
        marked_by = np.append(self.owner, NOBODY)[at]
        by_others: Flags = (marked_by == NOBODY) | (marked_by != owner)
        return by_others & (at >= 0)

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


def marks(associated: Associated, units: Table, marked: MarkedSpec, kind: str) -> Marks:
    """The nodes that the rows known at `as_of` mark."""
    rows = associated.known.rows(marked.source, units)
    if marked.where is not None:
        rows = rows.filter(compile_text(marked.where, rows))
    unit_column, unit = _unit(associated, rows, marked.source)
    node = node_values(associated, rows, marked.source, marked.by)
    named = rows.select(_node=node, _unit=unit)
    named = named.filter(named["_node"].notnull())
    grouped = named.group_by("_node").aggregate(_sole=_sole(named))
    found = associated.engine.arrow(grouped.order_by("_node")).combine_chunks()
    sole = found["_sole"].combine_chunks()
    owners = pc.unique(sole).drop_null()
    values = found["_node"].combine_chunks()
    return Marks(kind, values, _positions(sole, owners), owners, unit_column)


def with_own(units: Table, marked: Marks, name: str, associated: Associated) -> Table:
    """The units with the column OWN."""
    keys = pa.table({"_owner": marked.owners})
    owners = associated.engine.register(f"{name}_owners", keys)
    keyed = units.mutate(_unit=strong(units, marked.unit_column).cast("string"))
    joined = keyed.left_join(owners, keyed["_unit"] == owners["_owner"])
    joined = joined.select(*units.columns, "_owner")
    return joined.mutate(**{OWN: joined["_owner"].fill_null("")}).drop("_owner")


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


def _positions(values: pa.Array, known: pa.Array) -> Numbers:
    found = pc.index_in(values.cast(known.type), value_set=known, skip_nulls=True)
    positions: Numbers = found.cast(pa.int64()).fill_null(NOBODY).to_numpy()
    return positions
