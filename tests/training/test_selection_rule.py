"""The written rule: what a person may conclude from later reviews, and what not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from configs.errors import LeadlineError
from training import selection_rule
from training.selection_rule import MIN_EACH, RULE, compare, later_reviews

TRAINED = datetime(2024, 5, 1, tzinfo=UTC)
UNITS = [f"u{i:04d}" for i in range(400)]


def ranked(order: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"unit_id": order, "rank_fused": range(1, len(order) + 1)})


def labelled(units: list[str], label: list[float], **columns: object) -> pd.DataFrame:
    plain = {"group_id": None, "kind": "top", "propensity": 1.0}
    after = [TRAINED + timedelta(days=1)] * len(units)
    table = pd.DataFrame({"unit_id": units, "label": label, "decided_at": after})
    return table.assign(**(plain | columns))


def reviews(confirmed: int, excluded: int) -> pd.DataFrame:
    """The champion's first units: confirmed and excluded by turns."""
    label = [1.0] * confirmed + [0.0] * excluded
    return labelled(UNITS[: len(label)], label)


def behind(units: list[str]) -> list[str]:
    """The order of UNITS, but these last."""
    return [u for u in UNITS if u not in set(units)] + units


def test_equal_orders_change_nothing_and_pass() -> None:
    found = compare(ranked(UNITS), ranked(UNITS), reviews(20, 20), k=40)

    assert (found.overlap, found.rank_correlation) == (1, pytest.approx(1))
    assert found.entering.empty
    assert found.leaving.empty
    assert found.measures["difference"].eq(0).all()
    assert found.verdict.decision == "promote"


def test_entering_and_leaving_units_are_named_with_both_ranks() -> None:
    found = compare(ranked(UNITS), ranked(behind(UNITS[:2])), reviews(0, 0), k=10)

    assert found.overlap == 0.8
    assert found.leaving.to_dict("list") == {
        "unit_id": ["u0000", "u0001"],
        "rank_champion": [1, 2],
        "rank_challenger": [399, 400],
    }
    assert found.entering["unit_id"].tolist() == ["u0010", "u0011"]
    assert found.entering["rank_challenger"].tolist() == [9, 10]


def test_a_better_order_is_promoted_and_a_worse_one_is_not() -> None:
    later = reviews(15, 15)
    wrong = behind(later["unit_id"][later["label"] > 0].tolist())
    worse = compare(ranked(UNITS), ranked(wrong), later, k=30)
    better = compare(ranked(wrong), ranked(UNITS), later, k=30)

    assert worse.verdict.decision == "keep"
    assert "keep the champion" in worse.verdict.text_en
    assert better.verdict.decision == "promote"
    assert "建议更换" in better.verdict.text_zh
    first = better.measures.iloc[0]
    assert first["low"] <= first["difference"] <= first["high"]


def test_a_difference_within_chance_is_no_reason_to_change() -> None:
    rng = np.random.default_rng(3)
    later = labelled(UNITS[:40], list(rng.permutation([1.0, 0.0] * 20)))
    shuffled = [*rng.permutation(UNITS[:40]).tolist(), *UNITS[40:]]

    found = compare(ranked(UNITS), ranked(shuffled), later, k=40)

    assert found.measures.iloc[0]["low"] < -selection_rule.MARGIN
    assert found.verdict.decision == "keep"


@pytest.mark.parametrize(
    ("confirmed", "excluded", "said"),
    [
        (MIN_EACH, MIN_EACH - 1, "undecided: 1 excluded more"),
        (MIN_EACH - 3, 50, "undecided: 3 confirmed more"),
        (0, 0, "10 confirmed and 10 excluded more"),
    ],
)
def test_too_few_later_reviews_are_said_to_be_missing(
    confirmed: int, excluded: int, said: str
) -> None:
    found = compare(ranked(UNITS), ranked(UNITS), reviews(confirmed, excluded), k=40)

    assert found.verdict.decision == "undecided"
    assert said in found.verdict.text_en


def test_one_ring_is_one_example() -> None:
    """Forty confirmed members of one ring are not forty successes."""
    ring = labelled(UNITS[:40], [1.0] * 40, group_id="G1")
    others = labelled(UNITS[40:60], [0.0] * 20)

    found = compare(ranked(UNITS), ranked(UNITS), pd.concat([ring, others]), k=40)

    assert (found.reviews, found.confirmed, found.excluded) == (60, 1, 20)
    assert "9 confirmed more" in found.verdict.text_en


def test_average_precision_without_rings_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    later = labelled(UNITS[:60], list((rng.random(60) < 0.4).astype(float)))
    other = rng.permutation(UNITS).tolist()

    found = compare(ranked(UNITS), ranked(other), later, k=20).measures.iloc[0]

    place = pd.Series(range(len(other)), index=other)
    known = average_precision_score(later["label"], -place[later["unit_id"]])
    assert found["challenger"] == pytest.approx(known)


def test_precision_counts_the_judged_and_propensity_corrects_the_draw() -> None:
    """A tenth of the unsure ones was looked at: each stands for ten."""
    top = labelled(UNITS[:4], [1.0, 1.0, 1.0, 1.0])
    drawn = labelled(UNITS[4:5], [0.0], kind="explore", propensity=0.1)
    chosen = labelled(UNITS[5:6], [0.0], kind="other", propensity=None)

    found = compare(
        ranked(UNITS), ranked(UNITS), pd.concat([top, drawn, chosen]), k=50
    ).measures

    assert found["champion"].iloc[1] == pytest.approx(4 / 6)
    assert found["champion"].iloc[2] == pytest.approx(4 / 14)


def test_nothing_judged_is_unknown_not_zero() -> None:
    found = compare(ranked(UNITS), ranked(UNITS), reviews(0, 0), k=40)

    assert found.measures[["champion", "difference", "low"]].isna().all(axis=None)


def test_what_a_model_may_have_learnt_from_is_left_out() -> None:
    now = labelled(["a", "b", "c", "d", "e"], [1, 0, 1, 1, 0])
    now["group_id"] = [None, None, "G1", "G1", "G2"]
    now.loc[0, "decided_at"] = TRAINED - timedelta(days=3)
    seen = pd.DataFrame({"unit_id": ["a", "b", "c"], "group_id": [None, None, "G9"]})

    found = later_reviews(now, TRAINED, seen)

    assert found["unit_id"].tolist() == ["e"]  # d is of the ring of c


def test_different_units_are_refused() -> None:
    with pytest.raises(LeadlineError, match="different units"):
        compare(ranked(UNITS), ranked(UNITS[:-1]), reviews(1, 1), k=5)


def test_the_rule_states_its_numbers_in_both_languages() -> None:
    for number in (str(MIN_EACH), "0.02", "90%", "2,000"):
        assert RULE.count(number) >= 2
