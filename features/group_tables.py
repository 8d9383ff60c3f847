"""Groups as they are published: what ties most members, how closely, and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from configs.spec import Text
from configs.tables import GROUP_MEMBERS, GROUPS
from features.adjacency import Numbers, Weights
from features.graph import UNKNOWN, Graph
from features.groups import Groups, nodes_of, points_of, position_within, units_at
from features.ties import SIDES, Tied

SCOPE_LAYER = 1  # a rule of scope fires on everybody and tells nothing of a group
MOST_SUSPECT = 0.02


# RULE_HITS of given units: at least `unit_id`, `code` and `layer`.
Hits = Callable[[pa.Array], pa.Table]


@dataclass(frozen=True)
class Opened:
    """The groups of a run with what is known of their members.

    Attributes:
        units: `unit_id`, `node`, `rank_fused` and `money` of every scored unit.
        hits: of the units that it is called with.
        hub: a point of more units is not looked at.
    """

    tied: Tied
    groups: Groups
    units: pa.Table
    hits: Hits
    hub: int

    @property
    def graph(self) -> Graph:
        return self.tied.graph

    @property
    def unit(self) -> str:
        return self.tied.unit

    @cached_property
    def unit_ids(self) -> pa.Array:
        """Of the members."""
        ids = self.units["unit_id"].take(pa.array(self.place))
        return ids.combine_chunks().cast(pa.string())

    @cached_property
    def place(self) -> Numbers:
        """The members' rows among the units."""
        nodes = nodes_of(self.units)
        order = np.argsort(nodes, kind="stable")
        return order[np.searchsorted(nodes, self.groups.members, sorter=order)]

    @cached_property
    def shared(self) -> "Shared":
        graph, groups = self.graph, self.groups
        points = points_of(graph, self.unit, groups.members, self.hub)
        return Shared.made(points, groups)

    @property
    def density(self) -> Weights:
        """Pairs of members that share a point, of all pairs."""
        units = self.groups.units
        return self.shared.pairs(self.groups) / (units * (units - 1) / 2)

    @cached_property
    def leading(self) -> tuple[Numbers, Numbers]:
        """Of each group the two rows of `shared` that tie most members, the rarer first.

        The second is of another kind than the first; UNKNOWN where there is none.
        """
        shared = self.shared
        rarest = units_at(self.graph, self.unit)[shared.node]
        order = np.lexsort((shared.node, rarest, -shared.members, shared.group))
        first = _first_rows(shared.group, order, self.groups.count)
        kind = self.graph.kind[shared.node]
        other = kind[order] != kind[first[shared.group[order]]]
        several = shared.members[order] > 1
        return first, _first_rows(
            shared.group, order[other & several], self.groups.count
        )

    def money(self) -> pa.Array:
        """Yuan of each group; null where none is known of any member."""
        money = self.units["money"].cast(pa.float64()).to_numpy()[self.place]
        known = ~np.isnan(money)
        count, group = self.groups.count, self.groups.group
        total = np.bincount(group[known], money[known], minlength=count)
        missing = np.bincount(group[known], minlength=count) == 0
        return pa.array(total, mask=missing)

    def most_suspect(self) -> Numbers:
        """Members of each group among the first 2 % of all units."""
        rank = self.units["rank_fused"].to_numpy()[self.place]
        first = rank <= MOST_SUSPECT * self.units.num_rows
        return np.bincount(self.groups.group[first], minlength=self.groups.count)

    @cached_property
    def fired(self) -> tuple[list[str], Any]:
        """Codes in natural order, and groups x codes: members that each fired on."""
        hits = self.hits(self.unit_ids)
        hits = hits.filter(pc.greater(hits["layer"], SCOPE_LAYER))
        member = pc.index_in(hits["unit_id"], value_set=self.unit_ids)
        inside = member.is_valid()
        codes = pc.unique(hits["code"]).to_pylist()
        codes = sorted(codes, key=lambda code: (len(code), code))
        column = pc.index_in(
            hits["code"].filter(inside), value_set=pa.array(codes, pa.string())
        )
        group = self.groups.group[member.filter(inside).to_numpy()]
        counts = np.zeros((self.groups.count, len(codes)), dtype=np.int64)
        np.add.at(counts, (group, column.to_numpy()), 1)
        return codes, counts


@dataclass(frozen=True)
class Shared:
    """One row for each point of each group.

    Attributes:
        group, node, members: of the row; `members` counts those tied to the node.
        held: members x rows.
    """

    group: Numbers
    node: Numbers
    members: Numbers
    held: Any

    @classmethod
    def made(cls, points: Any, groups: Groups) -> "Shared":
        found = points.tocoo()
        member, node = (axis.astype(np.int64) for axis in found.coords)
        key = groups.group[member] * points.shape[1] + node
        keys, row = np.unique(key, return_inverse=True)
        group, node = np.divmod(keys, max(points.shape[1], 1))
        shape = points.shape[0], len(keys)
        held = sparse.csr_array((np.ones(len(row)), (member, row)), shape=shape)
        return cls(group, node, np.bincount(row, minlength=len(keys)), held)

    def pairs(self, groups: Groups) -> Numbers:
        """Of each group, the pairs of members that share at least one point.

        Rows belong to one group each: only members of one group meet.
        """
        meet = sparse.triu(self.held @ self.held.T, 1).tocoo()
        return np.bincount(groups.group[meet.row], minlength=groups.count)


def group_ids(group: Numbers) -> pa.Array:
    """G001, G002, ... by rank."""
    number = pc.utf8_lpad(pa.array(group + 1).cast(pa.string()), 3, "0")
    return pc.binary_join_element_wise("G", number, "")


def member_rows(opened: Opened) -> pa.Table:
    """GROUP_MEMBERS."""
    group = opened.groups.group
    position = position_within(group)
    columns = {
        "group_id": group_ids(group),
        "unit_id": opened.unit_ids,
        "position": pa.array(position),
    }
    return pa.table(columns).cast(_schema(GROUP_MEMBERS))


def leading_nodes(opened: Opened) -> pa.Table:
    """Of each group the nodes that tie most members, as the two ends of a tie."""
    columns: dict[str, pa.Array] = {}
    for side, rows in zip(SIDES, opened.leading, strict=True):
        nodes = np.append(opened.shared.node, UNKNOWN)[rows]
        columns[f"{side}_kind"], columns[side] = opened.tied.named(nodes)
    return pa.table(columns)


def group_rows(
    opened: Opened, leading: pa.Table, kinds: Mapping[str, Text]
) -> pa.Table:
    """GROUPS.

    Args:
        leading: as `leading_nodes` gives, the values as they may be shown.
        kinds: titles.
    """
    groups = opened.groups
    codes, counts = opened.fired
    reasons = list(_reasons(opened, leading.to_pylist(), kinds))
    usual = _usual(codes, counts * 2 >= groups.units[:, None])
    columns = {
        "group_id": group_ids(np.arange(groups.count)),
        "rank": pa.array(np.arange(groups.count) + 1),
        "score": pa.array(groups.score),
        "title": leading["left"],
        "units": pa.array(groups.units),
        "money": opened.money(),
        "density": pa.array(opened.density),
        "codes": pa.array(usual, pa.string()),
        "reason_en": pa.array([reason.en for reason in reasons], pa.string()),
        "reason_zh": pa.array([reason.zh for reason in reasons], pa.string()),
    }
    return pa.table(columns).cast(_schema(GROUPS))


def _usual(codes: list[str], fired: Any) -> list[str]:
    return [
        ",".join(code for code, hit in zip(codes, row, strict=True) if hit)
        for row in fired
    ]


def _reasons(
    opened: Opened, leading: list[dict[str, str]], kinds: Mapping[str, Text]
) -> Iterator[Text]:
    """One sentence for each group, made of counts."""
    codes, counts = opened.fired
    suspect = opened.most_suspect()
    shares = [np.append(opened.shared.members, 0)[rows] for rows in opened.leading]
    for group, nodes in enumerate(leading):
        en, zh = [], []
        for side, members in zip(SIDES, shares, strict=True):
            if members[group]:
                title, name = kinds[nodes[f"{side}_kind"]], nodes[side]
                en.append(f"{members[group]} share {title.en} {name}")
                zh.append(f"{members[group]}个关联同一{title.zh}“{name}”")
        if suspect[group]:
            en.append(f"{suspect[group]} are among the {MOST_SUSPECT:.0%} most suspect")
            zh.append(f"{suspect[group]}个位列最可疑的{MOST_SUSPECT:.0%}")
        if counts[group].max(initial=0):
            most = int(counts[group].argmax())
            en.append(f"{counts[group, most]} fired {codes[most]}")
            zh.append(f"{counts[group, most]}个触发规则{codes[most]}")
        members = opened.groups.units[group]
        yield Text(
            en=f"Of {members} members, " + "; ".join(en),
            zh=f"{members}个成员中，" + "；".join(zh),
        )


def _first_rows(group: Numbers, order: Numbers, count: int) -> Numbers:
    """The first of the ordered rows of each group; UNKNOWN where it has none."""
    found = np.full(count, UNKNOWN, dtype=np.int64)
    known, first = np.unique(group[order], return_index=True)
    found[known] = order[first]
    return found


def _schema(contract: Mapping[str, str]) -> pa.Schema:
    return pa.schema({name: pa.type_for_alias(kind) for name, kind in contract.items()})
