"""Leadline's detectors and ranker on a table of features, and plain learners beside them.

Detectors and ranker are used as in the product: the detectors are fitted without labels,
the ranker is told features, detector scores and rule flags of the rows whose outcome is
known. Rows without a known outcome are left out of its training here, because the outcomes
of these sets are a random part and many: such rows could only count as weak negatives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.ensemble import Ensemble
from training.preprocess import Matrix, Preprocessor, Vector
from training.ranker import Ranker

Rows = npt.NDArray[np.intp]
# Below this share of unknown values a column gets no flag that says so.
UNKNOWN_SHARE = 0.002
TUNED: dict[str, Any] = {
    "n_estimators": 200,
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_child_samples": 10,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.4,
    "reg_lambda": 5.0,
}


@dataclass(frozen=True, slots=True)
class Known:
    """Rows as the ranker is told of them, as plain learners see them, and outcomes."""

    inputs: Matrix  # features, detector scores, rule flags; nothing unknown
    base: Vector  # the order without labels
    features: Vector  # features alone, unknown = NaN
    y: Vector  # 1, 0, NaN = not known


class Detectors:
    """The ensemble of one population; fitted without labels."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: pd.DataFrame) -> Self:
        """Learn columns, scales and detectors from units x features."""
        self.preprocessor = Preprocessor().fit(features)
        matrix = self.preprocessor.transform(features)
        self.ensemble = Ensemble(seed=self.seed).fit(matrix)
        return self

    def tell(self, features: pd.DataFrame) -> tuple[Matrix, Vector]:
        """What a ranker is told where there are no rules, and the unsupervised score."""
        matrix = self.preprocessor.transform(features)
        members = self.ensemble.member_scores(matrix)
        aside = self.ensemble.aside_scores(matrix)
        inputs = np.column_stack([matrix, *members.values(), *aside.values()])
        base = np.asarray(np.mean(list(members.values()), axis=0))
        return inputs.astype(np.float32), base


# Scores of the rows `scored`, learnt from the labelled ones of the rows `learnt`.
Learn = Callable[[Known, Rows, Rows, int], Vector]


def leadline(known: Known, learnt: Rows, scored: Rows, seed: int) -> Vector:
    """The ranker: features, detector scores and rule flags, blended with the base order."""
    rows = _labelled(known, learnt)
    ranker = Ranker(seed).fit(known.inputs[rows], known.base[rows], known.y[rows])
    return ranker.score(known.inputs[scored], known.base[scored])


def without_labels(known: Known, _: Rows, scored: Rows, __: int) -> Vector:
    """The order before any outcome was known."""
    return known.base[scored]


def lightgbm_tuned(known: Known, learnt: Rows, scored: Rows, seed: int) -> Vector:
    """LightGBM with small, shrunk trees on the features alone."""
    return _lightgbm(known, learnt, scored, {**TUNED, "random_state": seed})


def lightgbm_defaults(known: Known, learnt: Rows, scored: Rows, seed: int) -> Vector:
    """LightGBM as it comes, on the features alone."""
    return _lightgbm(known, learnt, scored, {"random_state": seed})


LEARNERS: dict[str, Learn] = {
    "Leadline": leadline,
    "LightGBM, tuned": lightgbm_tuned,
    "LightGBM, defaults": lightgbm_defaults,
    "Leadline without labels": without_labels,
}


def crossed(
    learn: Learn, known: Known, folds: npt.NDArray[np.int64], seed: int = 0
) -> Vector:
    """Scores of all rows with a fold from 0, each by a model that saw no label of its fold.

    Rows with fold -1 take part in no scoring.
    """
    scores = np.full(len(known.y), np.nan)
    for fold in range(int(folds.max()) + 1):
        out = np.flatnonzero(folds == fold)
        scores[out] = learn(known, np.flatnonzero(folds != fold), out, seed)
    return scores


def with_unknown(features: pd.DataFrame) -> pd.DataFrame:
    """One flag for every different way of being unknown (rows x flags).

    The detectors take an unknown value for the usual one, on purpose; who learns from
    outcomes may know that it was unknown.
    """
    unknown = features.isna()
    flags = unknown.loc[:, unknown.mean() > UNKNOWN_SHARE].astype(float)
    different = flags.loc[:, ~flags.T.duplicated()]
    return different.add_suffix("_unknown")


def _labelled(known: Known, rows: Rows) -> Rows:
    return rows[~np.isnan(known.y[rows])]


def _lightgbm(
    known: Known, learnt: Rows, scored: Rows, settings: dict[str, Any]
) -> Vector:
    from lightgbm import LGBMClassifier

    rows = _labelled(known, learnt)
    model = LGBMClassifier(n_jobs=1, verbose=-1, **settings)
    model.fit(known.features[rows], known.y[rows])
    return np.asarray(model.predict_proba(known.features[scored])[:, 1])
