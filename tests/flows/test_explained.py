"""Texts of reasons, parts and counterfactuals, and the peers beside a value."""

import pandas as pd
import pytest

from configs.column import Column
from configs.spec import Text
from configs.tables import COUNTERFACTUALS, PARTS, REASONS
from flows.catalog import Catalog
from flows.engineer import UNITS
from flows.peer_groups import peer_groups
from flows.place_words import counterfactuals_in_words, parts_in_words
from flows.reasons import Wording, in_words
from tests import factories


def column(name: str, family: str = "derive", unit: str = "", **kind: str) -> Column:
    meaning = Text(en=f"the {name}", zh=f"某{name}")
    return Column(name, kind.get("kind", "number"), meaning, "", family, unit, True)


WORDS = Wording(
    columns={
        c.name: c
        for c in (
            column("claimed", unit="yuan"),
            column("days", unit="days"),
            column("went_to_court", kind="boolean"),
            column("share", unit="share"),
            column("share_robust_z_peers", "peers", "z"),
            column("degree", "network", "count"),
            column("wage", unit="yuan"),
            column("use"),
        )
    },
    within={"share_robust_z_peers": ("use",)},
    hidden={"wage"},
)
NO_GROUPS = pd.DataFrame(
    columns=["unit_id", "feature", "plain", "value", "median", "peers"]
)


def told(groups: pd.DataFrame = NO_GROUPS, **row: object) -> dict[str, object]:
    given = {
        "unit_id": "u1",
        "position": 1,
        "kind": "value",
        "value": 3200.0,
        "peer_median": 800.0,
        "percentile": 0.991,
        "contribution": 0.4,
        "expected": 800.0,
        "partner_1": None,
        "partner_1_value": float("nan"),
        "partner_2": None,
        "partner_2_value": float("nan"),
    }
    table = in_words(pd.DataFrame([given | row]), WORDS, groups)
    assert list(table.columns) == list(REASONS)
    return table.iloc[0].to_dict()


def test_odd_value_stands_beside_the_median_of_all():
    row = told(feature="claimed")
    assert row["kind"] == "value"
    assert row["text_en"] == (
        "the claimed: 3,200 yuan; median of all 800 yuan, higher than 99.1% of the units"
    )
    assert row["text_zh"] == "某claimed：3,200元；总体中位数800元，高于99.1%的对象"


def test_broken_relation_says_which_values_let_expect_what():
    partners = {
        "partner_1": "days",
        "partner_1_value": 2.0,
        "partner_2": "went_to_court",
    }
    row = told(feature="claimed", kind="relation", **partners, partner_2_value=0.0)
    assert row["kind"] == "relation"
    assert row["text_en"] == (
        "the claimed: 3,200 yuan, where “the days” of 2 days and “the went_to_court” "
        "of no let expect about 800 yuan"
    )
    assert row["text_zh"] == (
        "某claimed：3,200元；由“某days”为2天、“某went_to_court”为否推断，应约为800元"
    )


def test_relation_without_partners_leans_on_the_other_values():
    row = told(feature="claimed", kind="relation")
    assert "where its other values let expect" in str(row["text_en"])
    assert "由其他各项推断" in str(row["text_zh"])


def test_peers_are_named_with_their_number_and_median():
    groups = pd.DataFrame(
        [["u1", "share_robust_z_peers", "share", 0.62, 0.09, 311]],
        columns=NO_GROUPS.columns,
    )
    row = told(groups, feature="share_robust_z_peers", value=7.1)
    assert row["kind"] == "peers"
    assert (row["value"], row["peer_median"]) == ("62%", "9%")
    assert row["text_en"] == (
        "the share: 62%; median of the 311 peers (same the use) 9%"
    )
    assert row["text_zh"] == "某share：62%；同类（同某use）311个对象的中位数9%"


def test_too_few_peers_are_said_to_be_too_few():
    groups = pd.DataFrame(
        [["u1", "share_robust_z_peers", "share", 0.62, 0.09, 0]],
        columns=NO_GROUPS.columns,
    )
    row = told(groups, feature="share_robust_z_peers", value=7.1)
    assert "too few peers, median of all 9%" in str(row["text_en"])


def test_place_in_a_network_is_of_its_own_kind():
    assert told(feature="degree", value=40.0)["kind"] == "network"


def test_sensitive_value_is_masked_wherever_it_is_told():
    row = told(feature="wage", value=98765.0)
    assert row["value"] == "98,***"
    assert "98,765" not in f"{row['text_en']}{row['text_zh']}"
    beside = told(
        feature="claimed", kind="relation", partner_1="wage", partner_1_value=98765.0
    )
    assert "98,765" not in f"{beside['text_en']}{beside['text_zh']}"


@pytest.mark.parametrize(
    ("rank", "english", "chinese"),
    [
        (812, "would fall to rank 812 if", "将降至第812位"),
        (7, "would still stand at rank 7 if", "仍居第7位"),
        (3, "would rise to rank 3 if", "将升至第3位"),
    ],
)
def test_counterfactual_says_where_the_unit_would_stand(rank, english, chinese):
    row = {
        "unit_id": "u1",
        "position": 1,
        "rank": rank,
        "rank_now": 7,
        "rule": "V2",
        "feature_1": "claimed",
        "value_1": 3100.0,
        "usual_1": True,
        "feature_2": "days",
        "value_2": 4.0,
        "usual_2": False,
    }
    table = counterfactuals_in_words(pd.DataFrame([row]), WORDS)
    assert list(table.columns) == list(COUNTERFACTUALS)
    assert table.at[0, "text_en"].startswith(english)
    assert "rule V2 had not fired" in table.at[0, "text_en"]
    assert "“the claimed” were 3,100 yuan (usual)" in table.at[0, "text_en"]
    assert "“the days” were 4 days (expected)" in table.at[0, "text_en"]
    assert table.at[0, "text_zh"].endswith(chinese)
    assert "未触发规则V2" in table.at[0, "text_zh"]


def test_every_part_has_words():
    names = ["detector:forest", "detector:new", "rule:V2", "neighbours", "reviews"]
    given = pd.DataFrame(
        {"unit_id": "u1", "position": range(1, 6), "part": names, "contribution": 1.0}
    )
    taught = pd.DataFrame(
        {"unit_id": "u1", "input": ["claimed", "rule:V2"], "contribution": [0.4, -0.1]}
    )
    table = parts_in_words(given, taught, WORDS)
    assert list(table.columns) == list(PARTS)
    assert table["text_en"].is_unique
    assert table["text_zh"].is_unique
    assert table.at[4, "text_en"] == (
        "what reviews have taught: “the claimed” +0.40; rule V2 fired -0.10"
    )


def test_peer_groups_show_the_plain_number_behind_a_logarithm(tmp_path):
    catalog = Catalog(tmp_path)
    loaded = factories.model(
        {"derive": {"amount_log": "log1p(amount)"}},
        {"peers": {"value": "amount_log", "within": "kind", "min_size": 3}},
    )
    rows = [
        {"claim_no": f"c{i}", "posted": "2024-01-01", "amount": 10 * i, "kind": "a"}
        for i in range(1, 6)
    ] + [{"claim_no": "d1", "posted": "2024-01-01", "amount": 900, "kind": "b"}]
    catalog.write(factories.units_of(catalog, loaded, {"claims": rows}), UNITS)
    feature = "amount_log_robust_z_peers"
    reasons = pd.DataFrame(
        {"unit_id": ["c5", "d1", "c5"], "feature": [feature] * 2 + ["x"]}
    )
    found = peer_groups(catalog, loaded, reasons).set_index("unit_id")
    assert found.loc["c5", ["plain", "value", "median", "peers"]].tolist() == [
        "amount",
        50.0,
        30.0,
        5,
    ]
    assert found.loc["d1", ["median", "peers"]].tolist() == [35.0, 0]
    catalog.close()


def test_model_without_peers_has_no_peer_groups(tmp_path):
    catalog = Catalog(tmp_path)
    reasons = pd.DataFrame({"unit_id": ["c5"], "feature": ["amount"]})
    assert peer_groups(catalog, factories.model(), reasons).empty
    catalog.close()
