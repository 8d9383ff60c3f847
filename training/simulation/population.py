"""A made-up prefecture: people in households, companies, and who works where.

Rows are known by position everywhere inside a simulation; the official numbers
are only looked up when a department's table is written.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation import identifiers, names
from training.simulation.places import SHAOXING, Place
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    pick,
    weighted,
)

QUARTERS = 12  # 2022Q1 to 2024Q4
ADULT_BIRTHS = (np.datetime64("1950-01-01"), np.datetime64("2003-12-31"))
LOCAL_ID_RATE = 0.82
SHARED_PHONE_RATE = 0.08  # one phone for the family
RECYCLED_PHONE_RATE = 0.02  # two unrelated owners over time
DOUBLE_ID_RATE = 0.0005  # one number used by two persons
EMPLOYED_RATE = 0.62
DISPATCHED_RATE = 0.08  # of the employed: paid through a labour-dispatch firm
JOB_CHANGE_RATE = 0.12
HOUSEHOLD_SIZES = np.array([0.18, 0.27, 0.29, 0.19, 0.07])
FORMER_NAME_RATE = 0.12
REGISTRAR_PHONE_RATE = 0.07  # companies that left the filing agent's phone
VIRTUAL_OFFICE_RATE = 0.10  # companies registered at a shared desk
STAFF_RANGE = {
    "garage": (6, 16),
    "appraiser": (4, 8),
    "law_firm": (4, 9),
    "fleet": (8, 20),
    "insurer": (15, 30),
    "labour_dispatch": (3, 6),
}


@dataclass(frozen=True, slots=True)
class Population:
    """People, companies and jobs, each a table known by row position."""

    persons: pd.DataFrame
    companies: pd.DataFrame
    jobs: pd.DataFrame
    household_start: Ints
    household_size: Ints
    place: Place = SHAOXING

    def companies_of(self, kind: str) -> Ints:
        """Positions of the companies of one kind."""
        return np.flatnonzero(self.companies["kind"].to_numpy() == kind)

    def staff_of(self, company: int) -> Ints:
        """People employed by a company at any time."""
        jobs = self.jobs
        staff = jobs.loc[jobs["company"] == company, "person"].to_numpy(np.int64)
        return np.unique(staff)

    def mates_of(self, people: Ints) -> Ints:
        """All adults who share a household with one of the people."""
        homes = np.unique(self.persons["household"].to_numpy()[people])
        spans = zip(
            self.household_start[homes], self.household_size[homes], strict=True
        )
        mates = [np.arange(start, start + size) for start, size in spans]
        others = np.setdiff1d(np.concatenate(mates), people)
        return np.asarray(others[self.adults()[others]], dtype=np.int64)

    def adults(self) -> Bools:
        """Who is of age and alive throughout the window."""
        return np.asarray(self.persons["adult"], dtype=np.bool_)


# Companies per 1,000 people, beside a few of each kind.
COMPANIES = {
    "garage": (16, 3.1),
    "appraiser": (9, 0.24),
    "law_firm": (6, 0.22),
    "fleet": (7, 0.3),
    "insurer": (len(names.INSURERS), 0.0),
    "labour_dispatch": (4, 0.09),
    "builder": (6, 1.0),
    "factory": (8, 1.5),
    "care_home": (8, 0.4),
    "wellness": (10, 0.8),
    "clinic": (4, 0.3),
    "fuel_station": (10, 0.5),
    "oil_trader": (8, 0.5),
    "chemical_plant": (6, 0.4),
    "freight": (10, 1.0),
    "small_lender": (2, 0.05),
    "auction_helper": (3, 0.03),
    "other": (30, 7.2),
}


def prefecture(seed: int, people: int, place: Place = SHAOXING) -> Population:
    """The prefecture of this seed and size: the same for every supervision model.

    Simulations of several models with equal `seed` and `people` are about the same
    persons, households, companies and jobs, so that a person may appear in several.
    """
    counts = {
        kind: low + round(rate * people / 1000)
        for kind, (low, rate) in COMPANIES.items()
    }
    rng = np.random.default_rng(drawn_by(seed, people, place))
    return populate(rng, people, counts, place)


def drawn_by(seed: int, size: int, place: Place) -> list[int]:
    """What the draws of one prefecture depend on."""
    return [seed, size, place.number] if place.number else [seed, size]


def populate(
    rng: Rng, size: int, company_counts: dict[str, int], place: Place = SHAOXING
) -> Population:
    """Draw a prefecture with about `size` people."""
    home_sizes, household = households(rng, size)
    starts = np.concatenate([[0], np.cumsum(home_sizes)[:-1]])
    persons = _persons(rng, household, starts, place)
    companies = _companies(rng, company_counts, place)
    jobs, managers = _jobs(rng, persons, companies)
    companies["legal_rep"] = managers
    return Population(persons, companies, jobs, starts, home_sizes, place)


def households(rng: Rng, size: int) -> tuple[Ints, Ints]:
    """Sizes of the households of at least `size` people, and each person's household."""
    sizes = weighted(rng, HOUSEHOLD_SIZES, size) + 1
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), size)) + 1]
    return sizes, np.repeat(np.arange(len(sizes)), sizes)


def _persons(rng: Rng, household: Ints, starts: Ints, place: Place) -> pd.DataFrame:
    size = len(household)
    order = np.arange(size) - starts[household]
    district = weighted(rng, names.DISTRICT_WEIGHTS, len(starts))
    births = births_by_place(rng, household, order, starts)
    dead = chance(rng, size, np.where(births < ADULT_BIRTHS[0], 0.06, 0.001))
    homes = names.home_addresses(rng, district, place.home)
    return pd.DataFrame(
        {
            "birth": births,
            "household": household,
            "district": district[household],
            "address": homes[household],
            "status": np.where(dead, "cancelled_death", _residence(rng, size)),
            "adult": (births >= ADULT_BIRTHS[0]) & (births <= ADULT_BIRTHS[1]) & ~dead,
            "person_id": _ids(rng, district[household], births, place),
            "name": family_names(rng, household, order, starts),
            "phone": family_phones(rng, household, starts, place),
            "account": identifiers.accounts(rng, size),
        }
    )


def _residence(rng: Rng, size: int) -> Texts:
    return pick(rng, ("active", "migrated"), size, (0.985, 0.015))


def births_by_place(rng: Rng, household: Ints, place: Ints, starts: Ints) -> Times:
    """Head, spouse, two children and a parent, in that order of places."""
    size = len(household)
    head = between(rng, 1952, 1996, len(starts))[household]
    lowest = np.array([0, -4, 23, 23, -30])[place]
    spread = np.array([1, 9, 9, 9, 8])[place]
    year = np.minimum(head + lowest + rng.integers(0, spread), 2021)
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray(start + days(rng.integers(0, 365, size)))


def _ids(rng: Rng, district: Ints, births: Times, place: Place) -> Texts:
    size = len(births)
    region = np.where(
        chance(rng, size, LOCAL_ID_RATE),
        place.districts[district],
        rng.choice(names.OTHER_REGIONS, size),
    )
    ids = identifiers.resident_ids(region, births, first=place.serials)
    doubled = np.flatnonzero(chance(rng, size, DOUBLE_ID_RATE))
    ids[doubled] = ids[rng.integers(0, size, len(doubled))]
    return ids


def family_names(rng: Rng, household: Ints, place: Ints, starts: Ints) -> Texts:
    """Full names; children bear the head's surname."""
    size = len(household)
    family = names.surnames(rng, size)
    inherits = (place == 2) | (place == 3)
    family = np.where(inherits, family[starts[household]], family)
    full = np.asarray(family + names.given_names(rng, size), dtype=object)
    minority = chance(rng, size, names.MINORITY_RATE)
    full[minority] = names.minority_names(rng, int(minority.sum()))
    return full


def family_phones(
    rng: Rng, household: Ints, starts: Ints, place: Place = SHAOXING
) -> Texts:
    """Mobile numbers, some of the whole family, some with two owners over time."""
    size = len(household)
    own = identifiers.phones(rng, size, place.phones)
    shared = chance(rng, size, SHARED_PHONE_RATE)
    own[shared] = own[starts[household[shared]]]
    recycled = np.flatnonzero(chance(rng, size, RECYCLED_PHONE_RATE))
    own[recycled] = own[rng.integers(0, size, len(recycled))]
    return own


def _companies(rng: Rng, counts: dict[str, int], place: Place) -> pd.DataFrame:
    parts = [_companies_of(rng, kind, count, place) for kind, count in counts.items()]
    companies = pd.concat(parts, ignore_index=True)
    region = place.districts[companies["district"].to_numpy()]
    companies["uscc"] = identifiers.company_codes(rng, region)
    companies["account"] = identifiers.accounts(rng, len(companies))
    companies["phone"] = _company_phones(rng, len(companies), place)
    return companies


def _companies_of(rng: Rng, kind: str, count: int, place: Place) -> pd.DataFrame:
    district = weighted(rng, names.DISTRICT_WEIGHTS, count)
    everywhere = min(count, len(names.DISTRICTS))
    district[:everywhere] = np.arange(everywhere)  # no district without a garage
    if kind == "appraiser":
        # Xinchang has one agency only: a county where everyone uses the same one.
        extra = district[everywhere:]
        extra[extra == len(names.DISTRICTS) - 1] = 0
    home = place.home
    trade = "other" if kind == "insurer" else kind
    former = names.company_names(rng, trade, district, home)
    former[~chance(rng, count, FORMER_NAME_RATE)] = ""
    opened = np.datetime64("1998-01-01") + days(between(rng, 0, 8600, count))
    return pd.DataFrame(
        {
            "kind": np.full(count, kind, dtype=object),
            "district": district,
            "name": names.company_names(rng, kind, district, home),
            "former_name": former,
            "address": _company_addresses(rng, kind, district, home),
            "established": opened,
        }
    )


def _company_addresses(rng: Rng, kind: str, district: Ints, home: names.Home) -> Texts:
    addresses = names.street_addresses(rng, district, home)
    if kind != "other":
        return addresses
    shared = chance(rng, len(district), VIRTUAL_OFFICE_RATE)
    desks = names.home_addresses(rng, np.array([0, 1]), home)
    addresses[shared] = desks[rng.integers(0, 2, int(shared.sum()))]
    return addresses


def _company_phones(rng: Rng, size: int, place: Place) -> Texts:
    phones = identifiers.phones(rng, size, place.phones)
    filed = chance(rng, size, REGISTRAR_PHONE_RATE)
    registrars = identifiers.phones(rng, max(3, size // 60), place.phones)
    phones[filed] = registrars[rng.integers(0, len(registrars), int(filed.sum()))]
    return phones


def _jobs(
    rng: Rng, persons: pd.DataFrame, companies: pd.DataFrame
) -> tuple[pd.DataFrame, Ints]:
    """Who is paid by whom, and one legal representative per company."""
    workers = rng.permutation(_working_age(persons))
    kinds = companies["kind"].to_numpy()
    wanted = _wanted_staff(rng, kinds)
    specialists = np.repeat(np.arange(len(kinds)), wanted)[: len(workers)]
    rest = workers[len(specialists) :]
    rest = rest[chance(rng, len(rest), EMPLOYED_RATE)]
    company = np.concatenate([specialists, _ordinary_jobs(rng, kinds, len(rest))])
    person = np.concatenate([workers[: len(specialists)], rest])
    jobs = _spells(rng, person, company, kinds)
    managers = rng.choice(workers, len(kinds), replace=len(workers) < len(kinds))
    leads = np.concatenate([[0], np.cumsum(wanted)[:-1]])
    inside = (wanted > 0) & (leads < len(specialists))
    managers[inside] = workers[leads[inside]]
    return jobs, managers


def _working_age(persons: pd.DataFrame) -> Ints:
    young = persons["birth"].to_numpy() > np.datetime64("1963-01-01")
    return np.flatnonzero(young & persons["adult"].to_numpy())


def _wanted_staff(rng: Rng, kinds: Texts) -> Ints:
    low = np.array([STAFF_RANGE.get(kind, (0, 0))[0] for kind in kinds])
    high = np.array([STAFF_RANGE.get(kind, (0, 0))[1] for kind in kinds])
    return rng.integers(low, high + 1)


def _ordinary_jobs(rng: Rng, kinds: Texts, size: int) -> Ints:
    """Jobs at ordinary companies, a few large; some through dispatch firms."""
    others = np.flatnonzero(kinds == "other")
    agencies = np.flatnonzero(kinds == "labour_dispatch")
    company = others[weighted(rng, 1 / (np.arange(len(others)) + 5.0), size)]
    dispatched = chance(rng, size, DISPATCHED_RATE)
    company[dispatched] = rng.choice(agencies, int(dispatched.sum()))
    return company


def _spells(rng: Rng, person: Ints, company: Ints, kinds: Texts) -> pd.DataFrame:
    """Employment spells in quarters; some people changed jobs once."""
    size = len(person)
    changed = np.flatnonzero(chance(rng, size, JOB_CHANGE_RATE))
    first = np.where(chance(rng, size, 0.75), 0, rng.integers(0, QUARTERS, size))
    first[changed] = between(rng, 3, 9, len(changed))
    before = _ordinary_jobs(rng, kinds, len(changed))
    return pd.DataFrame(
        {
            "person": np.concatenate([person, person[changed]]),
            "company": np.concatenate([company, before]),
            "first_quarter": np.concatenate([first, np.zeros(len(changed), int)]),
            "last_quarter": np.concatenate(
                [np.full(size, QUARTERS - 1), first[changed] - 1]
            ),
        }
    )
