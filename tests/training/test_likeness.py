"""Who is like whom, and in what."""

import numpy as np
import pandas as pd
import pytest

from configs.errors import LeadlineError
from tests.training.planted import CODES, INFLATED, STAGED, Planted, planted
from training.likeness import (
    ASPECTS,
    MIX,
    Likeness,
    Traits,
    alike,
    aspect_of,
    overall,
    pairwise,
    shared_traits,
)

EQUAL = dict.fromkeys(CODES, 0.5)


@pytest.fixture(scope="module")
def world() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def likeness(world: Planted) -> Likeness:
    return Likeness(world.families, EQUAL).fit(world.numbers, world.facts.flags)


def compared(likeness: Likeness, world: Planted, row: int) -> pd.DataFrame:
    one = likeness.traits(
        world.numbers[row : row + 1], world.facts.flags[row : row + 1]
    )
    return likeness.compare(one, world.numbers, world.facts.flags)


@pytest.mark.parametrize("method", [INFLATED, STAGED])
def test_the_nearest_of_a_lead_use_its_method(likeness, world, method):
    shares = []
    for row in world.rows(method)[::4]:
        found = compared(likeness, world, row)["overall"].to_numpy().copy()
        found[row] = -1
        shares.append((world.method[np.argsort(-found)[:10]] == method).mean())
    assert np.mean(shares) > 0.9


def test_similarities_lie_in_0_to_1_and_a_unit_is_all_like_itself(likeness, world):
    row = int(world.rows(INFLATED)[0])
    found = compared(likeness, world, row)
    assert found.index.equals(world.numbers.index)
    assert list(found) == [*ASPECTS, "overall"]
    known = found.to_numpy()[~np.isnan(found.to_numpy())]
    assert known.min() >= 0
    assert known.max() <= 1
    assert found["overall"].iloc[row] == pytest.approx(1)


def test_an_aspect_without_a_trait_is_left_out_and_not_counted(likeness, world):
    row = int(world.rows(STAGED)[0])
    numbers = world.numbers.assign(near_duplicates=0.0)
    one = likeness.traits(numbers[row : row + 1], world.facts.flags[row : row + 1])
    found = likeness.compare(one, numbers, world.facts.flags)
    assert found["text"].isna().all()
    assert found["overall"].iloc[row] == pytest.approx(1)


def test_what_is_ordinary_in_both_makes_nobody_alike(likeness, world):
    plain = pd.DataFrame(
        [[np.nan] * 8] * 2, columns=world.numbers.columns, index=["a", "b"]
    )
    silent = pd.DataFrame(False, index=["a", "b"], columns=list(CODES))
    found = likeness.compare(likeness.traits(plain[:1], silent[:1]), plain, silent)
    assert (found["overall"] == 0).all()


def test_opposite_deviations_are_no_likeness():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=500)})
    flags = pd.DataFrame({"V2": np.zeros(500, dtype=bool)})
    found = Likeness({"x": "columns"}, {"V2": 1.0}).fit(table, flags)
    pair = pd.DataFrame({"x": [3.0, -3.0, 2.5]})
    none = pd.DataFrame({"V2": [False] * 3})
    result = found.compare(found.traits(pair[:1], none[:1]), pair, none)["numbers"]
    assert result[1] == 0
    assert 0.7 < result[2] < 1


def test_a_rare_rule_in_common_says_more_than_a_frequent_one():
    rng = np.random.default_rng(0)
    flags = pd.DataFrame(
        {"rare": rng.random(4000) < 0.01, "often": rng.random(4000) < 0.5}
    )
    table = pd.DataFrame({"x": rng.normal(size=4000)})
    found = Likeness({"x": "columns"}, {"rare": 1.0, "often": 1.0}).fit(table, flags)
    both = pd.DataFrame({"rare": [True, True, False], "often": [True, False, True]})
    same = pd.DataFrame({"x": [0.0] * 3})
    rules = found.compare(found.traits(same[:1], both[:1]), same, both)["rules"]
    assert rules[1] > 0.8
    assert rules[2] < 0.2


def test_pridit_tilts_the_weight_of_a_rule():
    flags = pd.DataFrame({"a": [True, False] * 50, "b": [True, False] * 50})
    table = pd.DataFrame({"x": np.arange(100.0)})
    found = Likeness({"x": "columns"}, {"a": 0.9, "b": 0.1}).fit(table, flags)
    assert found.weights_[0] == pytest.approx(3 * found.weights_[1])


def test_the_result_does_not_depend_on_chunks_and_scope_rules_take_no_part(
    likeness, world, monkeypatch
):
    row = int(world.rows(INFLATED)[0])
    whole = compared(likeness, world, row)
    monkeypatch.setattr("training.likeness.CHUNK_ROWS", 700)
    scoped = world.facts.flags.assign(V1=True)
    one = likeness.traits(world.numbers[row : row + 1], scoped[row : row + 1])
    pd.testing.assert_frame_equal(likeness.compare(one, world.numbers, scoped), whole)


def test_overall_likeness_is_the_weighted_mean_of_what_two_share_by_aspect():
    """By the definition, in plain sums; a unit without any trait is like nobody."""
    rng = np.random.default_rng(5)

    def some(units: int) -> Traits:
        sizes = {"rules": 4, "numbers": 6, "text": 1, "network": 3}
        drawn = {a: rng.normal(size=(units, size)) for a, size in sizes.items()}
        kept = {a: x * (rng.random(x.shape) < 0.6) for a, x in drawn.items()}
        return Traits({a: x.astype(np.float32) for a, x in kept.items()})

    def defined(one: Traits, other: Traits) -> float:
        found = spoken = 0.0
        for aspect, weight in MIX.items():
            a, b = one.by_aspect[aspect][0], other.by_aspect[aspect][0]
            common = sum(
                min(abs(x), abs(y)) for x, y in zip(a, b, strict=True) if x * y > 0
            )
            if a.any():
                spoken += weight
                larger = np.abs(a).sum() + np.abs(b).sum() - common
                found += weight * float(common / larger)
        return found / spoken if spoken else 0.0

    ones, others = some(5), some(40)
    for values in ones.by_aspect.values():
        values[3] = 0
    found = overall(ones, others)
    assert found.shape == (5, 40)
    for i in range(5):
        expected = [defined(ones.row(i), others.row(j)) for j in range(40)]
        assert found[i] == pytest.approx(expected, abs=1e-6)
        assert np.array_equal(alike(ones.row(i), others)["overall"], found[i])
    assert not found[3].any()


def test_pairs_are_symmetric_and_methods_stand_apart(likeness, world):
    rows = np.concatenate([world.rows(INFLATED)[:5], world.rows(STAGED)[:5]])
    traits = likeness.traits(world.numbers.iloc[rows], world.facts.flags.iloc[rows])
    found = pairwise(traits)
    assert np.array_equal(found, found.T)
    assert (np.diag(found) == 1).all()
    assert found[:5, :5].min() > found[:5, 5:].max()


def test_shared_traits_are_what_both_have_in_the_same_direction(likeness, world):
    rows = world.rows(INFLATED)[:2]
    traits = likeness.traits(world.numbers.iloc[rows], world.facts.flags.iloc[rows])
    common = shared_traits(traits.row(0), traits, "numbers")
    ratio = likeness.columns_["numbers"].index("ratio")
    assert common[1, ratio] > 1
    assert np.allclose(common[0], traits.by_aspect["numbers"][0])


@pytest.mark.parametrize(
    ("family", "aspect"),
    [
        ("history", "numbers"),
        ("text", "text"),
        ("rotation", "network"),
        ("coverage", ""),
    ],
)
def test_the_aspect_of_a_feature_is_that_of_its_family(family, aspect):
    assert aspect_of(family) == aspect


def test_a_missing_feature_is_named(likeness, world):
    with pytest.raises(LeadlineError, match="'ratio'"):
        likeness.traits(world.numbers.drop(columns="ratio"), world.facts.flags)


def test_features_and_flags_of_different_units_are_refused(world):
    with pytest.raises(LeadlineError, match="3000 and 2"):
        Likeness(world.families, EQUAL).fit(world.numbers, world.facts.flags[:2])
