"""What ties whom: one row per pair and source, and only what was known at the date."""

from datetime import datetime

import ibis
import numpy as np
import pytest

from configs.tables import ASSOCIATIONS, GRAPH_NODES, GRAPH_PAIRS, HUBS, NUMBERED
from features.associations import ORDER, Associated, associations
from features.contracts import ibis_schema
from features.graph import graph
from features.matrix import base_units, enriched_units
from tests.factories import BOTH, CLAIMS, VISITS, claim, known, model, visit
from tests.features.tied import numbered

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
    return named(catalog, associations(held, units, catalog))


def named(catalog, made):
    """The rows with kind and value of their ends, in their order."""
    rows = catalog.rows(made.named(made.rows).order_by(*ORDER))
    return [{name: row[name] for name in ASSOCIATIONS} for row in rows]


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
    made = associations(held, base_units(held), catalog)
    rows = made.named(made.rows).drop("left_node", "right_node")
    assert rows.schema() == ibis.schema(ibis_schema(ASSOCIATIONS))
    assert made.listed_hubs().schema() == ibis.schema(ibis_schema(HUBS))
    held_as = {"nodes": GRAPH_NODES, "rows": NUMBERED, "pairs": GRAPH_PAIRS}
    for name, contract in held_as.items():
        assert list(getattr(made, name).columns) == list(contract)


def test_the_kept_rows_stand_in_the_order_of_their_nodes(catalog):
    """Kinds are sorted one after the other; a file must be the same for every run."""
    people = [f"p{number * 7 % 100:02}" for number in range(100)]
    visits = [visit("2024-05-01", person=p, place=p[::-1]) for p in people]
    claims = [claim(number, person=p) for number, p in enumerate(people)]
    held = known(
        catalog, model(associations=TIES), {"claims": claims, "visits": visits}
    )
    made = Associated(held, catalog, catalog.write).made(base_units(held))
    rows = [tuple(row[name] for name in ORDER) for row in catalog.rows(made.rows)]
    assert len(rows) == 200
    assert rows == sorted(rows)


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
    rows = named(catalog, associations(held, units.mutate(_sure_person=sure), catalog))
    by_claim = {row["left"]: (row["right"], row["probability"]) for row in rows}
    assert by_claim == {"c1": ("e1", 0.96), "c2": ("e1", 1.0)}
    twice = [{**CLAIMS_OF, "with": {"person": ["claimant", "person"]}}]
    loaded = model(
        associations={"kinds": {"claim": KIND, "person": KIND}, "ties": twice}
    )
    again = known(catalog, loaded, {"claims": [claim(1)]})
    rows = named(catalog, associations(again, base_units(again), catalog))
    assert rows[0]["rows"] == 2


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
    rows = named(catalog, associated.made(units))
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
    made = associations(held, base_units(held), catalog)
    listed = catalog.rows(made.listed_hubs())
    assert listed == [
        {"kind": "place", "value": "x", "degree": 4, "limit": 2},
        {"kind": "place", "value": "y", "degree": 3, "limit": 2},
    ]
    hubs = catalog.rows(made.hubs.inner_join(made.nodes, "node").order_by("node"))
    assert [hub["value"] for hub in hubs] == ["x", "y"]


@pytest.mark.parametrize("rows", [0, 3])
def test_a_graph_is_made_of_any_number_of_ties(catalog, rows):
    claims = [claim(number) for number in range(rows)]
    held = known(catalog, model(associations=TIES), {"claims": claims})
    made = associations(held, base_units(held), catalog)
    whole = graph(catalog.arrow(made.pairs), np.array([], int), made.sizes)
    assert whole.size == rows + (rows > 0)
    assert whole.degree.tolist() == [1] * rows + [rows] * (rows > 0)
    assert catalog.rows(made.of_kind("person"))[:] == [
        {"node": rows, "value": "p1"} for _ in range(rows > 0)
    ]


def test_the_engines_numbers_are_those_of_sorted_nodes(catalog):
    """Values in the order of their bytes, whatever letters they are made of."""
    values = ["p2", "p10", "P3", "王芳", "é", "p", "~0a", " x"]
    visits = [
        visit("2024-05-01", person=person, place=place)
        for at, person in enumerate(values)
        for place in values[at % 3 :: 3]
    ]
    claims = [claim(n, person=values[n % 8]) for n in range(12)]
    kinds = {**TIES["kinds"], "place": {**KIND, "hub": 2}}
    loaded = model(associations={**TIES, "kinds": kinds})
    held = known(catalog, loaded, {"visits": visits, "claims": claims})
    made = associations(held, base_units(held), catalog)
    rows = catalog.arrow(made.named(made.rows)).select(list(ASSOCIATIONS))
    tables, _ = numbered(rows, loaded.spec.associations.limits)
    for name, wanted in tables.items():
        found = catalog.arrow(getattr(made, name)).select(wanted.column_names)
        order = [(n, "ascending") for n in wanted.column_names]
        assert found.cast(wanted.schema).sort_by(order).equals(wanted.sort_by(order))
    assert made.sizes == {"claim": 12, "person": 8, "place": 8}
