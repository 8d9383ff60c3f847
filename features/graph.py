"""The graph of associations in arrays: who is tied to whom, and how closely.

Degree is the number of different neighbours. A hub, a node with more neighbours than its
kind's limit, ties nobody together: its ties are left out of components, communities and
core numbers, where it stands alone. Distances are in `features.distances`.

Nodes are numbers here: `features.associations` has the engine give them, and their values
stay there. For each million pairs the matrix of ties holds 24 MB, and 40 MB while it is
made of its pairs, in 0.1 CPU-seconds; flags and labels add 1 to 4 MB each for a million
nodes. Components and core numbers take 0.1 to 0.3 CPU-seconds.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse.csgraph import connected_components

from features.adjacency import (
    Flags,
    Numbers,
    Weights,
    by_first,
    core_numbers,
    edges,
    kept,
    neighbour_sums,
    ties_of,
)

SEED = 7
# A component of so many nodes is opened as a whole; modularity would cut small rings.
SMALL = 50
# igraph's own default; further ones add little (benchmarks/graph.py).
ITERATIONS = 2

UNKNOWN = -1


@dataclass(frozen=True)
class Graph:
    """Nodes are numbered by kind, and within a kind by value.

    Attributes:
        sizes: how many nodes each kind has; kinds in ascending order.
        ties: nodes x nodes, symmetric, without self-loops; holds probabilities in (0, 1].
        is_hub: one flag per node, by its degree in the whole graph.
    """

    sizes: Mapping[str, int]
    ties: Any
    is_hub: Flags

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.sizes)

    @property
    def size(self) -> int:
        return len(self.is_hub)

    @property
    def nbytes(self) -> int:
        """Bytes of the ties; all else is made of them."""
        parts = (self.ties.data, self.ties.indices, self.ties.indptr)
        return sum(part.nbytes for part in parts)

    @cached_property
    def kind(self) -> Numbers:
        """The position in `kinds` of each node's kind."""
        places = np.arange(len(self.sizes), dtype=np.int16)
        return np.repeat(places, list(self.sizes.values()))

    @cached_property
    def degree(self) -> Numbers:
        degree: Numbers = np.diff(self.ties.indptr)
        return degree

    @cached_property
    def component(self) -> Numbers:
        """The connected component of each node, numbered by its first node."""
        # Of symmetric ties the strongly connected components are the connected ones, and
        # SciPy makes no second matrix for them.
        found = connected_components(self._bridged, connection="strong")[1]
        return by_first(found)

    @cached_property
    def core_number(self) -> Numbers:
        """The largest k such that k of the node's neighbours have k such each.

        Seidman (1983), k-cores.
        """
        return core_numbers(self._bridged)

    @cached_property
    def community(self) -> Numbers:
        """The community of each node, numbered by its first node; see `communities`."""
        return communities(self)

    @cached_property
    def _bridged(self) -> Any:
        """The ties without those of hubs."""
        return kept(self.ties, ~self.is_hub, ~self.is_hub)

    def span(self, kind: str) -> slice:
        """The numbers of a kind's nodes."""
        return span(self.sizes, kind)

    def among(self, kinds: Collection[str]) -> "Graph":
        """The same nodes with the ties between these kinds alone; hubs stay hubs."""
        if set(self.kinds) <= set(kinds):
            return self
        inside = self.of_kinds(kinds)
        return replace(self, ties=kept(self.ties, inside, inside))

    def of_kinds(self, kinds: Collection[str]) -> Flags:
        """Which nodes are of one of these kinds."""
        wanted = np.array([kind in kinds for kind in self.kinds], dtype=bool)
        return wanted[self.kind]

    def degree_towards(self, kind: str) -> Numbers:
        """How many neighbours of this kind each node has."""
        if kind not in self._towards:
            self._towards[kind] = neighbour_sums(self.ties, self.of_kinds({kind}))
        return self._towards[kind]

    @cached_property
    def _towards(self) -> dict[str, Numbers]:
        return {}


def graph(pairs: pa.Table, hubs: Numbers, sizes: Mapping[str, int]) -> Graph:
    """The graph of these pairs, the same in whatever order they come.

    Args:
        pairs: `left`, `right` (numbers of nodes) and `probability`, each pair once.
        hubs: numbers of nodes with more neighbours than their kind's limit.
        sizes: how many nodes each kind has; kinds in ascending order.
    """
    size = sum(sizes.values())
    is_hub = np.zeros(size, dtype=np.bool_)
    is_hub[hubs] = True
    return Graph(sizes, ties_of(pairs, size), is_hub)


def span(sizes: Mapping[str, int], kind: str) -> slice:
    """The numbers of a kind's nodes; none of a kind that has no nodes."""
    first = sum(size for other, size in sizes.items() if other < kind)
    return slice(first, first + sizes[kind])


def size_of(labels: Numbers) -> Numbers:
    """For each node, how many nodes have its label, itself included."""
    return np.bincount(labels)[labels]


def rarity(degree: Numbers) -> Weights:
    """How much a node says as a connector: 1 / log(1 + degree), domain.md section 2."""
    return 1 / np.log1p(np.maximum(degree, 1).astype(np.float64))


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
    return by_first(labels)


def _leiden(graph: Graph, ties: Any, large: Flags, resolution: float) -> Numbers:
    ends, sure = edges(ties)
    rare = rarity(graph.degree[large])
    weights = sure * np.minimum(rare[ends[:, 0]], rare[ends[:, 1]])
    strength = np.bincount(ends.ravel(), np.repeat(weights, 2), ties.shape[0])
    whole = np.bincount(graph.component[large], strength)[graph.component[large]]
    # Modularity is the constant Potts model with nodes of weight k / sqrt(2m); with each
    # component's own 2m, one run is the same as one for each of them.
    nodes = strength / np.sqrt(whole)
    return constant_potts(ends, weights, nodes, resolution, ITERATIONS)


def constant_potts(
    ends: Any, weights: Weights, nodes: Weights, resolution: float, iterations: int
) -> Numbers:
    """The community of each node by the constant Potts model, the same at every call.

    Args:
        ends: an array of two columns, the nodes of each tie; `weights`: of the ties.
        nodes: the weight of each node.
        iterations: of Leiden; -1 until nothing improves.
    """
    import igraph  # noqa: PLC0415 (takes half a second, and few commands need it)

    made = igraph.Graph(n=len(nodes), edges=ends)
    igraph.set_random_number_generator(random.Random(SEED))  # noqa: S311 (no secret)
    try:
        found = made.community_leiden(
            "CPM",
            weights=weights,
            node_weights=nodes,
            resolution=resolution,
            n_iterations=iterations,
        )
    finally:
        igraph.set_random_number_generator(random)
    return np.array(found.membership, dtype=np.int64)
