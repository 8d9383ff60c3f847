"""The unsupervised ensemble as one scikit-learn estimator, for any table of rows."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from training.ensemble import Ensemble
from training.preprocess import Preprocessor, Vector


class AnomalyEnsemble(BaseEstimator):  # type: ignore[misc]
    """`fit` and `score`: higher is more anomalous, in sd of the training population.

    Takes numbers, booleans and categories, unknown values and columns that never vary;
    a category counts by how common it is. A row's score is the same alone and in any
    batch, and the same seed gives the same scores.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn from X (rows x columns; an array or a data frame), at least two rows.

        Raises:
            ValueError: X is no table, is empty, or holds infinite values.
        """
        table = self._table(X, reset=True)
        if not _varies(table):
            table = table.assign(_row=np.arange(len(table)) == 0)
        self.preprocessor_ = Preprocessor().fit(table)
        matrix = self.preprocessor_.transform(table)
        self.ensemble_ = Ensemble(self.seed).fit(matrix)
        return self

    def score(self, X: Any, y: object = None) -> Vector:
        """One score per row of X."""
        check_is_fitted(self)
        table = self._table(X, reset=False)
        if "_row" in self.preprocessor_.features_:
            table = table.assign(_row=False)
        return self.ensemble_.score(self.preprocessor_.transform(table))

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Numbers alone: a category becomes the share of training rows that have it."""
        if isinstance(X, pd.DataFrame):
            if reset:
                texts = X.select_dtypes(exclude=["number", "bool"]).columns
                self.shares_: dict[Any, dict[Any, float]] = {
                    name: X[name].value_counts(normalize=True).to_dict()
                    for name in texts
                }
            known = {n: X[n].map(s).fillna(0.0) for n, s in self.shares_.items()}
            X = X.assign(**{str(n): v.where(X[n].notna()) for n, v in known.items()})
        elif reset:
            self.shares_ = {}
        values = validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        return pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _varies(table: pd.DataFrame) -> bool:
    return bool((table.nunique(dropna=True) > 1).any())
