"""Pairs of records to entities: whom a person judged, whom a key and whom a score ties.

What a person judged comes first. Two judged different are cut apart where they hang
together most weakly, through a chain of others judged same if it must be: to take two
people for one does the greater harm. Two judged same stay together whatever their
identifiers say.

A cluster that still holds two who cannot be one (two valid identifiers, two rows of a
register that lists each once) is never used as it is: first each record keeps its best
link alone, then, if that is not enough, only the links by key and by judgement stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from configs.network import LinkSpec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SAME, DIFFERENT, UNJUDGED = 1, -1, 0
# Where a cluster is cut: links by score go first, those that a person judged last.
BY_KEY, BY_JUDGEMENT = 1e3, 1e9


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
    """The entity of each record, and what was wrong with a cluster of links."""

    labels: Ints
    flags: dict[int, str]  # label in `found` -> why firm links alone are used there
    found: Ints  # the labels before that
    used: Bools  # per pair: it ties its records in the end


def accepted(pairs: Pairs, spec: LinkSpec) -> Bools:
    """Pairs that are taken as one: judged so, by key unless all else speaks against it."""
    by_key = pairs.by_key & (pairs.probability >= spec.review)
    sure = by_key | (pairs.probability >= spec.accept)
    taken: Bools = (pairs.judged == SAME) | (sure & (pairs.judged != DIFFERENT))
    return taken


def clusters(records: Records, pairs: Pairs, spec: LinkSpec) -> Clusters:
    """Entities from the accepted pairs; over-merged ones are split, the worst flagged."""
    taken = _cut(len(records), pairs, accepted(pairs, spec))
    judged = _as_judged(records, pairs.where(taken & (pairs.judged == SAME)))
    labels = _components(len(records), pairs.where(taken))
    wrong = _conflicts(judged, labels, spec)
    inside = _within(pairs, labels, wrong)
    best = taken & (~inside | _best_links(judged, pairs, taken))
    # Few clusters are wrong, and nothing changes in the others.
    found, parted = _parted(labels, wrong, pairs.where(best & inside))
    some = Records(judged.keys[parted], judged.unique[parted])
    flags = _conflicts(some, found[parted], spec)
    firm = best & (pairs.by_key | (pairs.judged == SAME))
    inside = _within(pairs, found, flags)
    used = np.where(inside, firm, best)
    last, _ = _parted(found, flags, pairs.where(used & inside))
    return Clusters(last, flags, found, used)


def _parted(labels: Ints, wrong: Iterable[int], ties: Pairs) -> tuple[Ints, Ints]:
    """The labels after some clusters hold together by `ties` alone; the records of those."""
    records = np.flatnonzero(np.isin(labels, np.fromiter(wrong, np.int64)))
    ends = (np.searchsorted(records, side) for side in (ties.left, ties.right))
    again = labels.copy()
    again[records] = labels.max(initial=-1) + 1 + _joined(len(records), *ends)
    return again, records


def contested(group: Ints, value: Ints) -> Bools:
    """Which places are of a group that has several values."""
    some = np.zeros(group.max(initial=-1) + 1, np.int64)
    some[group] = np.arange(len(group))
    many = np.zeros(len(some), np.bool_)
    many[group[value != value[some[group]]]] = True
    return np.asarray(many[group])


def _within(pairs: Pairs, labels: Ints, chosen: Iterable[int]) -> Bools:
    return np.isin(labels[pairs.left], np.fromiter(chosen, np.int64))


def _as_judged(records: Records, same: Pairs) -> Records:
    """The records, with one identifier and one row of a register for whom is one person."""
    if not len(same):
        return records
    person = _components(len(records), same)
    named = np.flatnonzero(records.keys >= 0)
    ends = person[named], person.max() + 1 + records.keys[named]
    keys = np.full(len(records), -1, np.int64)
    keys[named] = _joined(int(np.max(ends, initial=0)) + 1, *ends)[ends[0]]
    listed = person * (int(records.unique.max(initial=-1)) + 2) + records.unique + 1
    _, first = np.unique(listed, return_index=True)
    unique = np.full(len(records), -1, np.int64)
    unique[first] = records.unique[first]
    return Records(keys, unique)


def _components(size: int, pairs: Pairs) -> Ints:
    return _joined(size, pairs.left, pairs.right)


def _joined(size: int, left: Ints, right: Ints) -> Ints:
    edges = (np.ones(len(left), np.int8), (left, right))
    _, labels = connected_components(coo_array(edges, (size, size)), directed=False)
    return np.asarray(labels, np.int64)


def _conflicts(records: Records, labels: Ints, spec: LinkSpec) -> dict[int, str]:
    """Label -> what is wrong with a cluster."""
    found: dict[int, str] = {}
    sizes = np.bincount(labels)
    for label in np.flatnonzero(sizes > spec.max_records):
        found[int(label)] = (
            f"{sizes[label]} different records (limit {spec.max_records})"
        )
    for again, count in _repeated(labels, records.unique, distinct=False):
        found[again] = f"{count} records of one register that lists each once"
    for mixed, count in _repeated(labels, records.keys, distinct=True):
        found[mixed] = f"{count} different valid identifiers"
    return found


def _repeated(labels: Ints, codes: Ints, *, distinct: bool) -> list[tuple[int, int]]:
    """Clusters with several codes (distinct), or with one code several times."""
    known = codes >= 0
    labels, codes = labels[known], codes[known]
    # Sorted are those few in question alone.
    many = contested(labels, codes) if distinct else np.bincount(labels)[labels] > 1
    base = int(codes.max(initial=0)) + 1
    values, count = np.unique(labels[many] * base + codes[many], return_counts=True)
    label = values // base
    if distinct:
        label, count = np.unique(label, return_counts=True)
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


def _cut(size: int, pairs: Pairs, taken: Bools) -> Bools:
    """Separate what a person judged different by the weakest links in between."""
    if not (pairs.judged == DIFFERENT).any():
        return taken
    taken = taken.copy()
    strength = np.where(pairs.by_key, BY_KEY, pairs.probability)
    strength[pairs.judged == SAME] = BY_JUDGEMENT
    labels = _components(size, pairs.where(taken))
    apart = pairs.where(pairs.judged == DIFFERENT)
    for left, right in zip(apart.left, apart.right, strict=True):
        if labels[left] == labels[right]:
            rows = np.flatnonzero(taken & (labels[pairs.left] == labels[left]))
            taken[rows[_between(left, right, pairs, rows, strength[rows])]] = False
            labels = _components(size, pairs.where(taken))
    return taken


def _between(
    left: int, right: int, pairs: Pairs, rows: Ints, strength: Floats
) -> list[int]:
    """Which of these rows, together the weakest, hold two records together."""
    import igraph  # noqa: PLC0415  (takes half a second, and few are judged)

    ends = np.concatenate([pairs.left[rows], pairs.right[rows]])
    nodes, codes = np.unique(ends, return_inverse=True)
    graph = igraph.Graph(len(nodes), codes.reshape(2, -1).T)
    source, target = np.searchsorted(nodes, [left, right])
    cut = graph.mincut(int(source), int(target), capacity=strength.tolist())
    return list(cut.cut)
