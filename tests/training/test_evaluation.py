import numpy as np
import pandas as pd
import pytest

from configs.errors import LeadlineError
from tests.training.conftest import numbers
from training.baselines import BASELINES, best_single
from training.evaluation import (
    arms,
    breakdown,
    jeffreys,
    paired_bootstrap,
    precision_at,
    ranking_quality,
    summary_metrics,
)

IDS = [f"u{i:03d}" for i in range(100)]


@pytest.fixture
def scores() -> pd.DataFrame:
    """`fused` finds u000..u009 first, `rules` finds five of them, `score` none."""
    falling = np.linspace(1, 0, 100)
    half = falling.copy()
    half[5:10] = 0.0
    return pd.DataFrame(
        {"unit_id": IDS, "rules": half, "score": falling[::-1], "fused": falling}
        | {"score_knn": falling}
    )


@pytest.fixture
def labels() -> pd.DataFrame:
    return pd.DataFrame({"unit_id": IDS, "label": [1.0] * 10 + [0.0] * 90})


def test_arms_lists_orders_and_detectors(scores):
    assert arms(scores) == ["rules", "score", "fused", "score_knn"]


def test_quality_of_perfect_and_reversed_orders(scores, labels):
    table = ranking_quality(scores, labels).set_index("arm")
    assert table.loc["fused", "auc"] == 1
    assert table.loc["fused", "average_precision"] == pytest.approx(1)
    assert table.loc["score", "auc"] == 0
    assert table.loc["rules", "positives"] == 10


def test_quality_is_unknown_when_one_class_was_judged(scores, labels):
    table = ranking_quality(scores, labels[:10])
    assert table["auc"].isna().all()


def test_precision_recall_and_lift_at_a_budget(scores, labels):
    table = precision_at(scores, labels, [10]).set_index("arm")
    assert table.loc["fused", ["precision", "recall"]].tolist() == [1, 1]
    assert table.loc["rules", "precision"] == 0.5
    assert table.loc["fused", "lift_over_rules"] == 2
    assert (
        table.loc["fused", "precision_low"] < 1 == table.loc["fused", "precision_high"]
    )


def test_unjudged_units_count_in_neither_precision_nor_lift(scores, labels):
    some = labels.assign(label=labels["label"].where(labels.index % 2 == 0))
    row = precision_at(scores, some, [20]).set_index("arm").loc["fused"]
    assert (row["judged"], row["hits"], row["precision"]) == (10, 5, 0.5)
    none = precision_at(scores, labels.assign(label=np.nan), [20])
    assert none["precision"].isna().all()


def test_lift_is_unknown_when_the_rules_find_nothing(scores, labels):
    table = precision_at(scores.assign(rules=scores["score"]), labels, [10])
    assert table["lift_over_rules"].isna().all()


def test_jeffreys_interval_equals_published_values():
    # Beta(0.5 + 2, 0.5 + 8) quantiles.
    low, high = jeffreys(2, 10)
    assert (low, high) == pytest.approx((0.0441, 0.5028), abs=5e-4)
    assert jeffreys(0, 0) == (0, 1)
    assert jeffreys(0, 10)[0] == 0
    assert jeffreys(10, 10)[1] == 1


def test_breakdown_counts_every_category(scores, labels):
    kinds = labels.assign(typology=["ring"] * 4 + ["ghost"] * 6 + [None] * 90)
    table = breakdown(scores, kinds, "typology", [10]).set_index(["arm", "typology"])
    assert table.loc[("fused", "ring"), ["found", "total"]].tolist() == [4, 4]
    assert table.loc[("rules", "ghost"), ["found", "total"]].tolist() == [1, 6]
    assert table.loc[("score", "ring"), "found"] == 0


def test_bootstrap_interval_holds_the_difference(scores, labels):
    result = paired_bootstrap(scores, labels, k=10, seed=1)
    assert result["difference"] == 0.5
    assert 0 <= result["low"] < 0.5 < result["high"]
    assert paired_bootstrap(scores, labels, k=10, seed=1) == result
    same = paired_bootstrap(scores, labels, k=10, arm="rules")
    assert set(same.values()) == {0.0}


def test_label_of_an_unscored_unit_is_refused(scores, labels):
    with pytest.raises(LeadlineError, match="'u050'"):
        ranking_quality(scores[:50], labels)


def test_summary_metrics_are_flat_and_finite(scores, labels):
    tables = {
        "quality": ranking_quality(scores, labels),
        "precision": precision_at(scores, labels, [10]),
    }
    metrics = summary_metrics(tables)
    assert metrics["fused_precision_at_10"] == 1
    assert metrics["fused_lift_at_10"] == 2
    assert all(np.isfinite(v) for v in metrics.values())


def test_baselines_score_the_same_units_and_report_failures(monkeypatch):
    def fails(seed: int) -> None:
        raise RuntimeError("no convergence")

    keep = {"iforest": BASELINES["iforest"], "pca": BASELINES["pca"], "mcd": fails}
    monkeypatch.setattr("training.baselines.BASELINES", keep)
    X = numbers(200, 3)
    X.iloc[3] = 100.0
    X.iloc[5, 0] = np.nan
    table, skipped = best_single(X)
    assert skipped == {"mcd": "RuntimeError: no convergence"}
    assert table.loc[table["score_iforest"].idxmax(), "unit_id"] == "u00003"


def test_baselines_that_would_take_minutes_are_left_out(monkeypatch):
    keep = {name: BASELINES[name] for name in ("lof", "mcd")}
    monkeypatch.setattr("training.baselines.BASELINES", keep)
    monkeypatch.setattr("training.baselines.QUADRATIC_LIMIT", 50)
    monkeypatch.setattr("training.baselines.COVARIANCE_LIMIT", 2)
    table, skipped = best_single(numbers(60, 3))
    assert set(skipped) == {"lof", "mcd"}
    assert list(table.columns) == ["unit_id"]
