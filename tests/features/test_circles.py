"""Circles of payments against networkx and plain enumeration."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.builders import circles
from features.builders.circles import Payments, flow_stats

STATS = ("reciprocity", "circle_size", "circle_share", "round_trip_share", "hub_share")
PARTY = st.integers(0, 8)
AMOUNT = st.sampled_from([0.5, 1.0, 3.0, 1e9])
EDGES = st.dictionaries(
    st.tuples(PARTY, PARTY).filter(lambda pair: pair[0] != pair[1]), AMOUNT, max_size=40
)
PARTIES = 9


def payments(edges: dict[tuple[int, int], float]) -> Payments:
    ends = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)
    amount = np.array([edges[pair] for pair in sorted(edges)], dtype=np.float64)
    return Payments(ends[:, 0], ends[:, 1], amount, PARTIES)


def expected(edges: dict[tuple[int, int], float], hub: int) -> dict[str, list[float]]:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(PARTIES))
    graph.add_weighted_edges_from((a, b, x) for (a, b), x in edges.items())
    hubs = {n for n in graph if len({*graph.succ[n], *graph.pred[n]}) > hub}
    calm = graph.copy()
    calm.remove_edges_from([e for e in graph.edges if {*e} & hubs])
    circle = {
        n: members
        for members in nx.strongly_connected_components(calm)
        for n in members
    }
    rows = [_one(graph, calm, circle, hubs, party) for party in range(PARTIES)]
    return {stat: [row[stat] for row in rows] for stat in STATS}


def _one(graph, calm, circle, hubs, party) -> dict[str, float]:
    paid = {b: graph[party][b]["weight"] for b in graph.succ[party]}
    out = sum(paid.values())

    def share(part: float) -> float:
        return part / out if out else np.nan

    def weight(a: int, b: int) -> float:
        return calm[a][b]["weight"] if calm.has_edge(a, b) else 0.0

    back = sum(
        min(x, graph[b][party]["weight"])
        for b, x in paid.items()
        if graph.has_edge(b, party)
    )
    trips = sum(
        min(
            weight(party, b),
            weight(b, party)
            + sum(min(weight(b, c), weight(c, party)) for c in calm if c != party),
        )
        for b in calm.succ[party]
    )
    income = sum(weight(b, party) for b in circle[party])
    inside = sum(weight(party, b) for b in circle[party])
    left_out = sum(x for b, x in paid.items() if {party, b} & hubs)
    is_hub = party in hubs
    return {
        "reciprocity": share(back),
        "circle_size": np.nan if is_hub else len(circle[party]),
        "circle_share": np.nan if is_hub else share(inside),
        "round_trip_share": np.nan if is_hub else share(min(trips, income)),
        "hub_share": share(left_out),
    }


@settings(max_examples=150, deadline=None)
@given(edges=EDGES, hub=st.sampled_from([2, 4, 100]))
def test_every_statistic_agrees_with_plain_enumeration(edges, hub):
    got = flow_stats(payments(edges), STATS, hub)
    for stat, want in expected(edges, hub).items():
        assert got[stat].tolist() == pytest.approx(want, nan_ok=True), stat


@settings(max_examples=50, deadline=None)
@given(edges=EDGES, wedges=st.integers(1, 5))
def test_every_circle_of_three_is_found_once_however_the_work_is_cut(edges, wedges):
    want = {
        frozenset([(a, b), (b, c), (c, a)])
        for a, b, c in permutations(range(PARTIES), 3)
        if {(a, b), (b, c), (c, a)} <= edges.keys()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circles, "_WEDGES_AT_ONCE", wedges)
        found = payments(edges)
        got = [
            frozenset((int(found.payer[e]), int(found.payee[e])) for e in trio)
            for sides in circles._triangles(found)
            for trio in zip(*sides, strict=True)
        ]
    assert len(got) == len(want)
    assert set(got) == want


def test_what_goes_round_cannot_come_back_more_often_than_it_comes_in():
    """Ten payees hand on to one who returns 1: only that 1 came back."""
    edges = {(0, n): 1.0 for n in range(1, 8)} | {(n, 8): 1.0 for n in range(1, 8)}
    got = flow_stats(payments({**edges, (8, 0): 1.0}), STATS, 100)
    assert got["circle_size"].tolist() == [9.0] * 9
    assert got["circle_share"][0] == 1.0
    assert got["round_trip_share"][0] == pytest.approx(1 / 7)


def test_a_bank_that_deals_with_all_makes_no_circle_of_them():
    bank = {(0, n): 5.0 for n in range(1, 9)} | {(n, 0): 5.0 for n in range(1, 9)}
    edges = {**bank, (1, 2): 5.0, (2, 3): 5.0, (3, 1): 5.0}
    got = flow_stats(payments(edges), STATS, 4)
    assert got["circle_size"].tolist()[1:] == [3.0] * 3 + [1.0] * 5
    assert got["circle_share"].tolist()[1:] == [0.5] * 3 + [0.0] * 5
    assert got["hub_share"].tolist() == [1.0] + [0.5] * 3 + [1.0] * 5
    assert np.isnan(got["circle_size"][0])
    assert flow_stats(payments(edges), STATS, 100)["circle_size"].tolist() == [9.0] * 9
