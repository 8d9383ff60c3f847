"""Looks single nodes and ties up in the engine, where their values and sources are.

Each call reads the numbers of all nodes or of all rows once, and brings back what was
asked for: about 0.1 CPU-seconds per million rows.
"""

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from features.adjacency import Numbers
from features.associations import ENDS, ORDER, Associations
from features.engine import Engine
from features.graph import UNKNOWN

_NODES = [f"{end}_node" for end in ENDS]


@dataclass(frozen=True)
class TiedTables:
    """A run's associations and the engine that holds them."""

    made: Associations
    engine: Engine

    def numbers(self, kinds: pa.Array, values: pa.Array) -> Numbers:
        """The number of each node; UNKNOWN where nothing ties it, and of a null."""
        asked = self._asked(
            kind=kinds.cast(pa.string()), value=values.cast(pa.string())
        )
        nodes = self.made.nodes.select("node", "kind", "value")
        found = self.engine.arrow(asked.inner_join(nodes, ("kind", "value")))
        numbers = np.full(len(values), UNKNOWN, dtype=np.int64)
        numbers[found["place"].to_numpy()] = found["node"].to_numpy()
        return numbers

    def numbers_of(self, kind: str, values: pa.Array) -> Numbers:
        """The same for nodes of one kind."""
        return self.numbers(pa.array([kind], pa.string()).take(_zeros(values)), values)

    def values(self, nodes: Numbers) -> pa.Array:
        """The value of each node; null where it is UNKNOWN."""
        different, place = np.unique(nodes, return_inverse=True)
        asked = self._asked(node=pa.array(different))
        named = self.made.nodes.select("node", "value")
        found = self.engine.arrow(asked.inner_join(named, "node").order_by("node"))
        at = np.searchsorted(found["node"].to_numpy(), different)
        taken = found["value"].combine_chunks().cast(pa.string())
        unknown = different == UNKNOWN
        each = taken.take(pa.array(np.where(unknown, 0, at), mask=unknown))
        return each.take(pa.array(place))

    def between(self, first: Numbers, second: Numbers) -> pa.Table:
        """Of each pair of tied nodes the row that says so most surely, named."""
        low, high = np.minimum(first, second), np.maximum(first, second)
        asked = self._asked(left_node=pa.array(low), right_node=pa.array(high))
        rows = asked.inner_join(self.made.rows, _NODES)
        best = [rows["probability"].desc(), rows["rows"].desc(), rows["source"]]
        window = ibis.window(group_by=rows["place"], order_by=best)
        numbered = rows.mutate(_order=ibis.row_number().over(window))
        surest = numbered.filter(numbered["_order"] == 0)
        found = self.made.named(surest, "place")
        return self.engine.arrow(found.order_by("place")).drop_columns("place")

    def touching(self, nodes: Numbers) -> pa.Table:
        """The rows with one of these nodes at either end, named, in their order."""
        asked, rows = self._asked(node=pa.array(nodes)), self.made.rows
        left, right = (asked.select(**{name: asked["node"]}) for name in _NODES)
        found = rows.semi_join(left, _NODES[0])
        others = rows.semi_join(right, _NODES[1]).anti_join(left, _NODES[0])
        return self.engine.arrow(self.made.named(found.union(others)).order_by(*ORDER))

    def _asked(self, **columns: pa.Array) -> Table:
        """What is looked up, with the `place` of each."""
        count = len(next(iter(columns.values())))
        places = pa.array(np.arange(count))
        return self.engine.register("asked", pa.table({"place": places, **columns}))


def _zeros(values: pa.Array) -> pa.Array:
    return pa.array(np.zeros(len(values), dtype=np.int64))
