"""The ties that hold a group together: members to points, and points to each other."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from features.adjacency import Flags, Numbers, Weights, kept, structure
from features.graph import UNKNOWN, Graph, rarity
from features.group_tables import group_ids
from features.groups import Groups, points_of, position_within
from features.ties import Tied

MOST = 200  # ties of a group that are kept; nobody reads more


@dataclass(frozen=True)
class _Ends:
    """Ties as pairs of nodes, each of one group."""

    group: Numbers
    first: Numbers
    second: Numbers
    value: Weights

    def where(self, kept: Any) -> "_Ends":
        """The chosen ones, or all in another order."""
        group, first, second = self.group[kept], self.first[kept], self.second[kept]
        return _Ends(group, first, second, self.value[kept])

    def along(self, other: "_Ends") -> "_Ends":
        """Both, one after the other."""
        return _Ends(
            np.concatenate([self.group, other.group]),
            np.concatenate([self.first, other.first]),
            np.concatenate([self.second, other.second]),
            np.concatenate([self.value, other.value]),
        )


@dataclass(frozen=True)
class _Points:
    """Groups x nodes: how much each point of a group ties, and what it is worth.

    A point is tied to a member, or to two points of members (a household, the telephone
    of two companies). It reaches so many members, or points; its worth is that number
    times its rarity.
    """

    graph: Graph
    unit: str
    groups: Groups
    hub: int

    @cached_property
    def held(self) -> Any:
        """Members x nodes."""
        own = points_of(self.graph, self.unit, self.groups.members, self.hub, least=1)
        return own.astype(bool).astype(float)

    @cached_property
    def of_members(self) -> Any:
        """Groups x nodes: how many members a point reaches."""
        count = len(self.groups.members)
        shape = self.groups.count, count
        parts = np.ones(count), (self.groups.group, np.arange(count))
        return (sparse.csr_array(parts, shape=shape) @ self.held).tocsr()

    @cached_property
    def is_point(self) -> Flags:
        return ~self.graph.of_kinds({self.unit})

    def passed(self, nodes: Numbers) -> Any:
        """Nodes x nodes: the ties among points, from those that are no hubs."""
        passable = (self.is_point & ~self.graph.is_hub)[nodes]
        ties = structure(self.graph.ties[nodes])
        return kept(ties, passable, self.is_point).astype(float)

    @cached_property
    def reach(self) -> Any:
        direct = self.of_members
        nodes, column = np.unique(direct.indices, return_inverse=True)
        parts = direct.astype(bool).astype(float).data, column, direct.indptr
        held = sparse.csr_array(parts, shape=(direct.shape[0], len(nodes)))
        beside = (held @ self.passed(nodes)).tocsr()
        several = (beside > 1).tocsr()
        open_ = kept(several, None, ~self.graph.is_hub).astype(float)
        new = open_ - open_.multiply(direct.astype(bool))
        return (direct + beside.multiply(new)).tocsr()

    def worth(self, group: Numbers, node: Numbers) -> Weights:
        return self._reached(group, node) * rarity(self.graph.degree[node])

    def is_tied(self, group: Numbers, node: Numbers) -> Flags:
        """Whether the node is one of the group's points."""
        return self._reached(group, node) > 0

    def is_shared(self, group: Numbers, node: Numbers) -> Flags:
        return self._reached(group, node) > 1

    @cached_property
    def _keys(self) -> tuple[Numbers, Weights]:
        """Group and node as one ascending number, and what the node reaches."""
        reach = self.reach.tocoo()
        group, node = (axis.astype(np.int64) for axis in reach.coords)
        key = group * self.graph.size + node
        order = np.argsort(key)
        return key[order], reach.data[order]

    def _reached(self, group: Numbers, node: Numbers) -> Weights:
        keys, reached = self._keys
        wanted = group * self.graph.size + node
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        return np.where(keys[at] == wanted, reached[at], 0.0)


def tie_rows(tied: Tied, groups: Groups, hub: int) -> pa.Table:
    """GROUP_TIES, the most telling first, at most 200 of a group; values unmasked."""
    points = _Points(tied.graph, tied.unit, groups, hub)
    among = _among_points(points)
    ends = _first_ones(among.along(_of_members(points, among)), len(among.group))
    rows = tied.tables.between(ends.first, ends.second)
    shown = tied.shown(rows, ends.first)
    position = pa.array(position_within(ends.group))
    place = {"group_id": group_ids(ends.group), "position": position}
    return pa.table(place | {name: shown[name] for name in shown.column_names})


def _among_points(points: _Points) -> _Ends:
    """Ties between two points of a group, one of which ties several members."""
    at = points.reach.tocoo()
    group, node = (axis.astype(np.int64) for axis in at.coords)
    steps = points.passed(node).tocoo()
    row, other = (axis.astype(np.int64) for axis in steps.coords)
    group, first, second = group[row], node[row], other
    kept = points.is_tied(group, second)
    kept &= points.is_shared(group, first) | points.is_shared(group, second)
    group, first, second = group[kept], first[kept], second[kept]
    low, high = np.minimum(first, second), np.maximum(first, second)
    once = np.unique(np.stack([group, low, high], axis=1), axis=0)
    group, low, high = (once[:, column] for column in range(3))
    value = np.maximum(points.worth(group, low), points.worth(group, high))
    return _Ends(group, low, high, value)


def _of_members(points: _Points, among: _Ends) -> _Ends:
    """Ties of members to what several share, or what a tie between points begins at."""
    held = points.held.tocoo()
    member, node = (axis.astype(np.int64) for axis in held.coords)
    group, first = points.groups.group[member], points.groups.members[member]
    size = points.graph.size
    named = np.concatenate(
        [among.group * size + e for e in (among.first, among.second)]
    )
    kept = points.is_shared(group, node) | np.isin(group * size + node, named)
    # Two members that are tied to each other would come twice.
    own = np.full(points.graph.size, UNKNOWN)
    own[points.groups.members] = points.groups.group
    kept &= (own[node] != group) | (first < node)
    return _Ends(group, first, node, points.worth(group, node)).where(kept)


def _first_ones(ends: _Ends, among: int) -> _Ends:
    """By group and worth, ties among points (the first ones given) before others."""
    later = np.arange(len(ends.group)) >= among
    order = np.lexsort((ends.second, ends.first, later, -ends.value, ends.group))
    ends = ends.where(order)
    return ends.where(position_within(ends.group) <= MOST)
