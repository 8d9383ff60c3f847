"""What reviews say of the neighbourhoods that a forest cuts: leaves gain or lose weight.

A review speaks for the leaves that the unit lies in, so that what was cleared pushes its
likes down even while nothing was confirmed, and a confirmed case lifts its likes. In the
manner of active anomaly discovery (Das et al. 2016; Siddiqui et al. 2018), solved as a
ridge logistic regression with the order without labels as offset: few reviews move
little, none moves nothing.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator

from training.forest import IsolationTrees
from training.forest_kernels import descend
from training.preprocess import Matrix, Vector

# Small trees generalise: of samples of 32 to 1,024 rows those of 32 and 64 found most in
# ten rounds of ten reviews on 18 ADBench tables.
TREES, SAMPLE = 200, 64
# Pull towards no change. 0.03 to 0.3 found alike on these tables; 0.3 ranked best on six
# simulated populations of claims, 0.03 still better than none.
RIDGE = 0.1
# What reviews are measured against: where the first 3 % of the order begin.
THRESHOLD = 0.97


class LeafWeights(BaseEstimator):  # type: ignore[misc]
    """A shift of the order, learnt from reviewed rows of both kinds or of one."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def grow(self, F: Matrix) -> Self:
        """Cut up the space of F (rows x standardised inputs); no label is needed."""
        self.trees_ = IsolationTrees(TREES, SAMPLE, 1, False, self.seed).fit(F)
        self.weights_: Vector = np.zeros(len(self.trees_.nodes_[3]))
        return self

    def fit(self, F: Matrix, order: Vector, y: Vector, weights: Vector) -> Self:
        """Learn from reviewed rows alone.

        Args:
            F: reviewed rows x inputs, as `grow` saw them.
            order: where they stand without this, in sd above the threshold.
            y: 1 confirmed, 0 excluded.
            weights: how much each row counts; confirmed and cleared are balanced here.
        """
        leaves = self._leaves(F)
        alike = (leaves[:, None, :] == leaves[None, :, :]).mean(axis=2)
        shares = _solved(alike, order, y, _balanced(y, weights))
        self.weights_ = np.zeros(len(self.trees_.nodes_[3]))
        spread = np.repeat(shares / leaves.shape[1], leaves.shape[1])
        np.add.at(self.weights_, leaves.ravel(), spread)
        return self

    def shift(self, F: Matrix) -> Vector:
        """In sd of the order; each row by itself."""
        return np.asarray(self.weights_[self._leaves(F)].sum(axis=1))

    def _leaves(self, F: Matrix) -> npt.NDArray[np.uint32]:
        columns, weights, cuts, child, _, _ = self.trees_.nodes_
        rows = self.trees_.scale_.transform(F)
        found = _reached(
            rows,
            (columns, weights, cuts, child),
            self.trees_.roots_,
            self.trees_.levels_,
        )
        return np.asarray(found)


def _balanced(y: Vector, weights: Vector) -> Vector:
    """Confirmed rows weigh together at least as much as the cleared."""
    confirmed, cleared = weights[y == 1].sum(), weights[y == 0].sum()
    lift = max(1.0, cleared / confirmed) if confirmed > 0 else 1.0
    return np.where(y == 1, weights * lift, weights)


def _solved(alike: Vector, order: Vector, y: Vector, weights: Vector) -> Vector:
    """By how much each review moves what is exactly like it: the dual of the ridge."""

    def loss(shares: Vector) -> tuple[float, Vector]:
        moved = alike @ shares
        value = order + moved
        likelihood = weights @ (np.logaddexp(0.0, value) - y * value)
        wrong = weights * (expit(value) - y)
        penalty = RIDGE / 2 * float(shares @ moved)
        return float(likelihood) + penalty, alike @ wrong + RIDGE * moved

    start = np.zeros(len(y))
    found = minimize(loss, start, jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


@njit(cache=True)
def _reached(X: Matrix, nodes: Any, roots: Any, levels: int) -> Any:
    """The leaf of each row in each tree; rows x trees."""
    found = np.empty((len(X), len(roots)), np.uint32)
    at = np.empty(len(X), np.uint32)
    for tree in range(len(roots)):
        descend(X, nodes, roots[tree], levels, at)
        found[:, tree] = at
    return found
