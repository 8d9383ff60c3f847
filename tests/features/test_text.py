"""Texts of units: whose they are, who else says the same, and what was known when."""

import pytest

from features.evidence import evidence
from features.matrix import enriched_units
from tests.factories import (
    CLAIMS,
    VISITS,
    claim,
    frame_of,
    known,
    model,
    problems,
    units_of,
    visit,
)

SOURCES = {
    "claims": {
        **CLAIMS,
        "columns": {**CLAIMS["columns"], "story": {"type": "string"}},
    },
    "visits": {
        **VISITS,
        "columns": {
            **VISITS["columns"],
            "said": {"type": "string"},
            "agent": {"type": "id"},
        },
    },
}
ENTITIES = {
    "person": {
        "from": [
            {"source": "claims", "id": "person", "role": "claimant"},
            {"source": "visits", "id": "person", "role": "patient"},
        ]
    },
    "agent": {"from": [{"source": "visits", "id": "agent", "role": "lawyer"}]},
}
STEP = {
    "of": "visits",
    "by": "claimant",
    "column": "said",
    "within": "agent",
    "named": "plea",
    "stats": ["near_duplicates", "within", "across", "similarity"],
}
STATS = [f"plea_{stat}" for stat in STEP["stats"]]
TEMPLATE = "原告的轿车在{}年{}月与对向来车相撞，修复需{}元，被告拒绝理赔，故诉至贵院。"
OTHER = "承租人拖欠租金已逾三个月，出租人依约解除合同并要求其搬离房屋。"


def plea(number, said=TEMPLATE, agent="a", **values):
    text = said and said.format(2010 + number, number, number * 1000)
    row = visit("2024-05-01", person=f"p{number}", said=text, agent=agent)
    return {**row, **values}


def claims(count):
    return [claim(n, person=f"p{n}") for n in range(1, count + 1)]


def found(catalog, data, **changes):
    step = {"text": {**STEP, **changes}}
    loaded = model(step, sources=SOURCES, entities=ENTITIES)
    got = frame_of(catalog, units_of(catalog, loaded, data))
    return got[[name for name in STATS if name in got]]


def rows_of(frame):
    return frame.astype(object).fillna("?").to_numpy().tolist()


def test_counts_others_within_the_agent_and_across_agents(catalog):
    visits = [
        plea(1),
        plea(2),
        plea(3, agent="b"),
        plea(4, agent=None),
        plea(5, OTHER),
        plea(6, None),
        plea(7, "？！"),
    ]
    got = rows_of(found(catalog, {"claims": claims(8), "visits": visits}))
    assert got == [
        [3, 1, 1, 1],
        [3, 1, 1, 1],
        [3, 0, 2, 1],  # the text without an agent counts as neither
        [3, "?", "?", 1],
        [0, 0, 0, 0],
        *[["?"] * 4] * 3,  # no text, no words, no row
    ]


def test_a_role_of_the_source_says_within_whom(catalog):
    data = {"claims": claims(3), "visits": [plea(1), plea(2), plea(3, agent="b")]}
    assert rows_of(found(catalog, data, within="lawyer")) == rows_of(
        found(catalog, data)
    )


@pytest.mark.parametrize(
    ("late", "wanted"),
    [
        (plea(2, posted="2024-07-02"), [0, 0, 0, 0]),
        (plea(2, posted="2024-07-01"), [1, 1, 0, 1]),
        (plea(1, OTHER, posted="2024-07-02"), [0, 0, 0, 0]),
    ],
)
def test_a_text_posted_later_changes_nothing(catalog, late, wanted):
    data = {"claims": claims(2), "visits": [plea(1), late]}
    assert rows_of(found(catalog, data))[0] == wanted


def test_the_latest_text_of_a_unit_counts_and_it_alone(catalog):
    visits = [
        plea(1, OTHER, posted="2024-05-02"),
        plea(1, posted="2024-05-09"),
        plea(2),
        plea(3, OTHER),
    ]
    got = rows_of(found(catalog, {"claims": claims(3), "visits": visits}))
    assert [row[0] for row in got] == [1, 1, 0]
    chosen = found(
        catalog, {"claims": claims(3), "visits": visits}, where="posted < '2024-05-05'"
    )
    assert [row[0] for row in rows_of(chosen)] == [1, 0, 1]


def test_a_shared_row_and_a_row_of_no_unit_are_nobodys_near_duplicate(catalog):
    twice = [claim(1, person="p1"), claim(2, person="p1"), claim(3, person=None)]
    got = rows_of(found(catalog, {"claims": twice, "visits": [plea(1), plea(9)]}))
    assert got == [[0, 0, 0, 0], [0, 0, 0, 0], ["?"] * 4]


def test_the_units_own_column_may_be_the_text(catalog):
    data = {
        "claims": [
            claim(1, story=TEMPLATE, kind="a"),
            claim(2, story=TEMPLATE, kind="b"),
            claim(3, story=OTHER),
        ]
    }
    own = {"of": "claims", "by": "claim_no", "column": "story", "within": "kind"}
    assert rows_of(found(catalog, data, **own)) == [
        [1, 0, 1, 1],
        [1, 0, 1, 1],
        [0, 0, 0, 0],
    ]


def test_what_is_asked_decides_what_is_alike(catalog):
    data = {
        "claims": claims(2),
        "visits": [plea(1, "胜利西路12号"), plea(2, "胜利西路388号")],
    }
    for changes, count in (
        ({"ngram": 2}, 1),
        ({"ngram": 2, "numbers": True}, 0),
        ({"min_length": 20}, "?"),
    ):
        asked = found(catalog, data, stats=["near_duplicates"], **changes)
        assert rows_of(asked) == [[count], [count]]


def test_the_row_of_the_text_stands_behind_the_unit(catalog):
    loaded = model({"text": STEP}, sources=SOURCES, entities=ENTITIES)
    held = known(catalog, loaded, {"claims": claims(2), "visits": [plea(1), plea(2)]})
    rows = catalog.rows(evidence(held, enriched_units(held, catalog)))
    shown = sorted((r["unit_id"], r["source"]) for r in rows)
    assert shown == [
        (f"c{n}", source) for n in (1, 2) for source in ("claims", "visits")
    ]


def test_dictionary_says_what_and_of_whom():
    step = {"text": STEP}
    columns = model(step, sources=SOURCES, entities=ENTITIES).known.features
    assert [column.name for column in columns] == STATS
    assert {column.unit for column in columns} == {"count", "share"}
    assert all("said" in column.meaning.zh for column in columns)
    assert "another agent" in columns[2].meaning.en


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"column": "sayd"}, "visits has no 'sayd'; did you mean 'said'?"),
        ({"column": "cost"}, "texts are compared; 'cost' is number"),
        (
            {"within": "agant"},
            "'agant' is no role or column of visits; did you mean 'agent'?",
        ),
        ({"of": "visit"}, "unknown source 'visit'; did you mean 'visits'?"),
        ({"by": "nobody"}, "'nobody' is no role or column of the unit"),
        ({"where": "cost + 1"}, "must be boolean, got a number"),
    ],
)
def test_a_slip_in_the_declaration_is_named(changes, message):
    told = problems({"text": {**STEP, **changes}}, sources=SOURCES, entities=ENTITIES)
    assert len(told) == 1
    assert message in told[0]
    assert told[0].startswith("features[0].text")


@pytest.mark.parametrize("change", [{"within": None}, {"similar": 0.1}, {"ngram": 0}])
def test_what_cannot_be_compared_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        model({"text": {**STEP, **change}}, sources=SOURCES, entities=ENTITIES)
