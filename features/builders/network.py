"""The place of a node of the unit in the graph of associations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from configs.family_network import network_kinds
from configs.network import NetworkSpec
from features.adjacency import Flags, Numbers, Weights
from features.associations import Associated
from features.builders.marks import OWN, Marked, marks, with_own
from features.builders.nodes import looked_up, node_values, with_numbers
from features.distances import counterparties, ties_between
from features.found import Found
from features.graph import UNKNOWN, Graph, size_of

_NODE = "_node"


def network_found(units: Table, step: NetworkSpec, associated: Associated) -> Found:
    """One column per statistic (degree: per kind of neighbour).

    Null where the node is not known. A known node without ties has degree 0 and stands
    alone; so does a hub in components, communities and cores. The share of confirmed
    counterparties is null where there are none, and never counts what only the unit's
    own row confirms.
    """
    spec, name = associated.known.spec, f"network_{step.prefix}"
    node = node_values(associated, units, spec.unit.source, step.of)
    keyed = units.mutate(_value=node)
    made = associated.made(units)
    keyed = with_numbers(keyed, "_value", step.kind, _NODE, made)
    keys: tuple[str, ...] = (_NODE,)
    others: tuple[Table, ...] = ()
    if step.confirmed:
        marked = marks(associated, units, step.confirmed, step.kind, name)
        keyed = with_own(keyed, marked)
        keys, others = (_NODE, OWN), (marked.table.select("node", "owner"),)
    kinds, known = network_kinds(spec, step), keyed.drop("_value")

    def compute(
        graph: Graph, rows: pa.Table, *marks: pa.Table
    ) -> Mapping[str, Weights]:
        place = _Place(graph, step, rows[_NODE].to_numpy())
        return place.features(kinds, rows, *map(Marked.of, marks))

    through = {step.kind, *step.through} if step.through else ()
    return looked_up(known, keys, compute, name, associated, through, *others)


@dataclass(frozen=True)
class _Place:
    """The statistics of nodes of one kind; UNKNOWN where nothing ties a node."""

    graph: Graph
    step: NetworkSpec
    nodes: Numbers

    def features(
        self, kinds: tuple[str, ...], rows: pa.Table, marked: Marked | None = None
    ) -> dict[str, Weights]:
        """The columns of the step, in the order of the vocabulary."""
        found: dict[str, Weights] = {}
        for stat in self.step.stats:
            if stat == "degree":
                found |= {f"degree_{kind}": self._degree(kind) for kind in kinds}
            elif stat == "confirmed_share" and marked:
                found[stat] = self._confirmed_share(rows[OWN].to_numpy(), marked)
            else:
                found[stat] = self._number(stat)
        return {f"{self.step.prefix}_{name}": values for name, values in found.items()}

    def _number(self, stat: str) -> Weights:
        match stat:
            case "counterparties":
                return self._near(np.zeros(self.graph.size, bool))[0]
            case "component_size":
                return self._of(size_of(self.graph.component), 1)
            case "community_size":
                return self._of(size_of(self.graph.community), 1)
        return self._of(self.graph.core_number, 0)

    def _degree(self, kind: str) -> Weights:
        return self._of(self.graph.degree_towards(kind), 0)

    def _near(self, flags: Flags) -> tuple[Weights, Weights]:
        """How many counterparties each node has, and how many of them are flagged."""
        different = np.unique(self.nodes[self.nodes != UNKNOWN])
        count, flagged = np.zeros((2, self.graph.size))
        inside = flags[self.graph.span(self.step.kind)].astype(np.int64)
        for part, near in counterparties(self.graph, different, self.step.kind):
            count[different[part]] = np.diff(near.indptr)
            flagged[different[part]] = near.astype(np.int64) @ inside
        return self._of(count, 0), self._of(flagged, 0)

    def _confirmed_share(self, own: Numbers, marked: Marked) -> Weights:
        count, flagged = self._near(marked.flags(self.graph.size))
        confirmed = flagged - self._own_marks(own, marked)
        return np.where(count > 0, confirmed / np.maximum(count, 1), np.nan)

    def _own_marks(self, own: Numbers, marked: Marked) -> Numbers:
        """How many counterparties only the unit's own row marks."""
        row, mark = marked.owned(own)
        left, right = self.nodes[row], marked.node[mark]
        tied = (left != UNKNOWN) & (right != UNKNOWN)
        anything = np.ones(self.graph.size, dtype=bool)
        ties = ties_between(self.graph, (left[tied], right[tied]), anything, longest=2)
        return np.bincount(row[tied][ties >= 1], minlength=len(self.nodes))

    def _of(self, values: Numbers | Weights, untied: int) -> Weights:
        return np.append(values, untied)[self.nodes].astype(np.float64)
