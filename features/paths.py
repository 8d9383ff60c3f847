"""The ways from a lead to other leads: the rarest points first, no hub in the middle."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from features.adjacency import Flags, Numbers, Weights, neighbour_sums, structure
from features.graph import UNKNOWN, Graph
from features.groups import position_within
from features.ties import Tied

PATHS_OF_A_LEAD = 3
LONGEST = 5  # steps: a claimant, the household, its member, the shop that pays him
BUDGET = 20_000_000  # distances held at once


@dataclass(frozen=True)
class Ways:
    """Ways between leads.

    Attributes:
        nodes: ways x (longest + 1), node numbers from the lead to the other one;
            UNKNOWN after the end.
        path: of each way, from 1 within its lead.
    """

    nodes: Any
    path: Numbers

    @property
    def ends(self) -> Numbers:
        return _ends(self.nodes)


def path_rows(
    tied: Tied, leads: Numbers, most: int = PATHS_OF_A_LEAD, longest: int = LONGEST
) -> pa.Table:
    """PATHS between these leads, values unmasked.

    Each lead has up to `most` ways to other leads that share no node but the lead
    itself: the cheapest, then the cheapest of those that begin otherwise. To pass a node
    costs the logarithm of its degree (the inverse of its rarity).

    Args:
        leads: their nodes, without UNKNOWN.
        longest: steps of a way at most.
    """
    ways = find_ways(tied.graph, np.sort(leads), most, longest)
    step = np.arange(1, longest + 1)
    first, second = ways.nodes[:, :-1], ways.nodes[:, 1:]
    real = second != UNKNOWN
    way, at = np.nonzero(real)
    rows = tied.tables.between(first[real], second[real])
    shown = tied.shown(rows, first[real])
    columns = {
        "unit_id": tied.tables.values(ways.nodes[way, 0]),
        "path": pa.array(ways.path[way]),
        "step": pa.array(step[at]),
        "other": tied.tables.values(ways.ends[way]),
    }
    return pa.table(columns | {name: shown[name] for name in shown.column_names})


def find_ways(graph: Graph, leads: Numbers, most: int, longest: int) -> Ways:
    """The ways from each of these leads, by lead and cost.

    The cheapest ways from one lead to all others form a tree, so that two of them share
    no further node exactly when they differ in their first step.
    """
    near, ties = _useful(graph, leads, _near(graph, leads, longest // 2))
    steps = _steps(graph, near, ties)
    targets = np.searchsorted(near, leads)
    size = max(BUDGET // max(len(near), 1), 1)
    found: list[Any] = [np.empty((0, longest + 1), dtype=np.int64)]
    for start in range(0, len(leads), size):
        sources = targets[start : start + size]
        walked, cost = _walked(steps, sources, targets, longest)
        found.append(_cheapest(walked, cost, most))
    nodes = np.append(near, UNKNOWN)[np.concatenate(found)]  # UNKNOWN is the last place
    return Ways(nodes, position_within(nodes[:, 0]))


def _near(graph: Graph, leads: Numbers, steps: int) -> Flags:
    """The nodes within so many steps of a lead: a way has no others."""
    ties = structure(graph.ties)
    reached = np.zeros(graph.size, dtype=bool)
    reached[leads] = True
    fresh = reached
    for _ in range(steps):
        fresh = (ties @ fresh) & ~reached & ~graph.is_hub
        reached = reached | fresh
    return reached


def _useful(graph: Graph, leads: Numbers, near: Flags) -> tuple[Numbers, Any]:
    """Without the nodes at which a way would have to turn back; and the ties left."""
    nodes = np.flatnonzero(near)
    ties = graph.ties[nodes][:, nodes]
    is_lead = np.isin(nodes, leads)
    left, before = np.ones(len(nodes), dtype=bool), -1
    while before != left.sum():
        before = left.sum()
        left = left & (is_lead | (neighbour_sums(ties, left) > 1))
    return nodes[left], ties[left][:, left]


def _steps(graph: Graph, near: Numbers, ties: Any) -> Any:
    """The cost of each step among the near nodes: half of what its two ends cost."""
    cost = np.log1p(graph.degree[near].astype(np.float64))
    first, second = ties.tocoo().coords
    value = (cost[first] + cost[second]) / 2
    return sparse.csr_array((value, (first, second)), shape=ties.shape)


def _walked(
    steps: Any, sources: Numbers, targets: Numbers, longest: int
) -> tuple[Any, Weights]:
    """The cheapest way of each source to each target that is short enough, and its cost.

    A lead stands in the middle of no cheapest way of a branch, for it ends one itself;
    neither does a hub, for only leads may be hubs here.
    """
    cost, before = dijkstra(steps, indices=sources, return_predecessors=True)
    source, target = np.nonzero(
        np.isfinite(cost[:, targets]) & (sources[:, None] != targets)
    )
    back = np.full((len(source), longest + 1), UNKNOWN, dtype=np.int64)
    back[:, 0] = targets[target]
    for step in range(1, longest + 1):
        at = back[:, step - 1]
        back[:, step] = np.where(at == UNKNOWN, UNKNOWN, before[source, at])
        back[back[:, step] < 0, step] = UNKNOWN
    length = (back != UNKNOWN).sum(axis=1) - 1
    arrived = back[np.arange(len(back)), length] == sources[source]
    column = length[:, None] - np.arange(longest + 1)
    forward = np.take_along_axis(back, np.maximum(column, 0), axis=1)
    forward[column < 0] = UNKNOWN
    return forward[arrived], cost[source, targets[target]][arrived]


def _cheapest(walked: Any, cost: Weights, most: int) -> Any:
    """Of each source the cheapest way for each first step, and of these the first ones."""
    order = np.lexsort((_ends(walked), cost, walked[:, 0]))
    walked = walked[order]
    branch = walked[:, 0] * (walked.max(initial=0) + 1) + walked[:, 1]
    _, first = np.unique(branch, return_index=True)
    walked = walked[np.sort(first)]
    return walked[position_within(walked[:, 0]) <= most]


def _ends(ways: Any) -> Numbers:
    """The last node of each way."""
    last = (ways != UNKNOWN).sum(axis=1) - 1
    found: Numbers = ways[np.arange(len(ways)), last]
    return found
