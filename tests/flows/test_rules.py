"""`leadline rules` and `leadline backtest`: rules weighed on what was published."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.flows.homes import Home
from tests.flows.office import MODELS

RULES = MODELS / "tiny" / "rules.yaml"
ADDED = """
- code: T4
  layer: 2
  when: amount > most
  params: {most: 2500}
  reason: {en: 'paid {amount} yuan', zh: '发放{amount}元'}
  lawful: {en: none, zh: 无}
"""
PHONE = ADDED.replace("amount > most", "starts_with(phone, '139')")


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A copy of the rules that a test may change."""
    path = tmp_path / "changed.yaml"
    path.write_text(RULES.read_text("utf-8"), "utf-8")
    return path


def replace(path: Path, *pairs: tuple[str, str], more: str = "") -> Path:
    text = path.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + more, "utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


def frozen(home: Home, name: str) -> pd.DataFrame:
    [file] = home.path.glob(f"var/published/tiny/*/{name}.parquet")
    return pd.read_parquet(file).set_index("unit_id")


def backtested(home: Home, path: Path) -> dict[str, Any]:
    """What the changed rules would have done to the one published list, by code."""
    [found] = home.json("backtest", "tiny", "--rules", path)["lists"]
    return found | {"by_code": {row["code"]: row for row in found["changes"]}}


def test_every_rule_is_reported_with_what_it_alone_found(template: Home):
    report = template.json("rules", "tiny")
    flags, scores = frozen(template, "rule_flags"), frozen(template, "scores")
    rows = {row["code"]: row for row in report["rules"]}
    assert list(rows) == ["T2", "T3"]
    assert rows["T2"]["hits"] == flags["T2"].sum()
    unseen = scores["rank_score"].loc[flags.index] > 10
    alone = flags["T3"] & ~flags["T2"] & unseen
    assert rows["T3"]["alone"] == alone.sum() > 0
    assert rows["T3"]["stated"] == 0.6
    assert rows["T3"]["leave"] == rows["T3"]["enter"]
    # Nobody has reviewed anything: nothing is said of that.
    assert report["judged"] == 0
    assert rows["T2"]["precision"] is rows["T2"]["alone_cleared"] is None
    # Trained and scored on one delivery, the order can be recomputed.
    assert report["shared"] == report["capacity"] == 10


def test_the_report_is_readable_in_a_terminal(template: Home):
    printed = template.ok("rules", "tiny")
    for wanted in ("T2", "only this rule", "独有命中", "The first 10 without it"):
        assert wanted in printed


def test_unchanged_rules_change_nothing(template: Home, changed: Path):
    replace(changed, ("most: 3", "most: 3.0"), ("within a month", "in a month"))
    found = backtested(template, changed)
    assert found["differences"] == {}
    assert found["shared"] == 10
    for order in found["by_code"]["all"]["lists"]:
        assert order["enter"] == order["leave"] == 0
    assert "no rule differs" in template.ok("backtest", "tiny", "--rules", changed)


def test_a_lower_threshold_hits_whom_the_frozen_units_say(
    template: Home, changed: Path
):
    found = backtested(template, replace(changed, ("most: 3", "most: 2")))
    units = frozen(template, "feature_matrix")
    row = found["by_code"]["T2"]
    assert found["differences"] == {"T2": "changed"}
    assert row["hits_before"] == (units["payee_payments_recent_30d"] >= 3).sum()
    assert row["hits_after"] == (units["payee_payments_recent_30d"] >= 2).sum()
    assert row["new_unjudged"] == row["hits_after"] - row["hits_before"] > 0
    assert row["lists"] == found["by_code"]["all"]["lists"]


def test_a_removed_and_an_added_rule_by_themselves_and_together(
    template: Home, changed: Path
):
    text = changed.read_text("utf-8")
    changed.write_text(text[: text.index("- code: T3")] + ADDED, "utf-8")
    found = backtested(template, changed)
    units, scores = frozen(template, "feature_matrix"), frozen(template, "scores")
    assert found["differences"] == {"T4": "added", "T3": "removed"}
    added, removed = found["by_code"]["T4"], found["by_code"]["T3"]
    assert (added["hits_before"], added["hits_after"]) == (
        0,
        (units["amount"] > 2500).sum(),
    )
    assert removed["hits_after"] == 0
    by_rules, fused = removed["lists"]
    listed = (scores["rank_rules"] <= 10) & (scores["rules"] > 0)
    flags = frozen(template, "rule_flags").loc[scores.index]
    dead = flags["T3"] & ~flags["T2"]
    assert by_rules["leave"] == (listed & dead).sum() > 0
    assert by_rules["leave_money"] == pytest.approx(
        units["amount"].loc[scores.index][listed & dead].sum()
    )
    assert fused["enter"] == fused["leave"]


def test_a_narrower_scope_takes_the_hits_of_other_rules_along(
    template: Home, changed: Path
):
    found = backtested(
        template, replace(changed, ("when: amount > 0", "when: amount > 2500"))
    )
    units, flags = frozen(template, "feature_matrix"), frozen(template, "rule_flags")
    inside = units["amount"] > 2500
    assert found["differences"] == {"T1": "changed"}
    together = found["by_code"]["all"]
    evident = flags["T2"] | flags["T3"]
    assert together["hits_before"] == evident.sum()
    assert together["hits_after"] == (evident & inside).sum() < evident.sum()
    assert found["by_code"]["T1"]["lists"] == together["lists"]


def test_a_stated_precision_moves_the_order_and_no_hit(template: Home, changed: Path):
    found = backtested(template, replace(changed, ("precision: 0.3", "precision: 0.9")))
    row = found["by_code"]["T2"]
    assert row["hits_before"] == row["hits_after"]
    assert row["lists"][0]["enter"] > 0


def test_a_typo_is_answered_with_line_and_nearest_name(template: Home, changed: Path):
    replace(changed, ("when: paid_after_death", "when: paid_after_deth"))
    done = template.inside("backtest", "tiny", "--rules", changed)
    assert done.returncode == 2
    assert f"{changed}:{line_of(changed, 'deth')}: rules[2].when" in done.stderr
    assert "did you mean 'paid_after_death'?" in done.stderr


def test_a_rule_over_a_sensitive_column_is_refused_with_the_reason(
    template: Home, changed: Path
):
    done = template.inside("backtest", "tiny", "--rules", replace(changed, more=PHONE))
    assert done.returncode == 2
    where = f"{changed}:{line_of(changed, 'starts_with(phone')}: rules[3].when"
    assert f"{where}: rule T4 cannot be tested on past lists" in done.stderr
    assert "'phone'" in done.stderr
    assert "139" not in done.stderr


@pytest.mark.parametrize("wrong", ["missing.yaml", "."])
def test_a_file_that_is_not_there_is_said(template: Home, tmp_path: Path, wrong: str):
    done = template.inside("backtest", "tiny", "--rules", tmp_path / wrong)
    assert done.returncode == 2
    assert "no such file; give a copy of" in done.stderr


def test_a_run_without_frozen_files_is_left_out_and_named(home: Home, changed: Path):
    [file] = home.path.glob("var/published/tiny/*/rule_flags.parquet")
    file.unlink()
    done = home.inside("backtest", "tiny", "--rules", changed)
    assert done.returncode == 4
    assert "its rule_flags file is gone" in done.stderr


def test_a_list_of_an_earlier_declaration_keeps_what_its_rules_flagged(
    template: Home, tmp_path: Path
):
    """The file differs in nothing from today's rules: no difference is its own."""
    models = tmp_path / "models"
    shutil.copytree(MODELS / "tiny", models / "tiny")
    today = replace(models / "tiny" / "rules.yaml", ("most: 3", "most: 2"))
    later = Home(template.path, models)
    found = backtested(later, today)
    assert (found["same_declaration"], found["differences"]) == (False, {})
    printed = later.ok("backtest", "tiny", "--rules", today)
    assert "made by another declaration than today's" in printed


def test_a_backtest_publishes_and_changes_nothing(
    home: Home, changed: Path, delivered: Path
):
    before, rules = home.leads(), RULES.read_bytes()
    home.ok("backtest", "tiny", "--rules", replace(changed, ("most: 3", "most: 2")))
    assert home.leads() == before
    assert RULES.read_bytes() == rules
    assert home.is_sound()
    # The declaration is the one that the champion was trained with.
    assert "published before" in home.ok("score", "tiny", "--data", delivered)


def test_dispositions_say_what_a_rule_costs_and_what_a_change_would_lose(
    home: Home, changed: Path, tmp_path: Path
):
    flags = frozen(home, "rule_flags")
    dead, often = (list(flags.index[flags[code]]) for code in ("T3", "T2"))
    nobody = flags.index[~flags["T2"] & ~flags["T3"]][0]
    said = dict.fromkeys(often[:4], "excluded") | dict.fromkeys(dead[:3], "confirmed")
    said |= {dead[3]: "excluded", nobody: "confirmed", often[5]: "transferred"}
    rows = [f"{unit},{verdict},seen" for unit, verdict in said.items()]
    file = tmp_path / "said.csv"
    file.write_text("\n".join(["unit_id,verdict,reason", *rows]), "utf-8")
    home.ok("dispose-many", "tiny", file)

    report = home.json("rules", "tiny")
    rows = {row["code"]: row for row in report["rules"]}
    dead_rule = rows["T3"]
    assert report["judged"] == len(said) - 1
    assert (dead_rule["hits_confirmed"], dead_rule["hits_cleared"]) == (3, 1)
    assert dead_rule["precision"] == pytest.approx(3 / 4)
    assert 0.6 < dead_rule["learnt"] < 3 / 4
    # Often paid and dead were judged: the ones mostly cleared, the others confirmed.
    learnt = {row["code"]: row["evidence_learnt"] for row in report["rules"]}
    assert learnt["T2"] < rows["T2"]["evidence"]
    assert learnt["T3"] > rows["T3"]["evidence"]
    assert dead_rule["false_leads"] == pytest.approx(1 / 3)

    text = changed.read_text("utf-8")
    changed.write_text(text[: text.index("- code: T3")], "utf-8")
    without = backtested(home, changed)["by_code"]["T3"]
    assert (without["confirmed_lost"], without["cleared_avoided"]) == (3, 1)
    assert without["precision_after"] is None
    assert without["lists"][0]["leave_confirmed"] > 0
