import numpy as np
import pytest

from training.simulation.sampling import distinct, pick, weighted, weighted_within


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize(("size", "below"), [(10, 10), (40, 100), (90, 10**9)], ids=str)
def test_distinct_numbers_never_repeat(
    rng: np.random.Generator, size: int, below: int
) -> None:
    drawn = distinct(rng, size, below)
    assert len(set(drawn.tolist())) == size
    assert drawn.max() < below


def test_distinct_refuses_more_than_exist(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="11 numbers wanted, only 10 exist"):
        distinct(rng, 11, 10)


def test_weighted_within_draws_members_of_the_wanted_group(
    rng: np.random.Generator,
) -> None:
    member_group = np.array([2, 0, 1, 0, 2])
    groups = rng.integers(0, 3, 300)
    drawn = weighted_within(rng, groups, member_group, np.ones(5))
    assert (member_group[drawn] == groups).all()


def test_weighted_within_refuses_an_empty_group(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="no members"):
        weighted_within(rng, np.array([3]), np.array([0, 1]), np.ones(2))


def test_weighted_never_draws_a_weight_of_zero(rng: np.random.Generator) -> None:
    drawn = weighted(rng, np.array([0.0, 1.0, 0.0, 3.0]), 400)
    assert set(drawn.tolist()) == {1, 3}


def test_pick_follows_the_weights(rng: np.random.Generator) -> None:
    drawn = pick(rng, ("a", "b"), 4000, (0.9, 0.1))
    assert 0.87 < np.mean(drawn == "a") < 0.93
