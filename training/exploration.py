"""What of a list is to be reviewed: its top, and units drawn at random from the rest.

Reviews of the top alone say nothing of what stands below it, and a ranker that learns from
them alone learns its own choice. Units drawn with a known chance mend both: weighted by
the inverse of that chance they stand for all units (Horvitz, Thompson 1952).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

TOP, EXPLORE = "top", "explore"
# The stratum next to the top holds this many times the capacity: there true cases are
# more frequent, so that half of the draws, and not a few of all units, come from it.
NEAR_CAPACITIES = 10

Strata = Mapping[str, tuple[slice, int]]


def draw_slots(
    unit_ids: npt.ArrayLike,
    ranks: npt.ArrayLike,
    *,
    capacity: int,
    explore_share: float,
    seed: int,
) -> pd.DataFrame:
    """The SLOTS of one list.

    round(explore_share * capacity) units are drawn outside the first
    (capacity - drawn): half from the ranks next to them ('near'), half from all others
    ('far'), a lone one from both ('below'). The draws come after the top, in random
    order, so that those reviewed before time runs out are a random part of them.

    Args:
        unit_ids, ranks: of all units, in any order; ranks are 1..n.
        capacity: units that are reviewed of one list.
        seed: the same seed draws the same units.
    """
    ordered = np.asarray(unit_ids)[np.argsort(np.asarray(ranks))]
    explored = round(explore_share * capacity)
    first = min(capacity - explored, len(ordered))
    chance = np.random.default_rng(seed)
    drawn = _drawn(_strata(len(ordered), first, capacity, explored), chance)
    place = np.concatenate([np.arange(first), drawn[0]])
    return pd.DataFrame(
        {
            "unit_id": ordered[place],
            "position": np.arange(1, len(place) + 1),
            "kind": np.repeat([TOP, EXPLORE], [first, len(drawn[0])]),
            "stratum": [TOP] * first + list(drawn[1]),
            "propensity": np.concatenate([np.ones(first), drawn[2]]),
        }
    )


def strata_sizes(slots: pd.DataFrame) -> pd.Series:
    """Units of each stratum that was drawn from, by its name.

    A unit drawn with the chance p stands for 1 / p of its stratum.
    """
    drawn = slots[slots["kind"] == EXPLORE]
    weights = 1 / drawn["propensity"]
    return weights.groupby(drawn["stratum"]).sum().round().astype("int64")


def _strata(units: int, first: int, capacity: int, explored: int) -> Strata:
    """name -> where the stratum lies in the order, and how many are drawn from it."""
    border = min(first + NEAR_CAPACITIES * capacity, units)
    sizes = {"near": border - first, "far": units - border}
    if explored == 1 and all(sizes.values()):
        return {"below": (slice(first, units), 1)}
    far = min(explored - explored // 2, sizes["far"])
    near = min(explored - far, sizes["near"])
    far = min(explored - near, sizes["far"])
    return {"near": (slice(first, border), near), "far": (slice(border, units), far)}


def _drawn(
    strata: Strata, chance: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.str_], npt.NDArray[np.float64]]:
    """Places in the order, strata and chances of the units drawn, in random order."""
    sizes = np.array([place.stop - place.start for place, _ in strata.values()])
    numbers = np.array([number for _, number in strata.values()])
    chosen = [
        place.start + chance.choice(size, number, replace=False)
        for (place, number), size in zip(strata.values(), sizes, strict=True)
        if number
    ]
    places = np.concatenate([np.empty(0, np.intp), *chosen]).astype(np.intp)
    names = np.repeat(np.array(list(strata)), numbers)
    shares = np.repeat(numbers / np.maximum(sizes, 1), numbers)
    mixed = chance.permutation(len(places))
    return places[mixed], names[mixed], shares[mixed]


def share_without_a_case(cleared: int) -> float:
    """Share of a list to draw at random while all that was reviewed was cleared.

    An order whose first tens hold nothing is wrong about this kind of case, and goes on
    being wrong: on ADBench tables whose first hundred rows hold no anomaly, learners find
    none in ten rounds of ten either, unless rows are drawn elsewhere.
    """
    if cleared < 10:
        return 0.0
    return 0.5 if cleared < 20 else 0.8
