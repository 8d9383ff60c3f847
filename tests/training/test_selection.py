"""Estimates from reviews are right although the reviewed units were picked."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from configs.tables import LABELS
from training.exploration import draw_slots
from training.selection import FIGURES, selection_estimates

PUBLISHED = datetime(2025, 6, 1)


class World:
    """A population of which the truth is known; unit `u7` has rank 7."""

    def __init__(self, seed: int, units: int = 3_000, rise: float = 0.6) -> None:
        self.chance = np.random.default_rng(seed)
        self.ranks = pd.Series(
            range(1, units + 1), [f"u{n}" for n in range(1, units + 1)]
        )
        # Frequent at the head, rare but not absent far below.
        odds = rise * np.exp(-np.arange(units) / 150) + 0.01
        self.truth = pd.Series(self.chance.random(units) < odds, self.ranks.index)

    def slots(self, capacity: int, share: float, run: str = "now") -> pd.DataFrame:
        drawn = draw_slots(
            self.ranks.index, self.ranks, capacity=capacity, explore_share=share,
            seed=int(self.chance.integers(2**32)),
        )  # fmt: skip
        return drawn.assign(run_id=run)

    def reviewed(self, slots: pd.DataFrame, day: int = 1) -> pd.DataFrame:
        """All these units are decided on, as they are."""
        labels = slots.assign(
            label=self.truth[slots["unit_id"]].to_numpy(float),
            decided_at=PUBLISHED + timedelta(days=day),
            group_id=None,
            reviewer="li",
        )
        return labels[list(LABELS)]

    def cases_below(self, capacity: int) -> int:
        return int(self.truth.iloc[capacity:].sum())


def estimated(
    world: World, slots: pd.DataFrame, labels: pd.DataFrame
) -> dict[str, dict[str, float]]:
    table = selection_estimates(
        labels, slots, world.ranks, newest="now", published=PUBLISHED
    )
    assert list(table["figure"]) == list(FIGURES)
    return {str(row["figure"]): row for row in table.to_dict("records")}  # type: ignore[misc]


def one_list(seed: int) -> tuple[World, pd.DataFrame, pd.DataFrame]:
    """Capacity 120: 60 of the top and 60 drawn, all reviewed."""
    world = World(seed)
    slots = world.slots(120, 0.5)
    return world, slots, world.reviewed(slots)


def after_weeks(seed: int) -> tuple[World, pd.DataFrame, pd.DataFrame]:
    """Four earlier lists of capacity 40, each with 8 drawn; the newest partly reviewed.

    The order of the earlier lists was another one, so that their tops lie anywhere now.
    """
    world = World(seed)
    slots, labels = [], []
    for week in range(4):
        of_week = world.slots(40, 0.2, f"week{week}")
        of_week = of_week[of_week["kind"] == "explore"]
        shuffled = world.chance.choice(400, 32, replace=False) + 1
        picked = pd.DataFrame(
            {"unit_id": [f"u{n}" for n in shuffled], "run_id": f"week{week}"}
        ).assign(kind="top", propensity=1.0)
        slots.append(of_week)
        labels += [world.reviewed(part, week - 60) for part in (of_week, picked)]
    newest = world.slots(40, 0.2)
    slots.append(newest)
    labels.append(world.reviewed(newest[newest["position"] <= 36]))
    return world, pd.concat(slots), pd.concat(labels).drop_duplicates("unit_id")


@pytest.mark.parametrize(("setting", "top"), [(one_list, 60), (after_weeks, 32)])
def test_intervals_cover_the_truth_at_their_level_and_naive_figures_miss_it(
    setting: object, top: int
) -> None:
    covered, errors, naive = [], [], []
    for seed in range(60):
        world, slots, labels = setting(seed)  # type: ignore[operator]
        found = estimated(world, slots, labels)
        below, above = world.cases_below(top), int(world.truth.iloc[:top].sum())
        truth = {
            "cases_below": below,
            "prevalence_below": below / (3_000 - top),
            "recall_at_capacity": above / (above + below),
        }
        rows = [(found[name], right) for name, right in truth.items()]
        covered.append([row["low"] <= right <= row["high"] for row, right in rows])
        errors.append([row["value"] - right for row, right in rows])
        naive.append([row["naive"] - right for row, right in rows])

    # 95 % of 60 trials: four standard deviations below it is 84 %.
    assert (np.mean(covered, axis=0) >= 0.84).all()
    cases, prevalence, _ = np.mean(errors, axis=0)
    assert abs(cases) < 15  # of about 90
    assert abs(prevalence) < 0.005
    assert abs(np.median(errors, axis=0)[2]) < 0.06  # a ratio is skewed
    naive_cases, naive_prevalence, naive_recall = np.mean(naive, axis=0)
    assert naive_cases < -50
    assert naive_prevalence > 0
    assert naive_recall > 0.15


def labelled(*rows: tuple[str, float, str, str], run: str = "now") -> pd.DataFrame:
    """unit, label, kind, group: decided on after the newest list came out."""
    frame = pd.DataFrame(rows, columns=["unit_id", "label", "kind", "group_id"])
    frame = frame.assign(run_id=run, decided_at=PUBLISHED + timedelta(days=1))
    frame["group_id"] = frame["group_id"].replace("", None)
    return frame.assign(propensity=np.nan, reviewer="li")[list(LABELS)]


def slots_of(near: int, far: int, *, top: int = 10, run: str = "now") -> pd.DataFrame:
    """u1.. of the top; u11.. drawn from 100 near ones, u111.. from 400 far ones."""
    rows = [(f"u{n}", "top", "top", 1.0) for n in range(1, top + 1)]
    rows += [(f"u{n}", "explore", "near", near / 100) for n in range(11, 11 + near)]
    rows += [(f"u{n}", "explore", "far", far / 400) for n in range(111, 111 + far)]
    frame = pd.DataFrame(rows, columns=["unit_id", "kind", "stratum", "propensity"])
    return frame.assign(run_id=run, position=range(1, len(rows) + 1))


RANKS = pd.Series(range(1, 511), [f"u{n}" for n in range(1, 511)])


def figures(labels: pd.DataFrame, slots: pd.DataFrame) -> pd.DataFrame:
    table = selection_estimates(labels, slots, RANKS, newest="now", published=PUBLISHED)
    return table.set_index("figure")


def reviews(top: int, near: int, far: int, cases: tuple[int, int, int]) -> pd.DataFrame:
    """The first units of top, near and far decided on; the first of them confirmed."""
    starts, numbers, kinds = (
        (1, 11, 111),
        (top, near, far),
        ("top", "explore", "explore"),
    )
    rows = [
        (f"u{start + n}", float(n < confirmed), kind, "")
        for start, number, confirmed, kind in zip(
            starts, numbers, cases, kinds, strict=True
        )
        for n in range(number)
    ]
    return labelled(*rows)


def test_a_draw_stands_for_as_many_units_as_its_chance_says() -> None:
    found = figures(reviews(10, 20, 10, (4, 5, 1)), slots_of(20, 10))

    # Horvitz-Thompson by hand: 5 draws for 5 each, 1 draw for 40.
    assert found.loc["cases_below", "value"] == pytest.approx(5 * 5 + 1 * 40)
    assert found.loc["prevalence_below", "value"] == pytest.approx(65 / 500)
    assert found.loc["recall_at_capacity", "value"] == pytest.approx(4 / 69)
    assert found.loc["precision_at_capacity", "value"] == pytest.approx(0.4)
    assert found["naive"].to_dict() == pytest.approx(
        {
            "precision_at_capacity": 10 / 40,
            "prevalence_below": 6 / 30,
            "cases_below": 6,
            "recall_at_capacity": 4 / 10,
        }
    )
    assert list(found["reviewed"]) == [10, 30, 30, 30]
    assert list(found["asked"]) == [10, 30, 30, 30]
    assert found["enough"].all()


def test_draws_that_nobody_decided_on_are_stood_for_by_the_others() -> None:
    whole = figures(reviews(10, 20, 10, (4, 5, 1)), slots_of(20, 10))
    half = figures(reviews(10, 20, 10, (4, 5, 1)), slots_of(40, 20))

    assert half.loc["cases_below", "value"] == pytest.approx(
        whole.loc["cases_below", "value"]
    )
    assert half.loc["cases_below", "asked"] == 60


def test_units_known_before_the_list_count_as_they_are() -> None:
    known = labelled(*((f"u{n}", 1.0, "other", "") for n in range(60, 90)), run="old")
    known["decided_at"] = PUBLISHED - timedelta(days=30)
    draws = reviews(10, 20, 10, (4, 5, 1))

    found = figures(pd.concat([draws, known]), slots_of(20, 10))
    later = known.assign(decided_at=PUBLISHED + timedelta(days=3))
    picked = figures(pd.concat([draws, later]), slots_of(20, 10))

    # 30 known cases; the 5 of 20 draws now speak for the other 70 near ones.
    assert found.loc["cases_below", "value"] == pytest.approx(30 + 70 / 4 + 40)
    # Picked after the draw: they are among those that the draws speak for.
    assert picked.loc["cases_below", "value"] == pytest.approx(65)


def test_reviewed_draws_of_earlier_lists_speak_too() -> None:
    older = reviews(0, 20, 10, (0, 15, 0)).assign(run_id="old")
    older["unit_id"] = older["unit_id"].str.replace("u", "v")  # no longer in the list
    slots = slots_of(20, 10, run="old")
    slots["unit_id"] = slots["unit_id"].str.replace("u", "v")
    both = pd.concat([slots_of(20, 10), slots])

    found = figures(pd.concat([reviews(10, 20, 10, (4, 5, 1)), older]), both)

    # 20 of 40 near draws; 20 of them and their 5 cases are the newest list's own.
    near = 5 + (100 - 20) * 20 / 40
    far = 1 + (400 - 10) * 1 / 20
    assert found.loc["cases_below", "value"] == pytest.approx(near + far)
    assert list(found["reviewed"]) == [10, 60, 60, 60]
    assert found.loc["cases_below", "high"] > found.loc["cases_below", "value"]


def test_one_ring_is_one_example() -> None:
    alone = reviews(10, 20, 10, (8, 5, 1))
    ringed = alone.copy()
    ringed.loc[:7, "group_id"] = "G1"

    few, many = figures(ringed, slots_of(20, 10)), figures(alone, slots_of(20, 10))

    def width(found: pd.DataFrame) -> float:
        row = found.loc["precision_at_capacity"]
        return float(row["high"] - row["low"])

    assert few.loc["precision_at_capacity", "value"] == pytest.approx(0.8)
    assert width(few) > 1.5 * width(many)


@pytest.mark.parametrize(
    ("labels", "slots", "enough"),
    [
        (reviews(0, 0, 0, (0, 0, 0)), slots_of(20, 10), [False] * 4),
        (reviews(10, 0, 0, (4, 0, 0)), slots_of(20, 10), [True, *[False] * 3]),
        (reviews(9, 20, 10, (4, 5, 1)), slots_of(20, 10), [False, True, True, False]),
        (reviews(10, 10, 9, (4, 5, 1)), slots_of(20, 10), [True, *[False] * 3]),
        (reviews(10, 26, 4, (4, 5, 1)), slots_of(26, 10), [True, *[False] * 3]),
        (reviews(10, 15, 5, (4, 5, 1)), slots_of(20, 10), [True] * 4),
        (reviews(10, 0, 0, (4, 0, 0)), slots_of(0, 0), [True, *[False] * 3]),
    ],
)
def test_with_too_few_reviews_nothing_is_said(
    labels: pd.DataFrame, slots: pd.DataFrame, enough: list[bool]
) -> None:
    found = figures(labels, slots)

    assert list(found["enough"]) == enough
    numbers = found[["value", "low", "high"]]
    assert numbers.notna().all(axis=1).tolist() == enough
    assert numbers.isna().all(axis=1).tolist() == [not e for e in enough]


def test_without_a_case_among_the_draws_the_interval_is_not_empty() -> None:
    """What delta and bootstrap intervals get wrong."""
    found = figures(reviews(10, 20, 10, (4, 0, 0)), slots_of(20, 10))

    row = found.loc["cases_below"]
    assert (row["value"], row["low"]) == (0, 0)
    assert row["high"] > 20
    assert found.loc["recall_at_capacity", "value"] == 1
    assert found.loc["recall_at_capacity", "low"] < 0.2


def test_without_any_confirmed_unit_there_is_no_recall() -> None:
    found = figures(reviews(10, 20, 10, (0, 0, 0)), slots_of(20, 10))

    assert found.loc["precision_at_capacity", "value"] == 0
    assert np.isnan(found.loc["recall_at_capacity", "value"])
    assert np.isnan(found.loc["recall_at_capacity", "naive"])


def test_estimates_are_the_same_every_time() -> None:
    _, slots, labels = one_list(3)
    world = World(3)

    first, second = (estimated(world, slots, labels.sample(frac=1)) for _ in range(2))

    assert first == second
