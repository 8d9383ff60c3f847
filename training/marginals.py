"""Each column on one scale: the normal score of a value's place among the training rows.

Inside the training range the score is the normal quantile of the mid-rank (rank-Gauss);
beyond the 1st and 99th percentile it goes on in a straight line, in units of the column's
own half width, so that eight standard deviations stay twice as odd as four.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from sklearn.base import BaseEstimator

from training.preprocess import Matrix, Vector

Mask = npt.NDArray[np.bool_]

KNOTS = 257  # a column with more distinct values is kept at evenly spaced normal scores
REACH = 3.5  # of those scores; one row in 4,000 lies beyond
TAIL = 0.99
FARTHEST = 50.0  # a score beyond it says no more
# Where a side of a column has next to no width (rare flags), its deviation is the unit.
NARROW = 0.1


class NormalScores(BaseEstimator):  # type: ignore[misc]
    """Frozen knots per column; `bounded` for what predicts, `extended` for what is judged."""

    def fit(self, X: Matrix, known: Mask | None = None) -> Self:
        """Learn from X (rows x columns, no NaN); entries where `known` is false are ignored."""
        columns = [_knots(_entries(X, known, j)) for j in range(X.shape[1])]
        self.starts_ = np.cumsum([0, *(len(values) for values, _ in columns)])
        self.values_: Vector = np.concatenate([values for values, _ in columns])
        self.scores_: Vector = np.concatenate([scores for _, scores in columns])
        tails = [_tails(_entries(X, known, j), *columns[j]) for j in range(X.shape[1])]
        self.tails_: Vector = np.asarray(tails)  # columns x (x, score, unit) x 2 sides
        return self

    def bounded(self, X: Matrix) -> Vector:
        """Normal scores of X (rows x columns), within those of the training rows."""
        result = np.empty(X.shape)
        for j in range(X.shape[1]):
            result[:, j] = np.interp(X[:, j], *self._column(j))
        return result

    def extended(self, X: Matrix) -> Vector:
        """As `bounded`, with straight tails; at most 50 in size."""
        inner, x = self.bounded(X), X.astype(np.float64)
        (at_low, at_high), (low, high), (down, up) = self.tails_.transpose(1, 2, 0)
        above = np.maximum(high + (x - at_high) / up, np.minimum(inner, high))
        below = np.minimum(low - (at_low - x) / down, np.maximum(inner, low))
        result = np.where(x > at_high, above, np.where(x < at_low, below, inner))
        return np.clip(result, -FARTHEST, FARTHEST)

    def restored(self, scores: Vector) -> Vector:
        """The values (rows x columns) that have these scores; within the training range."""
        result = np.empty(scores.shape)
        for j in range(scores.shape[1]):
            values, at = self._column(j)
            result[:, j] = np.interp(scores[:, j], at, values)
        return result

    def _column(self, j: int) -> tuple[Vector, Vector]:
        part = slice(self.starts_[j], self.starts_[j + 1])
        return self.values_[part], self.scores_[part]


def _entries(X: Matrix, known: Mask | None, j: int) -> Vector:
    """The known values of a column; a single 0 where there is none."""
    column = X[:, j] if known is None else X[known[:, j], j]
    return column.astype(np.float64) if len(column) else np.zeros(1)


def _knots(column: Vector) -> tuple[Vector, Vector]:
    """Distinct values, ascending, and the normal scores of their mid-ranks."""
    values, counts = np.unique(column, return_counts=True)
    scores = ndtri((np.cumsum(counts) - counts / 2) / len(column))
    if len(values) > KNOTS:
        wanted = np.searchsorted(scores, np.linspace(-REACH, REACH, KNOTS))
        last = len(values) - 1
        kept = np.unique(np.concatenate([[0], np.minimum(wanted, last), [last]]))
        values, scores = values[kept], scores[kept]
    return values, np.asarray(scores, dtype=np.float64)


def _tails(column: Vector, values: Vector, scores: Vector) -> Vector:
    """(x, score, unit) where the straight tails begin, each for the low and high side."""
    median, deviation = float(np.median(column)), float(column.std())
    ends = np.asarray([ndtri(1 - TAIL), ndtri(TAIL)])
    at = np.interp(ends, scores, values)
    width = np.abs(at - median) / ends[1]
    unit = np.where(width < NARROW * deviation, deviation, width)
    return np.stack([at, np.interp(at, values, scores), np.where(unit > 0, unit, 1.0)])
