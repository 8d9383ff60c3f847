"""How schemes and honest look-alikes of auctions are sized, priced, tied and marked."""

import numpy as np
import pandas as pd

from training.simulation.auction_world import NOBODY, Stage
from training.simulation.sampling import Ints, Rng, between, chance


def in_groups(rng: Rng, total: int, mean: int) -> list[int]:
    """Sizes of the groups, uneven by about a third."""
    count = max(1, round(total / mean))
    uneven = rng.uniform(0.7, 1.3, count)
    sizes = np.maximum(2, np.round(total * uneven / uneven.sum())).astype(int)
    return [int(size) for size in sizes]


def floor_price(rng: Rng, stage: Stage, rounds: Ints, low: float, high: float) -> None:
    """A lawful start price between two shares of the appraisal, and what follows."""
    share = rng.uniform(low, high, len(rounds))
    start_at(rng, stage, rounds, stage.of_lots("appraisal")[rounds] * share)


def start_at(rng: Rng, stage: Stage, rounds: Ints, price: np.ndarray) -> None:
    """Set a start price with a deposit and step that suit it."""
    start = np.ceil(price / 100) * 100
    deposit = np.ceil(start * rng.uniform(0.08, 0.16, len(rounds)) / 10) * 10
    step = np.round(start * rng.uniform(0.004, 0.012, len(rounds)), -2)
    stage.put(
        rounds,
        start_price=start,
        deposit=np.clip(deposit, np.ceil(start * 0.05), np.floor(start * 0.2)),
        step=np.maximum(step, 50.0),
    )


def kin_pairs(rng: Rng, stage: Stage, count: int) -> tuple[Ints, Ints]:
    """Two grown-up members of one household each, no household twice if it can be."""
    people = stage.population
    starts = people.household_start
    adults = people.adults()
    homes = np.flatnonzero(people.household_size >= 2)
    homes = homes[adults[starts[homes]] & adults[starts[homes] + 1]]
    chosen = rng.choice(homes, count, replace=count > len(homes))
    swapped = chance(rng, count, 0.5)
    one, other = starts[chosen], starts[chosen] + 1
    return np.where(swapped, other, one), np.where(swapped, one, other)


def affiliates(rng: Rng, stage: Stage, people: Ints) -> Ints:
    """Somebody grown-up of each one's household, else a neighbour by position."""
    population = stage.population
    home = population.persons["household"].to_numpy()[people]
    start, size = population.household_start[home], population.household_size[home]
    mate = start + (people - start + 1 + rng.integers(0, 2, len(people))) % size
    fits = population.adults()[mate] & (mate != people)
    adults = np.flatnonzero(population.adults())
    return np.where(fits, mate, rng.choice(adults, len(people)))


def tie_by_company(rng: Rng, stage: Stage, people: Ints, rounds: Ints) -> Ints:
    """Partners of the people in one firm each, held long before the rounds."""
    population = stage.population
    adults = np.flatnonzero(population.adults())
    partner = rng.choice(adults, len(people))
    firms = rng.choice(population.companies_of("other"), len(people))
    since = stage.rounds["day"].to_numpy()[rounds] - np.timedelta64(700, "D")
    for person in (people, partner):
        stage.roles.append(
            pd.DataFrame(
                {
                    "company": firms,
                    "person": person,
                    "role": "shareholder",
                    "share": 0.1,
                    "channel": "counter",
                    "since": since,
                    "until": np.datetime64("NaT"),
                }
            )
        )
    return np.asarray(partner)


def pairs_in_turn(rng: Rng, members: int, count: int) -> Ints:
    """Winner and runner-up: every pair once before one comes again."""
    one, other = np.triu_indices(members, 1)
    pairs = np.column_stack([one, other])[rng.permutation(len(one))]
    flipped = chance(rng, len(pairs), 0.5)
    pairs[flipped] = pairs[flipped][:, ::-1]
    return np.asarray(np.resize(pairs, (count, 2)), dtype=np.int64)


def resell(rng: Rng, stage: Stage, rounds: Ints, buyers: Ints, rate: float) -> None:
    """Some lots go on within a year, to somebody who belongs to the buyer."""
    sold = chance(rng, len(rounds), rate) & (buyers != NOBODY)
    stage.resales.append(
        pd.DataFrame(
            {
                "round": rounds[sold],
                "to": buyers[sold],
                "ratio": rng.uniform(1.0, 1.25, int(sold.sum())),
                "after": between(rng, 60, 300, int(sold.sum())),
            }
        )
    )


def mark(stage: Stage, rounds: Ints, name: str, *, alone: bool = False) -> None:
    """Say that rounds are fraud of a typology: one ring, or each by itself."""
    group = NOBODY if alone else int(stage.rounds["group"].max()) + 1
    stage.put(rounds, fraud=1, typology=name, group=group)


def mark_honest(stage: Stage, rounds: Ints, name: str) -> None:
    """Say that rounds are honest and look otherwise."""
    stage.put(rounds, hard_negative=name)
