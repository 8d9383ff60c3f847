"""Simulated deliveries for the vehicle-insurance model, with the truth kept apart.

No row describes a real person. Benign claims, hard negatives and planted schemes
are mixed before anything is numbered or written.
"""

import numpy as np
import pandas as pd

from training.simulation import registers
from training.simulation.delivery import Outbox, delivering, ring_ids
from training.simulation.population import drawn_by, prefecture
from training.simulation.sampling import Bools, Rng, chance
from training.simulation.vehicle_claims import column, draft
from training.simulation.vehicle_departments import (
    accident_tables,
    appraisal_table,
    assignment_table,
    bill_tables,
    court_table,
    medical_table,
    number_accidents,
)
from training.simulation.vehicle_fraud import TYPOLOGIES
from training.simulation.vehicle_honest import HARD_NEGATIVES
from training.simulation.vehicle_insurers import (
    claim_tables,
    has_garage,
    policy_tables,
)
from training.simulation.vehicle_plants import plant
from training.simulation.vehicle_settlement import settle
from training.simulation.vehicle_world import (
    PEOPLE_PER_VEHICLE,
    World,
    build_world,
    vehicles_for,
)

SMALLEST = 1000
# Planted kinds of which rules catch every claim, and of which none catches any.
CAUGHT_BY_RULES, CAUGHT_BY_NO_RULE = "assignment_ring", "staged_collision_evading"
UNCLAIMED_SHARE = 0.12  # accidents that nobody claimed for
BYSTANDER_RATE = 0.10  # people in the social-insurance delivery for no reason
CHINESE = "gb18030"


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: claims.
        people: of the prefecture; by default just enough for that many claims.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng(drawn_by(seed, units, out.place))
    people = people or round(vehicles_for(units) * PEOPLE_PER_VEHICLE)
    world = build_world(rng, prefecture(seed, people, out.place), units)
    rows = _all_claims(rng, world, units)
    unclaimed = draft(rng, world, round(units * UNCLAIMED_SHARE))
    rows = number_accidents(out.place, rows, unclaimed)
    counts = _write_claims(rng, world, rows, unclaimed, out)
    counts |= _write_registers(rng, world, rows, out)
    counts["truth/units"] = out.write(
        "truth/units.csv", [_truth(rng, rows, out.place.mark)]
    )
    out.note("claims", units, seed)
    return counts


def _all_claims(rng: Rng, world: World, claims: int) -> pd.DataFrame:
    """Planted and ordinary claims, mixed by time of report."""
    # Planting comes first because some schemes change cars and companies.
    planted = plant(rng, world, (*TYPOLOGIES, *HARD_NEGATIVES), claims)
    ordinary = draft(rng, world, claims - len(planted)).assign(
        fraud=0, typology="", hard_negative="", group=-1
    )
    mixed = pd.concat([planted, ordinary], ignore_index=True)
    mixed = mixed.iloc[rng.permutation(len(mixed))].reset_index(drop=True)
    rows = settle(rng, world, mixed)
    return rows.assign(has_garage=has_garage(rng, rows))


def _write_claims(
    rng: Rng, world: World, rows: pd.DataFrame, unclaimed: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    accidents = accident_tables(rng, world, rows, unclaimed)
    policies = policy_tables(rng, world, rows, claimed_only=out.excerpt)
    bills = bill_tables(rng, world, rows)
    appraisals = appraisal_table(rng, world, rows)
    courts = court_table(rng, world, rows)
    return {
        "claims": out.write("claims.csv", claim_tables(rng, world, rows)),
        "policies": out.write("policies.parquet", policies),
        "accidents": out.write("accidents.csv.gz", accidents),
        "assignments": out.write(
            "assignments.csv", [assignment_table(rng, world, rows)]
        ),
        "repair_bills": out.write("repair_bills.parquet", bills),
        "appraisals": out.write("appraisals.csv", [appraisals], encoding=CHINESE),
        "medical": out.write("medical.csv", [medical_table(rng, world, rows)]),
        "court_cases": out.write("court_cases.csv", [courts], encoding=CHINESE),
    }


def _write_registers(
    rng: Rng, world: World, rows: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    population = world.population
    known = _known(rng, world, rows, out)
    periods = registers.periods(out.excerpt)
    insured = registers.insurance_tables(rng, population, known, periods)
    listed = known if out.excerpt else None
    people = registers.person_tables(rng, population, listed)
    companies = registers.company_table(rng, population)
    return {
        "social_insurance": out.write("social_insurance.csv.gz", insured),
        "persons": out.write("persons.parquet", people),
        "companies": out.write("companies.csv", [companies], encoding=CHINESE),
    }


def _known(rng: Rng, world: World, rows: pd.DataFrame, out: Outbox) -> Bools:
    """Whose social insurance was asked for: parties, firms' staff, some others."""
    others = 0.0 if out.excerpt else BYSTANDER_RATE
    known = chance(rng, len(world.population.persons), others)
    for party in ("claimant", "driver", "injured"):
        known[column(rows, party)] = True
    known[world.garage_of >= 0] = True
    known[world.experts.ravel()] = True
    known[world.agents["person"].to_numpy()] = True
    return known


def _truth(rng: Rng, rows: pd.DataFrame, mark: str) -> pd.DataFrame:
    """What was planted, apart from what is delivered."""
    return pd.DataFrame(
        {
            "claim_no": rows["claim_no"],
            "fraud": rows["fraud"],
            "typology": rows["typology"],
            "ring_id": ring_ids(rng, column(rows, "group"), mark),
            "hard_negative": rows["hard_negative"],
        }
    )
