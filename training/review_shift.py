"""By how much reviews move what is like the reviewed, in leaves of a forest and straight on.

What was cleared pushes its likes down even while nothing was confirmed, and a confirmed
case lifts its likes. Leaf weights in the manner of active anomaly discovery (Das et al.
2016; Siddiqui et al. 2018) say it of neighbourhoods, a linear part says it along the
inputs. Both are one ridge logistic regression with the order without labels as offset,
solved in its dual: few reviews move little, none moves nothing.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.special import expit
from sklearn.base import BaseEstimator

from training.forest import IsolationTrees
from training.forest_kernels import descend
from training.preprocess import Matrix, Vector

# Chosen in ten rounds of ten reviews on 20 ADBench tables, seeds 1-3, on which figures
# within 0.01 of each other do not differ. Small trees generalise: samples of 64 rows
# found more than 32, 128, 256 and 1,024.
TREES, SAMPLE = 200, 64
# Likeness along the inputs against likeness in leaves: 0.1 and 0.2 found more than 0
# (area 0.687, 0.686, 0.662), 2 less.
STRAIGHT = 0.2
# Pull towards no change. 0.05 to 0.2 found alike on these tables; of leaf weights alone
# 0.3 ranked best on six simulated populations of claims, 0.03 still better than none.
RIDGE = 0.1
# What reviews are measured against: where the first 3 % of the order begin.
THRESHOLD = 0.97
STEPS, EXACT = 30, 1e-5  # of Newton's method
FLAT = 1e-6  # least curvature: a review that is foreseen to certainty still counts


class Places(NamedTuple):
    """Where rows lie: by what rows are compared."""

    leaves: npt.NDArray[np.uint32]  # rows x trees
    along: Vector  # rows x inputs, centred, in the unit of the linear part

    def of(self, rows: npt.NDArray[np.intp]) -> "Places":
        """The places of some of the rows."""
        return Places(self.leaves[rows], self.along[rows])


@dataclass(frozen=True, slots=True)
class Evidence:
    """Reviewed rows, and how alike they are."""

    places: Places
    above: Vector  # where they stand without reviews, in sd above the threshold
    y: Vector  # 1 confirmed, 0 excluded
    weights: Vector
    alike: Vector  # rows x rows

    def joined(
        self, places: Places, above: Vector, y: Vector, weights: Vector
    ) -> "Evidence":
        """With further rows."""
        across = likeness(self.places, places)
        within = likeness(places, places)
        return Evidence(
            Places(
                np.concatenate([self.places.leaves, places.leaves]),
                np.concatenate([self.places.along, places.along]),
            ),
            np.concatenate([self.above, above]),
            np.concatenate([self.y, y]),
            np.concatenate([self.weights, weights]),
            np.block([[self.alike, across], [across.T, within]]),
        )

    def solved(self, start: Vector) -> Vector:
        """By how much each review moves what is exactly like it (Newton's method).

        Args:
            start: of the same rows, or of the first of them.
        """
        shares = np.concatenate([start, np.zeros(len(self.y) - len(start))])
        for _ in range(STEPS):
            chance = expit(self.above + self.alike @ shares)
            wrong = self.weights * (chance - self.y) + RIDGE * shares
            if np.abs(wrong).max(initial=0.0) < EXACT:
                break
            bend = np.maximum(self.weights * chance * (1.0 - chance), FLAT)
            curve = bend[:, None] * self.alike + RIDGE * np.eye(len(shares))
            shares = self._shorter(shares, np.linalg.solve(curve, -wrong))
        return shares

    def _shorter(self, shares: Vector, step: Vector) -> Vector:
        """As much of the step as makes the loss no larger."""
        now, part = self._loss(shares), 1.0
        while self._loss(shares + part * step) > now and part > EXACT:
            part /= 2.0
        return shares + part * step

    def _loss(self, shares: Vector) -> float:
        moved = self.alike @ shares
        value = self.above + moved
        likelihood = self.weights @ (np.logaddexp(0.0, value) - self.y * value)
        return float(likelihood + RIDGE / 2 * (shares @ moved))


class ReviewShift(BaseEstimator):  # type: ignore[misc]
    """A shift of the order, learnt from reviewed rows of both kinds or of one."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def grow(self, F: Matrix) -> Self:
        """Cut up the space of F (rows x standardised inputs); no label is needed."""
        self.trees_ = IsolationTrees(TREES, SAMPLE, 1, False, self.seed).fit(F)
        self.centre_: Vector = F.mean(axis=0, dtype=np.float64)
        size = float(np.sqrt(((F - self.centre_) ** 2).sum(axis=1).mean())) or 1.0
        self.unit_ = size / np.sqrt(STRAIGHT)
        nothing = np.zeros(0)
        return self.fit(F[:0], nothing, nothing, nothing)

    def fit(self, F: Matrix, above: Vector, y: Vector, weights: Vector) -> Self:
        """Learn from reviewed rows alone.

        Args:
            F: reviewed rows x inputs, as `grow` saw them.
            above: where they stand without this, in sd above the threshold.
            y: 1 confirmed, 0 excluded.
            weights: how much each row counts; confirmed and cleared are balanced here.
        """
        self.reviewed_, self.above_, self.y_ = F, above, y
        self.counts_ = weights
        known = self.evidence()
        self.shares_: Vector = known.solved(np.zeros(0))
        return self.moved_by(known.places, self.shares_)

    def evidence(self) -> Evidence:
        """What was fitted on, ready to be added to."""
        places = self.place(self.reviewed_)
        weights = _balanced(self.y_, self.counts_)
        alike = likeness(places, places)
        return Evidence(places, self.above_, self.y_, weights, alike)

    def moved_by(self, places: Places, shares: Vector) -> Self:
        """Take the shares of rows at these places as what was learnt."""
        trees = len(self.trees_.roots_)
        self.weights_: Vector = np.zeros(len(self.trees_.nodes_[3]))
        spread = np.repeat(shares / trees, trees)
        np.add.at(self.weights_, places.leaves.ravel(), spread)
        self.slopes_: Vector = shares @ places.along
        return self

    def shift(self, F: Matrix) -> Vector:
        """In sd of the order; each row by itself."""
        return self.at(self.place(F))

    def at(self, places: Places) -> Vector:
        """The shift of rows at these places."""
        straight = (places.along * self.slopes_).sum(axis=1)
        return np.asarray(self.weights_[places.leaves].sum(axis=1) + straight)

    def along(self, F: Matrix) -> Vector:
        """Rows x inputs: what the linear part adds to the shift of each row."""
        return np.asarray((F - self.centre_) / self.unit_ * self.slopes_)

    def place(self, F: Matrix) -> Places:
        """The leaf of each row in each tree, and where it lies along the inputs."""
        columns, weights, cuts, child, _, _ = self.trees_.nodes_
        found = _reached(
            self.trees_.scale_.transform(F),
            (columns, weights, cuts, child),
            self.trees_.roots_,
            self.trees_.levels_,
        )
        return Places(np.asarray(found), (F - self.centre_) / self.unit_)


def likeness(some: Places, others: Places) -> Vector:
    """Rows x rows: share of trees with the same leaf, and product along the inputs."""
    shared = _shared(some.leaves, others.leaves)
    return np.asarray(shared + some.along @ others.along.T)


def _balanced(y: Vector, weights: Vector) -> Vector:
    """Confirmed rows weigh together at least as much as the cleared."""
    confirmed, cleared = weights[y == 1].sum(), weights[y == 0].sum()
    lift = max(1.0, cleared / confirmed) if confirmed > 0 else 1.0
    return np.where(y == 1, weights * lift, weights)


@njit(cache=True, nogil=True)
def _reached(X: Matrix, nodes: Any, roots: Any, levels: int) -> Any:
    """The leaf of each row in each tree; rows x trees."""
    found = np.empty((len(X), len(roots)), np.uint32)
    at = np.empty(len(X), np.uint32)
    for tree in range(len(roots)):
        descend(X, nodes, roots[tree], levels, at)
        found[:, tree] = at
    return found


@njit(cache=True)
def _shared(some: Any, others: Any) -> Any:
    """Share of trees in which two rows lie in the same leaf; rows x rows."""
    found = np.zeros((len(some), len(others)))
    for i in range(len(some)):
        for j in range(len(others)):
            same = 0
            for tree in range(some.shape[1]):
                same += some[i, tree] == others[j, tree]
            found[i, j] = same / some.shape[1]
    return found
