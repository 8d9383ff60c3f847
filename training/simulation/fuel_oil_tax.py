"""Simulated deliveries for the non-standard-oil model, with the truth kept apart.

No row describes a real person or firm. One unit is one company in one month.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from training.simulation import registers, registers_wealth
from training.simulation.delivery import Outbox, delivering
from training.simulation.fuel_departments import (
    boiler_table,
    customs_table,
    km_tables,
    permit_table,
    power_table,
    price_table,
    sample_table,
    trip_frame,
    trip_tables,
    truck_frame,
    truck_table,
)
from training.simulation.fuel_honest import fit_spells, plant_honest
from training.simulation.fuel_invoices import (
    duty_table,
    invoice_tables,
    month_tables,
    return_tables,
    unit_keys,
)
from training.simulation.fuel_months import draw_months
from training.simulation.fuel_schemes import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    plant_schemes,
)
from training.simulation.fuel_stations import (
    day_tables,
    payee_table,
    traffic_table,
    with_typos,
)
from training.simulation.fuel_trade import draw_lines
from training.simulation.fuel_world import (
    LEAST_PEOPLE,
    PEOPLE_PER_UNIT,
    World,
    build_world,
    open_some_late,
    with_staff,
)
from training.simulation.population import prefecture
from training.simulation.sampling import Rng, chance

__all__ = ["CAUGHT_BY_NO_RULE", "CAUGHT_BY_RULES", "simulate"]

SMALLEST = 1000
BYSTANDER_RATE = 0.05  # people in the social-insurance delivery for no reason
DELIVERED = "2025-01-31"  # what is posted later is not in the delivery
CHINESE = "gb18030"


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: company-months.
        people: of the prefecture; by default just enough for that many firms.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng([seed, units])
    people = people or max(LEAST_PEOPLE, units * PEOPLE_PER_UNIT)
    world = build_world(rng, prefecture(seed, people), units)
    rings = plant_schemes(rng, world)
    plant_honest(rng, world)
    fit_spells(rng, world.firms, units)
    open_some_late(rng, world)
    rows = draw_months(rng, world)
    lines = draw_lines(rng, world, rows)
    counts = _write_tax(rng, world, rows, lines, out)
    counts |= _write_departments(rng, world, rows, lines, out)
    counts |= _write_registers(rng, world, out)
    truth = _truth(rng, world, rows, rings)
    counts["truth/units"] = out.write("truth/units.csv", [truth])
    out.note("company-months", units, seed)
    return counts


def _write_tax(
    rng: Rng, world: World, rows: pd.DataFrame, lines: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    listed = month_tables(rng, world, rows, lines)
    invoices = invoice_tables(rng, world, lines)
    returns = return_tables(rng, world, lines, rows)
    duties = [duty_table(rng, world, lines)]
    return {
        "company_months": out.write("company_months.csv", listed),
        "invoice_lines": out.write("invoice_lines.csv.gz", invoices),
        "vat_returns": out.write("vat_returns.csv", returns),
        "consumption_tax": out.write("consumption_tax.csv", duties),
    }


def _posted(tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The rows that departments had posted when they delivered."""
    for table in tables:
        yield table[table["posted_date"] <= DELIVERED]


def _write_departments(
    rng: Rng, world: World, rows: pd.DataFrame, lines: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    trucks = truck_frame(rng, world)
    trips = with_typos(rng, rows, trip_frame(rng, world, rows, lines))
    small = {
        "trucks": truck_table(rng, world, trucks),
        "boilers": boiler_table(rng, world),
        "permits": permit_table(rng, world),
        "samples": sample_table(rng, world, rows, lines),
        "customs": customs_table(rng, world),
        "fuel_prices": price_table(world),
        "station_traffic": traffic_table(rng, world, rows),
        "qr_payments": payee_table(rng, world, rows),
    }
    long = {
        "truck_km": km_tables(rng, world, rows, trucks),
        "tanker_trips": trip_tables(rng, world, trips),
        "station_days": day_tables(rng, world, rows),
        "electricity": [power_table(rng, world, rows)],
    }
    counts = {
        name: out.write(f"{name}.csv", _posted([table]))
        for name, table in small.items()
    }
    return counts | {
        name: out.write(f"{name}.csv.gz", _posted(tables))
        for name, tables in long.items()
    }


def _write_registers(rng: Rng, world: World, out: Outbox) -> dict[str, int]:
    population = with_staff(rng, world)
    known = chance(rng, len(population.persons), BYSTANDER_RATE)
    firms = population.jobs["company"].isin(world.firms["company"]).to_numpy()
    known[population.jobs["person"].to_numpy()[firms]] = True
    insured = registers.insurance_tables(rng, population, known)
    people = registers.person_tables(rng, population)
    companies = registers.company_table(rng, population)
    roles = registers_wealth.company_roles(rng, population)
    held = registers_wealth.role_table(rng, population, roles)
    return {
        "social_insurance": out.write("social_insurance.csv.gz", _posted(insured)),
        "persons": out.write("persons.parquet", people),
        "companies": out.write("companies.csv", [companies], encoding=CHINESE),
        "company_roles": out.write("company_roles.csv", [held]),
    }


def _truth(rng: Rng, world: World, rows: pd.DataFrame, rings: int) -> pd.DataFrame:
    """What was planted; ring numbers are drawn anew so that they carry no order."""
    number = rng.permutation(rings)
    names = np.array([f"R{place + 1:03d}" for place in number], dtype=object)
    fraud = rows["misdeed"].to_numpy(dtype=bool)
    honest = rows["honest"].to_numpy(dtype=bool)
    group = rows["group"].to_numpy(np.int64)
    name = rows["name"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "company_month": unit_keys(
                world,
                rows["company"].to_numpy(np.int64),
                rows["month"].to_numpy(np.int64),
            ),
            "fraud": fraud.astype(int),
            "typology": np.where(fraud, name, ""),
            "ring_id": np.where(fraud, names[group], ""),
            "hard_negative": np.where(honest, name, ""),
            "amount": np.where(fraud, rows["amount"].to_numpy(), 0.0),
        }
    )
