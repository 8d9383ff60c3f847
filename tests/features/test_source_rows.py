"""The rows behind a lead are shown as the department wrote them."""

import json

import pytest

from configs.tables import ROWS
from features.evidence import evidence
from features.matrix import enriched_units
from features.source_rows import row_table, source_rows
from tests.factories import claim, known, model, raw, visit

COUNTED = {
    "history": {
        "of": "visits",
        "by": "claimant",
        "as": "patient",
        "measures": {"n": "*"},
    }
}
CLAIMS = [
    claim(1, amount="1,000.50元", kind=" a", hurt="是", sex="f"),
    claim(2, person="p2", amount=7, kind="  "),
    claim(3, person="p3", posted="2025-01-01"),
]
VISITS = [
    visit("2024/5/2", place="一号<b>楼</b>"),
    *(visit(f"2024-04-{n:02}") for n in range(1, 13)),
    visit("2024-06-30", posted="2024-07-02", place="posted too late"),
]


@pytest.fixture(scope="module")
def rows(catalog):
    loaded = model(COUNTED)
    data = {"claims": CLAIMS, "visits": VISITS}
    found = known(catalog, loaded, data)
    units = enriched_units(found, catalog)
    chosen = catalog.keep(evidence(found, units), "chosen")
    delivered = {name: raw(loaded, name, data[name]) for name in data}
    parts = source_rows(found, chosen, delivered)
    return row_table([catalog.arrow(part) for part in parts.values()], "claims")


def of(rows, unit):
    return [row for row in rows.to_pylist() if row["unit_id"] == unit]


def test_values_stand_there_as_delivered(rows):
    assert rows.column_names == list(ROWS)
    said = json.loads(of(rows, "c1")[0]["content"])
    assert said["amount"] == "1,000.50元"
    assert (said["kind"], said["hurt"]) == (" a", "是")
    visits = [json.loads(row["content"]) for row in of(rows, "c1")[1:]]
    assert visits[0]["place"] == "一号<b>楼</b>"
    assert visits[0]["day"] == "2024/5/2"


def test_what_is_not_known_is_null_and_excluded_columns_are_not_there(rows):
    said = json.loads(of(rows, "c2")[0]["content"])
    assert said["kind"] is None
    assert said["hurt"] is None
    assert "sex" not in said


def test_the_own_row_comes_first_then_the_newest_ten_by_place(rows):
    found = of(rows, "c1")
    assert [row["source"] for row in found] == ["claims"] + ["visits"] * 10
    lines = [row["line"] for row in found[1:]]
    assert lines == sorted(lines)
    days = {row["event_at"].day for row in found[1:]}
    assert days == {2, *range(4, 13)}


def test_a_row_that_was_not_posted_yet_is_not_shown(rows):
    assert "posted too late" not in "".join(rows["content"].to_pylist())
    assert of(rows, "c3") == []


def test_each_row_says_when_it_happened_and_when_it_was_known(rows):
    first = of(rows, "c1")[0]
    assert (first["event_at"].date().isoformat()) == "2024-06-01"
    assert (first["known_at"].date().isoformat()) == "2024-06-01"
    assert first["batch"] == "claims.csv@0"
