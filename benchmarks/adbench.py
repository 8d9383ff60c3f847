"""Callables for a harness that runs ADBench's protocol on its tables; no labels used."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyod.models.iforest import IForest

from training.ensemble import Ensemble
from training.preprocess import Preprocessor

Array = npt.NDArray[np.float64]


def ensemble(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """Leadline's unsupervised score of `rows` (rows x columns), as the product gives it."""
    preprocessor = Preprocessor().fit(_frame(train))
    scorer = Ensemble(seed=seed).fit(preprocessor.transform(_frame(train)))
    return scorer.score(preprocessor.transform(_frame(rows)))


def iforest(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """PyOD's isolation forest with its own defaults: the figure to beat."""
    scores: Array = IForest(random_state=seed).fit(train).decision_function(rows)
    return scores


def _frame(rows: Array) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
