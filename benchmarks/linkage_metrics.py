"""Precision and recall of linkage over pairs of records, by counting.

A pair is right when both records are of one entity. Where registers are linked to each
other, pairs inside a register do not count (`source`); elsewhere all pairs do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares in [0, 1]; nan where nothing was found or there is nothing to find."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else float("nan")


@dataclass(frozen=True, slots=True)
class Curve:
    """Quality as the threshold falls; one point per distinct score."""

    threshold: Floats
    found: Ints  # pairs at or above the threshold
    right: Ints
    wanted: int  # all pairs that there are to find

    @property
    def precision(self) -> Floats:
        return self.right / self.found

    @property
    def recall(self) -> Floats:
        return self.right / self.wanted

    def at(self, threshold: float) -> Quality:
        """Quality of the pairs that score at least so much."""
        last = int(np.searchsorted(-self.threshold, -threshold, side="right")) - 1
        if last < 0:
            return Quality(float("nan"), 0.0)
        return Quality(float(self.precision[last]), float(self.recall[last]))

    def recall_at(self, precision: float) -> float:
        """The highest recall at a threshold that keeps this precision; 0 if none does."""
        kept = self.recall[self.precision >= precision]
        return float(kept.max()) if len(kept) else 0.0

    def best(self) -> Quality:
        """The point of the highest F1."""
        if not len(self.found):
            return Quality(float("nan"), 0.0)
        best = int(np.argmax(2 * self.right / (self.found + self.wanted)))
        return Quality(float(self.precision[best]), float(self.recall[best]))


def curve(score: Floats, right: npt.NDArray[np.bool_], wanted: int) -> Curve:
    """The curve of distinct scored pairs; pairs that were not scored are not found."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], len(ordered) > 0])
    rights = np.cumsum(right[order])[last]
    return Curve(ordered[last], last + 1, rights.astype(np.int64), wanted)


def pairs_within(*labels: npt.NDArray[Any]) -> int:
    """Unordered pairs of rows that agree in all these labels."""
    sizes = pd.DataFrame(dict(enumerate(labels))).groupby(list(range(len(labels))))
    count = sizes.size().to_numpy(np.int64)
    return int((count * (count - 1) // 2).sum())


def counted_pairs(
    *labels: npt.NDArray[Any], source: npt.NDArray[Any] | None = None
) -> int:
    """Pairs that agree in all labels; between different sources where these are given."""
    inside = pairs_within(*labels, source) if source is not None else 0
    return pairs_within(*labels) - inside


def cluster_quality(
    cluster: npt.NDArray[Any], entity: Ints, source: npt.NDArray[Any] | None = None
) -> Quality:
    """Pairwise quality of a clustering of all records.

    Args:
        cluster: of each record what it was put together with.
        entity: of each record who it really is.
    """
    found = counted_pairs(cluster, source=source)
    right = counted_pairs(cluster, entity, source=source)
    wanted = counted_pairs(entity, source=source)
    precision = right / found if found else float("nan")
    return Quality(precision, right / wanted if wanted else float("nan"))
