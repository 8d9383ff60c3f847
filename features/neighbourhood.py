"""What stands around some nodes of the graph: their ties, their neighbours, and theirs.

Enough to draw the neighbours of a centre and to open each of them once more. A hub ties
everybody and tells nothing: of its ties only those to leads are kept.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.privacy import MASK
from configs.tables import NODES, TIES
from features.adjacency import Flags, Numbers
from features.graph import UNKNOWN
from features.groups import position_within
from features.keyed import Keyed
from features.linkage.naming import UNKNOWN as UNNAMED
from features.ties import SIDES, Tied

MOST = 200  # ties of a node that are kept
SHOWN = 3  # first characters of a masked value, never more than half of it


@dataclass(frozen=True)
class Around:
    """Ties seen from one of their ends.

    Attributes:
        rows: of a run's associations, named.
        row: of each tie its place in `rows`.
    """

    rows: pa.Table
    row: Numbers
    node: Numbers
    other: Numbers
    centres: Numbers

    @property
    def nodes(self) -> Numbers:
        """All nodes that are shown."""
        return np.unique(np.concatenate([self.node, self.other, self.centres]))

    def where(self, kept: Numbers | Flags) -> "Around":
        """The chosen ties, or all in another order."""
        row, node, other = self.row[kept], self.node[kept], self.other[kept]
        return replace(self, row=row, node=node, other=other)


def around(tied: Tied, leads: Numbers, members: Numbers, most: int = MOST) -> Around:
    """The ties of leads, members of groups, and all that these are tied to.

    Each tie is seen from both ends, but for hubs, which see leads alone. Of a node at
    most `most` are kept, the surest first, and of these those to leads.

    Args:
        leads, members: numbers of nodes, without UNKNOWN.
    """
    graph = tied.graph
    is_lead, is_centre = np.zeros((2, graph.size), dtype=np.bool_)
    is_lead[leads] = True
    is_centre[np.concatenate([leads, members])] = True
    centres = np.flatnonzero(is_centre).astype(np.int64)
    rows = tied.tables.touching(_opened(tied, centres))
    row = np.arange(rows.num_rows)
    left, right = (rows[f"{side}_node"].to_numpy() for side in SIDES)
    found = Around(
        rows=rows,
        row=np.concatenate([row, row]),
        node=np.concatenate([left, right]),
        other=np.concatenate([right, left]),
        centres=centres,
    )
    dull = graph.is_hub & ~is_centre
    found = found.where(~dull[found.node] | is_lead[found.other])
    return _surest(found, is_lead, most)


def _opened(tied: Tied, centres: Numbers) -> Numbers:
    """The centres, and their neighbours that are no hubs."""
    beside = np.unique(tied.graph.ties[centres].indices)
    return np.union1d(centres, beside[~tied.graph.is_hub[beside]])


def _surest(found: Around, is_lead: Flags, most: int) -> Around:
    sure = found.rows["probability"].to_numpy()[found.row]
    said = found.rows["rows"].to_numpy()[found.row]
    order = np.lexsort((found.row, -said, ~is_lead[found.other], -sure, found.node))
    found = found.where(order)
    return found.where(position_within(found.node) <= most)


def tie_rows(tied: Tied, found: Around, keyed: Keyed) -> pa.Table:
    """TIES, by the key of the node, the surest first."""
    shown = tied.shown(found.rows.take(pa.array(found.row)), found.node)
    ends = {"node": keyed.of(found.node), "other": keyed.of(found.other)}
    columns = {n: ends[n] if n in ends else shown[n] for n in TIES}
    order = [("node", "ascending"), ("probability", "descending")]
    order += [(name, "ascending") for name in ("other", "source", "row_key")]
    return _table(columns, TIES).sort_by(order)


def node_rows(
    tied: Tied,
    nodes: Numbers,
    keyed: Keyed,
    unit_ids: pa.Array,
    hidden: Collection[str],
) -> pa.Table:
    """NODES, by key.

    Args:
        unit_ids: of the scored units, at least of those among the nodes.
        hidden: kinds whose values are masked, but for the units', which head the list.
    """
    graph = tied.graph
    # Values that people type in two ways have one key: the better tied node speaks.
    order = np.lexsort((-graph.degree[nodes], keyed.rank_of(nodes)))
    nodes = nodes[order]
    nodes = nodes[np.diff(keyed.rank_of(nodes), prepend=UNKNOWN) != 0]
    kinds, values = tied.named(nodes)
    is_unit = pc.and_(
        pc.equal(kinds, tied.unit),
        pc.is_in(values, value_set=unit_ids.cast(pa.string())),
    )
    secret = pc.is_in(kinds, value_set=pa.array(sorted(hidden), pa.string()))
    # An entity without an identifier is called by a digest, which tells nothing.
    secret = pc.and_(secret, pc.invert(pc.starts_with(values, UNNAMED)))
    secret = pc.and_(secret, pc.invert(is_unit))
    columns = {
        "key": keyed.of(nodes),
        "kind": kinds,
        "label": pc.if_else(secret, _masked(values), values),
        "value": values,
        "sensitive": secret,
        "degree": pa.array(graph.degree[nodes]),
        "unit_id": pc.if_else(is_unit, values, pa.scalar(None, pa.string())),
    }
    return _table(columns, NODES)


def _masked(values: pa.Array) -> pa.Array:
    """As `configs.privacy.mask`; of a short value fewer characters."""
    shown = [
        f"{value[: min(SHOWN, len(value) // 2)]}{MASK}" for value in values.to_pylist()
    ]
    return pa.array(shown, pa.string())


def _table(columns: Mapping[str, pa.Array], contract: Mapping[str, str]) -> pa.Table:
    types = {name: pa.type_for_alias(kind) for name, kind in contract.items()}
    return pa.table({name: columns[name] for name in contract}).cast(pa.schema(types))
