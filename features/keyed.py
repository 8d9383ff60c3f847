"""What stands for the nodes of a graph in files that outlive it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.adjacency import Numbers
from features.graph import UNKNOWN
from features.ties import Tied

# Tokens of the values of one kind, in their order.
Tokens = Callable[[str, Iterable[str]], list[str]]


@dataclass(frozen=True)
class Keyed:
    """Nodes with what stands for them outside of the graph.

    Attributes:
        nodes: their numbers, ascending.
        keys: of each.
        rank: the place of each key in ascending order; equal keys have one place.
    """

    nodes: Numbers
    keys: pa.Array
    rank: Numbers

    @classmethod
    def made(cls, tied: Tied, nodes: Numbers, tokens: Tokens) -> "Keyed":
        """Each node's key is computed once."""
        nodes = np.unique(nodes)
        kind, values = tied.graph.kind[nodes], tied.tables.values(nodes)
        parts = []
        for number, name in enumerate(tied.graph.kinds):
            # Numbers go by kind: these are the next ones.
            said = values.filter(pa.array(kind == number)).to_pylist()
            parts.append(pa.array(tokens(name, said), pa.string()))
        keys = pa.chunked_array(parts, pa.string()).combine_chunks()
        rank = pc.rank(keys, tiebreaker="dense").to_numpy().astype(np.int64)
        return cls(nodes, keys, rank)

    def of(self, nodes: Numbers) -> pa.Array:
        """The keys of these nodes; null where one is UNKNOWN."""
        return self.keys.take(pa.array(self._place(nodes), mask=nodes == UNKNOWN))

    def rank_of(self, nodes: Numbers) -> Numbers:
        found: Numbers = self.rank[self._place(nodes)]
        return found

    def _place(self, nodes: Numbers) -> Numbers:
        return np.searchsorted(self.nodes, nodes).astype(np.int64)
