"""Golden cases of every shipped model, and what the cases file itself must hold."""

import shutil
from pathlib import Path

import ibis
import pytest

from configs.cases import CASES, load_cases
from configs.errors import DeclarationError
from configs.loading import load_model, model_names
from configs.settings import PACKAGE_MODELS
from features.cases import case_failures, case_table

WITH_CASES = [
    n for n in model_names(PACKAGE_MODELS) if (PACKAGE_MODELS / n / CASES).exists()
]
MODELS = {name: load_model(name, PACKAGE_MODELS) for name in WITH_CASES}
RULES = [(name, rule.code) for name, model in MODELS.items() for rule in model.rules]


@pytest.fixture(scope="module")
def failures() -> dict[str, list[dict[str, object]]]:
    engine = ibis.duckdb.connect()
    found = {
        name: engine.to_pyarrow(case_failures(model, load_cases(model))).to_pylist()
        for name, model in MODELS.items()
    }
    engine.disconnect()
    return found


@pytest.mark.parametrize(("model", "code"), RULES, ids=str)
def test_rule_agrees_with_its_golden_cases(failures, model, code):
    assert [row for row in failures[model] if row["code"] == code] == []


def test_a_contradicted_case_is_named_with_its_position(tmp_path):
    model = edited(tmp_path, "judgments: 3}, fires: true", "judgments: 1}, fires: true")
    rows = ibis.duckdb.connect().to_pyarrow(case_failures(model, load_cases(model)))
    assert rows.to_pylist() == [
        {"code": "F3", "number": 1, "case": "hit", "expected": True}
    ]


def test_case_table_has_one_row_per_case_and_nulls_where_nothing_is_given():
    model = MODELS["illegal_fundraising"]
    cases = load_cases(model)
    rows = ibis.duckdb.connect().to_pyarrow(case_table(model, cases)).to_pylist()
    assert len(rows) == sum(len(listed) for listed in cases.values())
    assert rows[0]["judgments"] is None


BROKEN = {
    "unknown rule": ("F3:", "F33:", "F33: no rule 'F33'; did you mean 'F3'?"),
    "unknown column": (
        "{judgments: 2}",
        "{judgment: 2}",
        "F3[1].given.judgment: F3 does not use 'judgment'; did you mean 'judgments'?",
    ),
    "wrong kind": (
        "{judgments: 2}",
        "{judgments: two}",
        "F3[1].given.judgments: got 'two': must be a number",
    ),
    "near miss with a gap": (
        "{firm_negative_news_count: 3, judgments: 0}",
        "{judgments: 0}",
        "F11[1].given: a near miss gives every column; missing: firm_negative_news_count",
    ),
    "hit that does not fire": (
        "{judgments: 3}, fires: true",
        "{judgments: 3}, fires: false",
        "F3[0].fires: a hit fires",
    ),
    "null case without null": (
        "{firm_reports_staff_mean: 2}",
        "{firm_reports_staff_mean: 2, firm_reports_invests_share: 1}",
        "F7[2].given: leaves no column null",
    ),
    "unknown kind of case": (
        "case: near miss, given: {judgments: 2}",
        "case: near mis, given: {judgments: 2}",
        "F3[1].case: got 'near mis': must be one of hit, near miss, null; "
        "did you mean 'near miss'?",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_cases_error_names_file_line_and_path(tmp_path, old, new, message):
    model = edited(tmp_path, old, new)
    text = (model.folder / CASES).read_text().splitlines()
    line = 1 + next(i for i, row in enumerate(text) if new in row)
    if new == "F33:":  # the value of a key begins on the line below it
        line += 1
    with pytest.raises(DeclarationError) as caught:
        load_cases(model)
    assert f"{model.folder / CASES}:{line}: {message}" in str(caught.value).splitlines()


def test_rule_without_cases_is_named(tmp_path):
    model = edited(tmp_path, "F3:\n", "F3: []\nUNUSED:\n")
    with pytest.raises(DeclarationError, match="F3: has no case: hit, near miss, null"):
        load_cases(model)


def edited(tmp_path: Path, old: str, new: str):
    """A copy of the fund-raising model with one change in its cases."""
    folder = tmp_path / "illegal_fundraising"
    shutil.copytree(PACKAGE_MODELS / "illegal_fundraising", folder)
    text = (folder / CASES).read_text()
    assert old in text
    (folder / CASES).write_text(text.replace(old, new, 1))
    return load_model("illegal_fundraising", tmp_path)
