"""Confirmed leads fall into the classes that were planted, named by what they share."""

import numpy as np
import pandas as pd
import pytest

from configs.errors import LeadlineError
from tests.training.planted import CODES, HONEST, INFLATED, STAGED, Planted, planted
from training.classes import Classes, case_numbers, find_classes
from training.conditions import Condition
from training.likeness import Likeness
from training.traits import (
    Members,
    naming,
    over_represented,
    usual_traits,
)

EQUAL = dict.fromkeys(CODES, 0.5)


@pytest.fixture(scope="module")
def world() -> Planted:
    return planted()


def classes_of(world: Planted, rows: np.ndarray, cases: np.ndarray) -> Classes:
    likeness = Likeness(world.families, EQUAL).fit(world.numbers, world.facts.flags)
    traits = likeness.traits(world.numbers.iloc[rows], world.facts.flags.iloc[rows])
    return find_classes(traits, cases)


def confirmed(world: Planted, honest: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Both methods and a few leads like nobody; rings as planted."""
    rows = np.concatenate([np.arange(48), np.arange(1000, 1000 + honest)])
    names = pd.Series(world.ring[rows]).replace("", None)
    return rows, case_numbers([names])


def test_each_planted_method_is_one_class(world):
    rows, cases = confirmed(world)
    found = classes_of(world, rows, cases)
    methods = [set(world.method[rows[c.rows]]) for c in found.classes[:2]]
    assert sorted(map(tuple, methods)) == [(INFLATED,), (STAGED,)]
    assert all(len(c.rows) >= 20 for c in found.classes[:2])


def test_a_ring_is_one_case_and_alone_no_class(world):
    rows = np.arange(12)  # three rings of four
    by_ring = classes_of(world, rows, np.repeat([0, 1, 2], 4))
    assert [c.case_count for c in by_ring.classes] == [3]
    one_ring = classes_of(world, rows, np.zeros(12, dtype=np.intp))
    assert one_ring.classes == ()
    assert one_ring.single.tolist() == list(range(12))


def test_a_lead_like_no_other_stays_a_single_case(world):
    rows = np.concatenate([world.rows(INFLATED)[:8], [2_000]])
    found = classes_of(world, rows, np.arange(9))
    assert 8 in found.single


def test_the_order_of_the_leads_does_not_matter(world):
    rows, cases = confirmed(world)
    order = np.random.default_rng(0).permutation(len(rows))
    first = classes_of(world, rows, cases)
    other = classes_of(world, rows[order], cases[order])
    named = [
        {frozenset(rows[c.rows].tolist()) for c in first.classes},
        {frozenset(rows[order][c.rows].tolist()) for c in other.classes},
    ]
    assert named[0] == named[1]


@pytest.mark.parametrize("leads", [0, 1, 2])
def test_few_leads_are_no_class(world, leads):
    found = classes_of(world, np.arange(1000, 1000 + leads), np.arange(leads))
    assert found.classes == ()
    assert len(found.single) == leads


def test_too_many_leads_are_refused_with_the_limit(world, monkeypatch):
    monkeypatch.setattr("training.classes.MOST_LEADS", 5)
    with pytest.raises(LeadlineError, match="at most 5"):
        classes_of(world, np.arange(6), np.arange(6))


def test_the_centre_is_a_member_that_is_like_the_others(world):
    rows, cases = confirmed(world)
    found = classes_of(world, rows, cases)
    for members in found.classes:
        assert found.centre(members) in members.rows


def test_leads_that_share_a_ring_in_any_run_are_one_case():
    now = pd.Series(["G1", "G1", None, None, "G2"])
    then = pd.Series([None, "r1", "r1", None, None])
    cases = case_numbers([now, then])
    assert cases[0] == cases[1] == cases[2]
    assert len(set(cases.tolist())) == 3


def traits_of(world: Planted, members: Members):
    conditions = usual_traits(world.facts, world.columns)
    return over_represented([members], world.facts, conditions)[0]


def test_the_name_of_a_class_is_what_was_planted(world):
    rows = world.rows(INFLATED)
    members = Members(rows, np.arange(len(rows)) // 4)
    found = traits_of(world, members)
    named = {t.condition.name for t in naming(found, world.facts)}
    assert named <= {"ratio", "is_litigated", "near_duplicates", "V2"}
    assert len(named) == 3
    assert not {t.condition.name for t in found} & {"noise_a", "noise_b"}


def test_a_trait_reports_cases_shares_and_a_shrunk_ratio(world):
    rows = world.rows(INFLATED)
    found = traits_of(world, Members(rows, np.arange(24) // 4))
    trait = next(t for t in found if t.condition == Condition("is_litigated", "is"))
    everywhere = float(world.facts.columns["is_litigated"].mean())
    assert (trait.cases, trait.share) == (6, 1.0)
    assert trait.population == pytest.approx(everywhere)
    assert trait.ratio == pytest.approx((6.5 / 7) / ((everywhere * 3000 + 0.5) / 3001))
    assert trait.p < 0.05


def test_one_ring_is_no_evidence_however_many_leads_it_has(world):
    rows = world.rows(INFLATED)
    ring = traits_of(world, Members(rows, np.zeros(24, dtype=np.intp)))
    cases = traits_of(world, Members(rows, np.arange(24)))
    assert len(ring) < len(cases)
    assert all(t.p > other.p for t in ring for other in cases[:1])


def test_a_class_drawn_at_random_has_hardly_a_trait(world):
    rows = np.flatnonzero(world.method == HONEST)[::120][:20]
    found = traits_of(world, Members(rows, np.arange(len(rows))))
    assert len(found) <= 1


def test_names_do_not_say_one_thing_twice(world):
    facts = world.facts
    facts.columns["twin"] = facts.columns["ratio"] * 2
    columns = world.columns | {"twin": world.columns["ratio"]}
    rows = world.rows(INFLATED)
    members = Members(rows, np.arange(24))
    conditions = usual_traits(facts, columns)
    conditions += [Condition("twin", ">=", 3.0)]
    found = over_represented([members], facts, conditions)[0]
    named = [t.condition.name for t in naming(found, facts)]
    assert len({"ratio", "twin"} & set(named)) <= 1
    del facts.columns["twin"]
