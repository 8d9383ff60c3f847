"""`leadline like` and `leadline classes`: from one confirmed case to its like."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from configs.expressions import kind_of, parse
from configs.loading import load_model
from configs.schema import UNWRITTEN, RuleSpec
from flows.draft_columns import draft_columns
from flows.draft_text import block, in_words, layer_of
from tests import factories
from tests.flows.homes import Home
from tests.flows.office import MODELS, office
from training.conditions import Condition

TRUTH = office().truth.set_index("编号")["plant"]
GREEDY = TRUTH.index[TRUTH == "greedy"].tolist()
DEAD = TRUTH.index[TRUTH == "dead"].tolist()
HONEST = TRUTH.index[TRUTH == ""].tolist()
KNOWN = load_model("tiny", MODELS).known


def reviewed(home: Home, path: Path) -> Home:
    """Half of the planted payments confirmed, ten honest ones excluded."""
    rows = [(unit, "confirmed") for unit in (*GREEDY[::2], *DEAD)]
    rows += [(unit, "excluded") for unit in HONEST[:10]]
    table = pd.DataFrame(rows, columns=["unit_id", "verdict"]).assign(reason="checked")
    table.to_csv(path, index=False)
    home.ok("dispose-many", "tiny", path)
    return home


@pytest.fixture
def judged(home: Home, tmp_path: Path) -> Home:
    return reviewed(home, tmp_path / "dispositions.csv")


def test_the_nearest_of_a_greedy_payment_are_greedy(template: Home):
    found = template.json("like", "tiny", GREEDY[0], "--top", 8)
    assert found["unit_id"] == GREEDY[0]
    nearest = [unit["unit_id"] for unit in found["units"]]
    assert GREEDY[0] not in nearest
    assert set(nearest) <= set(GREEDY)
    alike = [unit["overall"] for unit in found["units"]]
    assert alike == sorted(alike, reverse=True)
    assert all(0 <= value <= 1 for value in alike)


def test_each_look_alike_says_what_it_shares(template: Home):
    first = template.json("like", "tiny", GREEDY[0], "--top", 1)["units"][0]
    named = {feature["feature"] for feature in first["features"]}
    assert named & {
        "amount",
        "amount_log",
        "payee_payments_count",
        "payee_payments_total",
    }
    assert all(feature["text_zh"] for feature in first["features"])
    assert first["aspects"]["text"] is None  # the model has no feature of texts
    assert (first["how"], first["points"]) == ("method", [])
    flags = pd.read_parquet(
        next(template.path.glob("var/published/tiny/*/rule_flags*"))
    )
    both = flags.set_index("unit_id").loc[[GREEDY[0], first["unit_id"]]]
    fired = {code for code in both if code.startswith("T") and both[code].all()}
    assert set(first["rules"]) <= fired


def test_reviewed_units_can_be_left_out(judged: Home):
    every = judged.json("like", "tiny", GREEDY[1], "--top", 11)["units"]
    said = {unit["unit_id"]: unit["disposition"] for unit in every}
    assert said[GREEDY[2]] == "confirmed"
    left = judged.json("like", "tiny", GREEDY[1], "--top", 11, "--open")
    units = [unit["unit_id"] for unit in left["units"]]
    assert not set(units) & set(GREEDY[::2])
    assert left["left_out"] == len(GREEDY[::2]) + len(DEAD) + 10


def test_a_unit_that_is_not_there_is_answered_with_the_nearest(template: Home):
    done = template.inside("like", "tiny", GREEDY[0] + "0")
    assert done.returncode == 4
    assert "is not among the" in done.stderr


def test_the_table_of_look_alikes_is_in_both_languages(template: Home):
    text = template.ok("like", "tiny", GREEDY[0], "--top", 3)
    assert "same method 同一手法" in text
    assert "no association points" in text
    assert "A person decides" in text


def classes(home: Home, *more: Any) -> Any:
    return home.json("classes", "tiny", *more)


def test_planted_kinds_become_classes_with_names_and_a_draft(judged: Home):
    report = classes(judged)
    assert (report["confirmed"], report["excluded"]) == (6 + len(DEAD), 10)
    members = [set(one["units"]) for one in report["classes"]]
    assert set(GREEDY[::2]) in members
    greedy = report["classes"][members.index(set(GREEDY[::2]))]
    assert greedy["centre"] in GREEDY
    assert greedy["name_en"] != "no trait stands out"
    assert greedy["name_zh"]
    assert greedy["draft"]["figures"]["hits"] >= 6


def test_a_draft_finds_the_planted_payments_that_nobody_reviewed(judged: Home):
    greedy = next(c for c in classes(judged)["classes"] if GREEDY[0] in c["units"])
    known = kind_of(parse(greedy["draft"]["when"]), KNOWN.kinds)
    assert known == "boolean"
    figures = greedy["draft"]["figures"]
    assert figures["unreviewed"] >= 5
    assert figures["precision"]["confirmed"] == pytest.approx(6)
    assert figures["held_out"]["support"] > 0.6


def test_a_draft_is_refused_until_its_lawful_explanation_is_written(
    judged: Home, tmp_path: Path
):
    drafts, changed = tmp_path / "drafts.yaml", tmp_path / "changed.yaml"
    said = judged.ok("classes", "tiny", "--out", drafts)
    assert "Nothing was activated" in said
    assert "未启用" in said
    rules = (MODELS / "tiny" / "rules.yaml").read_text("utf-8")
    changed.write_text(rules + drafts.read_text("utf-8"), "utf-8")
    refused = judged.inside("backtest", "tiny", "--rules", changed)
    assert refused.returncode == 2
    assert "lawful explanation is not written yet" in refused.stderr
    written = changed.read_text("utf-8")
    for language in ("en", "zh"):
        written = written.replace(getattr(UNWRITTEN, language), "lump sum 一次性补发")
    changed.write_text(written, "utf-8")
    found = judged.json("backtest", "tiny", "--rules", changed)["lists"][0]
    drafted = {c["code"]: c for c in found["changes"]}["DRAFT1"]
    first = classes(judged)["classes"][0]["draft"]["figures"]
    assert drafted["hits_after"] == first["hits"]


def test_few_confirmed_leads_are_no_draft_and_it_is_said_why(home: Home):
    for unit in GREEDY[:3]:
        home.ok("dispose", "tiny", unit, "confirmed", "--reason", "checked")
    report = classes(home)
    assert [one["draft"] for one in report["classes"]] == [None]
    assert "it takes 5 confirmed leads" in report["classes"][0]["no_draft_en"]
    assert report["classes"][0]["no_draft_zh"]


def test_without_reviews_there_is_no_class_and_no_error(template: Home):
    report = classes(template)
    assert (report["confirmed"], report["classes"], report["single"]) == (0, [], [])
    assert "no class" in template.ok("classes", "tiny")


def test_the_same_reviews_give_the_same_report(judged: Home):
    assert classes(judged) == classes(judged)


SECRET = {
    "claims": {
        **factories.CLAIMS,
        "columns": factories.CLAIMS["columns"]
        | {
            "income": {"type": "money", "sensitive": True},
            "garage": {"type": "string"},
        },
    },
    "visits": factories.VISITS,
}


def test_drafts_never_speak_of_sensitive_protected_or_silent_columns():
    loaded = factories.model(
        {"coverage": {"by": "claimant", "sources": {"visits": "patient"}}},
        {"columns": ["amount", "income", "hurt"]},
        {"derive": {"taxed": "income * 0.2", "twice": "amount * 2"}},
        {"levels": ["kind"]},
        entities={"person": factories.PERSON},
        sources=SECRET,
        detectors={"exclude": ["twice"]},
    )
    every = list(loaded.known.columns)
    assert set(draft_columns(loaded, every, every)) == {"amount", "hurt", "kind"}


def test_a_draft_stands_on_the_layer_of_what_it_looks_at():
    count = Condition("payee_payments_count", ">=", 5)
    large = Condition("amount", ">=", 2000)
    assert layer_of([large], KNOWN.columns) == 2
    assert layer_of([large, count], KNOWN.columns) == 3


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        (Condition("amount", ">=", 2500), "amount ≥ 2,500 yuan", "金额≥2,500元"),
        (Condition("paid_after_death", "is"), "paid after death", "死后发放"),
        (
            Condition("paid_after_death", "is not"),
            "not: paid after death",
            "非：死后发放",
        ),
        (Condition("kind", "=", "rent"), "kind: rent", "类别：rent"),
        (Condition("T1", "fires"), "rule T1 fires", "触发规则T1"),
    ],
)
def test_conditions_are_said_in_both_languages(condition, en, zh):
    words = in_words(condition, KNOWN.columns)
    assert (words.en, words.zh) == (en, zh)


def test_the_block_is_a_rule_but_for_its_lawful_explanation():
    conditions = [Condition("amount", ">=", 2500), Condition("kind", "=", "rent")]
    text = block("DRAFT1", conditions, KNOWN.columns, ["two lines\nof a note"])
    [rule] = yaml.safe_load(text)
    assert rule["when"] == "amount >= 2500 and kind = 'rent'"
    assert rule["reason"]["en"] == "amount: {amount}; kind: {kind}"
    with pytest.raises(ValueError, match="not written yet"):
        RuleSpec.model_validate(rule)
    rule["lawful"] = {"en": "none", "zh": "无"}
    assert RuleSpec.model_validate(rule).layer == 2
