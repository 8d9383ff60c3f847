"""Courts, agents and mediators of the prefecture, around which suits are drawn."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation import identifiers, names
from training.simulation.population import Population
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    chance,
    days,
    lognormal,
    texts,
    weighted,
)

FIRST_DAY = np.datetime64("2022-01-04")
LAST_FILED = np.datetime64("2024-10-31")  # later suits are not closed by the year's end
FILING_DAYS = int((LAST_FILED - FIRST_DAY).astype(int)) + 1
EVASION_FROM = np.datetime64("2023-07-01")  # rings change their method
COURT_CODES = texts([f"浙{str(code)[2:]}" for code in names.DISTRICT_CODES])
COURT_NAMES = texts([f"{district}人民法院" for district in names.DISTRICTS])
ORGS_PER_COURT, MEDIATORS_PER_ORG = 6, 3
ORG_WEIGHTS = np.array([0.22, 0.19, 0.17, 0.16, 0.14, 0.12])
ONE_ORG_COURT = len(names.DISTRICTS) - 1  # a county with one busy mediation body
PEOPLE_PER_SUIT = 5
NOBODY = -1


@dataclass(frozen=True, slots=True)
class World:
    """What suits happen to; columns hold positions, not numbers."""

    population: Population
    agents: pd.DataFrame  # person, firm, kind, licence
    agent_weight: Floats
    orgs: Texts  # court x org -> name
    mediators: Ints  # court x org x mediator -> person
    adults: Ints
    lenders: Ints
    lender_weight: Floats
    employer: Ints  # person -> company or -1

    @property
    def district(self) -> Ints:
        """District of each person, which is the court at home."""
        return np.asarray(self.population.persons["district"], dtype=np.int64)

    def firms(self, kind: str) -> Ints:
        """Companies of one kind."""
        return self.population.companies_of(kind)

    def jobless(self, born: tuple[str, str]) -> Ints:
        """Adults without any job on record, born between two dates."""
        births = self.population.persons["birth"].to_numpy()[self.adults]
        low, high = (np.datetime64(day) for day in born)
        inside: Bools = (births >= low) & (births < high)
        idle = self.employer[self.adults] == NOBODY
        return np.asarray(self.adults[inside & idle], dtype=np.int64)


def people_for(suits: int) -> int:
    """Enough people that most of them sue once at most."""
    return max(6000, suits * PEOPLE_PER_SUIT)


def build_world(rng: Rng, population: Population, suits: int) -> World:
    """Agents, mediators and lenders of a prefecture."""
    adults = np.flatnonzero(population.adults())
    agents = _agents(rng, population, adults)
    lenders = rng.choice(adults, max(200, suits // 2), replace=False)
    employer = np.full(len(population.persons), NOBODY)
    jobs = population.jobs
    employer[jobs["person"].to_numpy()] = jobs["company"].to_numpy()
    return World(
        population=population,
        agents=agents,
        agent_weight=lognormal(rng, 1.0, 0.7, len(agents)),
        orgs=_orgs(rng),
        mediators=rng.choice(
            adults, (len(names.DISTRICTS), ORGS_PER_COURT, MEDIATORS_PER_ORG)
        ),
        adults=adults,
        lenders=lenders,
        lender_weight=lognormal(rng, 1.0, 0.6, len(lenders)),
        employer=employer,
    )


def _agents(rng: Rng, population: Population, adults: Ints) -> pd.DataFrame:
    """Lawyers of the law firms, and legal workers of the towns."""
    jobs, firms = population.jobs, population.companies_of("law_firm")
    staff = jobs[jobs["company"].isin(firms)].drop_duplicates("person")
    workers = rng.choice(adults, max(6, len(staff) // 3), replace=False)
    firm = np.concatenate(
        [staff["company"].to_numpy(np.int64), rng.choice(firms, len(workers))]
    )
    kind = ["lawyer"] * len(staff) + ["legal_worker"] * len(workers)
    licence = "13306" + identifiers.padded(rng.integers(0, 10**9, len(firm)), 9)
    return pd.DataFrame(
        {
            "person": np.concatenate([staff["person"].to_numpy(np.int64), workers]),
            "firm": firm,
            "kind": texts(kind),
            "licence": licence,
            "templated": chance(rng, len(firm), 0.4),
        }
    )


def _orgs(rng: Rng) -> Texts:
    """Mediation bodies of each court's district."""
    town = names.TOWN_TABLE[:, : ORGS_PER_COURT - 2] + "人民调解委员会"
    district = texts(names.DISTRICTS)[:, None]
    central = np.hstack([district + "人民调解中心", district + "商会调解委员会"])
    return rng.permuted(np.hstack([central, town]), axis=1)


def any_adult(rng: Rng, world: World, size: int) -> Ints:
    """Different adults at random."""
    return rng.choice(world.adults, size, replace=size > len(world.adults))


def housemates(rng: Rng, world: World, people: Ints) -> Ints:
    """An adult of the same household for each, or an unrelated one where none lives."""
    population = world.population
    home = population.persons["household"].to_numpy()[people]
    start, size = population.household_start[home], population.household_size[home]
    place = people - start
    other = start + (place + 1 + rng.integers(0, np.maximum(size - 1, 1))) % size
    fit = population.adults()[other] & (other != people)
    return np.where(fit, other, any_adult(rng, world, len(people)))


def filing_days(rng: Rng, size: int) -> np.ndarray:
    """Working days on which suits are filed, evenly over the years."""
    day = FIRST_DAY + days(rng.integers(0, FILING_DAYS, size))
    return working_day(day)


def working_day(day: np.ndarray) -> np.ndarray:
    """The Friday before a weekend."""
    weekday = (day.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return np.asarray(day - days(np.maximum(weekday - 4, 0)))


def drawn_agents(rng: Rng, world: World, size: int) -> Ints:
    """Agents in proportion to how busy they are."""
    return weighted(rng, world.agent_weight, size)
