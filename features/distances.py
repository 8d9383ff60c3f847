"""Distances in the graph of associations: counterparties, and the fewest ties between.

A hub may be the end of a path but not stand in its middle. Balls of nodes are grown with
sparse boolean products, in chunks of bounded cost, so that a hub of 200 000 ties at the
end of many paths is expanded once for all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from features.graph import Flags, Graph, Numbers, Weights

# Entries of the sparse products held at once: some hundred megabytes.
BUDGET = 20_000_000


def counterparties(graph: Graph, nodes: Numbers, kind: str) -> Iterator[Any]:
    """The nodes of a kind within two ties of each of these nodes of the same kind.

    Yields:
        (slice of `nodes`, boolean matrix of these rows x the nodes of the kind); the
        node itself is not marked in its row.
    """
    span = graph.span(kind)
    ties = graph.ties.astype(bool)
    inwards = _columns(ties, ~graph.is_hub)
    near = ties[:, span]
    cost = graph.degree + inwards @ np.diff(near.indptr)
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
    counts = graph.ties.astype(bool).astype(np.float32)
    for ties in range(1, longest + 1):
        near = counts @ reached.astype(np.float32) > 0
        reached = near & np.isnan(fewest)
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
    search = _Search(graph, middle & ~graph.is_hub)
    left, right = pairs
    # The ball around the end with fewer ties is the one that grows first, and the one
    # whose nodes are looked up in the other.
    swapped = graph.degree[left] > graph.degree[right]
    near, far = np.where(swapped, right, left), np.where(swapped, left, right)
    order = np.lexsort((near, far))
    fewest = np.full(len(left), np.nan)
    near, far = near[order], far[order]
    for part in _chunks(search.cost(near, far, longest)):
        fewest[order[part]] = search.meet(near[part], far[part], longest)
    return fewest


@dataclass(frozen=True)
class _Search:
    """Balls around both ends of many pairs that grow in turn until they touch."""

    graph: Graph
    middle: Flags

    @cached_property
    def ties(self) -> Any:
        return self.graph.ties.astype(bool)

    @cached_property
    def onwards(self) -> Any:
        """The ties as they are passed: from middles alone."""
        return _rows(self.ties, self.middle)

    def cost(self, near: Numbers, far: Numbers, longest: int) -> Weights:
        """About how many entries each pair adds, with pairs of one `far` in a row."""
        first = np.diff(far, prepend=-1) != 0
        near_size = self._ball_size((longest + 1) // 2)[near]
        far_size = self._ball_size(longest // 2)[far]
        cost: Weights = near_size + far_size * first
        return cost

    def _ball_size(self, steps: int) -> Weights:
        """An upper bound of the nodes within so many ties."""
        inwards = _columns(self.ties, self.middle)
        size = np.zeros(self.graph.size)
        for _ in range(steps):
            size = self.graph.degree + inwards @ size
        return np.minimum(size, self.graph.size)

    def meet(self, near: Numbers, far: Numbers, longest: int) -> Weights:
        """The fewest ties of each pair."""
        fewest = np.where(near == far, 0.0, np.nan)
        left, right = _Balls.around(near, self), _Balls.around(far, self)
        everywhere = np.ones(self.graph.size, dtype=bool)
        for ties in range(1, longest + 1):
            if ties % 2:
                left = left.grown(self)
            else:
                right = right.grown(self)
            open_ = np.flatnonzero(np.isnan(fewest))
            # A ball that has not grown is the end itself, which need not be a middle.
            allowed = everywhere if ties == 1 else self.middle
            fewest[open_[left.touches(right, open_, allowed)]] = ties
        return fewest


@dataclass(frozen=True)
class _Balls:
    """The nodes that can be reached from each of some ends.

    Attributes:
        reached: different ends x nodes, boolean.
        row: for each pair, the row of its end.
    """

    reached: Any
    row: Numbers
    is_grown: bool

    @classmethod
    def around(cls, ends: Numbers, search: _Search) -> "_Balls":
        """Each end alone."""
        different, row = np.unique(ends, return_inverse=True)
        held = np.ones(len(different), dtype=bool)
        parts = held, different, np.arange(len(different) + 1)
        shape = len(different), search.graph.size
        return cls(sparse.csr_array(parts, shape=shape), row, False)

    def grown(self, search: _Search) -> "_Balls":
        """The balls with one more tie; only middles are passed."""
        step = search.onwards if self.is_grown else search.ties
        found = (self.reached + self.reached @ step).tocsr()
        found.sort_indices()
        return _Balls(found, self.row, True)

    def touches(self, other: "_Balls", pairs: Numbers, allowed: Flags) -> Flags:
        """Of which of these pairs both balls hold one and the same allowed node."""
        starts = self.reached.indptr[self.row[pairs]]
        counts = self.reached.indptr[self.row[pairs] + 1] - starts
        pair = np.repeat(np.arange(len(pairs)), counts)
        offsets = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        nodes = self.reached.indices[np.repeat(starts, counts) + offsets]
        pair, nodes = pair[allowed[nodes]], nodes[allowed[nodes]]
        shared = other._holds(other.row[pairs][pair], nodes)
        return np.bincount(pair[shared], minlength=len(pairs)) > 0

    def _holds(self, rows: Numbers, nodes: Numbers) -> Flags:
        """Whether each ball holds its node."""
        size = self.reached.shape[1]
        own = np.repeat(np.arange(self.reached.shape[0]), np.diff(self.reached.indptr))
        held = own * size + self.reached.indices
        wanted = rows * size + nodes
        at = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
        return held[at] == wanted if len(held) else np.zeros(len(wanted), dtype=bool)


def _chunks(cost: Any) -> Iterator[slice]:
    """Slices of consecutive items whose costs add up to about the budget."""
    part = (np.cumsum(cost) // BUDGET).astype(np.int64)
    starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(part)]):
        yield slice(start, end)


def _rows(matrix: Any, kept: Flags) -> Any:
    """The matrix with all other rows empty."""
    return _cleared(matrix, np.repeat(kept, np.diff(matrix.indptr)))


def _columns(matrix: Any, kept: Flags) -> Any:
    """The matrix with all other columns empty."""
    return _cleared(matrix, kept[matrix.indices])


def _without(matrix: Any, columns: Numbers) -> Any:
    """The matrix without one entry of each row."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return _cleared(matrix, matrix.indices != columns[row])


def _cleared(matrix: Any, kept: Flags) -> Any:
    """The matrix with the kept of its entries."""
    before = np.concatenate([[0], np.cumsum(kept)])
    parts = matrix.data[kept], matrix.indices[kept], before[matrix.indptr]
    return sparse.csr_array(parts, shape=matrix.shape)
