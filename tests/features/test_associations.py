"""What ties whom: one row per pair and source, and only what was known at the date."""

from datetime import datetime

import ibis
import pytest

from configs.network import AssociationsSpec
from configs.tables import ASSOCIATIONS, HUBS
from features.associations import ORDER, Associated, associations, hubs
from features.contracts import ibis_schema
from features.matrix import base_units, enriched_units
from tests.factories import BOTH, CLAIMS, VISITS, claim, known, model, visit

KIND = {"title": BOTH}
CLAIMS_OF = {"source": "claims", "of": {"claim": "claim_no"}}
TIES = {
    "kinds": {"claim": KIND, "person": KIND, "place": KIND},
    "ties": [
        {**CLAIMS_OF, "with": {"person": "claimant"}},
        {"source": "visits", "of": {"person": "patient"}, "with": {"place": "place"}},
    ],
}


def found(catalog, data, as_of=None, ties=TIES, **changes):
    """The associations of the tiny model as sorted dictionaries."""
    loaded = model(associations=ties, **changes)
    given = (as_of,) if as_of else ()
    held = known(catalog, loaded, data, *given)
    units = catalog.keep(base_units(held), "units")
    return catalog.rows(associations(held, units).order_by(ORDER))


def pairs(rows):
    return [(row["left"], row["right"]) for row in rows]


def test_a_row_says_who_is_tied_since_when_and_by_how_many_rows(catalog):
    visits = [
        visit("2024-05-01", place="x", posted="2024-05-09"),
        visit("2024-05-03", place="x", posted="2024-05-04"),
        visit("2024-05-02", place="y"),
    ]
    rows = found(catalog, {"claims": [claim(1)], "visits": visits})
    assert pairs(rows) == [("c1", "p1"), ("p1", "x"), ("p1", "y")]
    assert rows[1] == {
        "left_kind": "person",
        "left": "p1",
        "right_kind": "place",
        "right": "x",
        "source": "visits",
        "row_key": "visits.csv:3",
        "rows": 2,
        "event_at": datetime(2024, 5, 3),
        "known_at": datetime(2024, 5, 4),
        "probability": 1.0,
    }
    assert rows[0]["row_key"] == "c1"


def test_the_table_keeps_its_contract(catalog):
    loaded = model(associations=TIES)
    held = known(catalog, loaded, {"claims": [claim(1)]})
    table = associations(held, base_units(held))
    wanted = ibis.schema(ibis_schema(ASSOCIATIONS))
    assert table.schema() == wanted
    listed = hubs(table, loaded.spec.associations)
    assert listed.schema() == ibis.schema(ibis_schema(HUBS))


def test_rows_posted_later_tie_nobody(catalog):
    late = visit("2024-01-01", place="x", posted="2024-07-02")
    data = {"claims": [claim(1), claim(2, posted="2024-07-02")], "visits": [late]}
    assert pairs(found(catalog, data)) == [("c1", "p1")]
    assert len(found(catalog, data, datetime(2024, 7, 2))) == 3


def test_unknown_and_invalid_ends_tie_nobody(catalog):
    people = {"type": "person_id"}
    claims = {**CLAIMS, "columns": {**CLAIMS["columns"], "person": people}}
    good, bad = "11010519491231002X", "110105194912310021"
    data = {
        "claims": [
            claim(1, person=good),
            claim(2, person=bad),
            claim(3, person=None),
        ]
    }
    rows = found(catalog, data, sources={"claims": claims, "visits": VISITS})
    assert pairs(rows) == [("c1", good)]


def test_people_of_one_kind_are_tied_once_in_either_order_and_never_to_themselves(
    catalog,
):
    columns = {**VISITS["columns"], "nurse": {"type": "id"}}
    roles = [
        {"source": "claims", "id": "person", "role": "claimant"},
        {"source": "visits", "id": "person", "role": "patient"},
        {"source": "visits", "id": "nurse", "role": "nurse"},
    ]
    tie = {"source": "visits", "of": {"person": "patient"}, "with": {"person": "nurse"}}
    rows = found(
        catalog,
        {
            "visits": [
                visit("2024-05-01", person="b", nurse="a"),
                visit("2024-05-02", person="a", nurse="b"),
                visit("2024-05-03", person="a", nurse="a"),
                visit("2024-05-03", person="a", nurse=None),
            ]
        },
        ties={"kinds": {"person": KIND}, "ties": [tie]},
        sources={"claims": CLAIMS, "visits": {**VISITS, "columns": columns}},
        entities={"person": {"from": roles}},
    )
    assert pairs(rows) == [("a", "b")]
    assert rows[0]["rows"] == 2


def test_where_leaves_rows_out_and_a_source_without_dates_is_known_for_ever(catalog):
    plain = {k: v for k, v in VISITS.items() if k not in ("at", "known_at")}
    tie = {**TIES["ties"][1], "where": "cost > 5"}
    visits = [
        visit("2024-05-01", place="x", cost=9),
        visit("2024-05-01", place="y", cost=1),
    ]
    rows = found(
        catalog,
        {"visits": visits},
        ties={"kinds": {"person": KIND, "place": KIND}, "ties": [tie]},
        sources={"claims": CLAIMS, "visits": plain},
    )
    assert pairs(rows) == [("p1", "x")]
    assert rows[0]["known_at"] is None
    assert rows[0]["row_key"] == "visits.csv:2"


def test_probability_is_that_of_both_ends_in_the_surest_row(catalog):
    held = known(catalog, model(associations=TIES), {"claims": [claim(1), claim(2)]})
    units = base_units(held).mutate(_key_person=ibis.literal("e1"))
    sure = ibis.cases((units["claim_no"] == "c1", 0.96), else_=ibis.null("float64"))
    rows = catalog.rows(associations(held, units.mutate(_sure_person=sure)))
    by_claim = {row["left"]: (row["right"], row["probability"]) for row in rows}
    assert by_claim == {"c1": ("e1", 0.96), "c2": ("e1", 1.0)}
    twice = [{**CLAIMS_OF, "with": {"person": ["claimant", "person"]}}]
    loaded = model(
        associations={"kinds": {"claim": KIND, "person": KIND}, "ties": twice}
    )
    again = known(catalog, loaded, {"claims": [claim(1)]})
    assert catalog.rows(associations(again, base_units(again)))[0]["rows"] == 2


def test_ties_use_derived_columns_of_the_units(catalog):
    tie = {**CLAIMS_OF, "with": {"person": "who"}}
    loaded = model(
        {"derive": {"who": {"expression": "coalesce(person, kind)", "feature": False}}},
        associations={"kinds": {"claim": KIND, "person": KIND}, "ties": [tie]},
    )
    held = known(
        catalog, loaded, {"claims": [claim(1), claim(2, person=None, kind="b")]}
    )
    associated = Associated(held, catalog)
    units = enriched_units(held, catalog, associated)
    rows = catalog.rows(associated.table(units).order_by(ORDER))
    assert pairs(rows) == [("c1", "p1"), ("c2", "b")]


def test_hubs_are_listed_by_their_neighbours_the_largest_first(catalog):
    visits = [
        visit("2024-05-01", person=f"p{person}", place=place)
        for place, people in (("x", 4), ("y", 3), ("z", 2))
        for person in range(people)
        for _ in range(2)
    ]
    kinds = {**TIES["kinds"], "place": {**KIND, "hub": 2}}
    loaded = model(associations={**TIES, "kinds": kinds})
    held = known(catalog, loaded, {"visits": visits})
    table = catalog.keep(associations(held, base_units(held)), "tied")
    listed = catalog.rows(hubs(table, AssociationsSpec(**{**TIES, "kinds": kinds})))
    assert listed == [
        {"kind": "place", "value": "x", "degree": 4, "limit": 2},
        {"kind": "place", "value": "y", "degree": 3, "limit": 2},
    ]
    graph = Associated(held, catalog).graph(base_units(held))
    flagged = graph.is_hub.nonzero()[0]
    assert sorted(graph.degree[flagged]) == [3, 4]


@pytest.mark.parametrize("rows", [0, 3])
def test_a_graph_is_made_of_any_number_of_ties(catalog, rows):
    claims = [claim(number) for number in range(rows)]
    held = known(catalog, model(associations=TIES), {"claims": claims})
    graph = Associated(held, catalog).graph(base_units(held))
    assert graph.size == rows + (rows > 0)
    assert graph.nodes("person", graph.values[1]).tolist() == [3] * (rows > 0)
