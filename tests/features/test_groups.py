"""Planted rings in random noise, and what must not become a ring."""

import time

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from configs.network import GroupsSpec
from features.association_tables import association_tables
from features.groups import Groups, find_groups, log_evidence
from tests.features.tied import (
    Tied,
    associations,
    ranked,
    tied,
    tied_from,
    units_of,
)

UNITS, RINGS, RING_SIZE = 2_000, 4, 12
SPEC = GroupsSpec()


def unit(number: int) -> str:
    return f"c{number:04}"


def ring_members(ring: int) -> list[str]:
    """Of each ring the members are spread over the suspects."""
    return [unit(number) for number in range(ring, RINGS * RING_SIZE, RINGS)]


def world(seed: int) -> tuple[list, list[str]]:
    """Ties of noise and rings, and the units by rank: rings first, with some noise.

    Every claim has a person and a telephone of few claims, a company and an agent (a
    telephone, too) of many; the claims of a ring take turns at three persons, and share
    company and agent with some of the noise, which has the two at random.
    """
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(UNITS):
        in_ring = number < RINGS * RING_SIZE
        ring, turn = number % RINGS, number // RINGS % 3
        person = f"r{ring}-{turn}" if in_ring else f"p{rng.integers(900)}"
        company = ring if in_ring else rng.integers(40)
        claim = ("claim", unit(number))
        pairs.append((claim, ("person", person)))
        pairs.append((claim, ("phone", f"t{rng.integers(1_200)}")))
        pairs.append((claim, ("company", f"k{company}")))
        agent = ring if in_ring else rng.integers(40)
        pairs.append((claim, ("phone", f"a{agent}")))
        if in_ring:
            pairs.append((("person", person), ("company", f"k{ring}")))
    noise = [unit(number) for number in range(RINGS * RING_SIZE, UNITS)]
    rng.shuffle(noise)
    first = [unit(number) for number in range(RINGS * RING_SIZE)] + noise[:15]
    rng.shuffle(first)
    return pairs, first + noise[15:]


def grouped(found: Tied, order: list[str], spec: GroupsSpec = SPEC) -> list[set[str]]:
    """The members of each group, by rank."""
    scores = units_of(found, ranked(order))
    return members_of(scores, find_groups(found.graph, "claim", scores, spec))


def members_of(scores: pa.Table, groups: Groups) -> list[set[str]]:
    names = dict(
        zip(*(scores[n].to_pylist() for n in ("node", "unit_id")), strict=True)
    )
    lists: list[set[str]] = [set() for _ in range(groups.count)]
    for node, group in zip(groups.members, groups.group, strict=True):
        lists[group].add(names[node])
    return lists


@pytest.mark.parametrize("seed", range(3))
def test_planted_rings_come_first_and_whole(seed):
    pairs, order = world(seed)
    first = grouped(tied(pairs), order)[:RINGS]
    for ring in range(RINGS):
        members = set(ring_members(ring))
        found = max(first, key=lambda group: len(group & members))
        assert len(found & members) >= 0.9 * RING_SIZE
        assert len(found - members) <= 0.25 * len(found)


def test_without_rarity_the_same_rings_drown_in_their_companies():
    pairs, order = world(0)
    found = tied(pairs)

    def flat(units):
        return np.ones(len(units))

    scores = units_of(found, ranked(order))
    groups = find_groups(found.graph, "claim", scores, SPEC, flat)
    share = [
        max(len(g & set(ring_members(r))) / len(g) for g in members_of(scores, groups))
        for r in range(RINGS)
    ]
    assert min(share) < 0.75


def test_a_busy_honest_shop_is_no_group():
    pairs, order = world(0)
    busy = [unit(number) for number in range(1_000, 1_400)]
    pairs += [(("claim", name), ("company", "busy")) for name in busy]
    found = grouped(tied(pairs), order)
    assert all(len(group & set(busy)) < 5 for group in found[: RINGS + 5])


def test_what_a_group_is_does_not_depend_on_the_order_of_rows():
    pairs, order = world(1)
    rows = associations(pairs)
    found = tied_from(rows)
    shuffled = rows.take(pa.array(np.random.default_rng(5).permutation(len(rows))))
    scores = units_of(found, ranked(order))
    mixed = scores.take(pa.array(np.random.default_rng(6).permutation(len(scores))))
    one = find_groups(found.graph, "claim", scores, SPEC)
    other = find_groups(tied_from(shuffled).graph, "claim", mixed, SPEC)
    for field in ("members", "group", "evidence"):
        assert np.array_equal(getattr(one, field), getattr(other, field))


def test_a_hub_of_200_000_rows_ties_nobody_and_costs_little():
    names = [f"c{number:06}" for number in range(200_000)]
    few = associations([(("claim", name), ("person", "p")) for name in names[:6]])
    hub = associations([(("claim", names[0]), ("company", "all"))])
    hub = hub.take(pa.array(np.zeros(len(names), dtype=int)))
    hub = hub.set_column(1, "left", pa.array(names))
    found = tied_from(pa.concat_tables([hub, few]))
    scores = units_of(found, ranked(names))
    started = time.process_time()
    groups = find_groups(found.graph, "claim", scores, GroupsSpec(suspects=1))
    assert members_of(scores, groups) == [set(names[:6])]
    assert time.process_time() - started < 5


def test_a_clique_that_nothing_splits_keeps_its_most_suspect():
    names = [unit(number) for number in range(60)]
    pairs = [(("claim", name), ("person", "p")) for name in names]
    pairs += [(("claim", name), ("phone", "t")) for name in names]
    spec = GroupsSpec(suspects=1, max_size=10)
    assert grouped(tied(pairs), names, spec) == [set(names[:10])]


def test_two_claims_are_tied_by_a_rare_point_or_by_two_common_ones():
    def of(points: list[tuple[str, int]]) -> int:
        """Groups of three claims that share points of so many claims each."""
        pairs = [
            (("claim", unit(number)), (kind, "x"))
            for kind, units in points
            for number in range(units)
        ]
        names = [unit(number) for number in range(max(units for _, units in points))]
        return len(grouped(tied(pairs), names, GroupsSpec(suspects=3.5 / len(names))))

    assert of([("person", 10)]) == 1
    assert of([("person", 11)]) == 0
    assert of([("company", 100)]) == 0
    assert of([("company", 100), ("phone", 90)]) == 1


def test_units_that_are_tied_to_each_other_belong_together():
    names = [unit(number) for number in range(4)]
    pairs = [(("claim", names[0]), ("claim", name)) for name in names[1:]]
    found = tied(pairs)
    assert grouped(found, names, GroupsSpec(suspects=1)) == [set(names)]


def test_evidence_is_the_tail_of_a_gamma_variable():
    total, members = np.array([0.5, 3.0, 40.0, 3000.0]), np.array([1, 3, 12, 100])
    found = log_evidence(total, members)
    expected = -stats.gamma.logsf(total[:3], members[:3])
    assert found[:3] == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(found[3])
    assert found[3] > 2000


def test_evidence_of_random_suspects_is_uniform():
    rng = np.random.default_rng(3)
    total = -np.log(rng.uniform(size=(4_000, 8))).sum(axis=1)
    levels = np.exp(-log_evidence(total, np.full(4_000, 8)))
    assert stats.kstest(levels, "uniform").pvalue > 0.01


def test_no_associations_make_no_groups():
    found = tied([])
    units, none = units_of(found, ranked([])), np.array([], dtype=np.int64)
    empty = association_tables(found, units, lambda _: hits_of([]), none, SPEC)
    assert {name: table.num_rows for name, table in empty.items()} == {
        "groups": 0,
        "group_members": 0,
        "group_ties": 0,
        "paths": 0,
    }


def hits_of(rows) -> pa.Table:
    schema = pa.schema(
        {"unit_id": pa.string(), "code": pa.string(), "layer": pa.int64()}
    )
    keys = ("unit_id", "code", "layer")
    return pa.Table.from_pylist(
        [dict(zip(keys, row, strict=True)) for row in rows], schema
    )
