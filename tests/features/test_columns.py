"""Levels, derived columns, lookups and coverage flags."""

import pytest

from tests.factories import (
    CLAIMS,
    VISITS,
    claim,
    frame_of,
    model,
    problems,
    units_of,
    visit,
)


def found(catalog, data, *features):
    return frame_of(catalog, units_of(catalog, model(*features), data))


def test_lookup_takes_the_latest_or_earliest_known_row(catalog):
    visits = [
        visit("2024-01-01", cost=1),
        visit("2024-05-01", cost=2, posted="2024-04-01"),
        visit("2024-04-01", cost=3, posted="2024-06-01"),
        visit("2024-05-01", cost=4, posted="2999-01-01"),
    ]
    lookup = {"of": "visits", "by": "claimant"}
    data = {"claims": [claim(1), claim(2, person="p2")], "visits": visits}
    got = found(
        catalog,
        data,
        {"lookup": {**lookup, "take": {"newest": "cost"}}},
        {"lookup": {**lookup, "take": {"oldest": "cost"}, "pick": "earliest"}},
        {"lookup": {**lookup, "where": "cost < 3", "take": {"small": "cost"}}},
    )
    assert got.loc["c1", ["newest", "oldest", "small"]].tolist() == [3, 1, 2]
    assert got.loc["c2", ["newest", "oldest", "small"]].isna().all()


def test_lookup_breaks_ties_by_file_and_line(catalog):
    rows = [visit("2024-05-01", cost=n, _line=9 - n) for n in (1, 2, 3)]
    lookup = {"of": "visits", "by": "claimant", "take": {"seen": "cost"}}
    got = found(catalog, {"claims": [claim(1)], "visits": rows}, {"lookup": lookup})
    assert got["seen"].tolist() == [3]


def test_several_units_share_a_looked_up_row_and_none_is_lost_or_repeated(catalog):
    data = {
        "claims": [claim(n, person=p) for n, p in enumerate(("p1", "p1", None, "p2"))],
        "visits": [visit("2024-05-01", place="x"), visit("2024-05-02", place="y")],
    }
    lookup = {"of": "visits", "by": "claimant", "take": {"seen": "place"}}
    got = found(catalog, data, {"lookup": lookup})
    assert got.index.tolist() == ["c0", "c1", "c2", "c3"]
    assert got["seen"].fillna("?").tolist() == ["y", "y", "?", "?"]


def test_columns_named_like_sql_words_and_python_words_work(catalog):
    names = ("order", "group", "select", "all", "user", "count")
    derive = {name: f"amount + {i}" for i, name in enumerate(names)}
    total = {"total": " + ".join(f'"{name}"' for name in names)}
    got = found(catalog, {"claims": [claim(1, amount=0)]}, {"derive": derive | total})
    assert got["total"].tolist() == [15]


def test_derived_columns_use_earlier_ones_and_steps_are_no_features(catalog):
    step = {"expression": "amount * 2", "feature": False}
    loaded = model({"derive": {"twice": step, "thrice": "twice + amount"}})
    assert [column.name for column in loaded.known.features] == ["thrice"]
    got = frame_of(catalog, units_of(catalog, loaded, {"claims": [claim(1)]}))
    assert got["thrice"].tolist() == [3000]


def test_levels_are_unknown_where_the_category_is(catalog):
    rows = [claim(1, kind="a"), claim(2, kind="b"), claim(3, kind="")]
    got = found(catalog, {"claims": rows}, {"levels": ["kind"]})
    assert [str(x) for x in got["kind_is_a"]] == ["True", "False", "None"]
    assert [str(x) for x in got["kind_is_c"]] == ["False", "False", "None"]


def test_coverage_says_whether_a_known_row_exists(catalog):
    data = {
        "claims": [claim(1), claim(2, person="p2"), claim(3, person=None)],
        "visits": [
            visit("2024-05-01"),
            visit("2024-05-01"),
            visit("2024-05-01", person="p2", posted="2999-01-01"),
        ],
    }
    step = {"by": "claimant", "sources": {"visits": "patient"}}
    got = found(catalog, data, {"coverage": step})
    assert got["coverage_visits"].tolist() == [True, False, False]


def test_an_empty_delivery_builds_every_family(catalog):
    history = {"of": "visits", "by": "claimant", "measures": {"n": "*"}}
    got = found(
        catalog,
        {},
        {"levels": ["kind"]},
        {"lookup": {"of": "visits", "by": "claimant", "take": {"seen": "cost"}}},
        {"history": history},
        {"history": {**history, "anchor": "around", "windows": "9d"}},
        {"coverage": {"by": "claimant", "sources": {"visits": "patient"}}},
        {"derive": {"twice": "amount * 2"}},
        {
            "peers": {
                "value": "amount",
                "within": "kind",
                "stat": ["robust_z", "percentile"],
            }
        },
    )
    assert got.empty


CLASHES = {
    "derived like a source column": (
        [{"derive": {"amount": "1 + 1"}}],
        "'amount' exists already (source)",
    ),
    "history like a source column": (
        [
            {"derive": {"x_n": "amount"}},
            {
                "history": {
                    "of": "visits",
                    "by": "claimant",
                    "named": "x",
                    "measures": {"n": "*"},
                }
            },
        ],
        "'x_n' exists already (derive)",
    ),
    "the same window twice": (
        [
            {
                "history": {
                    "of": "visits",
                    "by": "claimant",
                    "windows": ["9d", "9d"],
                    "measures": {"n": "*"},
                }
            }
        ],
        "'claimant_visits_n_9d' exists already (history)",
    ),
    "twice a feature": (
        [{"columns": ["amount", "amount"]}],
        "'amount' exists already (columns)",
    ),
    "our own name": (
        [{"derive": {"as_of": "amount"}}],
        "'as_of' is Leadline's own column",
    ),
    "protected": (
        [{"derive": {"x": "length(sex)"}}],
        "'sex' is protected or excluded by privacy and never scored",
    ),
    "protected level": (
        [{"levels": ["sex"]}],
        "'sex' is protected or excluded by privacy and never scored",
    ),
    "typo": (
        [{"columns": ["amuont"]}],
        "unknown name 'amuont'; did you mean 'amount'?",
    ),
    "text as a number": (
        [{"columns": ["kind"]}],
        "'kind' is text; use levels or derive",
    ),
    "text feature": ([{"derive": {"x": "kind"}}], "a feature is a number, got a text"),
    "peers of text": (
        [{"peers": {"value": "kind", "within": "kind"}}],
        "peers compare numbers; 'kind' is text",
    ),
    "levels of nothing": (
        [{"levels": ["person"]}],
        "'person' declares no values to make levels of",
    ),
}


@pytest.mark.parametrize(("features", "message"), CLASHES.values(), ids=CLASHES)
def test_clashing_and_impossible_columns_are_refused(features, message):
    assert any(text.endswith(message) for text in problems(*features))


def test_names_that_differ_only_in_capitals_are_refused():
    """An engine would take `kind_is_A` and `kind_is_a` for one column."""
    kind = {"type": "category", "values": ["a", "A"]}
    claims = {**CLAIMS, "columns": {**CLAIMS["columns"], "kind": kind}}
    found = problems({"levels": ["kind"]}, sources={"claims": claims, "visits": VISITS})
    assert found == ["features[0].levels: 'kind_is_A' exists already (levels)"]
