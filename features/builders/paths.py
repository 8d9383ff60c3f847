"""The fewest ties between two nodes of the unit, or to the nearest marked node."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from configs.network import MarkedSpec, PathSpec
from configs.nodes import marked_kind
from features.associations import Associated
from features.builders.marks import NOBODY, OWN, Marks, marks, with_own
from features.builders.nodes import looked_up, node_values
from features.distances import ties_between, ties_to_nearest
from features.graph import UNKNOWN, Flags, Graph, Numbers, Weights

_FROM, _TO = "_from", "_to"


def path_features(units: Table, step: PathSpec, associated: Associated) -> Table:
    """The units with `<named>_ties` and `<named>_closeness`.

    Closeness is 1 / ties: 1 where both ends are tied directly or are the same, 0
    without a way. Both are null where an end is not known, ties also without a way.
    A node that only the unit's own row marks is no target.
    """
    graph, source = associated.graph(units), associated.known.spec.unit.source
    [(kind, name)] = step.from_.items()
    keyed = units.mutate(**{_FROM: node_values(associated, units, source, name)})
    if isinstance(step.to, MarkedSpec):
        return _to_marked(keyed, step, step.to, graph, associated)
    [(other_kind, other)] = step.to.items()
    keyed = keyed.mutate(**{_TO: node_values(associated, keyed, source, other)})

    def compute(rows: pa.Table) -> Mapping[str, Weights]:
        left = graph.nodes(kind, rows[_FROM])
        right = graph.nodes(other_kind, rows[_TO])
        ties = _known_ties(graph, step, left, right)
        # The same node, whether anything ties it or not.
        same = pc.equal(rows[_FROM], rows[_TO]).to_numpy(False) & (kind == other_kind)
        return _features(step, np.where(same, 0.0, ties))

    return looked_up(keyed, (_FROM, _TO), compute, f"path_{step.named}", associated)


def _to_marked(
    keyed: Table, step: PathSpec, to: MarkedSpec, graph: Graph, associated: Associated
) -> Table:
    known, name = associated.known, f"path_{step.named}"
    [kind] = step.from_
    target = marked_kind(known.spec, to, known.model.known.columns)
    marked = marks(associated, keyed, to, target)
    keyed = with_own(keyed, marked, name, associated)

    def compute(rows: pa.Table) -> Mapping[str, Weights]:
        owner = marked.owner_of(rows[OWN])
        nodes = graph.nodes(kind, rows[_FROM])
        ties = _nearest(graph, step, nodes, owner, marked)
        same = marked.holds(rows[_FROM], owner) & (kind == target)
        return _features(step, np.where(same, 0.0, ties))

    return looked_up(keyed, (_FROM, OWN), compute, name, associated)


def _features(step: PathSpec, ties: Weights) -> dict[str, Weights]:
    closeness = np.where(np.isnan(ties), 0.0, 1 / np.maximum(ties, 1))
    return {f"{step.named}_ties": ties, f"{step.named}_closeness": closeness}


def _known_ties(graph: Graph, step: PathSpec, left: Numbers, right: Numbers) -> Weights:
    """The fewest ties of each pair; NaN where nothing ties one of the ends."""
    ties = np.full(len(left), np.nan)
    tied = (left != UNKNOWN) & (right != UNKNOWN)
    middle = graph.of_kinds(step.through)
    pairs = left[tied], right[tied]
    ties[tied] = ties_between(graph, pairs, middle, step.longest)
    return ties


def _nearest(
    graph: Graph, step: PathSpec, nodes: Numbers, owner: Numbers, marked: Marks
) -> Weights:
    """The fewest ties to a node that others than the owner beside it mark."""
    ties = _fewest(graph, step, marked.flags(graph), nodes)
    if (owner == NOBODY).all():
        return ties
    ties[owner != NOBODY] = np.nan
    # The numbers of two owners differ in some binary digit: two searches for each digit
    # leave out each owner's marks, however many owners there are.
    for digit in range(len(marked.owners).bit_length()):
        for side in (0, 1):
            theirs = (marked.owner >> digit) & 1 == side
            flags = marked.flags(graph, theirs | (marked.owner == NOBODY))
            others = (owner != NOBODY) & ((owner >> digit) & 1 != side)
            found = _fewest(graph, step, flags, nodes[others])
            ties[others] = np.fmin(ties[others], found)
    return ties


def _fewest(graph: Graph, step: PathSpec, targets: Flags, nodes: Numbers) -> Weights:
    """The fewest ties of each node to a target; NaN where nothing ties the node."""
    middle = graph.of_kinds(step.through)
    ties = ties_to_nearest(graph, targets, middle, step.longest)
    return np.append(ties, np.nan)[nodes]
