"""Registers that every scenario joins: persons, companies, social insurance."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, written
from training.simulation.population import QUARTERS, Population
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    between,
    chance,
    days,
    distinct,
    lognormal,
)

FIRST_MONTH = np.datetime64("2022-01")
BACK_PAID_RATE = 0.03  # paid in bulk much later


def periods(newest_only: bool) -> range:
    """The quarters that are told of."""
    return range(QUARTERS - 1 if newest_only else 0, QUARTERS)


def person_tables(
    rng: Rng, population: Population, listed: Bools | None = None
) -> Iterator[pd.DataFrame]:
    """persons.parquet of the household register, in no order.

    Args:
        listed: whom it tells of; everybody where this is not given.
    """
    homes = distinct(rng, len(population.household_start), 10**9)
    persons = population.persons.assign(
        home=homes[population.persons["household"].to_numpy()]
    )
    order = rng.permutation(len(persons))
    order = order if listed is None else order[listed[order]]
    for part in written.in_parts(persons.iloc[order]):
        yield _person_table(rng, part, population.place.mark)


def _person_table(rng: Rng, persons: pd.DataFrame, mark: str) -> pd.DataFrame:
    size = len(persons)
    entered = np.datetime64("2004-01-01") + days(between(rng, 0, 6500, size))
    born = persons["birth"].to_numpy().astype("datetime64[D]")
    posted = np.maximum(entered, born + days(np.array(20)))
    name = persons["name"].to_numpy(dtype=object)
    address = persons["address"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "person_id": persons["person_id"].to_numpy(dtype=object),
            "name": dirt.soiled(rng, name, dirt.NAME_KINDS[2:]),
            "birth_date": written.arrow_dates(born),
            "address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS),
            "household_no": mark + identifiers.padded(persons["home"].to_numpy(), 9),
            "status": persons["status"].to_numpy(dtype=object),
            "posted_date": written.arrow_dates(posted),
        }
    )


def company_table(rng: Rng, population: Population) -> pd.DataFrame:
    """companies.csv of the market regulator, in no order."""
    size = len(population.companies)
    companies = population.companies.iloc[rng.permutation(size)]
    reps = population.persons["person_id"].iloc[companies["legal_rep"].to_numpy()]
    address = companies["address"].to_numpy(dtype=object)
    phone = companies["phone"].to_numpy(dtype=object)
    opened = companies["established"].to_numpy()
    return pd.DataFrame(
        {
            "uscc": companies["uscc"].to_numpy(dtype=object),
            "name": companies["name"].to_numpy(dtype=object),
            "former_name": companies["former_name"].to_numpy(dtype=object),
            "address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS[:2]),
            "established": written.iso_dates(opened),
            "kind": companies["kind"].to_numpy(dtype=object),
            "legal_rep_id": dirt.soiled(
                rng, reps.to_numpy(dtype=object), dirt.ID_KINDS
            ),
            "phone": dirt.soiled(rng, phone, dirt.PHONE_KINDS),
            "posted_date": written.iso_dates(opened + days(between(rng, 1, 30, size))),
        }
    )


def insurance_tables(
    rng: Rng, population: Population, known: Bools, quarters: range = range(QUARTERS)
) -> Iterator[pd.DataFrame]:
    """social_insurance.csv.gz: one row per person, employer and quarter."""
    jobs = population.jobs
    jobs = jobs[known[jobs["person"].to_numpy()]].reset_index(drop=True)
    jobs["base"] = np.round(lognormal(rng, 5600, 0.35, len(jobs)).clip(4200), -1)
    for quarter in quarters:
        held = (jobs["first_quarter"] <= quarter) & (jobs["last_quarter"] >= quarter)
        paid = jobs[held].iloc[rng.permutation(int(held.sum()))]
        yield from _quarter_tables(rng, population, paid, quarter)


def _quarter_tables(
    rng: Rng, population: Population, jobs: pd.DataFrame, quarter: int
) -> Iterator[pd.DataFrame]:
    month = FIRST_MONTH + np.timedelta64(3 * quarter, "M")
    for part in written.in_parts(jobs):
        yield _quarter_table(rng, population, part, month)


def _quarter_table(
    rng: Rng, population: Population, jobs: pd.DataFrame, month: np.datetime64
) -> pd.DataFrame:
    size = len(jobs)
    persons, companies = population.persons, population.companies
    person: Ints = jobs["person"].to_numpy(np.int64)
    company: Ints = jobs["company"].to_numpy(np.int64)
    ids = persons["person_id"].iloc[person].to_numpy(dtype=object)
    name = companies["name"].iloc[company].to_numpy(dtype=object)
    late = between(rng, 30, 92, size)
    late = np.where(chance(rng, size, BACK_PAID_RATE), late + 200, late)
    return pd.DataFrame(
        {
            "person_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "employer_name": dirt.soiled(rng, name, dirt.COMPANY_KINDS[:2]),
            "employer_uscc": companies["uscc"].iloc[company].to_numpy(dtype=object),
            "month": np.full(size, str(month).replace("-", ""), dtype=object),
            "base": jobs["base"].to_numpy(),
            "posted_date": written.iso_dates(
                month.astype("datetime64[D]") + days(late)
            ),
        }
    )
