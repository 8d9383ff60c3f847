"""The ensemble as others would use it: scikit-learn's own checks, and mixed tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from training.estimator import AnomalyEnsemble


@parametrize_with_checks([AnomalyEnsemble()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def mixed(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "amount": np.exp(rng.normal(8, 1, rows)),
            "kind": rng.choice(["a", "b"], rows, p=[0.6, 0.4]),
            "flag": rng.random(rows) < 0.3,
            "gap": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
            "same": 1.0,
        }
    )


def test_mixed_columns_unknown_values_and_constants_are_taken():
    X = mixed()
    X.loc[5, "kind"] = "never seen else"
    X.loc[7, "amount"] = 1e9
    scores = AnomalyEnsemble().fit(X).score(X)
    assert np.isfinite(scores).all()
    assert {5, 7} <= set(np.argsort(-scores)[:15])


def test_new_category_is_rare_and_not_an_error():
    detector = AnomalyEnsemble().fit(mixed())
    row = mixed().iloc[[0]].assign(kind="new")
    assert detector.score(row)[0] > detector.score(mixed().iloc[[0]])[0]


@pytest.mark.parametrize("shape", [(50, 3), (60, 1555)])
def test_small_and_wide_tables_score_alike_alone_and_together(shape):
    X = np.random.default_rng(1).normal(size=shape)
    detector = AnomalyEnsemble().fit(X)
    whole = detector.score(X)
    np.testing.assert_array_equal(detector.score(X[3:4]), whole[3:4])
