"""Seeded draws shared by all simulators; each returns a whole column at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
Times = npt.NDArray[Any]  # numpy's stubs cannot follow sums of dates and days
Rng = np.random.Generator


def texts(values: Sequence[str]) -> Texts:
    """Hold texts as objects: repeated values then cost one pointer each."""
    held = np.empty(len(values), dtype=object)
    held[:] = list(values)
    return held


def pick(
    rng: Rng, values: Sequence[str], size: int, weights: Sequence[float] | None = None
) -> Texts:
    """Draw texts, evenly or by weights that need not sum to one."""
    if weights is None:
        return texts(values)[rng.integers(0, len(values), size)]
    return texts(values)[weighted(rng, np.asarray(weights, dtype=float), size)]


def weighted(rng: Rng, weights: Floats, size: int) -> Ints:
    """Draw positions in proportion to their weights."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], "right")
    return np.asarray(np.minimum(drawn, len(weights) - 1), dtype=np.int64)


def weighted_within(
    rng: Rng, groups: Ints, member_group: Ints, weights: Floats
) -> Ints:
    """For each wanted group draw one of that group's members by weight."""
    order = np.argsort(member_group, kind="stable")
    cumulative = np.cumsum(weights[order])
    edges = np.concatenate([[0.0], cumulative])
    held = member_group[order]
    first = np.searchsorted(held, groups, "left")
    last = np.searchsorted(held, groups, "right")
    if bool((first == last).any()):
        raise ValueError("weighted_within: a wanted group has no members")
    aim = edges[first] + rng.random(len(groups)) * (edges[last] - edges[first])
    place = np.clip(np.searchsorted(cumulative, aim, "right"), first, last - 1)
    return np.asarray(order[place], dtype=np.int64)


def chance(rng: Rng, size: int, rate: float | Floats) -> Bools:
    """True at the given rate (one rate for all, or one per row)."""
    return np.asarray(rng.random(size) < rate)


def between(rng: Rng, low: int, high: int, size: int) -> Ints:
    """Whole numbers from low to high, both included."""
    return rng.integers(low, high + 1, size)


def lognormal(rng: Rng, median: float, sigma: float, size: int) -> Floats:
    """Positive, right-skewed amounts around a median."""
    return rng.lognormal(np.log(median), sigma, size)


def distinct(rng: Rng, size: int, below: int) -> Ints:
    """Distinct whole numbers in random order, so that numbers tell nothing."""
    if size > below:
        raise ValueError(f"distinct: {size} numbers wanted, only {below} exist")
    if size * 4 > below:
        return rng.permutation(below)[:size].astype(np.int64)
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < size:
        more = rng.integers(0, below, size + size // 8 + 64)
        drawn = np.unique(np.concatenate([drawn, more]))
    return rng.permutation(drawn)[:size]


def uneven_sizes(
    rng: Rng, total: int, count: int, spread: float, least: int
) -> list[int]:
    """Sizes of `count` groups that hold about `total`, each off by at most `spread`."""
    uneven = rng.uniform(1 - spread, 1 + spread, count)
    sizes = np.maximum(least, np.round(total * uneven / uneven.sum())).astype(int)
    return [int(size) for size in sizes]


def days(count: Ints | Floats | Bools) -> Times:
    """Whole days as a time difference."""
    return np.asarray(count).astype(np.int64).astype("timedelta64[D]")
