"""The association points of each unit, as they may be kept with a published run.

A point is a node that ties at least two units and is no hub of groups. Points have
numbers of this run; values of sensitive kinds are masked, so that a unit's points tell
whom it shares them with and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.network import GroupsSpec
from configs.privacy import MASK
from features.adjacency import Numbers
from features.graph import UNKNOWN, Graph
from features.groups import nodes_of, points_of, units_at
from features.ties import Tied

UNITS_AT_ONCE = 1_000_000

POINT = pa.struct(
    [
        ("point", pa.int64()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("units", pa.int64()),
    ]
)


def unit_points(
    tied: Tied, units: pa.Table, declared: GroupsSpec | None
) -> Iterator[pa.Table]:
    """One row per unit: `unit_id` and `points`, the rarest first; empty without any.

    Each point has `point` (its number in this run), `kind`, `label` (masked where the
    kind is sensitive) and `units` (how many units it ties).

    Args:
        units: `unit_id` and `node` (null where nothing ties it).

    Returns:
        The rows of so many units at a time, in their order; what they need of the engine
        has been asked by then.
    """
    groups = declared or GroupsSpec()
    among = tied.among(groups.through)
    names = _Names.of(among, groups.hub)
    return _parts(among.graph, units, names, groups.hub)


@dataclass(frozen=True)
class _Names:
    """What may be a point, by number, with the columns of POINT that name it.

    Looked up before the first part: whoever writes the parts is at work in the engine,
    which answers nobody else until the last one.
    """

    unit: str
    nodes: Numbers
    units: Numbers
    kinds: pa.Array
    labels: pa.Array

    @classmethod
    def of(cls, tied: Tied, hub: int) -> "_Names":
        size = units_at(tied.graph, tied.unit)
        nodes = np.flatnonzero((size > 1) & (size <= hub)).astype(np.int64)
        kinds, values = tied.named(nodes)
        hidden = pa.array(sorted(tied.wording.sensitive), pa.string())
        short = pc.utf8_slice_codeunits(values, 0, 3)  # as `configs.privacy.mask`
        form = pc.binary_join_element_wise(short, MASK, "")
        labels = pc.if_else(pc.is_in(kinds, value_set=hidden), form, values)
        return cls(tied.unit, nodes, size[nodes], kinds, labels)

    def points(self, place: Numbers) -> pa.Array:
        """POINT of the nodes at these places of `nodes`."""
        at = pa.array(place)
        columns = [
            pa.array(self.nodes[place]),
            self.kinds.take(at),
            self.labels.take(at),
            pa.array(self.units[place].astype(np.int64)),
        ]
        return pa.StructArray.from_arrays(columns, fields=POINT)


def _parts(
    graph: Graph, units: pa.Table, names: _Names, hub: int
) -> Iterator[pa.Table]:
    for start in range(0, max(units.num_rows, 1), UNITS_AT_ONCE):
        part = units.slice(start, UNITS_AT_ONCE)
        points = _points(graph, nodes_of(part), names, hub)
        yield pa.table({"unit_id": part["unit_id"], "points": points})


def _points(graph: Graph, nodes: Numbers, names: _Names, hub: int) -> pa.Array:
    known = np.flatnonzero(nodes != UNKNOWN)
    found = points_of(graph, names.unit, nodes[known], hub).tocoo()
    unit = known[found.coords[0]]
    place = np.searchsorted(names.nodes, found.coords[1])
    order = np.lexsort((place, names.units[place], unit))
    ends = np.cumsum(np.bincount(unit, minlength=len(nodes)))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, names.points(place[order]))
