"""What learns from reviews: a linear, a tree-averaging and a boosting model.

Each gives a row a margin, higher = more like what was confirmed, and says what each
input adds to it. Fitted state is text and arrays: it can be stored without pickle.
"""

from typing import Protocol, Self

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from training.preprocess import Matrix, Vector
from training.sums import weighted_sums


class Learner(Protocol):
    """What the ranker asks of a learner."""

    def fit(self, F: Matrix, y: Vector, weights: Vector) -> Self:
        """Learn from F (rows x inputs), y (1, 0) and how much each row counts."""

    def margin(self, F: Matrix) -> Vector:
        """One number per row."""

    def contributions(self, F: Matrix) -> Vector:
        """Rows x inputs: what each input adds; a row's sum is its margin less a constant."""


class LinearLearner(BaseEstimator):  # type: ignore[misc]
    """Logistic regression, strongly shrunk: the best learner while labels are few."""

    def __init__(self, strength: float = 0.05) -> None:
        self.strength = strength

    def fit(self, F: Matrix, y: Vector, weights: Vector) -> Self:
        model = LogisticRegression(C=self.strength, max_iter=200)
        # The optimiser stops early on purpose: the penalty, not the last digit, decides.
        model.fit(F, y, sample_weight=weights)
        self.slopes_: Vector = model.coef_[0].astype(np.float64)
        return self

    def margin(self, F: Matrix) -> Vector:
        return weighted_sums(F, self.slopes_, order="C")

    def contributions(self, F: Matrix) -> Vector:
        return np.asarray(F * self.slopes_)


class TreesLearner(BaseEstimator):  # type: ignore[misc]
    """Extremely randomised trees whose leaves hold several rows.

    With leaves of one row they would follow single labels: on 19 small ADBench tables
    that costs 24 points of average precision where 1 % of the anomalies is labelled.
    """

    def __init__(self, trees: int = 100, leaf: int = 5, seed: int = 0) -> None:
        self.trees = trees
        self.leaf = leaf
        self.seed = seed

    def fit(self, F: Matrix, y: Vector, weights: Vector) -> Self:
        self.model_ = ExtraTreesClassifier(
            self.trees, min_samples_leaf=self.leaf, random_state=self.seed
        ).fit(F, y, sample_weight=weights)
        return self

    def margin(self, F: Matrix) -> Vector:
        """Mean share of confirmed rows in the leaves, in [0, 1]."""
        return np.asarray(self.model_.predict_proba(F)[:, 1])

    def contributions(self, F: Matrix) -> Vector:
        """Changes of that share along each row's paths (Saabas 2014), by column cut."""
        total = np.zeros((len(F), F.shape[1]))
        rows = np.asarray(F, dtype=np.float32)
        for member in self.model_.estimators_:
            tree = member.tree_
            share = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
            inner = np.flatnonzero(tree.children_left >= 0)
            parent = np.full(tree.node_count, -1)
            for children in (tree.children_left, tree.children_right):
                parent[children[inner]] = inner
            visits = tree.decision_path(rows).tocoo()
            below = parent[visits.col] >= 0
            row, node = visits.row[below], visits.col[below]
            change = share[node] - share[parent[node]]
            np.add.at(total, (row, tree.feature[parent[node]]), change)
        return np.asarray(total / len(self.model_.estimators_))


class BoostedLearner(BaseEstimator):  # type: ignore[misc]
    """LightGBM with few leaves; its own defaults are ruinous with few labels."""

    def __init__(self, trees: int = 120, rate: float = 0.06, seed: int = 0) -> None:
        self.trees = trees
        self.rate = rate
        self.seed = seed

    def fit(self, F: Matrix, y: Vector, weights: Vector) -> Self:
        settings = {
            "objective": "binary",
            "learning_rate": self.rate,
            "num_leaves": 15,
            "min_data_in_leaf": 3,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "feature_fraction": 0.5,
            "lambda_l2": 1.0,
            "seed": self.seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(F, y, weight=weights)
        booster = lightgbm.train(settings, data, num_boost_round=self.trees)
        self.text_: str = booster.model_to_string()
        return self

    def margin(self, F: Matrix) -> Vector:
        """Log-odds."""
        return np.asarray(self._booster().predict(F, raw_score=True, num_threads=1))

    def contributions(self, F: Matrix) -> Vector:
        """TreeSHAP values (Lundberg et al. 2020), without the constant."""
        found = self._booster().predict(F, pred_contrib=True, num_threads=1)
        return np.asarray(found)[:, :-1]

    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.text_)
