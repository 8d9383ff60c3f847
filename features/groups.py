"""Which suspect units belong together: groups of units tied by rare points.

Only the units of the first ranks are grouped. Two of them are tied when the points that
they share are together as rare as one point that ten units share; communities of the ties
are the groups (chosen on simulated claims, docs/evaluation/rings.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse
from scipy.special import gammaln, logsumexp

from configs.network import GroupsSpec
from features.adjacency import Numbers, Weights, kept
from features.graph import UNKNOWN, Graph, constant_potts, rarity

# A single point of more units ties nobody; several may together.
TIED = float(rarity(np.array([10]))[0])
# A member is tied to about a tenth of its group or more (constant Potts model: Traag,
# Van Dooren and Nesterov 2011).
RESOLUTION = 0.07
# Beyond it a community breaks to pieces, however closely it is tied.
FINEST = TIED
ITERATIONS = -1  # until nothing improves
BUDGET = 20_000_000  # entries of a sparse product held at once


@dataclass(frozen=True)
class Groups:
    """Groups in the order of their evidence; a unit stands in at most one.

    Attributes:
        members: node numbers, by group, then by rank.
        group: of each member, from 0.
        evidence: of each published group, see `evidence`.
        found: how many groups there were before the first ones were taken.
    """

    members: Numbers
    group: Numbers
    evidence: Weights
    found: int

    @property
    def count(self) -> int:
        return len(self.evidence)

    @property
    def units(self) -> Numbers:
        """Members of each group."""
        return np.bincount(self.group, minlength=self.count)

    @property
    def score(self) -> Weights:
        """The place among all groups found, in (0, 1)."""
        return 1 - (np.arange(self.count) + 0.5) / max(self.found, 1)


def find_groups(
    graph: Graph,
    unit: str,
    scores: pa.Table,
    spec: GroupsSpec,
    weigh: Callable[[Numbers], Weights] = rarity,
) -> Groups:
    """The groups among the units of the first ranks.

    Args:
        unit: the units' kind of node.
        scores: `node` (null where nothing ties it) and `rank_fused` of every scored unit.
        weigh: what a point of so many units says; two units are tied from `TIED` on.
    """
    nodes, share = _suspects(scores, spec.suspects)
    points = points_of(graph, unit, nodes, spec.hub)
    used, column = np.unique(points.indices, return_inverse=True)
    shape = len(nodes), len(used)
    points = sparse.csr_array((points.data, column, points.indptr), shape=shape)
    ties = _tied_pairs(points, weigh(units_at(graph, unit)[used]))
    label = _communities(ties, spec.max_size)
    label = _first_of_each(label, spec.max_size)
    return _ordered(nodes, share, label, spec)


def points_of(graph: Graph, unit: str, nodes: Numbers, hub: int, least: int = 2) -> Any:
    """Units x nodes: how surely each unit is tied to the points that may tie it on.

    A point is a node of `least` to `hub` units. A unit that others are tied to directly
    is its own point.
    """
    units = units_at(graph, unit)
    own = sparse.csr_array(
        (np.ones(len(nodes)), nodes, np.arange(len(nodes) + 1)),
        shape=(len(nodes), graph.size),
    )
    alone = graph.of_kinds({unit}) & (units < 2)
    return kept(
        graph.ties[nodes] + own, None, (units >= least) & (units <= hub) & ~alone
    )


def units_at(graph: Graph, unit: str) -> Numbers:
    """How many units each node ties; a unit counts itself."""
    return graph.degree_towards(unit) + graph.of_kinds({unit})


def log_evidence(total: Weights, members: Numbers) -> Weights:
    """How unlikely so high ranks are: Fisher's combined test, as a negative logarithm.

    Of members drawn at random from the suspects, the negative logarithms of the shares
    of suspects before them add up to a gamma variable of that shape.

    Args:
        total: sum of these logarithms.
        members: how many were added up.
    """
    below = np.arange(members.max(initial=1))
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(total, 0))[:, None]
    terms = np.where(below, below * logs, 0.0) - gammaln(below + 1)
    terms = np.where(below < members[:, None], terms, -np.inf)
    found: Weights = total - logsumexp(terms, axis=1)
    return found


def _suspects(scores: pa.Table, suspects: float) -> tuple[Numbers, Weights]:
    """Nodes of the first ranks by rank, and the share of suspects up to each."""
    rank = scores["rank_fused"].to_numpy().astype(np.int64)
    last = max(suspects * len(rank), 1)
    nodes = nodes_of(scores)
    taken = np.flatnonzero((rank <= last) & (nodes != UNKNOWN))
    taken = taken[np.argsort(rank[taken], kind="stable")]
    return nodes[taken], rank[taken] / last


def nodes_of(units: pa.Table) -> Numbers:
    """The column `node`; UNKNOWN for null."""
    nodes: Numbers = units["node"].cast(pa.int64()).fill_null(UNKNOWN).to_numpy()
    return nodes


def _tied_pairs(points: Any, weights: Weights) -> Any:
    """Suspects x suspects, upper triangle: summed weight of what the tied ones share."""
    weighed = points.data * weights[points.indices]
    parts = weighed, points.indices, points.indptr
    rare = sparse.csr_array(parts, shape=points.shape)
    held = points.T.tocsr()
    found = [_pairs_of(rare, held, rows) for rows in _blocks(points)]
    return sparse.vstack(found, format="csr") if found else points @ held


def _pairs_of(rare: Any, held: Any, rows: slice) -> Any:
    found = sparse.triu(rare[rows] @ held, k=rows.start + 1, format="csr")
    found.data[found.data < TIED * (1 - 1e-9)] = 0
    found.eliminate_zeros()
    return found


def _blocks(points: Any) -> Iterator[slice]:
    """Rows of the product of the points with themselves that fit into the budget."""
    cost = points.astype(bool).astype(np.int64) @ np.bincount(
        points.indices, minlength=points.shape[1]
    )
    part = np.cumsum(cost) // BUDGET
    starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(part)]):
        yield slice(start, end)


def _communities(ties: Any, max_size: int) -> Numbers:
    """A label per suspect; too large a community is split at a finer resolution."""
    label = np.zeros(ties.shape[0], dtype=np.int64)
    large = np.ones(len(label), dtype=bool)
    resolution = RESOLUTION
    while large.any() and resolution <= FINEST:
        chosen = np.flatnonzero(large)
        inside = ties[chosen][:, chosen].tocoo()
        together = label[chosen][inside.row] == label[chosen][inside.col]
        pairs = np.stack([inside.row[together], inside.col[together]], axis=1)
        found = constant_potts(
            pairs.astype(np.int64),
            inside.data[together],
            np.ones(len(chosen)),
            resolution,
            ITERATIONS,
        )
        label[chosen] = label.max() + 1 + found
        large = _sizes(label) > max_size
        resolution *= 2
    return label


def _sums(label: Numbers, value: Weights, count: int) -> Weights:
    return np.bincount(label, value, minlength=count).astype(np.float64)


def _sizes(label: Numbers) -> Numbers:
    return np.bincount(label, minlength=1)[label]


def _first_of_each(label: Numbers, most: int) -> Numbers:
    """Of a community that nothing splits, the most suspect members; UNKNOWN the rest.

    Labels stand in the order of ranks.
    """
    order = np.argsort(label, kind="stable")
    place = np.empty(len(label), dtype=np.int64)
    place[order] = position_within(label[order])
    return np.where(place <= most, label, UNKNOWN)


def position_within(group: Numbers) -> Numbers:
    """1, 2, ... within each run of one number."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, sizes) + 1


def _ordered(
    nodes: Numbers, share: Weights, label: Numbers, spec: GroupsSpec
) -> Groups:
    """Groups of at least the declared size, by evidence, then by their best member."""
    inside = label != UNKNOWN
    inside[inside] = _sizes(label[inside]) >= spec.min_size
    nodes, share = nodes[inside], share[inside]
    # Members come by rank: the first of a label is its best.
    _, best, own = np.unique(label[inside], return_index=True, return_inverse=True)
    members = np.bincount(own, minlength=len(best))
    evidence = log_evidence(_sums(own, -np.log(share), len(best)), members)
    order = np.lexsort((best, -evidence))
    place = np.empty(len(best), dtype=np.int64)
    place[order] = np.arange(len(best))
    rows = np.argsort(place[own], kind="stable")
    rows = rows[place[own][rows] < spec.top]
    first = order[: spec.top]
    return Groups(nodes[rows], place[own][rows], evidence[first], len(best))
