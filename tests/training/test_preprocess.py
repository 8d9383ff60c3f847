import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from configs.errors import LeadlineError
from tests.training.conftest import numbers
from training.ensemble import Ensemble
from training.preprocess import Preprocessor, RobustScale, StandardScale


def test_constant_and_all_unknown_columns_are_dropped_and_remembered():
    X = numbers(50, 3).assign(same=4.0, unknown=np.nan, one_value=[1.0, *[np.nan] * 49])
    fitted = Preprocessor().fit(X)
    assert fitted.dropped_ == ["same", "unknown", "one_value"]
    assert fitted.transform(X).shape == (50, 3)
    assert fitted.transform(X).dtype == np.float32


def test_column_order_of_the_table_does_not_matter(features):
    fitted = Preprocessor().fit(features)
    reordered = features[features.columns[::-1]]
    np.testing.assert_array_equal(
        fitted.transform(features), fitted.transform(reordered)
    )


def test_renamed_column_is_refused_with_the_nearest_name(features):
    fitted = Preprocessor().fit(features)
    renamed = features.rename(columns={"paid_total_yuan": "paid_totl_yuan"})
    with pytest.raises(LeadlineError, match="did you mean 'paid_totl_yuan'"):
        fitted.transform(renamed)


def test_infinite_value_is_refused_naming_the_feature(features):
    broken = features.assign(f0=np.inf)
    with pytest.raises(LeadlineError, match=r"'f0'.*nullif"):
        Preprocessor().fit(broken)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (numbers(1, 2), "at least 2 units"),
        (numbers(5, 2) * 0, "none of the 2 features"),
        (pd.DataFrame(index=["a", "b"]), "none of the 0 features"),
    ],
)
def test_table_that_cannot_teach_is_refused(table, words):
    with pytest.raises(LeadlineError, match=words):
        Preprocessor().fit(table)


def test_unknown_takes_the_median_and_nullable_types_are_read(features):
    fitted = Preprocessor().fit(features)
    unknown = pd.DataFrame(np.nan, index=["x"], columns=features.columns)
    np.testing.assert_array_equal(fitted.transform(unknown), fitted.neutral())
    assert fitted.medians_[fitted.kept_.index("has_lawyer")] == 0.0


def test_a_unit_about_which_nothing_is_known_is_ordinary(features):
    fitted = Preprocessor().fit(features)
    ensemble = Ensemble(seed=0).fit(fitted.transform(features))
    unknown = pd.DataFrame(np.nan, index=["x"], columns=features.columns)
    assert ensemble.rank_scores(fitted.transform(unknown))["score"][0] < 0.5


def test_only_heavy_tails_are_compressed_and_keep_their_order(features):
    fitted = Preprocessor().fit(features)
    heavy = [c for c, h in zip(fitted.kept_, fitted.heavy_, strict=True) if h]
    assert heavy == ["paid_total_yuan"]
    column = fitted.kept_.index("paid_total_yuan")
    before = features["paid_total_yuan"].to_numpy()
    after = fitted.transform(features)[:, column]
    assert (np.diff(after[np.argsort(before)]) >= 0).all()
    assert after.max() < 10 < (before.max() - np.median(before)) / fitted.iqr_[column]


def test_robust_scale_falls_back_to_standard_deviation_for_a_rare_flag():
    X = np.zeros((1000, 2), dtype=np.float32)
    X[:10, 0] = 1
    X[:, 1] = np.linspace(0, 100, 1000)
    fitted = RobustScale().fit(X)
    assert fitted.span_[0] == pytest.approx(2.56 * X[:, 0].std(), rel=1e-5)
    assert fitted.span_[1] == pytest.approx(80, rel=1e-3)


@pytest.mark.parametrize("scale", [RobustScale(), StandardScale()])
def test_scales_survive_a_constant_column_and_absurd_values(scale):
    X = np.c_[np.ones(9), np.arange(9)].astype(np.float32)
    scaled = scale.fit(X).transform(np.array([[3e38, -3e38]], dtype=np.float32))
    assert np.isfinite(scaled).all()
    assert clone(scale).get_params() == scale.get_params()
