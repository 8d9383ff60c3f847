"""The matrix as a whole: nothing from the future, the same bytes twice, known columns."""

from datetime import datetime

import pandas as pd
import pytest

from configs.loading import load_model, model_names
from configs.settings import PACKAGE_MODELS
from features.evidence import evidence
from features.known import counted
from features.matrix import enriched_units, feature_matrix
from features.rules import rule_flags, rule_hits
from flows.bench import Bench
from flows.catalog import opened
from tests.factories import AS_OF, claim, known, model, rule, visit

HISTORY = {"of": "visits", "by": "claimant", "measures": {"n": "*", "total": "cost"}}
EVERY_FAMILY = (
    {"lookup": {"of": "visits", "by": "claimant", "take": {"last_cost": "cost"}}},
    {"coverage": {"by": "claimant", "sources": {"visits": "patient"}}},
    {"columns": ["amount"]},
    {"levels": ["kind"]},
    {"history": HISTORY},
    {"history": {**HISTORY, "named": "near", "anchor": "around", "windows": "400d"}},
    {
        "history": {
            **HISTORY,
            "of": "claims",
            "named": "own",
            "measures": {"n": "*", "total": "amount"},
        }
    },
    {"derive": {"cost_ratio": "last_cost / claimant_visits_total"}},
    {
        "peers": {
            "value": ["amount"],
            "within": "kind",
            "min_size": 2,
            "stat": ["robust_z", "percentile"],
        }
    },
)
RULES = (
    rule("own_n >= 1", code="S1", layer=1),
    rule(
        "claimant_visits_n >= 2",
        reason={"en": "{claimant_visits_n}", "zh": "{near_total_400d}"},
    ),
)


def outcome(catalog, data, as_of=AS_OF):
    """Features, flags, hits with their reasons, and evidence, as plain rows."""
    loaded = model(*EVERY_FAMILY, rules=RULES)
    found = known(catalog, loaded, data, as_of)
    units = enriched_units(found, catalog)
    flags = rule_flags(units, loaded.rules)
    hits = rule_hits(units, flags, loaded.rules).drop("as_of")
    tables = {
        "features": feature_matrix(units, loaded).drop("as_of").order_by("unit_id"),
        "flags": flags.drop("as_of").order_by("unit_id"),
        "hits": hits.order_by("unit_id", "code"),
        "evidence": evidence(found, units).order_by("unit_id", "source", "line"),
    }
    return {name: repr(catalog.rows(table)) for name, table in tables.items()}


def base_data():
    return {
        "claims": [claim(1), claim(2, person="p2", amount=50), claim(3, kind="b")],
        "visits": [
            visit("2024-05-01"),
            visit("2024-06-01", person="p2"),
            visit("2024-06-15"),
        ],
    }


LATE = {
    "claims": [
        claim(8, happened="2024-06-20", posted="2024-07-02"),
        claim(9, happened="2024-08-01", amount=10**6),
    ],
    "visits": [
        visit("2024-06-20", posted="2024-07-02", cost=10**6),
        visit("2024-08-01", cost=10**6),
        visit("2024-06-20", person="p2", posted="2024-07-01 00:00:01"),
    ],
}


@pytest.mark.parametrize("source", ["claims", "visits"])
def test_rows_not_yet_known_change_nothing_and_count_later(catalog, source):
    before = outcome(catalog, base_data())
    data = base_data()
    data[source] = data[source] + LATE[source]
    assert outcome(catalog, data) == before
    later = outcome(catalog, data, datetime(2024, 9, 1))
    assert all(later[name] != before[name] for name in ("features", "hits", "evidence"))


def test_a_row_known_at_the_very_moment_counts(catalog):
    data = base_data()
    data["visits"].append(visit("2024-06-20", posted="2024-07-01"))
    assert (
        outcome(catalog, data)["features"] != outcome(catalog, base_data())["features"]
    )


def test_what_is_left_out_of_a_register_changes_no_cell(catalog):
    data = base_data()
    data["visits"] += [visit("2024-06-02", person=f"q{n}", cost=n) for n in range(20)]
    loaded = model(*EVERY_FAMILY)
    whole = known(catalog, loaded, data)
    register = counted(whole, catalog)
    assert register.registers == {"visits"}
    matrices = [
        catalog.rows(
            feature_matrix(enriched_units(found, catalog), loaded).order_by("unit_id")
        )
        for found in (whole, register)
    ]
    assert repr(matrices[0]) == repr(matrices[1])


def test_two_runs_on_two_threads_give_the_same_bytes(tmp_path):
    """Sums of fractions in another order would move scores and reorder ties."""
    kinds = "abc"
    claims = [
        claim(n, person=f"p{n % 700}", amount=n % 97 / 7, kind=kinds[n % 3])
        for n in range(20_000)
    ]
    visits = [
        visit("2024-05-01", person=f"p{n % 700}", cost=n % 89 / 3)
        for n in range(20_000)
    ]
    written = []
    for run in range(2):
        with opened(tmp_path / str(run)) as catalog:
            catalog.fetch("SET threads = 2")
            loaded = model(*EVERY_FAMILY)
            found = known(catalog, loaded, {"claims": claims, "visits": visits})
            made = enriched_units(found, Bench(catalog))
            units = catalog.write(made, "units", ordered=False)
            catalog.write(feature_matrix(units, loaded).order_by("unit_id"), "matrix")
            written.append(catalog.path("matrix").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("name", model_names(PACKAGE_MODELS))
def test_vocabulary_and_matrix_agree_on_every_column(catalog, name):
    loaded = load_model(name, PACKAGE_MODELS)
    found = known(catalog, loaded, {})
    units = enriched_units(found, catalog)
    matrix = feature_matrix(units, loaded)
    features = [column.name for column in loaded.known.features]
    assert list(matrix.columns) == ["unit_id", "as_of", *features]
    assert set(loaded.known.columns) <= set(units.columns)
    hits = rule_hits(units, rule_flags(units, loaded.rules), loaded.rules)
    assert catalog.rows(hits) == []


def test_evidence_holds_the_own_row_and_at_most_ten_newest_of_a_source(catalog):
    days = [str(d)[:10] for d in pd.date_range("2024-01-01", periods=30)]
    data = {
        "claims": [claim(1), claim(2, person=None)],
        "visits": [visit(d) for d in days],
    }
    loaded = model({"history": HISTORY})
    found = known(catalog, loaded, data)
    rows = catalog.rows(evidence(found, enriched_units(found, catalog)))
    own = [
        (r["unit_id"], r["row_key"], r["line"]) for r in rows if r["source"] == "claims"
    ]
    assert sorted(own) == [("c1", "c1", 2), ("c2", "c2", 3)]
    linked = [r for r in rows if r["source"] == "visits"]
    assert sorted(r["line"] for r in linked) == list(range(22, 32))
    assert {r["unit_id"] for r in linked} == {"c1"}
    assert {r["department_zh"] for r in rows} == {"词"}
