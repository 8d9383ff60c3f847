"""Simulated deliveries for the judicial-auction model, with the truth kept apart.

No row describes a real person. Schemes and honest look-alikes change staged rounds
before anybody bids; bids, payments and registers then follow from what stands there.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from training.simulation import (
    auction_aftermath,
    auction_contests,
    auction_tables,
    registers,
    registers_life,
    registers_wealth,
    written,
)
from training.simulation.auction_breaches import lawful_exceptions, procedural_breach
from training.simulation.auction_fraud import SCHEMES
from training.simulation.auction_honest import LOOK_ALIKES, VICTIMS
from training.simulation.auction_tables import Delivery
from training.simulation.auction_world import Stage, build_stage
from training.simulation.delivery import Outbox, delivering, ring_ids
from training.simulation.population import QUARTERS, Population, prefecture
from training.simulation.sampling import Bools, Floats, Rng, between, chance, days

SMALLEST = 1000
PEOPLE_PER_ROUND = 3
FEWEST_PEOPLE = 6000
BREACH_SHARE = 0.03
HELPER_STAFF = 9
BYSTANDER_RATE = 0.05  # people in the social-insurance delivery for no reason
CHINESE = "gb18030"
# Every breach is against a written number: rule A16 says so of each.
CAUGHT_BY_RULES = "procedural_breach"
# Own devices and accounts, a token raise, pairs that hardly meet twice: no rule alone.
CAUGHT_BY_NO_RULE = "token_raise_ring"
TYPOLOGIES = (*(scheme.name for scheme in SCHEMES), CAUGHT_BY_RULES)
HARD_NEGATIVES = tuple(name for name, _, _ in LOOK_ALIKES)
DOCUMENTED_VICTIMS = VICTIMS


@delivering
def simulate(
    *, units: int, seed: int, out: Outbox, people: int | None = None
) -> dict[str, int]:
    """Write one delivery per department into `out`; returns rows per table.

    Args:
        units: auction rounds.
        people: of the prefecture; by default enough for that many rounds.
    """
    if units < SMALLEST:
        raise ValueError(
            f"simulate: units={units!r} is too few to hold every planted scheme; "
            f"ask for {SMALLEST} or more"
        )
    rng = np.random.default_rng([seed, units])
    people = people or max(FEWEST_PEOPLE, units * PEOPLE_PER_ROUND)
    stage = build_stage(rng, _staffed(rng, prefecture(seed, people)), units)
    _plant(rng, stage, units)
    stage.population = _with_staff(stage)
    held, enforced = _contested(rng, stage)
    counts = _write_auctions(rng, held, out)
    counts |= _write_aftermath(rng, held, out)
    counts |= _write_registers(rng, stage, enforced, out)
    counts["truth/units"] = out.write("truth/units.csv", [_truth(rng, held)])
    out.note("auction rounds", units, seed)
    return counts


def _staffed(rng: Rng, population: Population) -> Population:
    """The helpers with staff, which the prefecture leaves open."""
    helpers = population.companies_of("auction_helper")
    adults = np.flatnonzero(population.adults())
    staff = rng.choice(adults, len(helpers) * HELPER_STAFF, replace=False)
    jobs = pd.DataFrame({"person": staff, "company": np.repeat(helpers, HELPER_STAFF)})
    return replace(population, jobs=_with_jobs(population.jobs, jobs))


def _with_jobs(jobs: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    spells = more.assign(first_quarter=0, last_quarter=QUARTERS - 1)
    return pd.concat([jobs, spells], ignore_index=True)


def _with_staff(stage: Stage) -> Population:
    staff = pd.concat(stage.staff, ignore_index=True)
    return replace(stage.population, jobs=_with_jobs(stage.population.jobs, staff))


def _plant(rng: Rng, stage: Stage, units: int) -> None:
    """Schemes first, since few lots suit them; each at least once."""
    for scheme in SCHEMES:
        scheme.stage_it(rng, stage, max(scheme.minimum, round(scheme.share * units)))
    for _, share, look_alike in LOOK_ALIKES:
        look_alike(rng, stage, max(6, round(share * units)))
    procedural_breach(rng, stage, round(BREACH_SHARE * units))
    lawful_exceptions(rng, stage)


def _contested(rng: Rng, stage: Stage) -> tuple[Delivery, pd.DataFrame]:
    """Deposits, bids and results of all rounds, and the debtors' enforcement cases."""
    parts = [*stage.entrants, auction_contests.ordinary_entrants(rng, stage)]
    entrants = pd.concat(parts, ignore_index=True)
    entrants = auction_contests.with_leads(rng, stage, entrants)
    auction_contests.set_targets(rng, stage, entrants)
    bids = auction_contests.bid_rows(rng, stage, entrants)
    auction_contests.settle_rounds(rng, stage, bids)
    enforced, numbers = _enforcements(rng, stage)
    held = Delivery(
        stage,
        auction_tables.numbered(rng, stage, entrants),
        bids,
        auction_tables.lot_numbers(rng, len(stage.lots)),
        auction_tables.round_numbers(stage),
        numbers,
    )
    return held, enforced


def _enforcements(rng: Rng, stage: Stage) -> tuple[pd.DataFrame, np.ndarray]:
    """The courts' table, and the number of each lot's case in it."""
    lots = stage.lots
    filed = lots["seizure"].to_numpy() - days(between(rng, 5, 60, len(lots)))
    owed = lots["appraisal"].to_numpy() * rng.uniform(0.5, 2.2, len(lots))
    ours = pd.DataFrame(
        {
            "person": lots["debtor"].to_numpy(),
            "company": lots["debtor_company"].to_numpy(),
            "amount": np.round(owed, 0),
            "filed": filed,
        }
    )
    others = registers_wealth.enforcements(rng, stage.population)
    rows = pd.concat([ours, others], ignore_index=True)
    order = rng.permutation(len(rows))
    table = registers_wealth.enforcement_table(
        rng, stage.population, rows.iloc[order].reset_index(drop=True)
    )
    numbers = np.empty(len(rows), dtype=object)
    numbers[order] = table["exec_no"].to_numpy(dtype=object)
    return table, numbers[: len(lots)]


def _write_auctions(rng: Rng, held: Delivery, out: Outbox) -> dict[str, int]:
    bidders = written.in_parts(auction_tables.bidder_table(rng, held))
    rounds = written.in_parts(auction_tables.round_table(rng, held))
    bids = written.in_parts(auction_tables.bid_table(held))
    lots = auction_tables.lot_table(rng, held)
    devices = auction_tables.device_table(rng, held)
    return {
        "lots": out.write("lots.csv", [lots], encoding=CHINESE),
        "rounds": out.write("rounds.csv.gz", rounds),
        "bidders": out.write("bidders.csv.gz", bidders),
        "bids": out.write("bids.parquet", bids),
        "bidder_devices": out.write("bidder_devices.csv", [devices]),
    }


def _write_aftermath(rng: Rng, held: Delivery, out: Outbox) -> dict[str, int]:
    tables = {
        "settlements": auction_aftermath.settlement_table,
        "resales": auction_aftermath.resale_table,
        "leases": auction_aftermath.lease_table,
        "properties": auction_aftermath.property_table,
        "objections": auction_aftermath.objection_table,
        "conflict_checks": auction_aftermath.conflict_table,
        "fund_traces": auction_aftermath.fund_table,
    }
    return {
        name: out.write(f"{name}.csv", [table(rng, held)])
        for name, table in tables.items()
    }


def _write_registers(
    rng: Rng, stage: Stage, enforced: pd.DataFrame, out: Outbox
) -> dict[str, int]:
    population = stage.population
    roles = pd.concat(
        [registers_wealth.company_roles(rng, population), *stage.roles],
        ignore_index=True,
    )
    roles = roles.iloc[rng.permutation(len(roles))]
    couples = registers_life.couples(rng, population)
    insured = registers.insurance_tables(rng, population, _known(rng, population))
    people = registers.person_tables(rng, population)
    companies = registers.company_table(rng, population)
    return {
        "social_insurance": out.write("social_insurance.csv.gz", insured),
        "persons": out.write("persons.parquet", people),
        "companies": out.write("companies.csv", [companies], encoding=CHINESE),
        "company_roles": out.write(
            "company_roles.csv",
            [registers_wealth.role_table(rng, population, roles)],
        ),
        "marriages": out.write(
            "marriages.csv",
            [registers_life.marriage_table(rng, population, couples)],
        ),
        "enforcements": out.write("enforcements.csv", [enforced]),
    }


def _known(rng: Rng, population: Population) -> Bools:
    """Whose social insurance was asked for: staff of helpers and appraisers, some others."""
    known = chance(rng, len(population.persons), BYSTANDER_RATE)
    kinds = population.companies["kind"].to_numpy()
    firms = np.flatnonzero(np.isin(kinds, ("auction_helper", "appraiser")))
    jobs = population.jobs
    known[jobs.loc[jobs["company"].isin(firms), "person"].to_numpy(np.int64)] = True
    return known


def _truth(rng: Rng, held: Delivery) -> pd.DataFrame:
    """What was planted, apart from what is delivered."""
    rounds = held.stage.rounds
    table = pd.DataFrame(
        {
            "round_id": held.round_ids,
            "fraud": rounds["fraud"].to_numpy(),
            "typology": rounds["typology"].to_numpy(dtype=object),
            "ring_id": ring_ids(rng, rounds["group"].to_numpy(np.int64)),
            "hard_negative": rounds["hard_negative"].to_numpy(dtype=object),
            "amount": _at_stake(held),
        }
    )
    return table.sort_values("round_id", ignore_index=True)


def _at_stake(held: Delivery) -> Floats:
    """Yuan that creditors may lose: under the market, else the start price."""
    rounds = held.stage.rounds
    lost = held.stage.of_lots("market") - rounds["price"].to_numpy()
    start = rounds["start_price"].to_numpy()
    stake = np.where(np.nan_to_num(lost, nan=-1.0) > 0, lost, start)
    return np.asarray(np.where(rounds["fraud"].to_numpy() == 1, stake, 0.0).round(2))
