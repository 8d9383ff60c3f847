"""Draft rules find planted conjunctions and say honestly how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.planted import INFLATED, STAGED, Planted, column, planted
from training.conditions import Condition, Facts
from training.draft_figures import a_week, figures, held_out
from training.draft_rules import (
    FEWEST_CASES,
    FEWEST_LEADS,
    Class,
    Judged,
    candidates,
    draft_rule,
    value,
)
from training.draft_rules import _evaluated as evaluated
from training.traits import Members


@pytest.fixture(scope="module")
def world() -> Planted:
    return planted()


def class_of(world: Planted, rows: np.ndarray, cases: np.ndarray, **changes) -> Class:
    """A class of these rows, with 40 honest leads that were excluded."""
    cleared = np.arange(1000, 1040)
    judged = Judged(
        np.concatenate([rows, cleared]),
        np.concatenate([np.ones(len(rows)), np.zeros(40)]),
        np.concatenate([cases, 10_000 + cleared]),
    )
    columns = {n: c for n, c in world.columns.items() if n in world.facts.columns}
    found = Class(
        world.facts, columns, Members(rows, cases), judged, np.ones(3000, dtype=bool)
    )
    return replace(found, **changes)


def inflated(world: Planted, leads: int = 24, ring: int = 4) -> Class:
    rows = world.rows(INFLATED)[:leads]
    return class_of(world, rows, np.arange(leads) // ring)


def conjunction_only() -> Planted:
    """Two traits that many have, and only the class has together."""
    world = planted()
    rng = np.random.default_rng(8)
    table = world.facts.columns
    for name in ("ratio", "suits", "near_duplicates", "is_litigated"):
        table[name] = rng.permutation(table[name].to_numpy())
    one, other = rng.random(3000) < 0.1, rng.random(3000) < 0.1
    one &= ~other
    table["suits"] = np.where(one, 9.0, 0.0)
    table["is_night"] = np.where(other, 1.0, 0.0)
    table.loc[table.index[:24], ["suits", "is_night"]] = [9.0, 1.0]
    world.columns["is_night"] = column("is_night", "derive", "boolean")
    return world


def test_the_draft_finds_the_planted_method_among_unseen_leads(world):
    draft = draft_rule(inflated(world, leads=12))
    assert draft is not None
    hit = world.facts.all_hold(draft)
    assert hit[world.rows(INFLATED)[12:]].mean() > 0.8
    assert (world.method[hit] == INFLATED).mean() > 0.9


def test_a_conjunction_is_found_where_neither_part_is_enough():
    world = conjunction_only()
    draft = draft_rule(inflated(world, leads=12, ring=2))
    assert draft is not None
    assert {c.name for c in draft} == {"suits", "is_night"}


def test_a_condition_more_must_earn_its_fee(world):
    draft = draft_rule(inflated(world))
    assert draft is not None
    assert 1 <= len(draft) <= 3
    assert not {c.name for c in draft} & {"noise_a", "noise_b", "purpose"}


def test_the_same_class_gives_the_same_draft(world):
    of = inflated(world)
    backwards = class_of(world, of.members.rows[::-1], of.members.cases[::-1])
    assert draft_rule(of) == draft_rule(backwards)


@pytest.mark.parametrize(
    ("leads", "ring"), [(FEWEST_LEADS - 1, 1), (24, 24)], ids=["few leads", "one case"]
)
def test_with_too_few_confirmed_no_draft_is_proposed(world, leads, ring):
    assert draft_rule(inflated(world, leads, ring)) is None


def test_the_fewest_that_are_enough_are(world):
    of = inflated(world, FEWEST_LEADS, -(-FEWEST_LEADS // FEWEST_CASES))
    assert of.members.case_count == FEWEST_CASES
    assert draft_rule(of) is not None


def test_only_the_given_columns_are_used(world):
    of = inflated(world)
    hidden = {
        n: c for n, c in of.columns.items() if n not in ("ratio", "near_duplicates")
    }
    draft = draft_rule(replace(of, columns=hidden))
    used = {c.name for c in candidates(replace(of, columns=hidden))}
    assert not used & {"ratio", "near_duplicates", "V2"}
    assert draft is None or {c.name for c in draft} <= set(hidden)


def test_excluded_hits_count_against_a_condition(world):
    of = inflated(world)
    some = evaluated(of, [Condition("ratio", ">=", 1.5)])
    cleared = np.flatnonzero(world.facts.columns["ratio"].to_numpy() >= 1.5)[-10:]
    judged = Judged(
        np.concatenate([of.members.rows, cleared]),
        np.concatenate([np.ones(24), np.zeros(10)]),
        np.concatenate([of.members.cases, 500 + np.arange(10)]),
    )
    worse = replace(of, judged=judged)
    assert value(worse, evaluated(worse, [some.parts[0][0]]))[0] < value(of, some)[0]


def test_a_category_can_be_a_condition(world):
    rows = world.rows(STAGED)
    of = class_of(world, rows, np.arange(24) // 4)
    assert Condition("purpose", "=", "private") in candidates(of)


def test_figures_count_what_a_person_would_count(world):
    of = inflated(world)
    draft = (Condition("ratio", ">=", 2.0),)
    found = figures(draft, of)
    ratio = world.facts.columns["ratio"].to_numpy()
    fired = world.facts.flags.to_numpy().any(axis=1)
    hit = ratio >= 2.0
    assert found.hits == hit.sum()
    assert found.new == (hit & ~fired).sum()
    assert (found.leads_hit, found.leads, found.cases) == (24, 24, 6)
    assert found.confirmed == 24
    assert found.excluded == hit[1000:1040].sum()
    assert found.unreviewed == found.hits - found.confirmed - found.excluded
    assert found.support == pytest.approx(6)
    assert found.precision.judged == pytest.approx(6 + found.excluded)
    assert found.precision.low < (found.precision.share or 0) <= found.precision.high
    assert next(iter(found.overlap)) == "V2"
    assert found.overlap["V2"] == pytest.approx(world.facts.flags["V2"][hit].mean())
    assert found.a_week is None


def test_outside_the_scope_nothing_is_hit(world):
    inside = np.ones(3000, dtype=bool)
    inside[12:] = False
    of = replace(inflated(world), inside=inside)
    found = figures((Condition("ratio", ">=", 2.0),), of)
    assert found.hits == 12


def test_hits_a_week_are_those_of_the_last_year():
    dates = np.arange("2022-01-01", "2024-01-01", dtype="datetime64[D]")
    hit = np.ones(len(dates), dtype=bool)
    hit[-365:] = False
    assert a_week(hit, dates) == 0
    assert a_week(~hit, dates) == pytest.approx(7, rel=0.01)
    unknown = np.full(3, np.datetime64("NaT"), dtype="datetime64[D]")
    assert a_week(np.ones(3, dtype=bool), unknown) == 0


def test_held_out_cases_are_found_by_a_true_method_and_not_by_a_chance_one(world):
    true = held_out(inflated(world))
    assert true.folds == 5
    assert true.support > 0.8
    assert (true.precision.share or 0) > 0.8
    rng = np.random.default_rng(1)
    anybody = np.sort(rng.choice(np.arange(1100, 3000), 12, replace=False))
    chance = held_out(class_of(world, anybody, np.arange(12)))
    assert chance.support < 0.5


def test_of_two_cases_each_is_looked_for_with_the_other_alone(world):
    found = held_out(inflated(world, leads=8, ring=4))
    assert found.folds == 2
    assert found.support > 0.5


def test_members_of_one_ring_are_held_out_together(world, monkeypatch):
    seen: list[set[int]] = []

    def spy(of: Class):
        seen.append(set(of.members.cases.tolist()) & set(of.judged.cases.tolist()))

    monkeypatch.setattr("training.draft_figures.search", spy)
    held_out(inflated(world, 24, 12))
    assert seen == [{1}, {0}]


def test_facts_are_not_changed_by_a_search(world):
    before = world.facts.columns.copy()
    draft_rule(inflated(world))
    assert before.equals(world.facts.columns)
    assert isinstance(world.facts, Facts)
