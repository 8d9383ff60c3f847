"""The graph's numbers against networkx, and planted communities."""

import random
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.distances import counterparties, ties_between, ties_to_nearest
from features.graph import (
    Graph,
    communities,
    rarity,
    size_of,
)
from tests.features.tied import numbered

KINDS = ("claim", "person", "phone")
NODES = st.tuples(st.sampled_from(KINDS), st.sampled_from("abcde"))
EDGES = st.lists(st.tuples(NODES, NODES).filter(lambda e: e[0] != e[1]), max_size=30)
LIMITS = st.integers(2, 5)


def table(edges, sure=None) -> pa.Table:
    """Associations as the engine hands them over."""
    lefts, rights = [e[0] for e in edges], [e[1] for e in edges]
    text = pa.string()
    return pa.table(
        {
            "left_kind": pa.array([k for k, _ in lefts], text),
            "left": pa.array([v for _, v in lefts], text),
            "right_kind": pa.array([k for k, _ in rights], text),
            "right": pa.array([v for _, v in rights], text),
            "probability": pa.array(sure or [1.0] * len(edges), pa.float64()),
        }
    )


@dataclass(frozen=True)
class Named(Graph):
    """A graph that knows what its nodes are called, in the order of their numbers."""

    names: tuple[tuple[str, str], ...] = ()

    def number(self, kind: str, value: str) -> int:
        return self.names.index((kind, value))


def made(edges, limit=50, sure=None) -> Named:
    tables, found = numbered(table(edges, sure), dict.fromkeys(KINDS, limit))
    nodes = zip(
        *(tables["nodes"][n].to_pylist() for n in ("kind", "value")), strict=True
    )
    return Named(found.sizes, found.ties, found.is_hub, tuple(nodes))


def names(found: Named) -> list[tuple[str, str]]:
    return list(found.names)


def plain(edges, limit) -> tuple[nx.Graph, nx.Graph, set]:
    """networkx's graph, the same without the ties of hubs, and the hubs."""
    whole = nx.Graph(edges)
    hubs = {node for node, degree in whole.degree() if degree > limit}
    bridged = whole.copy()
    bridged.remove_edges_from(list(whole.edges(hubs)))
    return whole, bridged, hubs


def within(whole: nx.Graph, middle: set, left, right) -> float:
    """The fewest ties with nothing but `middle` between the ends."""
    inside = whole.subgraph(middle | {left, right})
    try:
        return float(nx.shortest_path_length(inside, left, right))
    except nx.NetworkXNoPath:
        return np.nan


@given(EDGES, LIMITS)
@settings(max_examples=60, deadline=None)
def test_degree_components_and_cores_agree_with_networkx(edges, limit):
    found = made(edges, limit)
    whole, bridged, hubs = plain(edges, limit)
    assert names(found) == sorted(whole.nodes)
    for number, node in enumerate(names(found)):
        assert found.degree[number] == whole.degree(node)
        assert found.is_hub[number] == (node in hubs)
        for kind in found.kinds:
            near = sum(other[0] == kind for other in whole[node])
            assert found.degree_towards(kind)[number] == near
        component = nx.node_connected_component(bridged, node)
        assert size_of(found.component)[number] == len(component)
        assert found.core_number[number] == nx.core_number(bridged)[node]
    parts = {frozenset(part) for part in nx.connected_components(bridged)}
    assert groups(found, found.component) == parts


def groups(found: Graph, labels) -> set[frozenset]:
    held: dict[int, set] = {}
    for node, label in zip(names(found), labels, strict=True):
        held.setdefault(int(label), set()).add(node)
    return {frozenset(part) for part in held.values()}


@given(EDGES, LIMITS)
@settings(max_examples=60, deadline=None)
def test_counterparties_are_the_same_kind_within_two_ties(edges, limit):
    found = made(edges, limit)
    whole, _, hubs = plain(edges, limit)
    span = found.span("person")
    nodes, persons = np.arange(span.start, span.stop), found.names[span]
    seen = {}
    for part, matrix in counterparties(found, nodes, "person"):
        for node, row in zip(nodes[part], matrix.toarray(), strict=True):
            seen[names(found)[node]] = {
                persons[number] for number in np.flatnonzero(row)
            }
    middle = set(whole.nodes) - hubs
    for node in (n for n in whole if n[0] == "person"):
        others = {n for n in whole if n[0] == "person" and n != node}
        near = {n for n in others if within(whole, middle, node, n) <= 2}
        assert seen[node] == near


@given(EDGES, LIMITS, st.sets(st.sampled_from(KINDS)), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_fewest_ties_agree_with_networkx(edges, limit, through, longest):
    found = made(edges, limit)
    whole, _, hubs = plain(edges, limit)
    middle = {node for node in whole if node[0] in through} - hubs
    pairs = np.array([(a, b) for a in range(found.size) for b in range(found.size)])
    left, right = pairs.reshape(-1, 2).T.astype(np.int64)
    got = ties_between(found, (left, right), found.of_kinds(through), longest)
    every = names(found)
    want = [
        within(whole, middle, every[a], every[b])
        for a, b in zip(left, right, strict=True)
    ]
    want = [ties if ties <= longest else np.nan for ties in want]
    np.testing.assert_array_equal(got, want)


@given(EDGES, LIMITS, st.sets(NODES), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_nearest_target_agrees_with_networkx(edges, limit, targets, longest):
    found = made(edges, limit)
    whole, _, hubs = plain(edges, limit)
    middle = {node for node in whole if node[0] != "claim"} - hubs
    marked = np.array([node in targets for node in names(found)], dtype=bool)
    through = found.of_kinds({"person", "phone"})
    got = ties_to_nearest(found, marked, through, longest)
    for number, node in enumerate(names(found)):
        ways = [within(whole, middle, node, t) for t in targets & set(whole)]
        fewest = min((way for way in ways if way <= longest), default=np.nan)
        assert got[number] == pytest.approx(fewest, nan_ok=True)


def persons(*pairs):
    return [(("person", f"{a:03d}"), ("person", f"{b:03d}")) for a, b in pairs]


def clique(first: int, size: int) -> list:
    inside = range(first, first + size)
    return persons(*((a, b) for a in inside for b in inside if a < b))


def test_close_groups_of_a_large_component_are_communities_and_small_ones_whole():
    joined = [clique(10 * n, 10) for n in range(6)]
    bridges = persons(*((10 * n, 10 * n + 10) for n in range(5)))
    small = [clique(100, 4), clique(110, 4), persons((100, 110))]
    found = made([edge for part in (*joined, bridges, *small) for edge in part])
    parts = groups(found, found.community)
    planted = [frozenset(end for edge in part for end in edge) for part in joined]
    assert parts == {
        *planted,
        frozenset(end for part in small for edge in part for end in edge),
    }
    assert found.community.tolist() == sorted(found.community)


def test_each_component_is_cut_where_its_own_modularity_is_best():
    """Judged together, the ring of the small component would be lost in the large."""
    rng = np.random.default_rng(5)
    large = persons(*((a, b) for a, b in rng.integers(100, 400, (900, 2)) if a != b))
    ring = [edge for n in range(12) for edge in clique(5 * n, 5)]
    ring += persons(*((5 * n, (5 * n + 5) % 60) for n in range(12)))
    alone, both = made(ring), made([*ring, *large])
    kept = {part for part in groups(both, both.community) if ("person", "000") in part}
    assert kept <= groups(alone, alone.community)
    network = nx.Graph(ring)
    weights = rarity(alone.degree)
    index = {node: number for number, node in enumerate(names(alone))}
    for a, b in network.edges:
        network[a][b]["weight"] = min(weights[index[a]], weights[index[b]])
    best = nx.community.louvain_communities(network, seed=1)
    ours = nx.community.modularity(network, groups(alone, alone.community))
    assert ours >= nx.community.modularity(network, best) - 1e-9


def test_rare_and_sure_ties_weigh_more():
    assert rarity(np.array([1, 9])) == pytest.approx([1 / np.log(2), 1 / np.log(10)])
    # A chain of two cliques and one node between them that goes where it is surer.
    edges = [*clique(0, 5), *clique(10, 5), *persons((0, 50), (10, 50))]
    for sure, side in (((0.9, 0.1), 0), ((0.1, 0.9), 10)):
        found = made(edges, sure=[1.0] * 20 + list(sure))
        labels = communities(found, small=5)
        between, first = (found.number("person", n) for n in ("050", f"{side:03d}"))
        assert labels[between] == labels[first]


def test_the_order_of_the_rows_and_earlier_random_numbers_change_nothing():
    rng = np.random.default_rng(2)
    edges = persons(*((a, b) for a, b in rng.integers(0, 200, (300, 2)) if a != b))
    first = made(edges)
    random.seed(1)
    state = random.getstate()
    turned = [(b, a) for a, b in (edges[n] for n in rng.permutation(len(edges)))]
    again = made([*turned, *turned[:50]])
    assert (first.ties != again.ties).nnz == 0
    assert len(set(first.community)) > len(set(first.component))
    np.testing.assert_array_equal(first.community, again.community)
    assert random.getstate() == state


def test_the_surest_of_several_sources_counts():
    edges = persons((1, 2), (2, 1), (1, 2), (2, 3))
    found = made(edges, sure=[0.5, 0.9, 0.7, 0.4])
    assert found.ties.toarray().max(axis=0).tolist() == [0.9, 0.9, 0.4]


def test_kinds_may_be_left_out():
    found = made([(("claim", "1"), ("person", "1")), (("person", "1"), ("phone", "x"))])
    some = found.among({"person", "phone"})
    assert some.degree.tolist() == [0, 1, 1]
    assert found.among(KINDS) is found


def test_cost_is_cut_into_chunks_that_keep_every_row(monkeypatch):
    rng = np.random.default_rng(4)
    edges = persons(*((a, b) for a, b in rng.integers(0, 80, (160, 2)) if a != b))
    found = made(edges, limit=6)
    pairs = tuple(rng.integers(0, found.size, (2, 500)))
    middle = np.ones(found.size, dtype=bool)
    whole = ties_between(found, pairs, middle, 6)
    near = [m.toarray() for _, m in counterparties(found, pairs[0], "person")]
    monkeypatch.setattr("features.distances.BUDGET", 40)
    np.testing.assert_array_equal(ties_between(found, pairs, middle, 6), whole)
    cut = [m.toarray() for _, m in counterparties(found, pairs[0], "person")]
    assert len(cut) > 10
    np.testing.assert_array_equal(np.concatenate(cut), np.concatenate(near))
