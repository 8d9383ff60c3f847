"""What Leadline's detection is measured beside, as callables of the shared harness.

A function is called anew for every task; a class is made once a task, so that it may keep
between review rounds what does not depend on the answers.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.mcd import MCD
from pyod.utils.ad_engine import ADEngine
from scipy.stats import rankdata

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int_]

# Of recipe notes on few labels: LightGBM's own defaults (20 rows a leaf) cannot learn
# from ten reviews at all, which would make a poor reference.
FEW_ROWS: dict[str, Any] = {
    "n_estimators": 120,
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_child_samples": 3,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "reg_lambda": 1.0,
    "n_jobs": 1,
    "verbose": -1,
}


def iforest(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """PyOD's isolation forest with its own defaults: the figure to beat."""
    return _fitted(IForest(random_state=seed), train, rows)


def knn(train: Array, rows: Array, **_: Any) -> Array:
    """PyOD's KNN with its own defaults (distance to the fifth neighbour)."""
    return _fitted(KNN(), train, rows)


def mcd(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """PyOD's minimum covariance determinant with its own defaults."""
    return _fitted(MCD(random_state=seed), train, rows)


def adengine(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """PyOD's one-call investigation: its consensus over the detectors that it picks.

    The engine scores only the rows that it was fitted on. For other rows its own members,
    as it fitted them, score these, and their ranks are averaged as its consensus does.
    """
    state = ADEngine(random_state=seed).investigate(train)
    if rows is train:
        return np.asarray(state.consensus["scores"], dtype=np.float64)
    members = [r["detector"] for r in state.results if r["status"] == "success"]
    ranks = [rankdata(member.decision_function(rows)) for member in members]
    return np.asarray(np.mean(ranks, axis=0))


class StaticForest:
    """The fixed ranking by PyOD's isolation forest; no answer changes it."""

    def __init__(self) -> None:
        self.scores: Array | None = None

    def __call__(self, train: Array, rows: Array, *, seed: int, **_: Any) -> Array:
        if self.scores is None:
            self.scores = iforest(train, rows, seed=seed)
        return self.scores


class StaticLeadline:
    """The fixed ranking by Leadline's own unsupervised score."""

    def __init__(self) -> None:
        self.scores: Array | None = None

    def __call__(self, train: Array, rows: Array, *, seed: int, **_: Any) -> Array:
        if self.scores is None:
            from benchmarks import adbench

            self.scores = adbench.unsupervised(train, rows, seed=seed)
        return self.scores


class GreedyLightGBM:
    """LightGBM on the features of reviewed rows, most probable first.

    Unreviewed rows join as weak negatives, as they do for Leadline. Until both kinds of
    answer are there the order is the isolation forest's.
    """

    def __init__(self) -> None:
        self.start = StaticForest()

    def __call__(
        self, train: Array, rows: Array, *, y_partial: Labels, seed: int, **_: Any
    ) -> Array:
        from lightgbm import LGBMClassifier

        if not (y_partial == 1).any():
            return self.start(train, rows, seed=seed)
        chosen, weights = _with_weak_negatives(y_partial, seed)
        model = LGBMClassifier(random_state=seed, **FEW_ROWS)
        model.fit(train[chosen], y_partial[chosen] == 1, sample_weight=weights)
        return np.asarray(model.predict_proba(rows)[:, 1])


class ActiveForest:
    """coniferest's AADForest (Das et al. 2017) with its own defaults.

    As in its own session the trees are grown once and the leaf weights refitted to all
    answers so far.
    """

    def __init__(self) -> None:
        self.model: Any = None

    def __call__(
        self, train: Array, rows: Array, *, y_partial: Labels, seed: int, **_: Any
    ) -> Array:
        from coniferest.aadforest import AADForest
        from coniferest.label import Label

        if self.model is None:
            self.model = AADForest(random_seed=seed, n_jobs=1)
        reviewed = np.flatnonzero(y_partial >= 0)
        answers = np.where(y_partial[reviewed] == 1, Label.ANOMALY, Label.REGULAR)
        self.model.fit_known(train, train[reviewed], answers)
        return -np.asarray(self.model.score_samples(rows), dtype=np.float64)


def _fitted(detector: Any, train: Array, rows: Array) -> Array:
    """Scores of the rows; of the training rows those that PyOD gives them itself."""
    detector.fit(train)
    scores = (
        detector.decision_scores_ if rows is train else detector.decision_function(rows)
    )
    return np.asarray(scores, dtype=np.float64)


def _with_weak_negatives(partial: Labels, seed: int) -> tuple[Labels, Array]:
    """Reviewed rows and up to 3,000 others, negative at weight 0.3; classes balanced."""
    rng = np.random.default_rng(seed)
    unseen = np.flatnonzero(partial < 0)
    drawn = rng.choice(unseen, min(3_000, len(unseen)), replace=False)
    chosen = np.concatenate([np.flatnonzero(partial >= 0), drawn])
    weights = np.where(partial[chosen] < 0, 0.3, 1.0)
    positive = partial[chosen] == 1
    weights[positive] *= weights[~positive].sum() / positive.sum()
    return chosen, weights
