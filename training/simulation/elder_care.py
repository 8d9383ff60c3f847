"""Simulated deliveries for the elder-care model, with the truth kept apart.

No row describes a real person, and clients of the firms appear as tokens only. Honest
firms, hard negatives and planted rings are mixed before anything is numbered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from training.simulation import elder_departments as departments
from training.simulation import elder_money as money
from training.simulation import names, registers, registers_wealth
from training.simulation.delivery import Outbox, delivering, ring_ids
from training.simulation.elder_fraud import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    SCHEMES,
)
from training.simulation.elder_honest import HARD_NEGATIVES, VICTIMS
from training.simulation.elder_plants import plant
from training.simulation.elder_ties import Ties, tie
from training.simulation.elder_world import LAST_DAY, column, draft, people_for, rates
from training.simulation.population import prefecture
from training.simulation.sampling import Floats, Rng

__all__ = ["CAUGHT_BY_NO_RULE", "CAUGHT_BY_RULES", "SMALLEST", "simulate"]

SMALLEST = 1000
CHINESE = "gb18030"
# One district's civil affairs delivered nothing for these months.
GAP_DISTRICT = names.DISTRICTS.index("嵊州市")
GAP = ("2023-06-01", "2023-08-31")
PADDED_MONTHS = 30


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: firms in scope.
        people: of the prefecture; by default just enough for that many firms.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng([seed, units])
    population = prefecture(seed, people or people_for(units))
    rows = draft(rng, population, units)
    rows = plant(rng, rows, SCHEMES, (*HARD_NEGATIVES, *VICTIMS))
    ties = tie(rng, population, rows)
    sold = money.contracts(rng, rows, ties)
    counts = _write_firms(rng, rows, ties, sold, out)
    counts |= _write_money(rng, rows, ties, sold, out)
    counts |= _write_registers(rng, rows, ties, out)
    truth = _truth(rng, rows, ties, sold)
    counts["truth/units"] = out.write("truth/units.csv", [truth])
    out.note("firms", units, seed)
    return counts


def _write_firms(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    brands = departments.brand_names(rng, rows)
    prepaid = money.prepaid_quarters(rows, sold)[:, -4:].sum(axis=1)
    stays, subsidies = departments.stay_tables(rng, rows, ties)
    tables = {
        "elder_firms": departments.firm_table(rng, rows, ties, prepaid),
        "brands": departments.brand_table(rng, rows, ties, brands),
        "contract_forms": departments.form_table(rng, rows, ties),
        "stays": _without_gap(rows, ties, stays, "month"),
        "subsidies": subsidies,
        "ads": departments.advertisement_table(rng, rows, ties, brands),
        "events": departments.event_table(rng, rows, ties, brands),
        "complaints": departments.complaint_table(rng, rows, ties, brands, sold),
        "arrears": departments.arrears_table(rng, rows, ties),
        "closed_raisers": departments.raiser_table(rng, ties),
        "enforcements": departments.enforced_table(rng, rows, ties),
    }
    return {
        name: out.write(
            f"{name}.csv",
            _posted([table]),
            encoding=CHINESE if name in ("elder_firms", "complaints") else "utf-8",
        )
        for name, table in tables.items()
    }


def _write_money(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    custody = money.custody_table(rng, rows, ties, sold)
    tables = {
        "refunds": money.refund_table(rng, rows, ties, sold),
        "service_income": money.income_table(rng, rows, ties, sold),
        "custody": _without_gap(rows, ties, custody, "day"),
        "bank_requests": money.request_table(rng, rows, ties),
    }
    counts = {
        name: out.write(f"{name}.csv", _posted([table]))
        for name, table in tables.items()
    }
    signed = sold["day"].to_numpy().astype("datetime64[D]")
    silent = (signed >= np.datetime64(GAP[0])) & (signed <= np.datetime64(GAP[1]))
    silent &= column(rows, "district")[column(sold, "firm")] == GAP_DISTRICT
    contracts = money.contract_tables(rng, rows, ties, sold[~silent])
    days = money.bank_tables(rng, rows, ties, sold)
    return counts | {
        "contracts": out.write("contracts.parquet", _posted(contracts)),
        "bank_days": out.write("bank_days.csv.gz", _posted(days)),
    }


def _write_registers(
    rng: Rng, rows: pd.DataFrame, ties: Ties, out: Outbox
) -> dict[str, int]:
    population = ties.population
    roles = registers_wealth.role_table(rng, population, ties.roles)
    companies = registers.company_table(rng, population)
    everybody = np.ones(len(population.persons), dtype=np.bool_)
    insured = registers.insurance_tables(rng, population, everybody)
    # The household register is asked about parties only; clients stay unknown.
    asked = replace(
        population, persons=population.persons.iloc[departments.parties(rows, ties)]
    )
    return {
        "company_roles": out.write("company_roles.csv", _posted([roles])),
        "companies": out.write("companies.csv", _posted([companies]), encoding=CHINESE),
        "social_insurance": out.write("social_insurance.csv.gz", _posted(insured)),
        "persons": out.write("persons.parquet", registers.person_tables(rng, asked)),
    }


def _posted(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Only what departments had posted by the last day."""
    for frame in frames:
        known = frame["posted_date"].astype(str) <= str(LAST_DAY)
        yield frame[known].reset_index(drop=True)


def _without_gap(
    rows: pd.DataFrame, ties: Ties, table: pd.DataFrame, day: str
) -> pd.DataFrame:
    """What the silent department did not deliver is left out."""
    firm = np.flatnonzero(column(rows, "district") == GAP_DISTRICT)
    codes = departments.codes_of(rows, ties, firm)
    within = table[day].between(GAP[0][:7], GAP[1])
    return table[~(within & table["uscc"].isin(codes))].reset_index(drop=True)


def _truth(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> pd.DataFrame:
    """What was planted, apart from what is delivered."""
    table = pd.DataFrame(
        {
            "uscc": departments.codes_of(rows, ties, np.arange(len(rows))),
            "fraud": column(rows, "fraud"),
            "typology": rows["typology"].to_numpy(dtype=object),
            "ring_id": ring_ids(rng, column(rows, "ring")),
            "hard_negative": rows["hard_negative"].to_numpy(dtype=object),
            "amount": np.round(_at_stake(rows, sold), 2),
        }
    )
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def _at_stake(rows: pd.DataFrame, sold: pd.DataFrame) -> Floats:
    """Money taken by the schemes; of padding homes the subsidies for nobody."""
    taken = np.bincount(column(sold, "firm"), sold["amount"].to_numpy(), len(rows))
    lived = rates(rows, "occupancy") * column(rows, "beds")
    nobody = lived * (rates(rows, "padding") - 1)
    padded = nobody * departments.BED_SUBSIDY * PADDED_MONTHS
    is_padding = rows["typology"].to_numpy() == "subsidy_padding"
    return np.asarray(np.where(is_padding, padded, taken) * column(rows, "fraud"))
