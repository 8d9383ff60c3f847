"""Why a unit is like a lead, in one sentence of each language."""

from dataclasses import replace

from configs.tables import LIKES
from flows.like_words import in_chinese, in_english, like_rows
from flows.look_alikes import LookAlike, SharedFeature, SharedPoint

PHONE = SharedPoint("phone", "电话", "139***", 3)
AMOUNT = SharedFeature("amount", "amount: 9 and 8; median 1", "金额：9与8；中位数1")
ONE = LookAlike(
    unit_id="c2",
    how="node",
    overall=0.123457,
    aspects={"rules": 0.5},
    rules=["V3", "V6"],
    features=[AMOUNT] * 4,
    points=[PHONE],
)


def test_points_come_first_then_rules_and_the_strongest_features():
    assert in_english(ONE) == (
        "both tied to phone 139*** (3 units); both fired V3, V6; "
        "amount: 9 and 8; median 1; amount: 9 and 8; median 1"
    )
    assert in_chinese(ONE) == (
        "均关联电话139***（3个对象）；均触发规则V3、V6；"
        "金额：9与8；中位数1；金额：9与8；中位数1"
    )


def test_a_point_is_no_reason_where_the_method_is():
    assert in_english(replace(ONE, how="method")).startswith("both fired V3")


def test_who_shares_nothing_that_can_be_told_is_said_to():
    plain = replace(ONE, how="method", rules=[], features=[])
    assert in_english(plain) == "alike in many small things"
    assert in_chinese(plain) == "多项轻微特征相近"


def test_rows_come_by_unit_and_position():
    table = like_rows({"b": [ONE, replace(ONE, unit_id="c3")], "a": [ONE]})
    assert table.column_names == list(LIKES)
    found = [(r["unit_id"], r["position"], r["other"]) for r in table.to_pylist()]
    assert found == [("a", 1, "c2"), ("b", 1, "c2"), ("b", 2, "c3")]
    assert table["likeness"].to_pylist() == [0.123457] * 3
