"""Named PyOD detectors with their own defaults: the bar that the ensemble must clear."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pyod.models.cblof import CBLOF
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.inne import INNE
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.mcd import MCD
from pyod.models.pca import PCA
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from training.ensemble import RankScale
from training.preprocess import Matrix, Preprocessor

BASELINES: dict[str, Callable[[int], Any]] = {
    "iforest": lambda seed: IForest(random_state=seed),
    "ecod": lambda seed: ECOD(),
    "copod": lambda seed: COPOD(),
    "hbos": lambda seed: HBOS(),
    "knn": lambda seed: KNN(),
    "lof": lambda seed: LOF(),
    "pca": lambda seed: PCA(random_state=seed),
    "mcd": lambda seed: MCD(random_state=seed),
    "inne": lambda seed: INNE(random_state=seed),
    "cblof": lambda seed: CBLOF(random_state=seed),
}
QUADRATIC_LIMIT = 30_000  # rows; beyond it KNN and LOF take minutes on two cores
QUADRATIC = ("knn", "lof")
COVARIANCE_LIMIT = 150  # columns; MCD takes 15 s there and grows with the cube


def best_single(
    X: pd.DataFrame, *, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Scores of each baseline, fitted and applied on X (units x features, NaN allowed).

    Returns a table (unit_id, score_<baseline> on [0, 1]) and, by name, why a baseline
    was left out. Unknown values take the median, columns are scaled to [0, 1]. Which
    one is best is for the caller to say, with labels.
    """
    matrix = MinMaxScaler().fit_transform(Preprocessor().fit(X).transform(X))
    table = pd.DataFrame({"unit_id": X.index.astype(str)})
    skipped: dict[str, str] = {}
    for name in BASELINES:
        scores, reason = _baseline_scores(name, matrix, seed)
        if scores is None:
            skipped[name] = reason
        else:
            table[f"score_{name}"] = RankScale().fit(scores).transform(scores)
    return table, skipped


def _baseline_scores(
    name: str, matrix: Matrix, seed: int
) -> tuple[np.ndarray[Any, np.dtype[np.float64]] | None, str]:
    """Training scores, or None and the reason."""
    rows, columns = matrix.shape
    if name in QUADRATIC and rows > QUADRATIC_LIMIT:
        return None, f"{rows} rows; it is quadratic, the limit is {QUADRATIC_LIMIT}"
    if name == "mcd" and columns > COVARIANCE_LIMIT:
        return None, f"{columns} columns; the limit is {COVARIANCE_LIMIT}"
    try:
        # Thousands of tiny products: more threads only get in each other's way.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = BASELINES[name](seed).fit(matrix).decision_scores_
    # PyOD's detectors fail on some tables with whatever their solver raises; a
    # baseline that cannot run must not end the evaluation, and the reason is reported.
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"
    if not np.isfinite(scores).all():
        return None, "gave scores that are not finite"
    return np.asarray(scores, dtype=np.float64), ""
