"""Contracts of sources: what is kept, what is rejected and why, what is counted."""

from datetime import datetime

import pytest

from features.repeated import all_rejects, repeated, without
from features.sources import core, keys, rejects, summary, typed
from tests.factories import CLAIMS, VISITS, claim, model, raw, visit

COLUMNS = {
    **CLAIMS["columns"],
    "amount": {"type": "money", "min": 0, "header": "金额"},
    "phone": {"type": "phone", "sensitive": True, "header": "电话"},
    "status": {"type": "integer", "sensitive": True},
    "order": {"type": "string"},
}
LOADED = model(sources={"claims": {**CLAIMS, "columns": COLUMNS}, "visits": VISITS})


def read(catalog, rows, loaded=LOADED, source="claims"):
    spec = loaded.spec
    declared = spec.sources[source]
    table = catalog.keep(typed(raw(loaded, source, rows), spec, source), "typed")
    kept, found = core(table, spec, source), rejects(table, spec, source)
    counts = catalog.rows(summary(table, spec, source))[0]
    if declared.key is not None:
        again = catalog.keep(repeated(keys(table, declared.key)), "again")
        kept, found = without(kept, again), all_rejects(found, again, source, declared)
        repeats = catalog.rows(again)
        counts["duplicates"] = len(repeats)
        counts["rejected"] = counts["broken"] + sum(not r["_broken"] for r in repeats)
    return (
        catalog.rows(kept.order_by("_file", "_line")),
        catalog.rows(found.order_by("line", "column")),
        counts,
    )


def test_good_rows_keep_values_lines_and_dates(catalog):
    rows, rejected, counts = read(catalog, [claim(1, phone="138 0013 8000", order="x")])
    assert rejected == []
    row = rows[0]
    assert (row["_file"], row["_line"], row["_batch"]) == (
        "claims.csv",
        2,
        "claims.csv@0",
    )
    assert (row["_row_key"], row["order"]) == ("c1", "x")
    assert row["_known_at"] == row["_event_at"] == datetime(2024, 6, 1)
    assert row["phone"] == row["_key_phone"] == "13800138000"
    assert counts["rows"] == 1
    assert counts["rejected"] == 0


def test_protected_columns_never_enter(catalog):
    rows, _, _ = read(catalog, [claim(1, sex="女")])
    assert "sex" not in rows[0]
    assert "sex" not in LOADED.known.columns


def test_bad_optional_value_is_cleared_and_the_row_stays(catalog):
    rows, rejected, counts = read(catalog, [claim(1, amount="-5"), claim(2)])
    assert [row["amount"] for row in rows] == [None, 1000.0]
    assert rejected == [
        {
            "source": "claims",
            "file": "claims.csv",
            "line": 2,
            "column": "金额",
            "value": "-5",
            "cause": "is below the minimum 0",
            "action": "value",
        }
    ]
    assert counts["unreadable_amount"] == 1
    assert counts["rejected"] == 0


@pytest.mark.parametrize("column", ["posted", "claim_no"])
def test_row_without_key_or_date_of_posting_is_left_out(catalog, column):
    """Protects point in time: a row without `known_at` would count as always known."""
    rows, rejected, counts = read(catalog, [claim(1, **{column: None}), claim(2)])
    assert [row["claim_no"] for row in rows] == ["c2"]
    assert (rejected[0]["column"], rejected[0]["action"]) == (column, "row")
    assert rejected[0]["cause"] == "is empty, but the contract requires it"
    assert counts["rejected"] == 1


def test_second_row_with_a_key_is_left_out_and_named(catalog):
    rows, rejected, counts = read(catalog, [claim(1), claim(1, amount=9), claim(2)])
    assert [row["amount"] for row in rows] == [1000.0, 1000.0]
    assert [(r["line"], r["cause"]) for r in rejected] == [
        (3, "repeats the key of an earlier row")
    ]
    assert counts["duplicates"] == 1


def test_row_left_out_anyway_does_not_shut_out_its_correction(catalog):
    rows, rejected, _ = read(catalog, [claim(1, posted="soon"), claim(1, amount=9)])
    assert [row["amount"] for row in rows] == [9.0]
    assert {r["line"] for r in rejected} == {2}


def test_sensitive_values_are_masked_in_rejects(catalog):
    _, rejected, _ = read(catalog, [claim(1, status="13800138000x")])
    assert rejected[0]["value"] == "138***"


def test_unlinkable_identifiers_are_kept_counted_and_not_linked_by(catalog):
    rows, _, counts = read(catalog, [claim(1, phone="138****8000")])
    assert rows[0]["phone"] == "138****8000"
    assert rows[0]["_key_phone"] is None
    assert counts["unlinkable_phone"] == 1


def test_summary_tells_future_rows_from_the_newest(catalog):
    future = claim(2, happened="2999-01-01")
    _, _, counts = read(catalog, [claim(1), future])
    assert counts["future"] == 1
    assert counts["first_known"] == counts["last_known"] == datetime(2024, 6, 1)


def test_lag_days_move_the_day_of_knowledge(catalog):
    loaded = model(sources={"claims": CLAIMS, "visits": {**VISITS, "lag_days": 30}})
    rows, _, _ = read(catalog, [visit("2024-01-01")], loaded, "visits")
    assert rows[0]["_known_at"] == datetime(2024, 1, 31)
    assert rows[0]["_event_at"] == datetime(2024, 1, 1)
    assert rows[0]["_row_key"] == "visits.csv:2"


def test_empty_delivery_gives_empty_tables(catalog):
    rows, rejected, counts = read(catalog, [])
    assert (rows, rejected, counts["rows"], counts["rejected"]) == ([], [], 0, 0)
