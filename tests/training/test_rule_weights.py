import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.fusion import Rule, RuleEvidence
from training.rule_weights import Reviews, evidence_after

RULES = (Rule("S", 1), Rule("A", 2, 0.2), Rule("B", 3, 0.2), Rule("C", 4))
UNITS = [f"u{i}" for i in range(60)]


def flags(**fired: range) -> pd.DataFrame:
    return pd.DataFrame(
        {r.code: [i in fired.get(r.code, ()) for i in range(60)] for r in RULES},
        index=UNITS,
    )


def taught(
    H: pd.DataFrame,
    said: dict[int, float],
    ring: range = range(0),
    score: float = 0.5,
) -> dict[str, float]:
    rows = [(UNITS[i], y, "run", "r" if i in ring else None) for i, y in said.items()]
    labels = pd.DataFrame(rows, columns=["unit_id", "label", "run_id", "group_id"])
    labels["label"] = labels["label"].astype("float64")
    reviews = Reviews(H, pd.Series(score, H.index), labels)
    return evidence_after(RULES, H, {"A": 1.0}, reviews).evidence_


def prior(H: pd.DataFrame) -> dict[str, float]:
    return RuleEvidence(RULES).fit(H, {"A": 1.0}).evidence_


@pytest.mark.parametrize("said", [{}, {0: 1.0, 1: 1.0}, {0: 0.0, 20: 0.0}])
def test_reviews_that_all_say_the_same_teach_nothing(said):
    H = flags(A=range(10), B=range(20, 30), C=range(5))
    assert taught(H, said) == prior(H)


def test_the_rule_whose_hits_were_confirmed_gains_on_the_one_whose_were_not():
    H = flags(A=range(10), B=range(20, 30), C=range(40, 45))
    said = dict.fromkeys(range(10), 1.0) | dict.fromkeys(range(20, 30), 0.0)
    before, after = prior(H), taught(H, said)
    assert after["A"] > before["A"]
    assert after["B"] < before["B"]
    assert after["C"] == before["C"]  # nobody has reviewed a hit of it


def test_a_rule_is_not_praised_for_what_the_score_had_said_already():
    """Confirmed units that all else spoke for, cleared ones that nothing spoke for."""
    H = flags(A=range(10))
    said = dict.fromkeys(range(10), 1.0) | dict.fromkeys(range(40, 50), 0.0)
    rows = [(UNITS[i], y, "run", None) for i, y in said.items()]
    labels = pd.DataFrame(rows, columns=["unit_id", "label", "run_id", "group_id"])
    even = pd.Series(0.5, H.index)
    telling = even.where(~H["A"], 0.99)

    def weight(score: pd.Series) -> float:
        return evidence_after(RULES, H, {}, Reviews(H, score, labels)).evidence_["A"]

    assert weight(telling) < weight(even)


def test_a_ring_is_one_example():
    H = flags(A=range(10), B=range(20, 30))
    alone = {0: 1.0, 20: 0.0, 21: 0.0}
    ring = dict.fromkeys(range(8), 1.0) | {20: 0.0, 21: 0.0}
    assert taught(H, ring, range(8))["A"] == pytest.approx(taught(H, alone)["A"], 1e-4)
    assert taught(H, ring)["A"] > taught(H, alone)["A"]


def test_undecided_and_unknown_units_are_no_reviews():
    H = flags(A=range(10), B=range(20, 30))
    said = {0: 1.0, 20: 0.0}
    assert taught(H.drop(index="u1"), said | {1: 0.0, 2: np.nan}) == taught(H, said)


@given(
    fired=st.lists(st.tuples(*[st.booleans()] * 3), min_size=60, max_size=60),
    said=st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=60, max_size=60),
)
@settings(max_examples=30, deadline=None)
def test_weights_stay_finite_and_are_never_negative(fired, said):
    H = pd.DataFrame(fired, columns=list("ABC"), index=UNITS).assign(S=True)
    found = taught(H, dict(enumerate(said)), score=0.9)
    assert all(0 <= weight < 10 for weight in found.values())
    assert found == taught(H, dict(enumerate(said)), score=0.9)
