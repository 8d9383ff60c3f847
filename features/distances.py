"""Distances in the graph of associations: counterparties, and the fewest ties between.

A hub may be the end of a path but not stand in its middle. What is counted for a whole
kind of nodes is grown with sparse boolean products, in chunks of bounded cost; the ball
around an end that many pairs share, be it a hub of 200 000 ties, is grown once.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from features.adjacency import Flags, Numbers, Weights, kept, neighbour_sums, structure
from features.graph import Graph

# Entries of the sparse products held at once: some hundred megabytes.
BUDGET = 20_000_000
_NO_WAY = 127


def counterparties(graph: Graph, nodes: Numbers, kind: str) -> Iterator[Any]:
    """The nodes of a kind within two ties of each of these nodes of the same kind.

    Yields:
        (slice of `nodes`, boolean matrix of these rows x the nodes of the kind); the
        node itself is not marked in its row.
    """
    span = graph.span(kind)
    ties = structure(graph.ties)
    inwards = kept(ties, None, ~graph.is_hub)
    near = ties[:, span]
    passed = np.where(graph.is_hub, 0.0, np.diff(near.indptr))
    cost = graph.degree + neighbour_sums(ties, passed)
    for part in _chunks(cost[nodes]):
        rows = nodes[part]
        found = near[rows] + inwards[rows] @ near
        yield part, _without(found.tocsr(), rows - span.start)


def ties_to_nearest(
    graph: Graph, targets: Flags, middle: Flags, longest: int
) -> Weights:
    """Of every node, the fewest ties to a target, 0 being one; NaN without a way.

    Args:
        middle: nodes that may stand between the two ends.
        longest: longer ways count as none.
    """
    fewest = np.where(targets, 0.0, np.nan)
    reached, middle = targets, middle & ~graph.is_hub
    beside = structure(graph.ties)
    for ties in range(1, longest + 1):
        reached = (beside @ reached) & np.isnan(fewest)
        fewest[reached] = ties
        reached = reached & middle
    return fewest


def ties_between(
    graph: Graph, pairs: tuple[Numbers, Numbers], middle: Flags, longest: int
) -> Weights:
    """The fewest ties between the two nodes of each pair; NaN without a way.

    Args:
        middle: nodes that may stand between the two ends.
        longest: longer ways count as none.
    """
    left, right = pairs
    # Of the end with more ties, which many pairs may share, the ball is grown once.
    swapped = graph.degree[left] > graph.degree[right]
    near, far = np.where(swapped, right, left), np.where(swapped, left, right)
    order = np.lexsort((near, far))
    found = np.empty(len(left), dtype=np.float64)
    ties = graph.ties.indptr, graph.ties.indices
    _meet(ties, middle & ~graph.is_hub, near[order], far[order], longest, found)
    fewest = np.empty_like(found)
    fewest[order] = found
    return fewest


@njit(cache=True)
def _meet(
    ties: Any, middle: Any, near: Any, far: Any, longest: int, fewest: Any
) -> None:
    """The fewest ties of each pair; those with one `far` come in a row.

    The ball around `far` has half of the ties as its radius, that around `near` the rest:
    both hold one node of every way that is short enough.
    """
    size = len(ties[0]) - 1
    beside = np.full(size, -1, np.int8), np.empty(size, np.int32)
    around = np.full(size, -1, np.int8), np.empty(size, np.int32)
    count = 0
    for pair in range(len(near)):
        if pair == 0 or far[pair] != far[pair - 1]:
            _forget(around, count)
            count = _grow(ties, middle, far[pair], longest // 2, around)
        steps = longest - longest // 2
        best = _reach(ties, middle, near[pair], steps, beside, around[0])
        fewest[pair] = best if best <= longest else np.nan


@njit(cache=True)
def _grow(ties: Any, middle: Any, start: int, radius: int, ball: Any) -> int:
    """Fill a ball: of each node its steps from the start, and the nodes; how many."""
    indptr, indices = ties
    level, nodes = ball
    level[start], nodes[0] = 0, start
    count, at = 1, 0
    while at < count and level[nodes[at]] < radius:
        node = nodes[at]
        at += 1
        if node == start or middle[node]:
            for place in range(indptr[node], indptr[node + 1]):
                other = indices[place]
                if level[other] < 0:
                    level[other], nodes[count] = level[node] + 1, other
                    count += 1
    return count


@njit(cache=True)
def _reach(
    ties: Any, middle: Any, start: int, radius: int, ball: Any, around: Any
) -> int:
    """The fewest ties from the start to the centre of `around`; many without a way.

    The last step is looked at and not kept.
    """
    indptr, indices = ties
    count = _grow(ties, middle, start, radius - 1, ball)
    level, nodes = ball
    best = _NO_WAY
    for at in range(count):
        node = nodes[at]
        if level[node] >= best:
            break
        passed = node == start or middle[node]
        if around[node] == 0 or (around[node] > 0 and passed):
            best = min(best, level[node] + around[node])
        if level[node] == radius - 1 and passed:
            for place in range(indptr[node], indptr[node + 1]):
                other = indices[place]
                if around[other] == 0 or (around[other] > 0 and middle[other]):
                    best = min(best, radius + around[other])
    _forget(ball, count)
    return best


@njit(cache=True)
def _forget(ball: Any, count: int) -> None:
    level, nodes = ball
    for at in range(count):
        level[nodes[at]] = -1


def _chunks(cost: Any) -> Iterator[slice]:
    """Slices of consecutive items whose costs add up to about the budget."""
    part = (np.cumsum(cost) // BUDGET).astype(np.int64)
    starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(part)]):
        yield slice(start, end)


def _without(matrix: Any, columns: Numbers) -> Any:
    """The matrix without one entry of each row."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    others = matrix.indices != columns[row]
    before = np.concatenate([[0], np.cumsum(others)])
    parts = matrix.data[others], matrix.indices[others], before[matrix.indptr]
    return sparse.csr_array(parts, shape=matrix.shape)
