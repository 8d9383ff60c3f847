"""The candidate links of one entity as arrays: what was scored and what was judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.linkage.clusters import DIFFERENT, SAME, Ints, Pairs, Records
from features.linkage.doubts import MOST
from features.linkage.grouping import NONE
from features.linkage.names import KEY, NUMBER, RECORD, UNIQUE
from features.linkage.prior import calibrated


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decided about two records."""

    left: str
    right: str
    same: bool


def records_of(coded: pa.Table) -> Records:
    """The records by their numbers, their identifiers and registers numbered from 0 on.

    Args:
        coded: `_number`, and as codes `_key` and `_unique`, in any order.
    """
    number = coded[NUMBER].to_numpy()
    return Records(
        *(_numbered(number, coded[name].to_numpy()) for name in (KEY, UNIQUE))
    )


def _numbered(number: Ints, codes: Ints) -> Ints:
    known = codes != NONE
    found = np.full(len(number), -1, np.int64)
    found[number[known]] = np.unique(codes[known], return_inverse=True)[1]
    return found


def pairs_of(
    named: pa.Table,
    scored: pa.Table,
    doubted: pa.Table,
    known: Records,
    prior: float,
    judgements: Sequence[Judgement],
) -> Pairs:
    """All candidate links, those that a person judged among them.

    Args:
        named: `record` and `_number` of at least the records that were judged.
        doubted: some of the pairs, as `features.linkage.doubts` has them.
    """
    place = _place(scored, known)
    # Sums must not depend on the order in which an engine's threads were done.
    order = np.argsort(place)
    likely, rule = (scored[name].to_numpy()[order] for name in ("probability", "rule"))
    sure = calibrated(likely, prior, len(known))
    doubts = np.searchsorted(place, _place(doubted, known), sorter=order)
    sure[doubts] = np.minimum(sure[doubts], doubted[MOST].to_numpy())
    ends = [scored[side].to_numpy()[order] for side in ("left", "right")]
    unjudged = np.zeros(len(order), np.int8)
    left, right, verdict = _judged(named, judgements)
    if not len(verdict):
        by_key = _by_key(known, ends[0], ends[1])
        return Pairs(ends[0], ends[1], sure, by_key, unjudged, rule)
    said = len(left)
    return _merged(
        known,
        np.append(ends[0], left),
        np.append(ends[1], right),
        {
            "probability": np.append(sure, np.zeros(said)),
            "judged": np.append(unjudged, verdict),
            "rule": np.append(rule, np.full(said, -1)),
        },
    )


def _by_key(known: Records, left: Ints, right: Ints) -> npt.NDArray[np.bool_]:
    key = known.keys[left]
    same: npt.NDArray[np.bool_] = (key >= 0) & (key == known.keys[right])
    return same


def _place(pairs: pa.Table, known: Records) -> Ints:
    """One number a pair."""
    left, right = (pairs[side].to_numpy() for side in ("left", "right"))
    return np.asarray(left * len(known) + right)


def _merged(
    known: Records, left: Ints, right: Ints, told: dict[str, npt.NDArray[Any]]
) -> Pairs:
    """One row a pair, in order: what was scored of it and what a person said last."""
    place = np.minimum(left, right) * len(known) + np.maximum(left, right)
    order = np.argsort(place, kind="stable")
    place = place[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    # The judgement stands last; the scored row of a pair before it, if there is one.
    last = np.append(first[1:], len(place))[: len(first)] - 1
    lefts, rights = np.divmod(place[first], max(len(known), 1))
    return Pairs(
        lefts,
        rights,
        told["probability"][order[first]],
        _by_key(known, lefts, rights),
        told["judged"][order[last]],
        told["rule"][order[first]].astype(np.int64),
    )


def _judged(
    named: pa.Table, judgements: Sequence[Judgement]
) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
    """Numbers of the judged records that are there, and the verdicts."""
    there, number = named[RECORD].combine_chunks(), named[NUMBER].to_numpy()
    ends = [
        pc.index_in(
            pa.array([getattr(j, side) for j in judgements], pa.string()), there
        )
        for side in ("left", "right")
    ]
    present = pc.and_(*(end.is_valid() for end in ends)).to_numpy(False)
    left, right = (number[end.fill_null(0).to_numpy()[present]] for end in ends)
    verdict = np.array([SAME if j.same else DIFFERENT for j in judgements], np.int8)
    return left, right, verdict[present]
