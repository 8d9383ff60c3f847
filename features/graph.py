"""The graph of associations in arrays: who is tied to whom, and how closely.

Degree is the number of different neighbours. A hub, a node with more neighbours than its
kind's limit, ties nobody together: its ties are left out of components, communities and
core numbers, where it stands alone. Distances are in `features.distances`.
"""

import random
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import igraph
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from scipy.sparse.csgraph import connected_components

SEED = 7
# A component of so many nodes is opened as a whole; modularity would cut small rings.
SMALL = 50
# igraph's own default; further ones add little (benchmarks/graph.py).
ITERATIONS = 2

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Weights = np.ndarray[tuple[int], np.dtype[np.float64]]
UNKNOWN = -1


@dataclass(frozen=True)
class Graph:
    """Nodes are numbered by kind, and within a kind by value.

    Attributes:
        kinds: in ascending order.
        values: the nodes' values by kind, ascending.
        ties: nodes x nodes, symmetric, without self-loops; holds probabilities in (0, 1].
        is_hub: one flag per node, by its degree in the whole graph.
    """

    kinds: tuple[str, ...]
    values: tuple[pa.Array, ...]
    ties: Any
    is_hub: Flags

    @property
    def size(self) -> int:
        return len(self.is_hub)

    @cached_property
    def kind(self) -> Numbers:
        """The position in `kinds` of each node's kind."""
        return np.repeat(np.arange(len(self.kinds)), [len(v) for v in self.values])

    @cached_property
    def degree(self) -> Numbers:
        degree: Numbers = np.diff(self.ties.indptr).astype(np.int64)
        return degree

    @cached_property
    def component(self) -> Numbers:
        """The connected component of each node, numbered by its first node."""
        found: Numbers = connected_components(self._bridged, directed=False)[1]
        return found.astype(np.int64)

    @cached_property
    def core_number(self) -> Numbers:
        """The largest k such that k of the node's neighbours have k such each.

        Seidman (1983), k-cores.
        """
        made = igraph.Graph(n=self.size, edges=_edges(self._bridged)[0])
        return np.array(made.coreness(), dtype=np.int64)

    @cached_property
    def community(self) -> Numbers:
        """The community of each node, numbered by its first node; see `communities`."""
        return communities(self)

    @cached_property
    def _bridged(self) -> Any:
        """The ties without those of hubs."""
        return _within(self.ties, ~self.is_hub)

    def span(self, kind: str) -> slice:
        """The numbers of a kind's nodes."""
        position = self.kinds.index(kind)
        first = sum(len(values) for values in self.values[:position])
        return slice(first, first + len(self.values[position]))

    def nodes(self, kind: str, values: pa.Array) -> Numbers:
        """The nodes' numbers; UNKNOWN for a value that nothing ties."""
        known = self.values[self.kinds.index(kind)]
        found = pc.index_in(values.cast(known.type), value_set=known)
        numbers = found.cast(pa.int64()).fill_null(UNKNOWN).to_numpy()
        first = self.span(kind).start
        return np.where(numbers == UNKNOWN, UNKNOWN, numbers + first)

    def among(self, kinds: Collection[str]) -> "Graph":
        """The same nodes with the ties between these kinds alone; hubs stay hubs."""
        if set(self.kinds) <= set(kinds):
            return self
        kept = np.array([kind in kinds for kind in self.kinds], dtype=bool)
        return replace(self, ties=_within(self.ties, kept[self.kind]))

    def of_kinds(self, kinds: Collection[str]) -> Flags:
        """Which nodes are of one of these kinds."""
        wanted = np.array([kind in kinds for kind in self.kinds], dtype=bool)
        return wanted[self.kind]

    def degree_towards(self, kind: str) -> Numbers:
        """How many neighbours of this kind each node has."""
        wanted = self.of_kinds({kind})[self.ties.indices]
        before = np.concatenate([[0], np.cumsum(wanted)])
        counts: Numbers = np.diff(before[self.ties.indptr])
        return counts


def graph(associations: pa.Table, limits: Mapping[str, int]) -> Graph:
    """The graph of these associations, the same in whatever order they come.

    Args:
        associations: `left_kind`, `left`, `right_kind`, `right` and `probability`; of
            a pair that several sources tie, the surest counts.
        limits: by kind, the most neighbours of a node that is no hub.
    """
    kinds = tuple(sorted(limits))
    values = tuple(_values(associations, kind) for kind in kinds)
    left, right = (_numbers(associations, side, kinds, values) for side in _SIDES)
    ties = _ties(left, right, _probabilities(associations), sum(map(len, values)))
    limit = np.repeat([limits[kind] for kind in kinds], [len(v) for v in values])
    return Graph(kinds, values, ties, np.diff(ties.indptr) > limit)


def size_of(labels: Numbers) -> Numbers:
    """For each node, how many nodes have its label, itself included."""
    return np.bincount(labels)[labels]


def rarity(degree: Numbers) -> Weights:
    """How much a node says as a connector: 1 / log(1 + degree), domain.md section 2."""
    return 1 / np.log1p(np.maximum(degree, 1))


def communities(graph: Graph, small: int = SMALL, resolution: float = 1.0) -> Numbers:
    """Groups of nodes that are tied more closely than their degrees let expect.

    Leiden (Traag, Waltman and van Eck 2019) inside each component of more than `small`
    nodes; a smaller one is a community. It maximises each component's own modularity,
    so that what is best in one does not depend on how large the others are. A tie
    weighs its probability times the rarity of its more common end.
    """
    large = size_of(graph.component) > small
    labels = graph.component.copy()
    if large.any():
        inside = graph._bridged[large][:, large]
        labels[large] = labels.max() + 1 + _leiden(graph, inside, large, resolution)
    return _by_first(labels)


def _leiden(graph: Graph, ties: Any, large: Flags, resolution: float) -> Numbers:
    edges, sure = _edges(ties)
    rare = rarity(graph.degree[large])
    weights = sure * np.minimum(rare[edges[:, 0]], rare[edges[:, 1]])
    strength = np.bincount(edges.ravel(), np.repeat(weights, 2), ties.shape[0])
    whole = np.bincount(graph.component[large], strength)[graph.component[large]]
    # Modularity is the constant Potts model with nodes of weight k / sqrt(2m); with each
    # component's own 2m, one run is the same as one for each of them.
    made = igraph.Graph(n=ties.shape[0], edges=edges)
    with _seeded(SEED):
        found = made.community_leiden(
            "CPM",
            weights=weights.tolist(),
            node_weights=(strength / np.sqrt(whole)).tolist(),
            resolution=resolution,
            n_iterations=ITERATIONS,
        )
    return np.array(found.membership, dtype=np.int64)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """igraph's random numbers from a seed, and from Python's own again afterwards."""
    igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 (no secret)
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)


def _by_first(labels: Numbers) -> Numbers:
    """The same groups, numbered in the order of their first members."""
    _, first, found = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[found]


_SIDES = ("left", "right")


def _of_kind(associations: pa.Table, side: str, kind: str) -> pa.Array:
    return pc.equal(associations[f"{side}_kind"], kind).combine_chunks()


def _values(associations: pa.Table, kind: str) -> pa.Array:
    """The different values of a kind, in ascending order of their bytes."""
    parts = [
        associations[side].filter(_of_kind(associations, side, kind)) for side in _SIDES
    ]
    chunks = [chunk.cast(pa.large_string()) for part in parts for chunk in part.chunks]
    found = pc.unique(pa.chunked_array(chunks, pa.large_string()))
    return found.take(pc.sort_indices(found))


def _numbers(
    associations: pa.Table,
    side: str,
    kinds: tuple[str, ...],
    values: tuple[pa.Array, ...],
) -> Numbers:
    numbers = np.empty(associations.num_rows, dtype=np.int64)
    starts = np.cumsum([0, *(len(known) for known in values)])
    for kind, known, start in zip(kinds, values, starts, strict=False):
        mask = _of_kind(associations, side, kind)
        own = associations[side].filter(mask).cast(known.type)
        found = pc.index_in(own, value_set=known)
        numbers[mask.to_numpy(False)] = start + found.to_numpy()
    return numbers


def _probabilities(associations: pa.Table) -> Weights:
    sure: Weights = associations["probability"].to_numpy()
    return sure


def _ties(left: Numbers, right: Numbers, sure: Weights, size: int) -> Any:
    """Nodes x nodes with each pair once, and once the other way round."""
    pair = np.minimum(left, right) * size + np.maximum(left, right)
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    first, second = np.divmod(pair[order][starts], max(size, 1))
    surest = np.maximum.reduceat(sure[order], starts) if len(starts) else sure
    half = sparse.coo_array((surest, (first, second)), shape=(size, size)).tocsr()
    ties = half + half.T
    ties.sort_indices()
    return ties


def _within(ties: Any, kept: Flags) -> Any:
    """The ties with both ends among the kept nodes; the numbers stay."""
    chosen = sparse.diags_array(kept.astype(float)).tocsr()
    found = chosen @ ties @ chosen
    found.eliminate_zeros()
    found.sort_indices()
    return found


def _edges(ties: Any) -> tuple[Any, Weights]:
    """Each tie once: its two ends (an array of two columns) and its probability."""
    once = sparse.triu(ties, 1).tocoo()
    return np.stack(once.coords, axis=1).astype(np.int64), once.data
