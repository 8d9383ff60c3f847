"""Firms that deal in oil: who they are, how large, when they are on the tax office's list.

A firm is a company of the common prefecture. It stands on the list of company-months for
one spell of months; what a month is like is drawn in `fuel_months`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.simulation.population import QUARTERS, Population
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    between,
    chance,
    days,
    lognormal,
    weighted,
)

MONTHS = 36  # 2022-01 to 2024-12
FIRST_MONTH = np.datetime64("2022-01")
FIRST_DAY = np.datetime64("2022-01-01")
REGIME_CHANGE = 18  # 2023-07: from then on those who evade do so under the thresholds
SILENT_DISTRICT = 4  # its transport office delivers nothing for three months
SILENT_MONTHS = (17, 19)  # 2023-06 to 2023-08
KINDS = ("freight", "builder", "manufacturer", "station", "trader", "coop")
KIND_SHARES = np.array([0.27, 0.21, 0.24, 0.12, 0.11, 0.05])
LEAST_FIRMS = (14, 7, 7, 6, 10, 3)
POOLS = {
    "freight": ("freight", "fleet"),
    "builder": ("builder", "other"),
    "manufacturer": ("factory", "chemical_plant", "other"),
    "station": ("fuel_station",),
    "trader": ("oil_trader",),
    "coop": ("other",),
}
SPELL = (8, 26)  # months on the list
MEAN_SPELL = sum(SPELL) / 2
MAJORS = 3  # wholesalers outside the list: state-owned, they serve everybody
OUTSIDERS = 40  # companies that only appear on the other side of an invoice
NEW_FIRM_RATE = 0.05
SHARED_DEVICE_RATE = 0.05
BURNER_RATE, PROCESS_RATE = 0.40, 0.35  # of the manufacturers
LITRES_PER_STEAM_TONNE = 80.0
PEOPLE_PER_UNIT = 8
LEAST_PEOPLE = 10_000


@dataclass(frozen=True, slots=True)
class World:
    """Columns of `firms` and of everything else hold company positions, not numbers."""

    population: Population
    firms: pd.DataFrame
    majors: Ints
    outsiders: Ints
    wholesale: Floats  # yuan a litre of diesel, by month
    device: Ints  # company -> invoicing device

    def firm_of(self) -> Ints:
        """Company position -> row of `firms`, or -1."""
        row = np.full(len(self.population.companies), -1)
        row[self.firms["company"].to_numpy()] = np.arange(len(self.firms))
        return row


def build_world(rng: Rng, population: Population, units: int) -> World:
    """Firms enough for that many company-months, with those they trade with."""
    population = replace(population, companies=population.companies.copy())
    majors = population.companies_of("oil_trader")[:MAJORS]
    firms = _firms(rng, population, majors, round(units / MEAN_SPELL))
    taken = np.concatenate([firms["company"].to_numpy(), majors])
    others = np.setdiff1d(population.companies_of("other"), taken)
    size = len(population.companies)
    device = rng.permutation(size)
    shared = chance(rng, size, SHARED_DEVICE_RATE)
    device[shared] = rng.choice(device, int(shared.sum()))
    return World(
        population=population,
        firms=firms,
        majors=majors,
        outsiders=rng.choice(others, min(OUTSIDERS, len(others)), replace=False),
        wholesale=_wholesale(rng),
        device=device,
    )


def _wholesale(rng: Rng) -> Floats:
    steps = np.cumsum(rng.normal(0, 0.12, MONTHS))
    return np.asarray(np.round(np.clip(7.3 + steps, 6.2, 8.6), 3), dtype=np.float64)


def _firms(rng: Rng, population: Population, majors: Ints, wanted: int) -> pd.DataFrame:
    taken = majors
    parts = []
    shares = zip(KINDS, KIND_SHARES, LEAST_FIRMS, strict=True)
    for kind, share, least in shares:
        found = [population.companies_of(each) for each in POOLS[kind]]
        pool = np.setdiff1d(np.concatenate(found), taken)
        count = min(len(pool), max(least, round(share * wanted)))
        chosen = rng.choice(pool, count, replace=False)
        taken = np.concatenate([taken, chosen])
        parts.append(pd.DataFrame({"company": chosen, "kind": kind}))
    firms = pd.concat(parts, ignore_index=True)
    firms = firms.iloc[rng.permutation(len(firms))].reset_index(drop=True)
    return _traits(rng, population, firms)


def _traits(rng: Rng, population: Population, firms: pd.DataFrame) -> pd.DataFrame:
    """What a firm is like all the time."""
    size = len(firms)
    kind = firms["kind"].to_numpy(dtype=object)
    length = between(rng, *SPELL, size)
    use = weighted(
        rng, np.array([BURNER_RATE, PROCESS_RATE, 1 - BURNER_RATE - PROCESS_RATE]), size
    )
    use[kind != "manufacturer"] = 2
    return firms.assign(
        district=population.companies["district"].to_numpy()[firms["company"]],
        start=rng.integers(0, MONTHS - length + 1),
        length=length,
        scale=lognormal(rng, 1.0, 0.45, size),
        trucks=_trucks(rng, kind),
        gas_share=np.where(chance(rng, size, 0.12), rng.uniform(0.1, 0.6, size), 0.0),
        per_km=rng.uniform(0.30, 0.38, size),
        invoiced=np.minimum(rng.beta(14, 1.6, size), 1.0),
        use=np.array(["boiler", "process", "none"], dtype=object)[use],
        steam=np.round(lognormal(rng, 3.0, 0.4, size), 1),
        hours=np.round(rng.uniform(260, 560, size)),
        load=rng.uniform(0.6, 0.8, size),
        staff=between(rng, 4, 12, size),
        permit=chance(rng, size, 0.97),
        oil_supplier=-1,
        item="",
        name="",
        group=-1,
        honest=True,
        misdeed_from=MONTHS,
        registered=True,
        tracked=1.0,
    )


def _trucks(rng: Rng, kind: np.ndarray) -> Ints:
    size = len(kind)
    count = np.clip(np.round(lognormal(rng, 6, 0.5, size)), 2, 18)
    count = np.where(kind == "freight", count, between(rng, 0, 3, size))
    return np.where((kind == "station") | (kind == "coop"), 0, count).astype(np.int64)


def open_some_late(rng: Rng, world: World) -> None:
    """Some honest firms were opened shortly before they came on the list, too."""
    ordinary = (world.firms["name"] == "").to_numpy()
    late = np.flatnonzero(chance(rng, len(ordinary), NEW_FIRM_RATE) & ordinary)
    open_before(rng, world.population, world.firms, late)


def open_before(
    rng: Rng, population: Population, firms: pd.DataFrame, rows: Ints
) -> None:
    """Found firms one to eight months before their spell."""
    begun = (FIRST_MONTH + firms["start"].to_numpy()[rows]).astype("datetime64[D]")
    opened = begun - days(between(rng, 35, 240, len(rows)))
    companies = firms["company"].to_numpy()[rows]
    population.companies.loc[companies, "established"] = opened.astype("datetime64[s]")


def with_staff(rng: Rng, world: World) -> Population:
    """The population with jobs at the firms, beside those it has."""
    population, firms = world.population, world.firms
    adults = np.flatnonzero(population.adults())
    free = rng.permutation(np.setdiff1d(adults, population.jobs["person"].to_numpy()))
    company = np.repeat(firms["company"].to_numpy(), firms["staff"].to_numpy())
    company = company[: len(free)]
    opened = population.companies["established"].to_numpy()[company]
    quarter = (opened.astype("datetime64[M]") - FIRST_MONTH).astype(np.int64) // 3
    added = pd.DataFrame(
        {
            "person": free[: len(company)],
            "company": company,
            "first_quarter": np.clip(quarter, 0, QUARTERS - 1),
            "last_quarter": QUARTERS - 1,
        }
    )
    jobs = pd.concat([population.jobs, added], ignore_index=True)
    return replace(population, jobs=jobs)
