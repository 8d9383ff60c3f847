"""Simple arms say what chance, one rule, the sum of rules and an oracle would find."""

import numpy as np
import pandas as pd
import pytest

from training.arms import (
    BEST_RULE,
    NETWORK,
    ORACLE,
    RANDOM,
    RULE_SUM,
    money_found,
    network_arm,
    ring_coverage,
    screening_arms,
)
from training.evaluation import arms, precision_at

UNITS = [f"u{i:03d}" for i in range(200)]


@pytest.fixture
def labels() -> pd.DataFrame:
    """Ten confirmed units, two rings of four and six."""
    rings = ["a"] * 4 + ["b"] * 6 + [""] * 190
    known = [1.0] * 10 + [0.0] * 190
    return pd.DataFrame({"unit_id": UNITS, "label": known, "ring": rings})


@pytest.fixture
def scores(labels: pd.DataFrame) -> pd.DataFrame:
    """Rule R1 meets six of ten and ten others, R2 two of ten, R3 everybody."""
    flags = pd.DataFrame(
        {
            "R1": [True] * 6 + [False] * 184 + [True] * 10,
            "R2": [True] * 2 + [False] * 198,
        }
    ).assign(R3=True)
    flags.index = pd.Index(UNITS)
    return screening_arms(flags, labels, capacity=10)


def test_every_simple_arm_is_an_order_of_the_evaluation(scores):
    assert arms(scores) == sorted([RANDOM, BEST_RULE, RULE_SUM, ORACLE])


def test_best_rule_is_the_one_with_most_confirmed_at_the_capacity(scores, labels):
    found = precision_at(scores.assign(rules=scores[RANDOM]), labels, (16,))
    hits = found.set_index("arm")["hits"]
    assert hits[BEST_RULE] == 6
    assert hits[ORACLE] == 10
    assert hits[RULE_SUM] >= 6


def test_rings_are_met_by_their_members_in_the_first(scores, labels):
    table = ring_coverage(scores, labels, [ORACLE, RANDOM], 10).set_index("arm")
    assert table.loc[ORACLE, "found"] == table.loc[ORACLE, "rings"] == 2
    assert table.loc[ORACLE, "mean_share"] == 1.0
    half = ring_coverage(
        scores.assign(**{ORACLE: -np.arange(200)}), labels, [ORACLE], 5
    )
    assert half.iloc[0]["mean_share"] == pytest.approx((1 + 1 / 6) / 2)


def test_money_counts_confirmed_units_alone(scores, labels):
    money = pd.Series(100.0, index=UNITS)
    table = money_found(scores, labels, money, [ORACLE], 20).iloc[0]
    assert table["yuan"] == 1000.0
    assert table["share"] == 1.0


@pytest.mark.longer
def test_network_arm_ranks_the_entangled_first():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 2)), UNITS, ["degree", "core"])
    X.iloc[:5] += 6.0
    table = network_arm(X).set_index("unit_id")[NETWORK]
    assert set(table.nlargest(5).index) == set(UNITS[:5])
