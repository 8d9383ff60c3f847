"""Simulated deliveries for the model of false wage claims in bankruptcy.

No row describes a real person. Ordinary claims, hard negatives and planted schemes are
mixed before anything is numbered or written.
"""

import numpy as np
import pandas as pd

from training.simulation import registers
from training.simulation.delivery import Outbox, delivering, ring_ids
from training.simulation.population import prefecture
from training.simulation.sampling import Rng
from training.simulation.wages_claims import column, draft, plant
from training.simulation.wages_departments import (
    arbitration_rows,
    arbitration_table,
    bankruptcy_table,
    claim_table,
    claims_settled,
    numbered,
)
from training.simulation.wages_fraud import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    TYPOLOGIES,
)
from training.simulation.wages_honest import HARD_NEGATIVES
from training.simulation.wages_registers import (
    creditor_table,
    enforcement_table,
    income_tables,
    insurance_tables,
    marriage_table,
    payroll_tables,
    role_table,
    transfer_table,
    utility_table,
    with_jobs,
)
from training.simulation.wages_world import PEOPLE_PER_CLAIM, World, build_world

__all__ = ["CAUGHT_BY_NO_RULE", "CAUGHT_BY_RULES", "simulate"]

SMALLEST = 1000
CHINESE = "gb18030"


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: wage claims.
        people: of the prefecture; by default just enough for that many claims.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng([seed, units])
    people = people or units * PEOPLE_PER_CLAIM
    world = build_world(rng, prefecture(seed, people), units)
    rows = _all_claims(rng, world, units)
    counts = _write_claims(rng, world, rows, out)
    counts |= _write_debtors(rng, world, rows, out)
    counts |= _write_registers(rng, world, rows, out)
    counts["truth/units"] = out.write("truth/units.csv", [_truth(rng, rows)])
    out.note("wage claims", units, seed)
    return counts


def _all_claims(rng: Rng, world: World, units: int) -> pd.DataFrame:
    """Planted and ordinary claims, mixed by the day on which they were listed."""
    # Planting comes first because some schemes change who runs a debtor.
    planted = plant(rng, world, (*TYPOLOGIES, *HARD_NEGATIVES), units)
    free = rng.permutation(np.flatnonzero(~world.spent))[: units - len(planted)]
    world.spent[free] = True
    ordinary = draft(rng, world, world.staff.iloc[free])
    mixed = pd.concat([planted, ordinary], ignore_index=True)
    mixed = mixed.iloc[rng.permutation(len(mixed))]
    return claims_settled(numbered(rng, world, mixed))


def _write_claims(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    cases = arbitration_rows(rng, world, rows)
    claims = claim_table(rng, world, rows, cases)
    heard = arbitration_table(rng, world, cases)
    return {
        "wage_claims": out.write("wage_claims.csv", [claims]),
        "arbitrations": out.write("arbitrations.csv", [heard], encoding=CHINESE),
        "bank_transfers": out.write(
            "bank_transfers.csv", [transfer_table(rng, world, rows)]
        ),
    }


def _write_debtors(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    debtors = bankruptcy_table(rng, world, rows)
    creditors = creditor_table(rng, world, rows)
    payroll = payroll_tables(rng, world, rows)
    roles = role_table(rng, world)
    enforced = enforcement_table(rng, world)
    return {
        "bankruptcies": out.write("bankruptcies.csv", [debtors]),
        "creditors": out.write("creditors.csv", [creditors]),
        "payroll": out.write("payroll.parquet", payroll),
        "utilities": out.write("utilities.csv", [utility_table(rng, world)]),
        "company_roles": out.write("company_roles.csv", [roles]),
        "enforcements": out.write("enforcements.csv", [enforced]),
    }


def _write_registers(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    population = with_jobs(rng, world, rows)
    insured = insurance_tables(rng, world, population, rows)
    taxed = income_tables(rng, world, population, rows)
    people = registers.person_tables(rng, population)
    companies = registers.company_table(rng, population)
    return {
        "social_insurance": out.write("social_insurance.csv.gz", insured),
        "income_tax": out.write("income_tax.csv.gz", taxed),
        "persons": out.write("persons.parquet", people),
        "companies": out.write("companies.csv", [companies], encoding=CHINESE),
        "marriages": out.write("marriages.csv", [marriage_table(rng, world)]),
    }


def _truth(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """What was planted, apart from what is delivered."""
    return pd.DataFrame(
        {
            "claim_id": rows["claim_id"],
            "fraud": rows["fraud"],
            "typology": rows["typology"],
            "ring_id": ring_ids(rng, column(rows, "group")),
            "hard_negative": rows["hard_negative"],
            "amount": rows["amount"],
        }
    )
