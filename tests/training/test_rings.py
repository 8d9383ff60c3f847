"""How groups meet known rings, on an example small enough to count by hand."""

import pandas as pd
import pytest

from training.rings import ring_quality

# Ring x of four stands in group 1 with a stranger, its last member alone in group 3; ring
# y of two is found by one member only; ring z is not found.
MEMBERS = pd.DataFrame(
    [("a", 1), ("b", 1), ("c", 1), ("s", 1), ("e", 2), ("t", 2), ("d", 3), ("u", 3)],
    columns=["unit_id", "rank"],
)
RINGS = {"a": "x", "b": "x", "c": "x", "d": "x", "e": "y", "f": "y", "g": "z"}
TRUTH = pd.DataFrame(
    {"unit_id": list("abcdefgstu"), "ring": [RINGS.get(u, "") for u in "abcdefgstu"]}
)


def at(top: int, truth: pd.DataFrame = TRUTH) -> pd.Series:
    return ring_quality(MEMBERS, truth, (top,)).iloc[0]


def test_counts_by_hand():
    found = at(2)
    assert (found["groups"], found["members"]) == (2, 6)
    assert (found["found"], found["rings"]) == (2, 3)
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["purity"] == pytest.approx((3 + 1) / 6)
    assert found["planted"] == pytest.approx(4 / 6)
    assert found["completeness"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


def test_a_ring_in_two_groups_is_as_complete_as_its_larger_part():
    assert at(3)["completeness"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


def test_groups_without_rings_lower_what_is_planted_but_not_purity():
    strangers = pd.DataFrame([("v", 4), ("w", 4)], columns=["unit_id", "rank"])
    more = pd.concat([MEMBERS, strangers])
    found = ring_quality(more, TRUTH, (3, 4))
    assert found["purity"].nunique() == 1
    assert found["planted"].iloc[1] < found["planted"].iloc[0]


def test_no_rings_give_no_shares():
    assert pd.isna(at(2, TRUTH.assign(ring=""))["coverage"])


def test_no_groups_find_nothing():
    found = ring_quality(MEMBERS.iloc[:0], TRUTH, (5,)).iloc[0]
    assert (found["coverage"], found["completeness"]) == (0, 0)
    assert pd.isna(found["purity"])
