import numpy as np
import pandas as pd
import pytest

from tests.training.conftest import numbers
from tests.training.reasons import reasons_among
from training.explain import contributions
from training.model import LeadScorer


@pytest.fixture(scope="module")
def planted() -> tuple[LeadScorer, pd.DataFrame, dict[str, str]]:
    """1,500 units; each of the first 60 deviates in one column."""
    X = numbers(1500, 12)
    deviations = X.std()
    culprits = {}
    for i, unit in enumerate(X.index[:60]):
        feature = X.columns[i % 12]
        X.loc[unit, feature] += 8 * deviations[feature] * (1 if i % 2 else -1)
        culprits[str(unit)] = str(feature)
    H = pd.DataFrame(index=X.index)
    return LeadScorer(seed=1).fit(X, H), X, culprits


def test_planted_culprit_is_named_first(planted):
    scorer, X, culprits = planted
    reasons = reasons_among(scorer, X, list(culprits))
    first = reasons[reasons["position"] == 1].set_index("unit_id")["feature"]
    assert (first == pd.Series(culprits)).mean() >= 0.95


def test_reasons_are_ordered_and_at_most_eight(planted):
    scorer, X, culprits = planted
    reasons = reasons_among(scorer, X, list(culprits)[:10][::-1])
    assert list(reasons["unit_id"].unique()) == list(culprits)[:10][::-1]
    assert reasons["position"].max() <= 8
    for _, group in reasons.groupby("unit_id"):
        assert group["strength"].is_monotonic_decreasing
        assert list(group["position"]) == list(range(1, len(group) + 1))


def test_value_that_neither_detectors_nor_relations_mind_is_no_reason(planted):
    scorer, X, _ = planted
    reasons = reasons_among(scorer, X, list(X.index[100:150]), top=99)
    assert (reasons["strength"] > 0).mean() > 0.99
    assert len(reasons) < 50 * X.shape[1]


@pytest.fixture(scope="module")
def tied() -> tuple[LeadScorer, pd.DataFrame, dict[str, str]]:
    """2,000 units with four columns that follow one number; 60 of them break step.

    The value is another unit's: within its range, odd only beside the others.
    """
    rng = np.random.default_rng(4)
    hidden = rng.standard_normal(2000)
    followers = {
        f"tied{i}": np.exp(hidden * (1 + i / 2)) * rng.lognormal(0, 0.1, 2000)
        for i in range(4)
    }
    free = {f"free{i}": rng.standard_normal(2000) for i in range(4)}
    X = pd.DataFrame(followers | free, index=[f"u{i:05d}" for i in range(2000)])
    culprits, below = {}, np.flatnonzero(hidden < -0.7)
    for i, row in enumerate(np.flatnonzero(hidden > 0.7)[:60]):
        column = f"tied{i % 4}"
        X.iloc[row, X.columns.get_loc(column)] = followers[column][below[i]]
        culprits[str(X.index[row])] = column
    return LeadScorer(seed=1).fit(X, pd.DataFrame(index=X.index)), X, culprits


def test_broken_correlation_is_named_first_as_a_relation(tied):
    scorer, X, culprits = tied
    reasons = reasons_among(scorer, X, list(culprits))
    first = reasons[reasons["position"] == 1].set_index("unit_id")
    assert (first["feature"] == pd.Series(culprits)).mean() >= 0.95
    assert (first["kind"] == "relation").mean() >= 0.9


def test_relation_states_what_its_partners_let_expect(tied):
    scorer, X, culprits = tied
    reasons = reasons_among(scorer, X, list(culprits))
    broken = reasons[(reasons["kind"] == "relation") & (reasons["position"] == 1)]
    assert broken["partner_1"].str.startswith("tied").mean() >= 0.95
    stated = [
        X.at[u, f] for u, f in zip(broken["unit_id"], broken["partner_1"], strict=True)
    ]
    assert np.allclose(stated, broken["partner_1_value"])
    # The planted values come from the other end of the column.
    high = broken["value"] < broken["peer_median"]
    assert (broken["expected"] > broken["peer_median"])[high].mean() >= 0.95


def test_deviating_value_is_of_kind_value(planted):
    scorer, X, culprits = planted
    reasons = reasons_among(scorer, X, list(culprits), top=1)
    assert (reasons["kind"] == "value").mean() >= 0.95


def test_lead_is_explained_the_same_alone(tied):
    scorer, X, culprits = tied
    together = reasons_among(scorer, X, list(culprits)).set_index("unit_id")
    unit = list(culprits)[5]
    alone = reasons_among(scorer, X, [unit]).set_index("unit_id")
    pd.testing.assert_frame_equal(together.loc[[unit]], alone, rtol=1e-6)


def test_reason_states_value_median_and_percentile_of_the_population(planted):
    scorer, X, _ = planted
    row = reasons_among(scorer, X, [X.index[1]], top=1).iloc[0]
    column = X[row["feature"]]
    assert row["value"] == column.iloc[1]
    assert row["peer_median"] == pytest.approx(column.median())
    assert row["percentile"] == pytest.approx((column < row["value"]).mean())


def test_contribution_is_the_fall_of_the_models_own_score(planted):
    scorer, X, _ = planted
    unit, feature = X.index[3], "f3"
    calmed = X.loc[[unit]].assign(**{feature: X[feature].median()})
    before, after = (
        scorer.ensemble_.score(scorer.preprocessor_.transform(rows))[0]
        for rows in (X.loc[[unit]], calmed)
    )
    fall = contributions(scorer, X.loc[[unit]]).loc[unit, feature]
    assert fall == pytest.approx(before - after, abs=1e-6)


def test_unknown_value_is_never_a_reason(scorer, features):
    units = list(features.index[::7][:20])
    reasons = reasons_among(scorer, features, units)
    assert not set(reasons["feature"]) & {"f1", "phones_count"}
    assert not reasons["value"].isna().any()


def test_heavy_tailed_and_dropped_columns_are_handled(scorer, features):
    richest = features["paid_total_yuan"].idxmax()
    row = reasons_among(scorer, features, [richest]).iloc[0]
    assert row["feature"] == "paid_total_yuan"
    assert row["percentile"] == pytest.approx(1 - 1 / len(features))


def test_no_units_give_an_empty_table(scorer, features):
    assert reasons_among(scorer, features, []).empty


def test_percentile_ignores_unknown_values(scorer, features):
    table = reasons_among(scorer, features, list(features.index[:5]))
    assert np.isfinite(table["percentile"]).all()


def test_wide_table_is_explained_from_its_oddest_values():
    X = numbers(200, 40).join(numbers(200, 260, seed=1).add_prefix("more_"))
    X.loc["u00007", "more_f200"] += 10 * X["more_f200"].std()
    scorer = LeadScorer(seed=1).fit(X, pd.DataFrame(index=X.index))
    reasons = reasons_among(scorer, X, ["u00007", "u00008"])
    assert reasons.iloc[0]["feature"] == "more_f200"
    assert set(reasons["unit_id"]) == {"u00007", "u00008"}
