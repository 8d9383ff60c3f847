"""Simulated deliveries for the false-litigation model, with the truth kept apart.

No row describes a real person. Ordinary suits, hard negatives and planted schemes are
mixed before anything is numbered or written.
"""

import numpy as np
import pandas as pd

from training.simulation import (
    dirt,
    registers,
    registers_life,
    registers_wealth,
    suits_court,
    suits_departments,
)
from training.simulation.delivery import Outbox, delivering, ring_ids
from training.simulation.population import prefecture
from training.simulation.sampling import Bools, Rng, between, chance, days
from training.simulation.suits_cases import column, draft
from training.simulation.suits_fraud import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    TYPOLOGIES,
)
from training.simulation.suits_honest import HARD_NEGATIVES
from training.simulation.suits_plants import plant
from training.simulation.suits_settlement import settle
from training.simulation.suits_world import World, build_world, people_for

__all__ = ["CAUGHT_BY_NO_RULE", "CAUGHT_BY_RULES", "simulate"]

SMALLEST = 1000
BYSTANDER_RATE = 0.10  # people in the deliveries on wages for no reason
CHINESE = "gb18030"


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: suits.
        people: of the prefecture; by default just enough for that many suits.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng([seed, units])
    population = prefecture(seed, people or people_for(units))
    world = build_world(rng, population, units)
    rows = _all_suits(rng, world, units)
    counts = _write_courts(rng, world, rows, out)
    counts |= _write_departments(rng, world, rows, out)
    counts |= _write_registers(rng, world, rows, out)
    counts["truth/units"] = out.write("truth/units.csv", [_truth(rng, rows)])
    out.note("suits", units, seed)
    return counts


def _all_suits(rng: Rng, world: World, suits: int) -> pd.DataFrame:
    planted = plant(rng, world, (*TYPOLOGIES, *HARD_NEGATIVES), suits)
    ordinary = draft(rng, world, suits - len(planted)).assign(
        fraud=0, typology="", hard_negative="", group=-1
    )
    return settle(rng, world, pd.concat([planted, ordinary], ignore_index=True))


def _write_courts(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    cases = suits_court.case_table(rng, world, rows)
    parties = suits_court.party_table(rng, world, rows)
    agents = suits_court.agent_table(rng, world, rows)
    loans = suits_court.loan_table(rng, world, rows)
    return {
        "cases": out.write("cases.csv", [cases], encoding=CHINESE),
        "parties": out.write("parties.csv", [parties], encoding=CHINESE),
        "agents": out.write("agents.csv", [agents], encoding=CHINESE),
        "loans": out.write("loans.csv", [loans]),
    }


def _write_departments(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    flats, asset = suits_departments.property_table(rng, world, rows)
    tables = {
        "mediations": suits_departments.mediation_table(rng, world, rows, asset),
        "properties": flats,
        "arbitrations": suits_departments.arbitration_table(rng, world, rows),
        "pension_backpay": suits_departments.backpay_table(rng, world, rows),
        "assignments": suits_departments.assignment_table(rng, world, rows),
        "notarial_deeds": suits_departments.notary_table(rng, world, rows),
        "bank_transfers": suits_departments.bank_table(rng, world, rows),
        "distributions": suits_departments.distribution_table(rng, world, rows),
        "company_status": suits_departments.status_table(rng, world, rows),
    }
    return {name: out.write(f"{name}.csv", [table]) for name, table in tables.items()}


def _write_registers(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    population = world.population
    known = _known(rng, world, rows)
    insured = registers.insurance_tables(rng, population, known)
    earned = registers_wealth.incomes(rng, population)
    earned = earned[known[earned["person"].to_numpy()]].reset_index(drop=True)
    income = registers_wealth.income_tables(rng, population, earned)
    couples = _couples(rng, world, rows)
    held = registers_wealth.company_roles(rng, population)
    enforced = _enforcements(rng, world, rows)
    return {
        "social_insurance": out.write("social_insurance.csv.gz", insured),
        "income_tax": out.write("income_tax.csv.gz", income),
        "persons": out.write(
            "persons.parquet", registers.person_tables(rng, population)
        ),
        "companies": out.write(
            "companies.csv",
            [registers.company_table(rng, population)],
            encoding=CHINESE,
        ),
        "company_roles": out.write(
            "company_roles.csv",
            [registers_wealth.role_table(rng, population, held)],
        ),
        "marriages": out.write(
            "marriages.csv",
            [registers_life.marriage_table(rng, population, couples)],
        ),
        "enforcements": out.write(
            "enforcements.csv",
            [registers_wealth.enforcement_table(rng, population, enforced)],
        ),
    }


def _known(rng: Rng, world: World, rows: pd.DataFrame) -> Bools:
    """Whose wages were asked for: parties, staff of sued firms, some others."""
    known = chance(rng, len(world.population.persons), BYSTANDER_RATE)
    for party in ("plaintiff", "defendant"):
        people = column(rows, party)
        known[people[people >= 0]] = True
    known |= np.isin(world.employer, column(rows, "defendant_firm")) & (
        world.employer >= 0
    )
    return known


def _couples(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Marriages, with those that end soon after an invented debt."""
    couples = registers_life.couples(rng, world.population)
    parted = rows[rows["divorced"].astype(bool)]
    first = column(parted, "defendant")
    ended = parted["filed"].to_numpy() + days(between(rng, -60, 60, len(parted)))
    known = ~couples["a"].isin(first)
    wed = ended - days(between(rng, 1500, 6000, len(parted)))
    planted = pd.DataFrame(
        {"a": first, "b": first + 1, "registered": wed, "ended": ended}
    )
    every = pd.concat([couples[known], planted]).sort_values("a", ignore_index=True)
    return every.iloc[rng.permutation(len(every))].reset_index(drop=True)


def _enforcements(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    base = registers_wealth.enforcements(rng, world.population).assign(basis_no="")
    added = suits_departments.enforcement_rows(rng, world, rows)
    every = pd.concat([base, added], ignore_index=True)
    return every.sort_values(["filed", "amount"], ignore_index=True)


def _truth(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """What was planted, apart from what is delivered.

    Suits are named in the one form that a run gives case numbers, whatever their brackets.
    """
    rings = ring_ids(rng, column(rows, "group"))
    return pd.DataFrame(
        {
            "case_no": dirt.half_brackets(rng, rows["case_no"].to_numpy(dtype=object)),
            "fraud": rows["fraud"],
            "typology": rows["typology"],
            "ring_id": rings,
            "hard_negative": rows["hard_negative"],
            "amount": rows["claimed"],
        }
    )
