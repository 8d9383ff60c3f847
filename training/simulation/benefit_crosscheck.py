"""Simulated deliveries for the model of benefits against events of life.

No row describes a real person. Honest beneficiaries are drawn first; planted schemes and
hard negatives change some of them before anything is numbered or written.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from training.simulation import benefit_tables as tables
from training.simulation import registers, registers_life, registers_wealth
from training.simulation.benefit_fraud import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    TYPOLOGIES,
)
from training.simulation.benefit_honest import HARD_NEGATIVES
from training.simulation.benefit_life import (
    EARLIEST_SIGN,
    live,
    medical_bills,
    signs_of_life,
    stays,
)
from training.simulation.benefit_plants import plant
from training.simulation.benefit_world import (
    MONTHS,
    World,
    build_world,
    first_days,
)
from training.simulation.delivery import Outbox, delivering
from training.simulation.population import drawn_by, prefecture
from training.simulation.sampling import Bools, Rng, chance

__all__ = ["CAUGHT_BY_NO_RULE", "CAUGHT_BY_RULES", "simulate"]

SMALLEST = 1000
PEOPLE_PER_UNIT = 6
BYSTANDER_RATE = 0.05  # people in the tax and insurance deliveries for no reason
CHINESE = "gb18030"
# Registers of which an excerpt tells only what is about beneficiaries themselves.
OWN = {
    "marriages": ("a", "b"),
    "roles": ("person",),
    "cars": ("person",),
    "homes": ("person",),
    "losses": ("person",),
}


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: beneficiaries, each counted once per scheme.
        people: of the prefecture; by default enough for that many beneficiaries.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng(drawn_by(seed, units, out.place))
    people = people or units * PEOPLE_PER_UNIT
    population = prefecture(seed, people, out.place)
    world = build_world(rng, population, units)
    world.rows = world.rows.assign(declared_car=0, declared_home=0)
    live(rng, world)
    plant(rng, world, (*TYPOLOGIES, *HARD_NEGATIVES))
    tables.number_units(rng, world)
    if out.excerpt:
        _keep_own(world)
    counts = _write_benefits(rng, world, out)
    counts |= _write_life(rng, world, out)
    counts |= _write_wealth(rng, world, out)
    truth = tables.truth_table(rng, world)
    counts["truth/units"] = out.write("truth/units.csv", [truth])
    out.note("beneficiaries", units, seed)
    return counts


def _beneficiaries(world: World) -> Bools:
    """Who receives a benefit, by person."""
    asked = np.zeros(len(world.population.persons), dtype=np.bool_)
    asked[world.ids("person")] = True
    return asked


def _keep_own(world: World) -> None:
    asked = _beneficiaries(world)
    for event, names in OWN.items():
        rows = world.happened(event)
        own = np.any([asked[rows[name].to_numpy(np.int64)] for name in names], axis=0)
        world.events[event] = [rows[own]]


def _write_benefits(rng: Rng, world: World, out: Outbox) -> dict[str, int]:
    since = MONTHS - 1 if out.excerpt else 0
    months = stays(rng, world)
    stayed = tables.stay_tables(rng, world, months[months["month"] >= since])
    benefits = tables.benefit_tables(rng, world)
    payments = tables.payment_tables(rng, world, since)
    return {
        "benefits": out.write("benefits.csv", benefits),
        "payments": out.write("payments.parquet", payments),
        "care_home_stays": out.write("care_home_stays.csv", stayed),
        "household_assets": _csv(
            out, "household_assets", [tables.asset_table(rng, world)]
        ),
        "withdrawals": _csv(out, "withdrawals", [tables.withdrawal_table(rng, world)]),
    }


def _write_life(rng: Rng, world: World, out: Outbox) -> dict[str, int]:
    population = world.population
    since = first_days(np.array(MONTHS - 1)) if out.excerpt else EARLIEST_SIGN
    signs = signs_of_life(rng, world)
    signs = signs[signs["day"] >= since]
    bills = medical_bills(rng, world, signs)
    bills = bills[bills["day"] >= since]
    listed = _beneficiaries(world) if out.excerpt else None
    married = registers_life.marriage_table(
        rng, population, _mixed(rng, world.happened("marriages"))
    )
    held = _mixed(rng, world.happened("custody"))
    imprisoned = registers_life.custody_table(rng, population, held)
    return {
        "deaths": _csv(out, "deaths", [tables.death_table(rng, world)]),
        "marriages": _csv(out, "marriages", [married]),
        "imprisonments": _csv(out, "imprisonments", [imprisoned]),
        "lost_identities": _csv(
            out, "lost_identities", [tables.loss_table(rng, world)]
        ),
        "life_signs": out.write(
            "life_signs.csv.gz", tables.sign_tables(rng, world, signs)
        ),
        "medical_bills": out.write(
            "medical_bills.csv.gz", tables.bill_tables(rng, world, bills)
        ),
        "persons": out.write(
            "persons.parquet", registers.person_tables(rng, population, listed)
        ),
    }


def _write_wealth(rng: Rng, world: World, out: Outbox) -> dict[str, int]:
    population = world.population
    known = _known(rng, world, out)
    quarters = registers.periods(out.excerpt)
    wages = world.happened("wages")
    wages = _mixed(rng, wages[known[wages["person"].to_numpy(np.int64)]])
    employed = replace(population, jobs=wages.drop(columns="income"))
    roles = _mixed(rng, world.happened("roles"))
    cars = _mixed(rng, world.happened("cars"))
    return {
        "income_tax": out.write(
            "income_tax.csv.gz",
            registers_wealth.income_tables(rng, population, wages, quarters),
        ),
        "social_insurance": out.write(
            "social_insurance.csv.gz",
            registers.insurance_tables(rng, employed, known, quarters),
        ),
        "company_roles": _csv(
            out,
            "company_roles",
            [registers_wealth.role_table(rng, population, roles)],
        ),
        "vehicles": _csv(
            out, "vehicles", [registers_wealth.car_table(rng, population, cars)]
        ),
        "homes": _csv(out, "homes", [tables.home_table(rng, world)]),
        "companies": out.write(
            "companies.csv",
            [registers.company_table(rng, population)],
            encoding=CHINESE,
        ),
    }


def _csv(out: Outbox, name: str, frames: Iterable[pd.DataFrame]) -> int:
    return out.write(f"{name}.csv", frames)


def _mixed(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """In no order, so that what was planted last does not stand last."""
    return rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)


def _known(rng: Rng, world: World, out: Outbox) -> Bools:
    """Whose wages were asked for: beneficiaries, their households, some others."""
    population = world.population
    home = population.persons["household"].to_numpy(np.int64)
    wanted = np.zeros(len(population.household_start), dtype=np.bool_)
    wanted[home[world.ids("person")]] = True
    others = 0.0 if out.excerpt else BYSTANDER_RATE
    return np.asarray(wanted[home] | chance(rng, len(home), others))
