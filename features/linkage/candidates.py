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
from features.linkage.names import RECORD
from features.linkage.prior import calibrated


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decided about two records."""

    left: str
    right: str
    same: bool


def codes(column: pa.ChunkedArray) -> Ints:
    """Equal texts to equal numbers; -1 where there is none."""
    indices = column.combine_chunks().dictionary_encode().indices
    return np.asarray(
        pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), np.int64
    )


def pairs_of(
    numbered: pa.Table,
    scored: pa.Table,
    known: Records,
    prior: float,
    judgements: Sequence[Judgement],
) -> Pairs:
    """All candidate links, those that a person judged among them."""
    sure = calibrated(scored["probability"].to_numpy(), prior, len(numbered))
    sure = np.minimum(sure, scored[MOST].to_numpy())
    left, right, verdict = _judged(numbered, judgements)
    named = len(left)
    return _merged(
        known,
        np.concatenate([scored["left"].to_numpy(), left]),
        np.concatenate([scored["right"].to_numpy(), right]),
        {
            "probability": np.append(sure, np.zeros(named)),
            "judged": np.append(np.zeros(len(scored), np.int8), verdict),
            "rule": np.append(scored["rule"].to_numpy(), np.full(named, -1)),
        },
    )


def _merged(
    known: Records, left: Ints, right: Ints, told: dict[str, npt.NDArray[Any]]
) -> Pairs:
    """One row a pair: what was scored of it and what a person said."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    place, group = np.unique(low * len(known) + high, return_inverse=True)
    probability, rule = np.zeros(len(place)), np.full(len(place), -1, np.int64)
    np.maximum.at(probability, group, told["probability"])
    np.maximum.at(rule, group, told["rule"].astype(np.int64))
    judged = np.zeros(len(place), np.int8)
    judged[group] = told["judged"]  # the judgement stands last
    lefts, rights = np.divmod(place.astype(np.int64), max(len(known), 1))
    by_key = (known.keys[lefts] >= 0) & (known.keys[lefts] == known.keys[rights])
    return Pairs(lefts, rights, probability, by_key, judged, rule)


def _judged(
    numbered: pa.Table, judgements: Sequence[Judgement]
) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
    """Numbers of the judged records that are there, and the verdicts."""
    ends = [
        pc.index_in(
            pa.array([getattr(j, side) for j in judgements], pa.string()), there
        )
        .fill_null(-1)
        .to_numpy(zero_copy_only=False)
        .astype(np.int64)
        for there in [numbered[RECORD].combine_chunks()]
        for side in ("left", "right")
    ]
    verdict = np.array([SAME if j.same else DIFFERENT for j in judgements], np.int8)
    present = (ends[0] >= 0) & (ends[1] >= 0)
    return ends[0][present], ends[1][present], verdict[present]
