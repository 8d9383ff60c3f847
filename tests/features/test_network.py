"""Features of the graph: planted ties, hubs, and what a unit must not know yet."""

import time
from datetime import datetime

import numpy as np
import pytest

from features.distances import counterparties, ties_between
from tests.factories import BOTH, CLAIMS, claim, frame_of, model, units_of
from tests.features.test_graph import made

KIND = {"title": BOTH}
PERSONS = {"title": BOTH, "hub": 50}
FINDINGS = {
    "table": "findings",
    "title": BOTH,
    "department": BOTH,
    "known_at": "posted",
    "columns": {
        "claim_no": {"type": "id"},
        "person": {"type": "id"},
        "outcome": {"type": "string"},
        "posted": {"type": "timestamp"},
    },
}
REGISTER = {
    "table": "register",
    "title": BOTH,
    "department": BOTH,
    "known_at": "posted",
    "columns": {
        "company": {"type": "id"},
        "boss": {"type": "id"},
        "phone": {"type": "id"},
        "kind": {"type": "string"},
        "posted": {"type": "timestamp"},
    },
}
CLAIMS_WITH = {
    **CLAIMS,
    "columns": {
        **CLAIMS["columns"],
        "phone": {"type": "id"},
        "shop": {"type": "id"},
    },
}
ENTITIES = {
    "claim": {
        "from": [
            {"source": "claims", "id": "claim_no", "role": "claim"},
            {"source": "findings", "id": "claim_no", "role": "claim"},
        ]
    },
    "person": {
        "from": [
            {"source": "claims", "id": "person", "role": "claimant"},
            {"source": "findings", "id": "person", "role": "accused"},
            {"source": "register", "id": "boss", "role": "boss"},
        ]
    },
}
TIES = {
    "kinds": {"claim": KIND, "person": PERSONS, "phone": KIND, "shop": KIND},
    "ties": [
        {
            "source": "claims",
            "of": {"claim": "claim"},
            "with": {"person": "claimant", "shop": "shop"},
        },
        {"source": "claims", "of": {"person": "claimant"}, "with": {"phone": "phone"}},
        {
            "source": "register",
            "of": {"shop": "company"},
            "with": {"person": "boss", "phone": "phone"},
        },
    ],
}
STATS = ["degree", "counterparties", "component_size", "community_size", "core_number"]
NETWORK = {"network": {"of": "claimant", "kind": "person", "stats": STATS}}
PATH = {
    "from": {"person": "claimant"},
    "to": {"shop": "shop"},
    "through": ["person", "phone", "shop"],
    "named": "staff",
}
CONFIRMED = {"source": "findings", "by": "accused", "where": "outcome = 'fraud'"}
SHARE = {
    "of": "claimant",
    "kind": "person",
    "stats": "confirmed_share",
    "confirmed": CONFIRMED,
}


def found(catalog, data, *features, as_of=None, ties=TIES):
    sources = {"claims": CLAIMS_WITH, "findings": FINDINGS, "register": REGISTER}
    loaded = model(*features, sources=sources, entities=ENTITIES, associations=ties)
    given = (as_of,) if as_of else ()
    return frame_of(catalog, units_of(catalog, loaded, data, *given))


def finding(person, **values):
    return {"person": person, "outcome": "fraud", "posted": "2024-06-01", **values}


def company(name, **values):
    return {"company": name, "posted": "2024-01-01", **values}


def ring(*people, shop="s1", first=1):
    """One claim of each person at one shop."""
    return [claim(n, person=p, shop=shop) for n, p in enumerate(people, first)]


def numbers(frame, column):
    return frame[column].fillna(-1).tolist()


def test_planted_ties_are_counted(catalog):
    claims = [
        claim(1, person="a", phone="t1"),
        claim(2, person="b", phone="t1"),
        claim(3, person="b", phone="t2"),
        claim(4, person="c", phone="t3"),
        claim(5, person=None, phone="t1"),
    ]
    frame = found(catalog, {"claims": claims}, NETWORK)
    assert numbers(frame, "claimant_degree_claim") == [1, 2, 2, 1, -1]
    assert numbers(frame, "claimant_degree_phone") == [1, 2, 2, 1, -1]
    assert numbers(frame, "claimant_degree_shop") == [0, 0, 0, 0, -1]
    assert numbers(frame, "claimant_counterparties") == [1, 1, 1, 0, -1]
    assert numbers(frame, "claimant_component_size") == [7, 7, 7, 3, -1]
    assert numbers(frame, "claimant_community_size") == [7, 7, 7, 3, -1]
    assert numbers(frame, "claimant_core_number") == [1, 1, 1, 1, -1]


def test_a_known_node_without_ties_stands_alone(catalog):
    step = {"of": "shop", "kind": "shop", "stats": STATS, "through": "person"}
    frame = found(catalog, {"claims": ring("a")}, {"network": step})
    values = {n.removeprefix("shop_"): v for n, v in frame.loc["c1"].items()}
    assert {name: values[name] for name in [*STATS[1:], "degree_person"]} == {
        "counterparties": 0,
        "component_size": 1,
        "community_size": 1,
        "core_number": 0,
        "degree_person": 0,
    }
    assert "shop_degree_claim" not in frame


def test_through_leaves_the_other_kinds_out(catalog):
    claims = [
        claim(1, person="a", phone="t", shop="s"),
        claim(2, person="b", phone="t"),
    ]
    claims.append(claim(3, person="c", shop="s"))
    through = {**NETWORK["network"], "through": "phone", "named": "by_phone"}
    frame = found(catalog, {"claims": claims}, NETWORK, {"network": through})
    assert numbers(frame, "claimant_component_size") == [8, 8, 8]
    assert numbers(frame, "by_phone_component_size") == [3, 3, 1]
    assert numbers(frame, "by_phone_counterparties") == [1, 1, 0]


def test_a_hub_ties_nobody_together_and_keeps_its_degree(catalog):
    ties = {**TIES, "kinds": {**TIES["kinds"], "shop": {**KIND, "hub": 2}}}
    shop = {"of": "shop", "kind": "shop", "stats": STATS}
    people = {
        **PATH,
        "to": {"shop": "shop"},
        "through": ["claim", "phone"],
        "longest": 1,
    }
    data = {"claims": [*ring("a", "b", "c"), *ring("d", "e", shop="s2", first=4)]}
    frame = found(
        catalog, data, NETWORK, {"network": shop}, {"path": people}, ties=ties
    )
    assert numbers(frame, "claimant_component_size") == [2, 2, 2, 5, 5]
    assert numbers(frame, "shop_degree_claim") == [3, 3, 3, 2, 2]
    assert numbers(frame, "shop_component_size") == [1, 1, 1, 5, 5]


def test_a_hub_of_200_000_rows_costs_nothing_quadratic(catalog):
    """All pairs of its rows would be 20 billion."""
    edges = [(("person", f"p{n}"), ("phone", "hub")) for n in range(200_000)]
    graph = made([*edges, (("person", "p0"), ("phone", "x"))])
    began = time.process_time()
    span = graph.span("person")
    people = np.arange(span.start, span.stop)
    assert sum(near.nnz for _, near in counterparties(graph, people, "person")) == 0
    hub = np.full(len(people), graph.number("phone", "hub"))
    anything = np.ones(graph.size, dtype=bool)
    assert (ties_between(graph, (people, hub), anything, 4) == 1).all()
    assert (graph.component[people[1:]] != graph.component[people[0]]).all()
    assert time.process_time() - began < 20


def test_confirmed_share_counts_others_within_two_ties(catalog):
    claims = [
        claim(1, person="a", phone="t"),
        claim(2, person="b", phone="t"),
        claim(3, person="c", phone="t"),
        claim(4, person="d", phone="u"),
        claim(5, person=None, phone="t"),
    ]
    findings = [finding("b"), finding("c", outcome="cleared"), finding("x")]
    data = {"claims": claims, "findings": findings}
    frame = found(catalog, data, {"network": SHARE})
    assert numbers(frame, "claimant_confirmed_share") == [0.5, 0, 0.5, -1, -1]


def test_a_confirmation_posted_later_changes_nothing(catalog):
    claims = [claim(1, person="a", phone="t"), claim(2, person="b", phone="t")]
    late = finding("b", posted="2024-07-02")
    near = {**PATH, "to": CONFIRMED, "named": "near"}
    steps = {"network": SHARE}, {"path": near}
    data = {"claims": claims, "findings": [late]}
    without = found(catalog, {"claims": claims}, *steps)
    assert found(catalog, data, *steps).equals(without)
    later = found(catalog, data, *steps, as_of=datetime(2024, 7, 2))
    assert numbers(later, "claimant_confirmed_share") == [1, 0]
    assert numbers(later, "near_ties") == [2, 0]


def test_a_tie_posted_later_changes_nothing(catalog):
    claims = [claim(1, person="a", shop="s"), claim(2, person="b")]
    late = claim(3, person="b", shop="s", posted="2024-07-02")
    owner = company("s", boss="b", posted="2024-07-02")
    steps = NETWORK, {"path": PATH}
    without = found(catalog, {"claims": claims}, *steps)
    with_late = found(catalog, {"claims": [*claims, late], "register": [owner]}, *steps)
    assert with_late.equals(without)


def test_the_units_own_confirmation_never_counts(catalog):
    """Each accuses two people; the first claim alone names b, both name c."""
    claims = [
        claim(1, person="a", phone="t"),
        claim(2, person="d", phone="t"),
        claim(3, person="b", phone="t"),
        claim(4, person="c", phone="t"),
        claim(5, person="e", phone="v"),
    ]
    findings = [
        finding("b", claim_no="c1"),
        finding("c", claim_no="c1"),
        finding("c", claim_no="c2"),
        finding("a", claim_no="c1"),
        finding("e", claim_no="c5"),
    ]
    near = {**PATH, "to": CONFIRMED, "named": "near"}
    data = {"claims": claims, "findings": findings}
    frame = found(catalog, data, {"network": SHARE}, {"path": near})
    # c1: of b, c, d only c; c2: of a, b, c all; c3: a and c of a, c, d.
    want = [1 / 3, 1, 2 / 3, 2 / 3, -1]
    assert numbers(frame, "claimant_confirmed_share") == pytest.approx(want)
    assert numbers(frame, "near_ties") == [2, 2, 0, 0, -1]


def test_own_rows_of_the_units_source_are_own_confirmations(catalog):
    confirmed = {"source": "claims", "by": "claimant", "where": "hurt"}
    share = {**SHARE, "confirmed": confirmed}
    near = {**PATH, "to": confirmed, "named": "near"}
    claims = [
        claim(1, person="a", phone="t", hurt="是"),
        claim(2, person="b", phone="t", hurt="否"),
        claim(3, person="b", phone="t", hurt="是"),
    ]
    frame = found(catalog, {"claims": claims}, {"network": share}, {"path": near})
    assert numbers(frame, "claimant_confirmed_share") == [1, 1, 1]
    assert numbers(frame, "near_ties") == [2, 0, 2]


def test_marks_of_many_units_are_told_apart(catalog):
    """Every unit confirms its own claimant alone; the nearest other is what counts."""
    people = [f"p{n:02d}" for n in range(11)]
    claims = [claim(n, person=p, phone=f"t{n // 2}") for n, p in enumerate(people)]
    findings = [finding(p, claim_no=f"c{n}") for n, p in enumerate(people)]
    near = {**PATH, "to": CONFIRMED, "named": "near"}
    data = {"claims": claims, "findings": findings}
    frame = found(catalog, data, {"path": near})
    alone = f"c{len(people) - 1}"
    assert (frame["near_ties"].drop(alone) == 2).all()
    assert np.isnan(frame.loc[alone, "near_ties"])


def test_paths_say_how_close_two_ends_are(catalog):
    claims = [
        claim(1, person="a", shop="s"),  # owns it
        claim(2, person="b", shop="s", phone="t"),  # shares its phone
        claim(3, person="c", shop="s", phone="u"),  # shares a phone with its owner
        claim(4, person="a", shop="r", phone="u"),
        claim(5, person="d", shop="s"),  # only a claim
        claim(6, person="e", shop=None),
        claim(7, person="f", shop="nowhere"),
    ]
    data = {"claims": claims, "register": [company("s", boss="a", phone="t")]}
    frame = found(catalog, data, {"path": PATH})
    assert numbers(frame, "staff_ties") == [1, 2, 3, -1, -1, -1, -1]
    third = 1 / 3
    assert numbers(frame, "staff_closeness") == [1, 0.5, third, 0, 0, -1, 0]
    short = found(catalog, data, {"path": {**PATH, "longest": 2}})
    assert numbers(short, "staff_ties") == [1, 2, -1, -1, -1, -1, -1]


def test_paths_lead_to_the_nearest_marked_node(catalog):
    to = {"source": "register", "by": "boss", "where": "kind = 'garage'"}
    claims = [
        claim(1, person="a"),  # is one
        claim(2, person="b", phone="t"),  # shares the phone of the garage of one
        claim(3, person="c", phone="u"),
        claim(4, person=None),
        claim(5, person="z"),  # is one, and nothing ties it
    ]
    register = [
        company("s", boss="a", phone="t", kind="garage"),
        company("r", boss="x", phone="u", kind="bakery"),
        company(None, boss="z", kind="garage"),
    ]
    data = {"claims": claims, "register": register}
    frame = found(catalog, data, {"path": {**PATH, "to": to, "named": "garage"}})
    assert numbers(frame, "garage_ties") == [0, 3, -1, -1, 0]
    third = 1 / 3
    assert numbers(frame, "garage_closeness") == [1, third, 0, -1, 1]


def test_both_ends_of_a_path_may_be_the_same_node(catalog):
    path = {"from": {"person": "claimant"}, "to": {"person": "shop"}, "named": "same"}
    ties = {
        "kinds": {"person": KIND, "phone": KIND},
        "ties": [
            {"source": "register", "of": {"person": "boss"}, "with": {"phone": "phone"}}
        ],
    }
    claims = [claim(1, person="a", shop="a"), claim(2, person="a", shop="b")]
    step = {"path": {**path, "through": "phone"}}
    frame = found(catalog, {"claims": claims}, step, ties=ties)
    assert numbers(frame, "same_ties") == [0, -1]
    assert numbers(frame, "same_closeness") == [1, 0]


def test_ties_are_no_feature_and_closeness_is(catalog):
    loaded = model(
        {"path": PATH},
        sources={"claims": CLAIMS_WITH, "findings": FINDINGS, "register": REGISTER},
        entities=ENTITIES,
        associations=TIES,
    )
    assert [column.name for column in loaded.known.features] == ["staff_closeness"]
    assert loaded.known.columns["staff_ties"].unit == "count"


def test_the_same_rows_in_another_order_give_the_same_features(catalog):
    rng = np.random.default_rng(3)
    claims = [
        claim(n, person=f"p{rng.integers(40)}", phone=f"t{rng.integers(30)}")
        for n in range(90)
    ]
    shuffled = [claims[n] for n in rng.permutation(len(claims))]
    first = found(catalog, {"claims": claims}, NETWORK)
    again = found(catalog, {"claims": shuffled}, NETWORK)
    names = [name for name in first if name.startswith("claimant_")]
    assert first[names].equals(again[names])
    assert (first["claimant_community_size"] < first["claimant_component_size"]).any()
