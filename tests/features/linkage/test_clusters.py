"""Records to entities: plain components, what may never be one, what persons judged."""

from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.network import LinkSpec
from features.linkage import names
from features.linkage.candidates import Judgement, pairs_of
from features.linkage.clusters import (
    DIFFERENT,
    SAME,
    UNJUDGED,
    Clusters,
    Pairs,
    Records,
    accepted,
    clusters,
)
from features.linkage.doubts import MOST
from features.linkage.names import RECORD

SPEC = LinkSpec(accept=0.95, review=0.5, max_records=4)
Scored = Mapping[tuple[int, int], tuple[float, int]]  # pair -> probability, verdict
ONE_PERSON, TWO = ({0, 1, 2},), ({0, 1}, {2})


def records(size: int, keys: Mapping[int, int], unique: Mapping[int, int]) -> Records:
    codes = np.full((2, size), -1, np.int64)
    for row, known in enumerate((keys, unique)):
        codes[row, list(known)] = list(known.values())
    return Records(*codes)


def pairs(known: Records, scored: Scored) -> Pairs:
    ends = np.array(sorted(scored), np.int64).reshape(-1, 2)
    told = np.array([scored[pair] for pair in sorted(scored)], float).reshape(-1, 2)
    left, right = ends.T
    by_key = (known.keys[left] >= 0) & (known.keys[left] == known.keys[right])
    rule = np.zeros(len(ends), np.int64)
    return Pairs(left, right, told[:, 0], by_key, told[:, 1].astype(np.int8), rule)


def grouped(found: Clusters) -> set[frozenset[int]]:
    return {
        frozenset(np.flatnonzero(found.labels == label).tolist())
        for label in found.labels
    }


def found(
    size: int,
    scored: Mapping[tuple[int, int], float],
    judged: Mapping[tuple[int, int], int] | None = None,
    keys: Mapping[int, int] | None = None,
    unique: Mapping[int, int] | None = None,
) -> Clusters:
    known = records(size, keys or {}, unique or {})
    verdicts = judged or {}
    told = {
        pair: (scored.get(pair, 0.0), verdicts.get(pair, UNJUDGED))
        for pair in {**scored, **verdicts}
    }
    return clusters(known, pairs(known, told), SPEC)


def sets(*groups: set[int]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


def test_a_pair_is_taken_by_score_by_key_unless_all_speaks_against_it_or_by_judgement():
    known = records(7, {0: 1, 1: 1, 2: 1}, {})
    told: Scored = {
        (0, 1): (0.5, UNJUDGED),  # one key
        (0, 2): (0.49, UNJUDGED),  # one key, but all else differs
        (3, 4): (0.95, UNJUDGED),
        (3, 5): (0.94, UNJUDGED),
        (4, 5): (0.0, SAME),
        (5, 6): (1.0, DIFFERENT),
    }
    taken = accepted(pairs(known, told), SPEC)
    assert taken.tolist() == [True, False, True, False, True, False]


def test_nothing_at_all_and_records_without_links_stand_alone():
    assert grouped(found(0, {})) == set()
    assert grouped(found(2, {})) == sets({0}, {1})
    assert found(2, {}).flags == {}


def test_a_record_between_two_identifiers_goes_to_the_more_probable_one():
    both = {(0, 1): 0.97, (1, 2): 0.99}
    split = found(3, both, keys={0: 0, 2: 1})
    assert grouped(split) == sets({0}, {1, 2})
    assert split.flags == {}


def test_a_flagged_cluster_keeps_links_by_key_alone():
    worst = found(5, {(n, n + 1): 0.99 for n in range(4)} | {(0, 4): 0.99})
    assert grouped(worst) == sets(*({n} for n in range(5)))
    assert list(worst.flags.values()) == ["5 different records (limit 4)"]
    kept = found(
        6, {(n, n + 1): 0.99 for n in range(5)}, keys=dict.fromkeys((0, 1, 5), 7)
    )
    assert grouped(kept) == sets({0, 1}, {2}, {3}, {4}, {5})


def test_only_the_records_of_a_flagged_cluster_are_flagged():
    """Best links cut {0, 1} off; the five others stay too many."""
    ring = {(n, n + 1): 0.98 for n in range(2, 6)}
    split = found(7, {(0, 1): 0.999, (1, 2): 0.96} | ring)
    assert grouped(split) == sets({0, 1}, *({n} for n in range(2, 7)))
    flagged = {n for n in range(7) if int(split.found[n]) in split.flags}
    assert flagged == set(range(2, 7))


def test_two_rows_of_a_register_that_lists_each_once_are_never_one():
    split = found(3, {(0, 2): 0.99, (1, 2): 0.97}, unique={0: 5, 1: 5})
    assert grouped(split) == sets({0}, {1}, {2})
    assert "records of one register" in "".join(split.flags.values())


def test_two_judged_different_are_cut_where_they_hang_together_most_weakly():
    links = {(0, 1): 0.99, (1, 2): 0.96}
    assert grouped(found(3, links)) == sets(*ONE_PERSON)
    assert grouped(found(3, links, {(0, 2): DIFFERENT})) == sets(*TWO)
    assert grouped(found(3, {**links, (0, 2): 1.0}, {(0, 2): DIFFERENT})) == sets(*TWO)
    assert found(3, links, {(0, 2): DIFFERENT}).flags == {}


def test_one_number_that_two_people_bear_is_parted_by_judgement_at_the_looser_record():
    links = {(0, 1): 0.7, (1, 2): 0.99, (0, 2): 0.99}
    split = found(3, links, {(0, 2): DIFFERENT}, keys={0: 0, 1: 0})
    assert grouped(split) == sets(*TWO)


def test_a_word_that_two_differ_outweighs_a_chain_of_words_that_they_are_one():
    judged = {(0, 1): SAME, (1, 2): SAME, (0, 2): DIFFERENT}
    split = found(3, {(0, 1): 0.9}, judged)
    assert grouped(split) in (sets({0, 1}, {2}), sets({0}, {1, 2}))
    assert split.used.sum() == 1


def test_who_is_judged_one_person_may_have_two_identifiers_and_keeps_other_links():
    links = {(0, 1): 0.99, (2, 3): 0.99}
    one = found(4, links, {(0, 2): SAME}, keys={0: 0, 2: 1})
    assert grouped(one) == sets({0, 1, 2, 3})
    assert one.flags == {}


def test_a_register_may_list_twice_whom_a_person_judged_one():
    one = found(3, {(0, 2): 0.99}, {(0, 1): SAME}, unique={0: 5, 1: 5})
    assert grouped(one) == sets({0, 1, 2})
    assert one.flags == {}


NUMBER = st.integers(0, 8)
PAIR = st.tuples(NUMBER, NUMBER).filter(lambda pair: pair[0] < pair[1])
PROBABILITY = st.sampled_from([0.2, 0.5, 0.94, 0.95, 0.96, 0.97, 0.99, 1.0])
VERDICT = st.sampled_from([UNJUDGED, UNJUDGED, UNJUDGED, SAME, DIFFERENT])
SCORED = st.dictionaries(PAIR, st.tuples(PROBABILITY, VERDICT), max_size=20)
CODES = st.lists(st.integers(-1, 2), min_size=9, max_size=9)
most = settings(max_examples=300, deadline=None)


def comparable(keys: list[int], unique: list[int], scored: Scored) -> Scored:
    """Who cannot be one is never scored, but may have been judged."""

    def apart(a: int, b: int) -> bool:
        one_row = unique[a] == unique[b] != -1
        return one_row or (keys[a] != keys[b] and -1 not in (keys[a], keys[b]))

    return {
        (a, b): (0.0 if apart(a, b) else p, verdict)
        for (a, b), (p, verdict) in scored.items()
        if verdict or not apart(a, b)
    }


@given(scored=SCORED)
@most
def test_without_conflicts_entities_are_the_components(scored):
    told = {pair: (p, UNJUDGED) for pair, (p, _) in scored.items()}
    known = records(9, {}, {})
    split = clusters(known, pairs(known, told), LinkSpec(max_records=9))
    graph = nx.Graph([pair for pair, (p, _) in told.items() if p >= 0.95])
    graph.add_nodes_from(range(9))
    assert grouped(split) == {frozenset(c) for c in nx.connected_components(graph)}
    assert split.flags == {}


@given(keys=CODES, unique=CODES, scored=SCORED)
@most
def test_who_cannot_be_one_never_is_and_who_was_judged_one_always(keys, unique, scored):
    told = comparable(keys, unique, scored)
    known = Records(np.array(keys, np.int64), np.array(unique, np.int64))
    made = pairs(known, told)
    split = clusters(known, made, SPEC)

    used = nx.Graph(zip(made.left[split.used], made.right[split.used], strict=True))
    used.add_nodes_from(range(9))
    assert grouped(split) == {frozenset(c) for c in nx.connected_components(used)}
    judged_same = nx.Graph([pair for pair, (_, v) in told.items() if v == SAME])
    judged_same.add_nodes_from(range(9))
    different = [pair for pair, (_, v) in told.items() if v == DIFFERENT]
    for a, b in different:
        assert split.labels[a] != split.labels[b]
    for members in nx.connected_components(judged_same):
        if not any({a, b} <= members for a, b in different):
            assert len({int(split.labels[n]) for n in members}) == 1
    same_key = nx.Graph(judged_same)
    same_key.add_edges_from((n, f"key {keys[n]}") for n in range(9) if keys[n] >= 0)
    for members in grouped(split):
        identified = [n for n in members if keys[n] >= 0]
        for a in identified:
            assert nx.has_path(same_key, a, identified[0])


@given(keys=CODES, unique=CODES, scored=SCORED)
@most
def test_what_looks_over_merged_is_flagged_and_holds_firm_links_alone(
    keys, unique, scored
):
    told = comparable(keys, unique, scored)
    known = Records(np.array(keys, np.int64), np.array(unique, np.int64))
    made = pairs(known, told)
    split = clusters(known, made, SPEC)
    firm = made.by_key | (made.judged == SAME)
    flagged = np.isin(split.found[made.left], list(split.flags))
    assert firm[split.used & flagged].all()
    for members in grouped(split):
        rows = [unique[n] for n in members if unique[n] >= 0]
        many = len(members) > SPEC.max_records
        inside = np.isin(made.left, list(members)) & split.used
        if many or (len(rows) > len(set(rows)) and not (made.judged == SAME).any()):
            assert firm[inside].all()


@given(keys=CODES, unique=CODES, scored=SCORED)
@settings(max_examples=200, deadline=None)
def test_entities_are_what_the_used_links_hold_together(keys, unique, scored):
    """Only clusters that are wrong are looked at again; the others must stay whole."""
    told = comparable(keys, unique, scored)
    known = Records(np.array(keys, np.int64), np.array(unique, np.int64))
    made = pairs(known, told)
    split = clusters(known, made, SPEC)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(keys)))
    ends = zip(made.left[split.used], made.right[split.used], strict=True)
    graph.add_edges_from((int(left), int(right)) for left, right in ends)
    assert grouped(split) == {frozenset(c) for c in nx.connected_components(graph)}


def numbered(size: int) -> pa.Table:
    texts = pa.array([f"r{n}" for n in range(size)], pa.string())
    return pa.table({RECORD: texts, names.NUMBER: np.arange(size)})


def scored_table(told: Scored, order: Sequence[int]) -> pa.Table:
    ends = sorted(told)
    rows = [(*ends[n], told[ends[n]][0], 0) for n in order]
    columns = ("left", "right", "probability", "rule")
    types = (pa.int64(), pa.int64(), pa.float64(), pa.int64())
    return pa.table(
        {
            name: pa.array([row[n] for row in rows], kind)
            for n, (name, kind) in enumerate(zip(columns, types, strict=True))
        }
    )


def doubted(*most: tuple[int, int, float]) -> pa.Table:
    """Pairs that get at most a probability."""
    columns = ("left", "right", MOST)
    types = (pa.int64(), pa.int64(), pa.float64())
    return pa.table(
        {
            name: pa.array([row[n] for row in most], kind)
            for n, (name, kind) in enumerate(zip(columns, types, strict=True))
        }
    )


@given(keys=CODES, scored=SCORED, data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_order_of_pairs_and_judgements_does_not_matter(keys, scored, data):
    told = comparable(keys, [-1] * 9, scored)
    known = Records(np.array(keys, np.int64), np.full(9, -1, np.int64))
    words = [
        Judgement(f"r{a}", f"r{b}", v == SAME) for (a, b), (_, v) in told.items() if v
    ]
    turned = [Judgement(w.right, w.left, w.same) for w in words]
    order = data.draw(st.permutations(range(len(told))))
    most = doubted(*((*ends, 0.3) for ends in sorted(told)[::3]))
    first = pairs_of(
        numbered(9), scored_table(told, range(len(told))), most, known, 0.1, words
    )
    ends = zip(first.left.tolist(), first.right.tolist(), strict=True)
    capped = [pair in sorted(told)[::3] for pair in ends]
    assert (first.probability[capped] <= 0.3).all()
    second = pairs_of(
        numbered(9),
        scored_table(told, order),
        most,
        known,
        0.1,
        data.draw(st.permutations(turned)),
    )
    one, other = clusters(known, first, SPEC), clusters(known, second, SPEC)
    assert grouped(one) == grouped(other)
    assert one.used.tolist() == other.used.tolist()


def test_a_judgement_on_a_record_that_is_not_there_is_left_alone():
    known = records(2, {}, {})
    words = [Judgement("r0", "gone", True), Judgement("r1", "r0", True)]
    made = pairs_of(numbered(2), scored_table({}, []), doubted(), known, 0.1, words)
    assert (made.left.tolist(), made.right.tolist()) == ([0], [1])
    assert made.judged.tolist() == [SAME]


@pytest.mark.parametrize("verdict", [True, False])
def test_the_last_of_two_judgements_on_a_pair_holds(verdict):
    known = records(2, {}, {})
    words = [Judgement("r0", "r1", not verdict), Judgement("r1", "r0", verdict)]
    made = pairs_of(numbered(2), scored_table({}, []), doubted(), known, 0.1, words)
    assert made.judged.tolist() == [SAME if verdict else DIFFERENT]
