"""Rules: unknown never fires, the scope layer gates, reasons read well in both languages."""

from datetime import datetime

import ibis
import pytest

from features.rules import funnel, rule_flags, rule_hits
from tests.factories import AS_OF, claim, model, rule, units_of

COLUMNS = {
    "unit_id": "string",
    "as_of": "timestamp(6)",
    "x": "float64",
    "n": "int64",
    "b": "boolean",
    "t": "string",
    "d": "timestamp(6)",
    "t1": "float64",
}
FULL = ("u1", AS_OF, 0.12345, 7, True, "甲{乙}", datetime(2024, 3, 5, 14, 30), 1.0)
EMPTY = ("u2", AS_OF, None, None, None, None, None, None)


def units(*rows):
    return ibis.memtable(list(rows), schema=COLUMNS)


def rules(*declared):
    return model(rules=declared).rules


def flags(catalog, table, *declared):
    rows = catalog.rows(rule_flags(table, rules(*declared)))
    return [[row[r["code"]] for r in declared] for row in rows]


def reason(catalog, template: str, row=FULL, **changes) -> str:
    words = {"en": template, "zh": f"共{template}"}
    table, declared = units(row), rules(rule("true", reason=words, **changes))
    hit = catalog.rows(rule_hits(table, rule_flags(table, declared), declared))[0]
    assert hit["reason_zh"] == "共" + IN_CHINESE.get(hit["reason_en"], hit["reason_en"])
    return hit["reason_en"]


@pytest.mark.parametrize(
    "when",
    [
        "x > 0",
        "not x > 0",
        "x <> 0",
        "n not in (1)",
        "not b",
        "d < '2025-01-01'",
        "t <> ''",
    ],
)
def test_unknown_never_fires(catalog, when):
    assert flags(catalog, units(EMPTY), rule(when)) == [[False]]


def test_scope_gates_the_higher_layers_alone(catalog):
    scopes = [rule("n = 7", code="S1", layer=1), rule("n = 8", code="S2", layer=1)]
    trait = rule("x > 0 or n > 0", code="T2")
    outside = ("u3", AS_OF, 1.0, 9, None, None, None, None)
    got = flags(catalog, units(FULL, EMPTY, outside), *scopes, trait)
    assert got == [[True, False, True], [False] * 3, [False] * 3]
    assert flags(catalog, units(outside), trait) == [[True]]


def test_parameters_are_filled_into_condition_and_reason(catalog):
    declared = rule(
        "n >= least", params={"least": 7}, reason={"en": "{least}", "zh": "x"}
    )
    table = units(FULL)
    found = rules(declared)
    hits = catalog.rows(rule_hits(table, rule_flags(table, found), found))
    assert [hit["reason_en"] for hit in hits] == ["7"]


IN_CHINESE = {"yes": "是", "no": "否"}
REASONS = {
    "{x}": "0.12",
    "{x:.0f}": "0",
    "{x:.1f}": "0.1",
    "{x:.4f}": "0.1235",
    "{x:.0%}": "12%",
    "{x:.1%}": "12.3%",
    "{n} of {n:.2f}": "7 of 7.00",
    "{t}": "甲{乙}",
    "{d}": "2024-03-05",
    "{b}": "yes",
    "none": "none",
}


@pytest.mark.parametrize(("template", "text"), REASONS.items(), ids=REASONS)
def test_reason_shows_values_as_the_template_says(catalog, template, text):
    assert reason(catalog, template) == text


def test_reason_shows_unknown_values_as_a_question_mark(catalog):
    assert reason(catalog, "{x} {n:.0%} {t} {d} {b}", EMPTY) == "? ? ? ? ?"


NUMBERS = {3.0: "3", 100.0: "100", 2.5: "2.5", -0.001: "0", 1e15: "1" + "0" * 15}
NUMBERS |= {12345678.9: "12345678.9", 1e60: "?"}


@pytest.mark.parametrize(("number", "text"), NUMBERS.items(), ids=str)
def test_reason_shows_plain_numbers_without_exponent_or_idle_zeros(
    catalog, number, text
):
    assert reason(catalog, "{x}", ("u1", AS_OF, number, *FULL[3:])) == text


def test_code_that_differs_from_a_column_only_in_capitals_works(catalog):
    """DuckDB takes the flag T1 and the column t1 for the same name."""
    table = units(FULL, EMPTY)
    declared = rules(rule("t1 > 0", reason={"en": "{t1}", "zh": "{t1}"}))
    flagged = catalog.keep(rule_flags(table, declared), "flags")
    assert [
        h["unit_id"] for h in catalog.rows(rule_hits(table, flagged, declared))
    ] == ["u1"]


def test_model_without_rules_has_no_hits_and_a_funnel_of_all(catalog):
    flagged = rule_flags(units(FULL), ())
    assert catalog.rows(rule_hits(units(FULL), flagged, ())) == []
    assert catalog.rows(funnel(flagged, ())) == [{"units": 1}]


def test_funnel_counts_hits_and_what_is_left_layer_by_layer(catalog):
    declared = [
        rule("n > 0", code="S1", layer=1),
        rule("n > 1", code="A1", layer=2),
        rule("n = 4", code="A2", layer=2),
        rule("n in (1, 3)", code="B1", layer=3),
    ]
    rows = [(f"u{n}", AS_OF, None, n, None, None, None, None) for n in range(5)]
    flagged = rule_flags(units(*rows), rules(*declared))
    assert catalog.rows(funnel(flagged, rules(*declared))) == [
        {
            "units": 5,
            "hit_1": 4,
            "left_1": 4,
            "hit_2": 3,
            "left_2": 3,
            "hit_3": 2,
            "left_3": 1,
        }
    ]
    nothing = rule_flags(units(), rules(*declared))
    assert set(catalog.rows(funnel(nothing, rules(*declared)))[0].values()) == {0}


def test_rules_read_features_of_real_units(catalog):
    declared = rule(
        "amount > 500 and kind = 'a'", reason={"en": "{amount}", "zh": "{kind}"}
    )
    loaded = model(rules=[declared])
    table = units_of(catalog, loaded, {"claims": [claim(1), claim(2, kind="b")]})
    hits = rule_hits(table, rule_flags(table, loaded.rules), loaded.rules)
    rows = catalog.rows(hits)
    assert [(r["unit_id"], r["reason_en"], r["reason_zh"]) for r in rows] == [
        ("c1", "1000", "a")
    ]
