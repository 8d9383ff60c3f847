"""The members' scores on one scale, averaged; frozen at training, free of the batch."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from training.detectors import (
    ASIDE,
    DETECTORS,
    ORDINARY,
    ORDINARY_SHARE,
    Detector,
    in_chunks,
    ordinary_distance,
    sample_rows,
)
from training.preprocess import Matrix, Vector

SCALE_ROWS = 10_000
# Standardised member scores beyond this are pressed together, not cut: two absurd rows
# stay distinct, and yet one member cannot outvote the others for ever.
SOFT_LIMIT = 5.0


class LogScale(BaseEstimator):  # type: ignore[misc]
    """log1p of the distance above the 1st percentile, in sd of the training scores.

    Keeps the order beyond the training maximum, which an ECDF would tie: measured on 43
    ADBench tables that is worth 0.5 to 1.8 points of average precision.
    """

    def fit(self, scores: Vector) -> Self:
        """Freeze the statistics of the training scores (one per row)."""
        self.low_, median = (float(v) for v in np.percentile(scores, [1, 50]))
        # A member that is constant over half the rows still needs a unit.
        self.unit_ = median - self.low_ or float(scores.std()) or 1.0
        logs = self._logs(scores)
        self.mean_, self.sd_ = float(logs.mean()), float(logs.std()) or 1.0
        return self

    def transform(self, scores: Vector) -> Vector:
        """Scores in sd from the training mean, strictly increasing above the p1."""
        z = (self._logs(scores) - self.mean_) / self.sd_
        excess = np.maximum(z - SOFT_LIMIT, 0.0)
        return np.asarray(np.minimum(z, SOFT_LIMIT) + np.log1p(excess))

    def _logs(self, scores: Vector) -> Vector:
        return np.log1p(np.maximum(scores - self.low_, 0.0) / self.unit_)


class RankScale(BaseEstimator):  # type: ignore[misc]
    """[0, 1] by the training distribution, interpolated; both tails stay ordered."""

    def fit(self, scores: Vector) -> Self:
        """Freeze the distinct training scores and their mid-ranks."""
        self.knots_, counts = np.unique(scores, return_counts=True)
        below = np.cumsum(counts) - counts
        self.ranks_: Vector = (below + counts / 2) / len(scores)
        self.unit_ = float(scores.std()) or 1.0
        return self

    def transform(self, scores: Vector) -> Vector:
        """In (0, 1), strictly increasing in the score."""
        over = np.maximum(scores - self.knots_[-1], 0.0)
        under = np.maximum(self.knots_[0] - scores, 0.0)
        top, bottom = 1.0 - self.ranks_[-1], self.ranks_[0]
        inside = np.interp(scores, self.knots_, self.ranks_)
        raised = inside + top * over / (over + self.unit_)
        return np.asarray(raised - bottom * under / (under + self.unit_))


class Ensemble(BaseEstimator):  # type: ignore[misc]
    """Mean of the members' log-scaled scores.

    Three members look at the rows as they are; the fourth measures the distance from
    the 70 % that the three find ordinary. No member is chosen by looking at a data set,
    none refers to the batch that is scored.
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def fit(self, X: Matrix) -> Self:
        """Fit every member on X (rows x columns, no NaN) and freeze the scales.

        The scales and the ordinary rows come from at most 10,000 rows: percentiles and
        a reference need no more.
        """
        sample = X[sample_rows(len(X), SCALE_ROWS, self.seed + 1)]
        self.detectors_: dict[str, Detector] = {
            name: make(self.seed).fit(X) for name, make in DETECTORS.items()
        }
        raw = {n: in_chunks(d.score, sample) for n, d in self.detectors_.items()}
        self.scales_ = {name: LogScale().fit(s) for name, s in raw.items()}
        first = self._combined(raw)
        ordinary = first <= np.quantile(first, ORDINARY_SHARE)
        last = ordinary_distance(self.seed).fit(sample, ordinary)
        self.detectors_[ORDINARY] = last
        raw[ORDINARY] = in_chunks(last.score, sample)
        self.scales_[ORDINARY] = LogScale().fit(raw[ORDINARY])
        self.member_ranks_ = {
            name: RankScale().fit(self.scales_[name].transform(s))
            for name, s in raw.items()
        }
        self.rank_ = RankScale().fit(self._combined(raw))
        self.aside_: dict[str, Detector] = {
            name: make(self.seed).fit(X) for name, make in ASIDE.items()
        }
        self.aside_scales_ = {
            name: LogScale().fit(in_chunks(d.score, sample))
            for name, d in self.aside_.items()
        }
        return self

    def score(self, X: Matrix) -> Vector:
        """Mean log-scaled score of each row: in sd of the population, unbounded."""
        return self._combined(self._raw_scores(X))

    def rank_scores(self, X: Matrix) -> dict[str, Vector]:
        """`score` and `score_<member>` of each row, each on the rank scale [0, 1]."""
        return self.ranked(self.member_scores(X))

    def ranked(self, members: Mapping[str, Vector]) -> dict[str, Vector]:
        """The same from what `member_scores` gave."""
        ranks = {"score": self.rank_.transform(np.mean(list(members.values()), axis=0))}
        for name, scores in members.items():
            ranks[f"score_{name}"] = self.member_ranks_[name].transform(scores)
        return ranks

    def member_scores(self, X: Matrix) -> dict[str, Vector]:
        """Each member's log-scaled score of each row."""
        raw = self._raw_scores(X)
        return {name: self.scales_[name].transform(s) for name, s in raw.items()}

    def aside_scores(self, X: Matrix) -> dict[str, Vector]:
        """Log-scaled scores that only a learner is told of; no part of the mean."""
        return {
            name: self.aside_scales_[name].transform(in_chunks(d.score, X))
            for name, d in self.aside_.items()
        }

    def _raw_scores(self, X: Matrix) -> dict[str, Vector]:
        return {n: in_chunks(d.score, X) for n, d in self.detectors_.items()}

    def _combined(self, raw: Mapping[str, Vector]) -> Vector:
        scaled = [self.scales_[name].transform(s) for name, s in raw.items()]
        return np.asarray(np.mean(scaled, axis=0))
