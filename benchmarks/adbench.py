"""Callables for a harness that runs ADBench's protocol on its tables, as the product scores.

No callable sees a label that the harness does not hand over. Nothing is chosen per table.
"""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyod.models.iforest import IForest

from training.ensemble import Ensemble
from training.preprocess import Preprocessor
from training.ranker import Ranker
from training.taught import TaughtOrder

Array = npt.NDArray[np.float64]
PER_ROUND = 10  # reviews of one feedback round

_known: dict[str, tuple[Array, Array]] = {}  # told of the table last reviewed


def unsupervised(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """The detectors' score of `rows` (rows x columns), fitted on `train`."""
    preprocessor, ensemble = _fitted(train, seed)
    return ensemble.score(preprocessor.transform(_frame(rows)))


def few_labels(
    train: Array, rows: Array, *, y_partial: Array, seed: int = 0, **_: Any
) -> Array:
    """The order after learning from a few confirmed rows of `train` (1; 0 = unlabelled)."""
    preprocessor, ensemble = _fitted(train, seed)
    inputs, base = _told(preprocessor, ensemble, train)
    y = np.where(y_partial == 1, 1.0, np.nan)
    ranker = Ranker(seed).fit(inputs, base, y)
    return ranker.score(*_told(preprocessor, ensemble, rows))


def feedback(
    train: Array, rows: Array, *, y_partial: Array, seed: int = 0, **_: Any
) -> Array:
    """The order of the next round of ten (1 confirmed, 0 excluded, -1 not reviewed).

    The detectors are fitted when a table is seen first and remembered for its later
    rounds, as the product learns from a list that is scored already.
    """
    return _next_first(*_remembered(train, seed), y_partial, seed, PER_ROUND)


def feedback_each(
    train: Array, rows: Array, *, y_partial: Array, seed: int = 0, **_: Any
) -> Array:
    """As `feedback`, where the next row is asked for after every answer."""
    return _next_first(*_remembered(train, seed), y_partial, seed, 1)


def iforest(train: Array, rows: Array, *, seed: int = 0, **_: Any) -> Array:
    """PyOD's isolation forest with its own defaults: the figure to beat."""
    scores: Array = IForest(random_state=seed).fit(train).decision_function(rows)
    return scores


def _remembered(train: Array, seed: int) -> tuple[Array, Array]:
    digest = hashlib.sha256(train.tobytes() + bytes([seed])).hexdigest()
    if digest not in _known:
        _known.clear()
        _known[digest] = _told(*_fitted(train, seed), train)
    return _known[digest]


def _next_first(
    inputs: Array, base: Array, y_partial: Array, seed: int, number: int
) -> Array:
    """The order after these reviews, before it the `number` rows to review next."""
    y = np.where(y_partial >= 0, y_partial, np.nan).astype(np.float64)
    taught = TaughtOrder(seed).fit(inputs, base, y)
    scores = taught.score(inputs, base)
    first = taught.next_reviews(inputs, base, y, number)
    scores[first] = scores.max() + 1.0 + np.arange(len(first))[::-1]
    return scores


def _fitted(train: Array, seed: int) -> tuple[Preprocessor, Ensemble]:
    preprocessor = Preprocessor().fit(_frame(train))
    return preprocessor, Ensemble(seed).fit(preprocessor.transform(_frame(train)))


def _told(
    preprocessor: Preprocessor, ensemble: Ensemble, rows: Array
) -> tuple[Array, Array]:
    """What a ranker is told where there are no rules: features, detector scores, order."""
    matrix = preprocessor.transform(_frame(rows))
    members = ensemble.member_scores(matrix)
    base = np.mean(list(members.values()), axis=0)
    aside = ensemble.aside_scores(matrix)
    inputs = np.column_stack([matrix, *members.values(), *aside.values()])
    return inputs.astype(np.float32), base


def _frame(rows: Array) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
