"""Confirmation bands: what share of the reviewed was confirmed, by how high they stood.

A place in an order is no probability. It becomes a share only where enough people have
looked, and then with an interval.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.stats import beta
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression

from training.preprocess import Vector

ENOUGH, ENOUGH_OF_EACH = 40, 10  # reviewed rings, and confirmed and cleared among them
SMALLEST_BAND = 10  # rings
LEVEL = 0.95


class ConfirmationBands(BaseEstimator):  # type: ignore[misc]
    """Bands of scores with Jeffreys' interval of the share confirmed in each."""

    def fit(self, scores: Vector, y: Vector, rings: npt.NDArray[np.object_]) -> Self:
        """Pool neighbouring scores until shares rise and bands are large enough.

        Pool-adjacent-violators (Barlow et al. 1972) on held-out scores of reviewed rows;
        a ring counts once. No band is known with fewer than 40 reviewed rings, or fewer
        than 10 confirmed or cleared ones.

        Args:
            scores: of reviewed rows, by a model that did not see them.
            y: 1 confirmed, 0 excluded.
        """
        self.edges_: Vector = np.empty(0)  # lowest score of each band, ascending
        self.low_: Vector = np.empty(0)
        self.high_: Vector = np.empty(0)
        self.tried_: Vector = np.empty(0)  # reviewed rings
        _, ring, size = np.unique(
            rings.astype(str), return_inverse=True, return_counts=True
        )
        weight = 1.0 / size[ring]
        each = [float(weight[y == label].sum()) for label in (0, 1)]
        if sum(each) < ENOUGH or min(each) < ENOUGH_OF_EACH:
            return self
        order = np.argsort(scores, kind="stable")
        scores, y, weight = scores[order], y[order], weight[order]
        rising = IsotonicRegression().fit_transform(scores, y, sample_weight=weight)
        band = _large_enough(rising, weight)
        hits = np.bincount(band, weights=y * weight)
        tried = np.bincount(band, weights=weight)
        self.edges_ = np.array([scores[band == b].min() for b in range(len(hits))])
        self.tried_ = np.asarray(tried, dtype=np.float64)
        tail = (1 - LEVEL) / 2
        self.low_ = beta.ppf(tail, hits + 0.5, tried - hits + 0.5)
        self.high_ = beta.ppf(1 - tail, hits + 0.5, tried - hits + 0.5)
        return self

    def transform(self, scores: Vector) -> tuple[Vector, Vector]:
        """Lower and upper bound of each score's band; NaN below all that was reviewed."""
        place = np.searchsorted(self.edges_, scores, side="right") - 1
        low, high = np.full(len(scores), np.nan), np.full(len(scores), np.nan)
        known = place >= 0
        low[known], high[known] = self.low_[place[known]], self.high_[place[known]]
        return low, high


def _large_enough(rising: Vector, weight: Vector) -> npt.NDArray[np.int64]:
    """The band of each row: runs of equal shares, joined upwards until large enough."""
    runs = np.cumsum(np.diff(rising, prepend=rising[0]) > 0)
    sizes = np.bincount(runs, weights=weight)
    joined, held, bands = [], 0.0, 0
    for size in sizes:  # a handful
        joined.append(bands)
        held += size
        if held >= SMALLEST_BAND:
            bands, held = bands + 1, 0.0
    if held and bands:  # the last run was too small to stand alone
        joined = [min(b, bands - 1) for b in joined]
    return np.asarray(joined, dtype=np.int64)[runs]
