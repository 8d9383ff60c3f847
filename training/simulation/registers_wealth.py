"""Who runs and owns companies, who earns and owns what, who is enforced against.

As in `registers_life`: drawn by positions, to which a scenario adds what it plants, then
written as the department delivers it.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, written
from training.simulation.population import QUARTERS, Population
from training.simulation.registers import FIRST_MONTH
from training.simulation.registers_life import FIRST_DAY, LAST_DAY, WINDOW_DAYS
from training.simulation.sampling import (
    Ints,
    Rng,
    between,
    chance,
    days,
    lognormal,
    pick,
)

ONLINE_RATE = 0.35
STOLEN_IDENTITY_RATE = 0.003  # a company filed online in the name of who knows nothing
CARS_PER_ADULT = 0.35
ENFORCED_PEOPLE, ENFORCED_COMPANIES = 0.006, 0.04
NOBODY = -1


def company_roles(rng: Rng, population: Population) -> pd.DataFrame:
    """company, person, role, share, channel, since, until, stolen (identity)."""
    companies = population.companies
    size = len(companies)
    opened = companies["established"].to_numpy().astype("datetime64[D]")
    adults = np.flatnonzero(population.adults())
    partners = between(rng, 0, 2, size)
    held = np.repeat(np.arange(size), partners)
    majority = np.where(partners > 0, rng.uniform(0.5, 0.9, size), 1.0)
    lead = companies["legal_rep"].to_numpy(np.int64)
    company = np.concatenate([np.arange(size), np.arange(size), held, np.arange(size)])
    role = ["legal_rep"] * size + ["shareholder"] * (size + len(held))
    rows = pd.DataFrame(
        {
            "company": company,
            "person": np.concatenate(
                [lead, lead, rng.choice(adults, len(held)), rng.choice(adults, size)]
            ),
            "role": np.array([*role, *(["supervisor"] * size)], dtype=object),
            "share": np.concatenate(
                [
                    np.full(size, np.nan),
                    majority,
                    ((1 - majority) / np.maximum(partners, 1))[held],
                    np.full(size, np.nan),
                ]
            ),
            "channel": pick(
                rng, ("online", "counter"), len(company), (ONLINE_RATE, 1 - ONLINE_RATE)
            ),
            "since": opened[company],
            "until": np.datetime64("NaT"),
        }
    )
    stolen = (rows["channel"] == "online") & chance(
        rng, len(rows), STOLEN_IDENTITY_RATE / ONLINE_RATE
    )
    rows.loc[stolen, "person"] = rng.choice(adults, int(stolen.sum()))
    return rows.assign(stolen=stolen)


def role_table(rng: Rng, population: Population, rows: pd.DataFrame) -> pd.DataFrame:
    """company_roles.csv of the market regulator."""
    ids = population.persons["person_id"].to_numpy(dtype=object)[rows["person"]]
    codes = population.companies["uscc"].to_numpy(dtype=object)[rows["company"]]
    since = rows["since"].to_numpy()
    return pd.DataFrame(
        {
            "uscc": codes,
            "person_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "role": rows["role"].to_numpy(dtype=object),
            "share": rows["share"].round(4).to_numpy(),
            "channel": rows["channel"].to_numpy(dtype=object),
            "from_date": written.iso_dates(since),
            "to_date": written.iso_dates(rows["until"].to_numpy()),
            "posted_date": written.iso_dates(
                since + days(between(rng, 1, 30, len(rows)))
            ),
        }
    )


def incomes(rng: Rng, population: Population) -> pd.DataFrame:
    """Jobs with what they pay a quarter: person, company, first and last quarter, income."""
    jobs = population.jobs
    pay = np.round(lognormal(rng, 17_500, 0.4, len(jobs)).clip(9000), -2)
    return jobs.assign(income=pay)


def income_tables(
    rng: Rng,
    population: Population,
    rows: pd.DataFrame,
    quarters: range = range(QUARTERS),
) -> Iterator[pd.DataFrame]:
    """income_tax.csv.gz: one row per person, payer and quarter."""
    ids = population.persons["person_id"].to_numpy(dtype=object)
    codes = population.companies["uscc"].to_numpy(dtype=object)
    for quarter in quarters:
        month = FIRST_MONTH + np.timedelta64(3 * quarter, "M")
        held = (rows["first_quarter"] <= quarter) & (rows["last_quarter"] >= quarter)
        paid = rows[held]
        for part in written.in_parts(paid.iloc[rng.permutation(len(paid))]):
            posted = month.astype("datetime64[D]") + days(
                between(rng, 95, 130, len(part))
            )
            yield pd.DataFrame(
                {
                    "person_id": dirt.soiled(
                        rng, ids[part["person"].to_numpy()], dirt.ID_KINDS
                    ),
                    "payer_uscc": codes[part["company"].to_numpy()],
                    "month": str(month).replace("-", ""),
                    "income": part["income"].to_numpy(),
                    "posted_date": written.iso_dates(posted),
                }
            )


def cars(rng: Rng, population: Population) -> pd.DataFrame:
    """person, company (-1), value in yuan, use, registered."""
    adults = np.flatnonzero(population.adults())
    owner = adults[chance(rng, len(adults), CARS_PER_ADULT)]
    bought = LAST_DAY - days(between(rng, 30, 4000, len(owner)))
    return pd.DataFrame(
        {
            "person": owner,
            "company": NOBODY,
            "value": np.round(lognormal(rng, 82_000, 0.6, len(owner)), -2),
            "use": pick(
                rng, ("private", "freight", "hire"), len(owner), (0.93, 0.05, 0.02)
            ),
            "registered": bought,
        }
    )


def car_table(rng: Rng, population: Population, rows: pd.DataFrame) -> pd.DataFrame:
    """vehicles.csv of the traffic police."""
    registered = rows["registered"].to_numpy()
    return pd.DataFrame(
        {
            "plate": identifiers.plates(rng, len(rows), population.place.plate),
            "owner_id": looked_up(population.persons["person_id"], rows["person"]),
            "owner_uscc": looked_up(population.companies["uscc"], rows["company"]),
            "registered": written.iso_dates(registered),
            "value": rows["value"].to_numpy(),
            "use": rows["use"].to_numpy(dtype=object),
            "posted_date": written.iso_dates(
                registered + days(between(rng, 1, 15, len(rows)))
            ),
        }
    )


def enforcements(rng: Rng, population: Population) -> pd.DataFrame:
    """person or company (-1 where it is the other), amount, filed."""
    adults = np.flatnonzero(population.adults())
    people = adults[chance(rng, len(adults), ENFORCED_PEOPLE)]
    firms = np.flatnonzero(chance(rng, len(population.companies), ENFORCED_COMPANIES))
    size = len(people) + len(firms)
    return pd.DataFrame(
        {
            "person": np.concatenate([people, np.full(len(firms), NOBODY)]),
            "company": np.concatenate([np.full(len(people), NOBODY), firms]),
            "amount": np.round(lognormal(rng, 90_000, 1.1, size), 0),
            "filed": FIRST_DAY + days(between(rng, 0, WINDOW_DAYS - 20, size)),
        }
    )


def enforcement_table(
    rng: Rng, population: Population, rows: pd.DataFrame
) -> pd.DataFrame:
    """enforcements.csv of the courts; a scenario may give `basis_no` beside."""
    filed = rows["filed"].to_numpy()
    year = filed.astype("datetime64[Y]").astype(str).astype(object)
    number = (np.arange(len(rows)) + 1).astype(str).astype(object)
    basis = rows["basis_no"] if "basis_no" in rows else pd.Series("", rows.index)
    return pd.DataFrame(
        {
            "exec_no": "（" + year + "）浙0602执" + number + "号",
            "basis_no": basis.to_numpy(dtype=object),
            "debtor_id": looked_up(population.persons["person_id"], rows["person"]),
            "debtor_uscc": looked_up(population.companies["uscc"], rows["company"]),
            "amount": rows["amount"].to_numpy(),
            "filed": written.iso_dates(filed),
            "posted_date": written.iso_dates(
                filed + days(between(rng, 1, 30, len(rows)))
            ),
        }
    )


def looked_up(numbers: pd.Series, positions: "pd.Series | Ints") -> np.ndarray:
    """Official numbers by position; empty where the position is -1."""
    held = np.append(numbers.to_numpy(dtype=object), "")
    return np.asarray(held[np.asarray(positions)])
