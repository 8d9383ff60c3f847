"""The members of the ensemble; each gives a row one score, higher = more anomalous.

A score is a function of the row and of what was frozen at training: the same alone or
in any batch. That excludes detectors that rank a batch against itself (ECOD, COPOD).
"""

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from training.forest import IsolationTrees
from training.nearest import NearestRows
from training.preprocess import Matrix, RobustScale, Vector

# Distances are compared with so many rows: beyond a few thousand they cost more and
# ranked no better (4,096 against 10,000 rows on 27 ADBench tables: AP 44.0 against 42.1).
REFERENCE_ROWS = 4_096
NEIGHBOURS = 100
ORDINARY_NEIGHBOURS = 10
ORDINARY_SHARE = 0.7  # of the rows, those that look least odd
# Spans from the median; beyond it a single wild column decides who is near.
CLIP = 10.0
TINY = 1e-3  # spans; rows nearer than that are as good as equal


class Detector(Protocol):
    """What the ensemble asks of a member."""

    def fit(self, X: Matrix) -> Self:
        """Learn from X (rows x columns, no NaN)."""

    def score(self, X: Matrix) -> Vector:
        """One score per row of X, higher = more anomalous."""


class CutForest(IsolationTrees):
    """Fair-cut forest: odd rows are parted from the others by few cuts."""

    def score(self, X: Matrix) -> Vector:
        """In (0, 1): 2 to the minus mean depth over the expected one."""
        return self.isolation(X)


class LeafDensity(IsolationTrees):
    """Random cuts along single columns: few rows in a wide leaf are odd."""

    def __init__(self, trees: int = 200, sample: int = 256, seed: int = 0) -> None:
        super().__init__(trees, sample, width=1, guided=False, seed=seed)

    def score(self, X: Matrix) -> Vector:
        """Minus the mean log density of the leaves."""
        return self.thinness(X)


class ReferenceDistance(BaseEstimator):  # type: ignore[misc]
    """Mean distance to the nearest rows of a fixed reference, on robust scaling.

    Many neighbours and robust scaling matter more than the detector's name: k = 100
    beats k = 5 by 5 to 9 AUC points on 43 ADBench tables. Against ordinary rows alone,
    each once, a rare crowd cannot vouch for its own members (Campos et al. 2016 on
    duplicates; trimming as in FAST-MCD, Rousseeuw and Van Driessen 1999).

    Args:
        distinct: keep one of several equal reference rows.
    """

    def __init__(
        self,
        neighbours: int = NEIGHBOURS,
        reference: int = REFERENCE_ROWS,
        distinct: bool = False,
        seed: int = 0,
    ) -> None:
        self.neighbours = neighbours
        self.reference = reference
        self.distinct = distinct
        self.seed = seed

    def fit(self, X: Matrix, kept: npt.NDArray[np.bool_] | None = None) -> Self:
        """Learn the scale from X; the reference is drawn from its rows, or those kept."""
        self.scale_ = RobustScale().fit(X)
        rows = self._placed(X if kept is None else X[kept])
        if self.distinct:
            rows = np.unique(rows, axis=0)
        rows = rows[sample_rows(len(rows), self.reference, self.seed)]
        self.nearest_ = NearestRows(max(1, min(self.neighbours, len(rows) - 1)))
        self.nearest_.fit(rows)
        return self

    def score(self, X: Matrix) -> Vector:
        """Mean distance in p10-p90 spans; 0 for a row that is all there is."""
        return _finite_means(self.nearest_.distances(self._placed(X)))

    def _placed(self, X: Matrix) -> Matrix:
        return np.clip(self.scale_.transform(X), -CLIP, CLIP)


class LocalRatio(BaseEstimator):  # type: ignore[misc]
    """How much farther a row lies from its neighbours than these from theirs.

    Simplified LOF (Schubert, Zimek, Kriegel 2014) against a fixed reference. Averaged
    with the others it drags an ensemble down, yet where oddity is local it is all that
    a learner has to go by: it is told to the ranker only.
    """

    def __init__(
        self,
        neighbours: int = ORDINARY_NEIGHBOURS,
        reference: int = REFERENCE_ROWS,
        seed: int = 0,
    ) -> None:
        self.neighbours = neighbours
        self.reference = reference
        self.seed = seed

    def fit(self, X: Matrix) -> Self:
        """Keep reference rows of X, each once, and how far apart they lie."""
        self.scale_ = RobustScale().fit(X)
        drawn = sample_rows(len(X), self.reference, self.seed)
        rows = np.unique(self._placed(X[drawn]), axis=0)
        self.nearest_ = NearestRows(max(1, min(self.neighbours, len(rows) - 1)))
        distances, _ = self.nearest_.fit(rows).find(rows)
        self.apart_: Vector = _finite_means(distances)
        return self

    def score(self, X: Matrix) -> Vector:
        """Mean distance to the neighbours over the mean of theirs; about 1 is usual."""
        distances, rows = self.nearest_.find(self._placed(X))
        around = np.where(rows >= 0, self.apart_[rows], np.nan)
        known = np.isfinite(around).sum(axis=1)
        usual = np.nansum(around, axis=1) / np.maximum(known, 1)
        mean = _finite_means(distances)
        return np.asarray((mean + TINY) / (usual + TINY))

    def _placed(self, X: Matrix) -> Matrix:
        return np.clip(self.scale_.transform(X), -CLIP, CLIP)


DETECTORS: dict[str, Callable[[int], Detector]] = {
    "forest": lambda seed: CutForest(seed=seed),
    "density": lambda seed: LeafDensity(seed=seed),
    "neighbours": lambda seed: ReferenceDistance(seed=seed),
}
ORDINARY = "ordinary"  # the member that builds on the others: who is ordinary for them


def ordinary_distance(seed: int) -> ReferenceDistance:
    """Distance from the ordinary; fitted with the rows that the other members keep."""
    return ReferenceDistance(ORDINARY_NEIGHBOURS, distinct=True, seed=seed)


ASIDE: dict[str, Callable[[int], Detector]] = {
    "local": lambda seed: LocalRatio(seed=seed),
}
CHUNK_ROWS = 4_096  # bounds what a member holds beside the rows themselves


def in_chunks(compute: Callable[[Matrix], Vector], X: Matrix) -> Vector:
    """One number per row of X, computed a few thousand rows at a time."""
    starts = range(0, len(X), CHUNK_ROWS)
    parts = [compute(X[start : start + CHUNK_ROWS]) for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)


def sample_rows(total: int, limit: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of at most `limit` of `total` rows, ascending, fixed by the seed."""
    if total <= limit:
        return np.arange(total)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(total, limit, replace=False))


def _finite_means(distances: Matrix) -> Vector:
    """Mean of each row's finite distances, 0 where it has none."""
    found = np.isfinite(distances)
    total = np.where(found, distances, 0.0).sum(axis=1, dtype=np.float64)
    return np.asarray(total / np.maximum(found.sum(axis=1), 1))
