"""The fewest ties between two nodes of the unit, or to the nearest marked node."""

from collections.abc import Mapping

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from configs.network import MarkedSpec, PathSpec
from configs.nodes import marked_kind
from features.adjacency import Flags, Numbers, Weights
from features.associations import Associated
from features.builders.marks import (
    NOBODY,
    OWN,
    Marked,
    marks,
    with_marked_by_others,
    with_own,
)
from features.builders.nodes import looked_up, node_values, with_numbers
from features.distances import ties_between, ties_to_nearest
from features.found import Found
from features.graph import UNKNOWN, Graph

_FROM, _TO, _SAME = "_from", "_to", "_same"
_VALUES = ("_from_value", "_to_value")


def path_found(units: Table, step: PathSpec, associated: Associated) -> Found:
    """`<named>_ties` and `<named>_closeness`.

    Closeness is 1 / ties: 1 where both ends are tied directly or are the same, 0
    without a way. Both are null where an end is not known, ties also without a way.
    A node that only the unit's own row marks is no target.
    """
    source, made = associated.known.spec.unit.source, associated.made(units)
    [(kind, name)] = step.from_.items()
    keyed = units.mutate(_from_value=node_values(associated, units, source, name))
    keyed = with_numbers(keyed, "_from_value", kind, _FROM, made)
    if isinstance(step.to, MarkedSpec):
        return _to_marked(keyed, step, step.to, associated)
    [(other_kind, other)] = step.to.items()
    keyed = keyed.mutate(_to_value=node_values(associated, keyed, source, other))
    keyed = with_numbers(keyed, "_to_value", other_kind, _TO, made)
    # The same node, whether anything ties it or not.
    same = (keyed["_from_value"] == keyed["_to_value"]) & (kind == other_kind)
    keyed = keyed.mutate(**{_SAME: same}).drop(*_VALUES)

    def compute(graph: Graph, rows: pa.Table) -> Mapping[str, Weights]:
        left, right = (rows[end].to_numpy() for end in (_FROM, _TO))
        ties = _known_ties(graph, step, left, right)
        return _features(step, np.where(_flags(rows), 0.0, ties))

    kinds = {kind, other_kind, *step.through}
    name = f"path_{step.named}"
    return looked_up(keyed, (_FROM, _TO, _SAME), compute, name, associated, kinds)


def _to_marked(
    keyed: Table, step: PathSpec, to: MarkedSpec, associated: Associated
) -> Found:
    known, name = associated.known, f"path_{step.named}"
    [kind] = step.from_
    target = marked_kind(known.spec, to, known.model.known.columns)
    marked = marks(associated, keyed, to, target, name)
    keyed = with_own(keyed, marked)
    if kind == target:
        keyed = with_marked_by_others(keyed, "_from_value", marked, _SAME)
    else:
        keyed = keyed.mutate(**{_SAME: ibis.literal(False)})

    def compute(graph: Graph, rows: pa.Table, marks: pa.Table) -> Mapping[str, Weights]:
        owner, nodes = rows[OWN].to_numpy(), rows[_FROM].to_numpy()
        ties = _nearest(graph, step, nodes, owner, Marked.of(marks))
        return _features(step, np.where(_flags(rows), 0.0, ties))

    return looked_up(
        keyed.drop("_from_value"),
        (_FROM, OWN, _SAME),
        compute,
        name,
        associated,
        {kind, target, *step.through},
        marked.table.select("node", "owner"),
    )


def _flags(rows: pa.Table) -> Flags:
    """Whether both ends are one node."""
    flags: Flags = rows[_SAME].to_numpy()
    return flags


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
    graph: Graph, step: PathSpec, nodes: Numbers, owner: Numbers, marked: Marked
) -> Weights:
    """The fewest ties to a node that others than the owner beside it mark."""
    ties = _fewest(graph, step, marked.flags(graph.size), nodes)
    if (owner == NOBODY).all():
        return ties
    ties[owner != NOBODY] = np.nan
    # The numbers of two owners differ in some binary digit: two searches for each digit
    # leave out each owner's marks, however many owners there are.
    for digit in range(marked.owners.bit_length()):
        for side in (0, 1):
            theirs = (marked.owner >> digit) & 1 == side
            flags = marked.flags(graph.size, theirs | (marked.owner == NOBODY))
            others = (owner != NOBODY) & ((owner >> digit) & 1 != side)
            found = _fewest(graph, step, flags, nodes[others])
            ties[others] = np.fmin(ties[others], found)
    return ties


def _fewest(graph: Graph, step: PathSpec, targets: Flags, nodes: Numbers) -> Weights:
    """The fewest ties of each node to a target; NaN where nothing ties the node."""
    middle = graph.of_kinds(step.through)
    ties = ties_to_nearest(graph, targets, middle, step.longest)
    return np.append(ties, np.nan)[nodes]
