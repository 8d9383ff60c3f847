"""The association points of each unit, as they may be kept with a published run.

A point is a node that ties at least two units and is no hub of groups. Points have
numbers of this run; values of sensitive kinds are masked, so that a unit's points tell
whom it shares them with and nothing else.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.network import GroupsSpec
from configs.privacy import MASK
from features.adjacency import Numbers
from features.graph import UNKNOWN
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

    Yields:
        the rows of so many units at a time, in their order.
    """
    groups = declared or GroupsSpec()
    among = tied.among(groups.through)
    for start in range(0, max(units.num_rows, 1), UNITS_AT_ONCE):
        part = units.slice(start, UNITS_AT_ONCE)
        points = _points(among, nodes_of(part), groups.hub)
        yield pa.table({"unit_id": part["unit_id"], "points": points})


def _points(tied: Tied, nodes: Numbers, hub: int) -> pa.Array:
    graph, size = tied.graph, units_at(tied.graph, tied.unit)
    known = np.flatnonzero(nodes != UNKNOWN)
    found = points_of(graph, tied.unit, nodes[known], hub).tocoo()
    unit, point = known[found.coords[0]], found.coords[1].astype(np.int64)
    order = np.lexsort((point, size[point], unit))
    unit, point = unit[order], point[order]
    ends = np.cumsum(np.bincount(unit, minlength=len(nodes)))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    values = pa.StructArray.from_arrays(list(_columns(tied, point, size)), fields=POINT)
    return pa.ListArray.from_arrays(offsets, values)


def _columns(tied: Tied, point: Numbers, size: Numbers) -> Iterator[pa.Array]:
    """The columns of POINT; each node is named once."""
    nodes, place = np.unique(point, return_inverse=True)
    kinds, values = tied.named(nodes)
    hidden = pa.array(sorted(tied.wording.sensitive), pa.string())
    short = pc.utf8_slice_codeunits(values, 0, 3)  # as `configs.privacy.mask`
    form = pc.binary_join_element_wise(short, MASK, "")
    labels = pc.if_else(pc.is_in(kinds, value_set=hidden), form, values)
    yield pa.array(point)
    yield kinds.take(pa.array(place))
    yield labels.take(pa.array(place))
    yield pa.array(size[point].astype(np.int64))
