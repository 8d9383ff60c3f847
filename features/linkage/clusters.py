"""Pairs of records to entities: whom a person judged, whom a key and whom a score ties.

A cluster that holds two who cannot be one (two valid identifiers, two rows of a register
that lists each once, a pair judged different) is never used as it is: first each record
keeps its best link alone, then, if that is not enough, only the links by key stay.
"""

from dataclasses import dataclass, replace

import igraph
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from configs.network import LinkSpec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SAME, DIFFERENT, UNJUDGED = 1, -1, 0


@dataclass(frozen=True, slots=True)
class Records:
    """Codes of the records' identifiers and registers; -1 = none."""

    keys: Ints
    unique: Ints

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate links between records, by number."""

    left: Ints
    right: Ints
    probability: Floats
    by_key: Bools
    judged: npt.NDArray[np.int8]
    rule: Ints  # place of the block that found the pair; -1 = a person named it

    def __len__(self) -> int:
        return len(self.left)

    def where(self, wanted: Bools) -> "Pairs":
        names = self.__slots__
        return replace(self, **{name: getattr(self, name)[wanted] for name in names})


@dataclass(frozen=True, slots=True)
class Clusters:
    """The entity of each record and why a cluster of links was not used as it was."""

    labels: Ints
    flags: dict[int, str]  # label of the cluster found first -> what is wrong with it
    found: Ints  # the labels before anything was split
    used: Bools  # per pair: it ties its records in the end


def accepted(pairs: Pairs, spec: LinkSpec) -> Bools:
    """Pairs that are taken as one: judged so, by key unless all else speaks against it."""
    by_key = pairs.by_key & (pairs.probability >= spec.review)
    sure = by_key | (pairs.probability >= spec.accept)
    taken: Bools = (pairs.judged == SAME) | (sure & (pairs.judged != DIFFERENT))
    return taken


def clusters(records: Records, pairs: Pairs, spec: LinkSpec) -> Clusters:
    """Entities from the accepted pairs; over-merged ones are split and flagged."""
    taken = accepted(pairs, spec)
    found = _components(len(records), pairs.where(taken))
    apart = pairs.where(pairs.judged == DIFFERENT)
    wrong = _conflicts(records, found, apart, spec)
    if not wrong:
        return Clusters(found, {}, found, taken)
    inside = np.isin(found[pairs.left], np.fromiter(wrong, np.int64))
    best = taken & (~inside | _best_links(records, pairs, taken))
    second = _components(len(records), pairs.where(best))
    still = _conflicts(records, second, apart, spec)
    stuck = np.isin(second[pairs.left], np.fromiter(still, np.int64))
    firm = (pairs.by_key | (pairs.judged == SAME)) & best
    used = np.where(stuck, firm, best)
    used = _cut(len(records), pairs, used, apart)
    labels = _components(len(records), pairs.where(used))
    flags = {
        int(found[np.flatnonzero(second == label)[0]]): reason
        for label, reason in still.items()
    }
    return Clusters(labels, flags, found, used)


def _components(size: int, pairs: Pairs) -> Ints:
    edges = (np.ones(len(pairs), np.int8), (pairs.left, pairs.right))
    _, labels = connected_components(coo_array(edges, (size, size)), directed=False)
    return np.asarray(labels, np.int64)


def _conflicts(
    records: Records, labels: Ints, apart: Pairs, spec: LinkSpec
) -> dict[int, str]:
    """Label -> what is wrong with a cluster."""
    found: dict[int, str] = {}
    sizes = np.bincount(labels)
    for label in np.flatnonzero(sizes > spec.max_records):
        found[int(label)] = (
            f"{sizes[label]} different records (limit {spec.max_records})"
        )
    for label in labels[apart.left[labels[apart.left] == labels[apart.right]]]:
        found[int(label)] = "holds two that a person judged different"
    for again, count in _repeated(labels, records.unique, distinct=False):
        found[again] = f"{count} records of one register that lists each once"
    for mixed, count in _repeated(labels, records.keys, distinct=True):
        found[mixed] = f"{count} different valid identifiers"
    return found


def _repeated(labels: Ints, codes: Ints, *, distinct: bool) -> list[tuple[int, int]]:
    """Clusters with several codes (distinct), or with one code several times."""
    known = codes >= 0
    pairs = np.column_stack([labels[known], codes[known]])
    if distinct:
        label, count = np.unique(np.unique(pairs, axis=0)[:, 0], return_counts=True)
    else:
        values, count = np.unique(pairs, axis=0, return_counts=True)
        label = values[:, 0]
    several = count > 1
    return list(zip(label[several].tolist(), count[several].tolist(), strict=True))


def _best_links(records: Records, pairs: Pairs, taken: Bools) -> Bools:
    """Links by key or judgement, and each other record's single most probable one."""
    firm = taken & (pairs.by_key | (pairs.judged == SAME))
    loose = np.flatnonzero(taken & ~firm)
    ends = np.concatenate([pairs.left[loose], pairs.right[loose]])
    which = np.concatenate([loose, loose])
    free = records.keys[ends] < 0
    ends, which = ends[free], which[free]
    order = np.lexsort((which, -pairs.probability[which], ends))
    first = np.ones(len(order), np.bool_)
    first[1:] = ends[order][1:] != ends[order][:-1]
    best: Bools = firm.copy()
    best[which[order][first]] = True
    return best


def _cut(size: int, pairs: Pairs, used: Bools, apart: Pairs) -> Bools:
    """Separate what a person judged different by its weakest links."""
    used = used.copy()
    for left, right in zip(apart.left, apart.right, strict=True):
        rows = np.flatnonzero(used)
        labels = _components(size, pairs.where(used))
        if labels[left] != labels[right]:
            continue
        rows = rows[labels[pairs.left[rows]] == labels[left]]
        ends = np.concatenate([pairs.left[rows], pairs.right[rows]])
        nodes, codes = np.unique(ends, return_inverse=True)
        graph = igraph.Graph(len(nodes), codes.reshape(2, -1).T)
        weights = np.where(pairs.judged[rows] == SAME, 1e9, pairs.probability[rows])
        source, target = np.searchsorted(nodes, [left, right])
        cut = graph.mincut(int(source), int(target), capacity=weights.tolist())
        used[rows[cut.cut]] = False
    return used
