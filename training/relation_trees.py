"""Small random trees for what an additive model leaves of a column, kept as flat arrays."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesRegressor

from training.marginals import Mask
from training.preprocess import Vector

TREES = 10
ROWS = 4_000
INPUTS = 20  # the columns that correlate most
MOST_LEAVES = 400  # leaves of a tree at most, so that a stored model stays small
LEAST_LEAF = 5

Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grown:
    """Nodes of the trees of one column, and what rows left out of a tree are given."""

    roots: Index
    inputs: Index  # -1 at a leaf
    cuts: Vector
    right: Index  # the left child is the next node
    leaves: Vector
    out_of_bag: Vector


class ResidualTrees(BaseEstimator):  # type: ignore[misc]
    """Extremely randomised trees (Geurts, Ernst, Wehenkel 2006), one small forest a column."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, U: Vector, residuals: Vector, known: Mask) -> Self:
        """Grow on U (rows x columns) what is left of each column (rows x columns).

        `out_of_bag_` (rows x columns) has what rows left out of a tree would be given,
        0 for rows that took no part. A column is left out where that is no nearer.
        """
        self.out_of_bag_: Vector = np.zeros(U.shape)
        with np.errstate(invalid="ignore", divide="ignore"):  # constant columns
            near = np.abs(np.nan_to_num(np.corrcoef(U.T))).reshape(U.shape[1], -1)
        np.fill_diagonal(near, -1.0)
        grown: list[Grown] = []
        self.columns_: list[int] = []
        for j in range(U.shape[1]):
            rows = _sampled(np.flatnonzero(known[:, j]), self.seed)
            inputs = np.sort(np.argsort(-near[j], kind="stable")[:INPUTS])
            inputs = inputs[inputs != j]
            if len(rows) < 4 * LEAST_LEAF or not len(inputs):
                continue
            forest = self._forest(U, residuals[:, j], rows, inputs)
            if _helps(residuals[rows, j], forest.out_of_bag):
                self.columns_.append(j)
                grown.append(forest)
                self.out_of_bag_[rows, j] = forest.out_of_bag
        self._keep(grown)
        return self

    def predict(self, U: Vector) -> Vector:
        """What to add to the expectation of each column (rows x columns)."""
        result, small = np.zeros(U.shape), U.astype(np.float32)
        for at, j in enumerate(self.columns_):
            result[:, j] = self._walked(small, self.roots_[at])
        return result

    def _walked(self, U: npt.NDArray[np.float32], roots: Index) -> Vector:
        """Mean value of the leaves that each row comes to."""
        nodes = np.repeat(roots[None, :], len(U), axis=0)
        rows = np.arange(len(U))[:, None]
        inputs = self.inputs_[nodes]
        while (inputs >= 0).any():
            left = U[rows, np.maximum(inputs, 0)] <= self.cuts_[nodes]
            onward = np.where(left, nodes + 1, self.right_[nodes])
            nodes = np.where(inputs >= 0, onward, nodes)
            inputs = self.inputs_[nodes]
        return np.asarray(self.leaves_[nodes].mean(axis=1, dtype=np.float64))

    def _forest(self, U: Vector, target: Vector, rows: Index, inputs: Index) -> Grown:
        leaf = max(LEAST_LEAF, len(rows) // MOST_LEAVES)
        forest = ExtraTreesRegressor(
            TREES, min_samples_leaf=leaf, bootstrap=True, random_state=self.seed
        )
        X = U[np.ix_(rows, inputs)].astype(np.float32)
        forest.fit(X, target[rows])
        return _flat(forest, X, inputs)

    def _keep(self, grown: list[Grown]) -> None:
        """One array a property for the trees of all columns."""
        sizes = [0, *(len(forest.inputs) for forest in grown)]
        starts = np.cumsum(sizes)[:-1]
        shifted = list(zip(grown, starts.tolist(), strict=True))
        roots = [forest.roots + start for forest, start in shifted]
        self.roots_ = np.asarray(roots, dtype=np.int64).reshape(len(grown), TREES)
        self.right_ = _joined([f.right + start for f, start in shifted], np.int32)
        self.inputs_ = _joined([forest.inputs for forest in grown], np.int16)
        self.cuts_ = _joined([forest.cuts for forest in grown], np.float32)
        self.leaves_ = _joined([forest.leaves for forest in grown], np.float32)


def _flat(
    forest: ExtraTreesRegressor, X: npt.NDArray[np.float32], inputs: Index
) -> Grown:
    trees = [member.tree_ for member in forest.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    splits = np.concatenate([tree.feature for tree in trees])
    return Grown(
        roots=starts,
        inputs=np.where(splits >= 0, inputs[splits], -1),
        cuts=np.concatenate([tree.threshold for tree in trees]),
        right=np.concatenate(
            [tree.children_right + at for tree, at in zip(trees, starts, strict=True)]
        ),
        leaves=np.concatenate([tree.value[:, 0, 0] for tree in trees]),
        out_of_bag=_out_of_bag(forest, X),
    )


def _out_of_bag(forest: ExtraTreesRegressor, X: npt.NDArray[np.float32]) -> Vector:
    """Mean prediction of the trees that did not see the row; 0 where all did."""
    total, count = np.zeros(len(X)), np.zeros(len(X))
    members = zip(forest.estimators_, forest.estimators_samples_, strict=True)
    for member, seen in members:
        outside = np.ones(len(X), dtype=bool)
        outside[seen] = False
        total[outside] += member.predict(X[outside])
        count += outside
    return np.asarray(total / np.maximum(count, 1.0))


def _joined(parts: list[Vector] | list[Index], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, dtype=kind)


def _helps(left: Vector, given: Vector) -> bool:
    return bool(np.median(np.abs(left - given)) < np.median(np.abs(left)))


def _sampled(rows: Index, seed: int) -> Index:
    """At most ROWS of them, ascending."""
    if len(rows) <= ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, ROWS, replace=False))
