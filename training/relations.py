"""What each value of a row should be, going by the row's other values.

Each column is expected from all others: an additive model of normal scores (a straight
line and four hinges a column, ridge regression, all columns from one inverse), and small
random trees for what that leaves. The residual in units of its ordinary size says how
badly a value fits. The culprit of a row that does not fit is found by repair: put the
expected value in its place and see how much less the whole row disagrees. For Gaussian
rows that is the likelihood ratio of a shift in one coordinate; on planted rows of ten
ADBench and auction tables it names the column that breaks a correlation in 95 % on
average, the largest residual in 90 %.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from training.marginals import Mask, NormalScores
from training.preprocess import Matrix, Vector
from training.relation_trees import ResidualTrees

Index = npt.NDArray[np.int64]

ROWS = 10_000  # enough for the least squares of some hundred columns
HINGES = (-1.6, -0.53, 0.53, 1.6)
HINGED_COLUMNS = 300  # wider tables get straight lines: one inverse stays under seconds
TREE_COLUMNS = 100
RIDGE = 0.1
BOUND = 3.0  # of the scores that predict: one wild value cannot move what others expect
LEAST_SCALE = 0.1  # a smaller residual is rounding, not a reason
# Columns with few values or one prevailing value (flags, zeros) have no bulk to measure
# a residual's ordinary size by; theirs is the share of the spread that is left.
FEW_VALUES, PREVAILING = 10, 0.5
SOFT = 6.0  # residuals up to this size count by their square, larger ones by their log
CANDIDATES = 8
PARTNERS = 10  # kept per column
SWEEPS = 2


@dataclass(frozen=True, slots=True)
class Fit:
    """How rows agree with the relations; all rows x columns.

    Attributes:
        scores: the values on the normal scale, straight beyond the training percentiles.
        expected: what the other values let expect, on the scale of the matrix.
        residuals: scores less expected ones, in units of their ordinary size.
        gains: how much less the row disagrees, in sum of log(1 + (residual / 6)^2),
            once this value is the expected one; 0 for values that were not tried.
    """

    scores: Vector
    expected: Matrix
    residuals: Vector
    gains: Vector


class Relations(BaseEstimator):  # type: ignore[misc]
    """Conditional residuals, frozen at training; a row's are the same in any batch."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Matrix, known: Mask | None = None) -> Self:
        """Learn from X (rows x columns, no NaN), of which at most 10,000 rows are used.

        `known` (rows x columns) is false where X holds a stand-in for an unknown value.
        """
        rows = _sampled(len(X), self.seed)
        X = X[rows]
        known = np.ones(X.shape, dtype=bool) if known is None else known[rows]
        self.normal_ = NormalScores().fit(X, known)
        scores = self._bounded(X)
        self.trees_: ResidualTrees | None = None
        left = self._fit_additive(scores)
        if not known.all():
            scores = self._filled(scores, known)
            left = self._fit_additive(scores)
        if X.shape[1] <= TREE_COLUMNS:
            self.trees_ = ResidualTrees(self.seed).fit(scores, left, known)
            left = left - self.trees_.out_of_bag_
        self.scale_ = _scales(X, scores, left, known)
        return self

    def examine(self, X: Matrix, known: Mask | None = None) -> Fit:
        """Compare rows with what their other values let expect."""
        known = np.ones(X.shape, dtype=bool) if known is None else known
        given = self._filled(self._bounded(X), known)
        scores = np.where(known, self.normal_.extended(X), given)
        expected = self._expected(given)
        residuals = np.where(known, (scores - expected) / self.scale_, 0.0)
        gains = self._gains(given, scores, expected, residuals)
        restored = self.normal_.restored(expected).astype(np.float32)
        return Fit(scores, restored, residuals, gains)

    def partners(self, columns: Index, known: Mask, count: int = 2) -> Index:
        """The `count` other columns that most decide what each of `columns` is expected to be.

        `known` (len(columns) x all columns) is that of the rows in question; unknown
        values decide nothing. -1 where there are fewer.
        """
        candidates = self.partners_[columns]
        seen = np.take_along_axis(known, candidates, axis=1)
        weights = np.where(seen, self.partner_weights_[columns], 0.0)
        order = np.argsort(-weights, axis=1, kind="stable")[:, :count]
        chosen = np.take_along_axis(weights, order, axis=1)
        decides = (chosen > 0) & (chosen >= chosen[:, :1] / 4)
        return np.where(decides, np.take_along_axis(candidates, order, axis=1), -1)

    def _bounded(self, X: Matrix) -> Vector:
        return np.clip(self.normal_.bounded(X), -BOUND, BOUND)

    def _fit_additive(self, scores: Vector) -> Vector:
        """Fit the linear part; returns what it leaves of rows that it has not seen."""
        rows, columns = scores.shape
        self.hinges_ = HINGES if columns <= HINGED_COLUMNS else ()
        basis = _basis(scores, self.hinges_)
        self.centre_: Vector = basis.mean(axis=0)
        spread = basis.std(axis=0)
        self.spread_: Vector = np.where(spread > 1e-9, spread, 1.0)
        self.mean_: Vector = scores.mean(axis=0)
        terms = self._terms(scores)
        width = len(self.hinges_) + 1
        moments = terms.T @ terms / rows
        moments[np.diag_indices_from(moments)] += RIDGE
        inverse = np.linalg.inv(moments)
        targets = terms.T @ (scores - self.mean_) / rows
        weights = _weights(inverse, targets, width)
        # As float32: of a wide table this is most of the stored model.
        self.weights_ = weights.astype(np.float32)
        influence = _influence(moments, weights, width)
        self.partners_ = np.argsort(-influence, axis=0, kind="stable")[:PARTNERS].T
        self.partner_weights_ = np.take_along_axis(influence.T, self.partners_, axis=1)
        leverage = np.einsum("ij,ij->i", terms @ inverse, terms) / rows
        left = scores - self.mean_ - terms @ self.weights_
        # Leave-one-out residual of a ridge regression; the leverage is that of all columns.
        return np.asarray(left / (1.0 - np.minimum(leverage, 0.9))[:, None])

    def _terms(self, scores: Vector) -> Vector:
        return (_basis(scores, self.hinges_) - self.centre_) / self.spread_

    def _expected(self, scores: Vector) -> Vector:
        expected = self._terms(scores) @ self.weights_ + self.mean_
        if self.trees_ is not None:
            expected = expected + self.trees_.predict(scores)
        return np.clip(expected, -BOUND, BOUND)

    def _filled(self, scores: Vector, known: Mask) -> Vector:
        """Unknown values as the known ones let expect."""
        if known.all():
            return scores
        filled = np.where(known, scores, self.mean_)
        for _ in range(SWEEPS):
            filled = np.where(known, scores, self._expected(filled))
        return filled

    def _gains(
        self, given: Vector, scores: Vector, expected: Vector, residuals: Vector
    ) -> Vector:
        gains, rows = np.zeros(given.shape), np.arange(len(given))
        order = np.argsort(-np.abs(residuals), axis=1, kind="stable")
        before = disagreement(residuals)
        for j in order[:, :CANDIDATES].T:
            repaired, target = given.copy(), scores.copy()
            repaired[rows, j] = target[rows, j] = expected[rows, j]
            after = (target - self._expected(repaired)) / self.scale_
            # An unknown value had no residual before and must have none after.
            after = np.where(residuals == 0.0, 0.0, after)
            gains[rows, j] = before - disagreement(after)
        return gains


def disagreement(residuals: Vector) -> Vector:
    """How badly each row fits together: sum of log(1 + (residual / 6)^2)."""
    return np.asarray(np.log1p((residuals / SOFT) ** 2).sum(axis=1))


def _basis(scores: Vector, hinges: tuple[float, ...]) -> Vector:
    """Rows x (columns x terms): the score and its part above each hinge."""
    parts = [scores, *(np.maximum(scores - hinge, 0.0) for hinge in hinges)]
    return np.stack(parts, axis=2).reshape(len(scores), scores.shape[1] * len(parts))


def _weights(inverse: Vector, targets: Vector, width: int) -> Vector:
    """Ridge weights of every column on all others (terms x columns).

    Leaving a block of rows and columns out of a matrix takes a small correction of its
    inverse (Schur complement), not another inverse.
    """
    weights = inverse @ targets
    for j in range(targets.shape[1]):
        own = slice(j * width, (j + 1) * width)
        block = inverse[own, own]
        without = weights[own, j] - block @ targets[own, j]
        less = targets[own, j] + np.linalg.solve(block, without)
        weights[:, j] -= inverse[:, own] @ less
        weights[own, j] = 0.0
    return weights


def _influence(moments: Vector, weights: Vector, width: int) -> Vector:
    """Columns x columns: sd of what column k (row) adds to the expectation of column j."""
    columns = weights.shape[1]
    result = np.zeros((columns, columns))
    for k in range(columns):
        own = slice(k * width, (k + 1) * width)
        part = weights[own]
        squared = np.einsum("aj,ab,bj->j", part, moments[own, own], part)
        result[k] = np.sqrt(np.maximum(squared, 0.0))
    return result


def _scales(X: Matrix, scores: Vector, left: Vector, known: Mask) -> Vector:
    """Ordinary size of each column's residuals, from the known values alone."""
    result = np.full(X.shape[1], LEAST_SCALE)
    for j in range(X.shape[1]):
        rows = known[:, j]
        if rows.any():
            sizes = np.abs(left[rows, j])
            bulk = max(np.median(sizes) / 0.6745, np.percentile(sizes, 90) / 3.29)
            few = _unmeasured(X[rows, j], scores[rows, j], left[rows, j])
            result[j] = max(bulk, few, LEAST_SCALE)
    return result


def _unmeasured(values: Matrix, scores: Vector, left: Vector) -> float:
    """For a column without a bulk, the share of its spread that the others leave; else 0."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) > FEW_VALUES and counts.max() < PREVAILING * len(values):
        return 0.0
    spread = float(scores.std())
    return min(float(left.std()) / spread, 1.0) if spread > 0 else 1.0


def _sampled(total: int, seed: int) -> Index:
    if total <= ROWS:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, ROWS, replace=False))
