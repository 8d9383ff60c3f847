"""What of a list is reviewed: the top, and a draw whose chances are known."""

import numpy as np
import pandas as pd
import pytest

from configs.tables import SLOTS
from training.exploration import draw_slots, strata_sizes


def drawn(units: int, seed: int = 3, **changes: float) -> pd.DataFrame:
    """The slots of units named by their rank, given in another order."""
    ranks = np.random.default_rng(5).permutation(units) + 1
    asked = {"capacity": 40, "explore_share": 0.1, **changes}
    return draw_slots([f"u{r}" for r in ranks], ranks, seed=seed, **asked)


def ranks_of(slots: pd.DataFrame) -> list[int]:
    return [int(unit[1:]) for unit in slots["unit_id"]]


def test_the_top_comes_first_and_the_draw_from_both_strata_below_it() -> None:
    slots = drawn(5_000)
    top, below = slots[slots["kind"] == "top"], slots[slots["kind"] == "explore"]

    assert list(slots) == list(SLOTS)
    assert list(slots["position"]) == list(range(1, 41))
    assert ranks_of(top) == list(range(1, 37))
    assert set(top["propensity"]) == {1.0}
    near, far = (below[below["stratum"] == name] for name in ("near", "far"))
    assert all(37 <= rank <= 436 for rank in ranks_of(near))
    assert all(rank > 436 for rank in ranks_of(far))
    assert list(near["propensity"]) == [2 / 400] * 2
    assert list(far["propensity"]) == [2 / (5_000 - 436)] * 2
    assert strata_sizes(slots).to_dict() == {"far": 4_564, "near": 400}


def test_the_same_seed_draws_the_same_units_and_another_one_others() -> None:
    pd.testing.assert_frame_equal(drawn(5_000), drawn(5_000))
    assert set(ranks_of(drawn(5_000))) != set(ranks_of(drawn(5_000, seed=4)))
    with_hash = drawn(5_000, seed=int("f" * 64, 16))  # as a run's inputs give it
    assert len(with_hash) == 40


def test_every_unit_of_a_stratum_is_drawn_as_often_as_its_propensity_says() -> None:
    runs, units = 500, 60
    counts = np.zeros(units)
    for seed in range(runs):
        slots = drawn(units, seed, capacity=4, explore_share=0.5)
        counts[np.array(ranks_of(slots[slots["kind"] == "explore"])) - 1] += 1

    share = counts / runs
    assert (share[:2] == 0).all()
    # Five standard deviations of the share of 500 draws.
    assert share[2:42] == pytest.approx(1 / 40, abs=5 * np.sqrt(0.024 / runs))
    assert share[42:] == pytest.approx(1 / 18, abs=5 * np.sqrt(0.053 / runs))


def test_draws_of_both_strata_are_mixed_so_that_a_part_of_them_is_random() -> None:
    """An analyst who stops early has still reviewed some of each stratum."""
    first = [
        drawn(5_000, seed)["stratum"][36] for seed in range(200)
    ]  # the first slot after the top

    assert 60 < first.count("near") < 140


@pytest.mark.parametrize(
    ("units", "capacity", "share", "strata"),
    [
        (1_000, 40, 0.0, {"top": 40}),
        (1_000, 10, 0.1, {"top": 9, "below": 1}),  # a lone draw has every unit's chance
        (1_000, 30, 0.1, {"top": 27, "near": 1, "far": 2}),
        (45, 40, 0.1, {"top": 36, "near": 4}),
        (38, 40, 0.1, {"top": 36, "near": 2}),
        (20, 40, 0.1, {"top": 20}),
        (441, 40, 0.5, {"top": 20, "near": 10, "far": 10}),
        (421, 40, 0.5, {"top": 20, "near": 19, "far": 1}),
        (1, 1, 0.5, {"top": 1}),
        (50, 2, 0.5, {"top": 1, "below": 1}),
    ],
)
def test_short_lists_and_small_capacities(
    units: int, capacity: int, share: float, strata: dict[str, int]
) -> None:
    slots = drawn(units, capacity=capacity, explore_share=share)

    assert slots["stratum"].value_counts().to_dict() == strata
    assert slots["unit_id"].is_unique
    assert slots["propensity"].between(0, 1, inclusive="right").all()


def test_a_million_units_are_drawn_from_at_once() -> None:
    slots = drawn(1_000_000, capacity=2_000)

    assert len(slots) == 2_000
    assert strata_sizes(slots).to_dict() == {"far": 978_200, "near": 20_000}
