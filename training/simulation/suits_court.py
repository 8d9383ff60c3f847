"""What the courts deliver: suits, further parties, agents and loans."""

import numpy as np
import pandas as pd

from training.simulation import dirt, names, suits_texts, written
from training.simulation.registers_wealth import looked_up
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
)
from training.simulation.suits_cases import TEXT_KIND, column
from training.simulation.suits_world import COURT_NAMES, NOBODY, World

CAUSE_NAMES = {
    "lending": "民间借贷纠纷",
    "wage": "追索劳动报酬纠纷",
    "labour_relation": "确认劳动关系纠纷",
    "sale": "买卖合同纠纷",
    "flat_sale": "商品房买卖合同纠纷",
    "confirmation": "申请司法确认调解协议",
}
OUTCOME_NAMES = {
    "default": "缺席判决",
    "mediation": "调解",
    "withdrawn": "撤诉",
    "judgment": "判决",
    "confirmation": "司法确认",
}
SILENT_COURT = 3  # one court's register of agents is missing for three months
SILENT = (np.datetime64("2023-06-01"), np.datetime64("2023-08-31"))
JUDGES_PER_COURT = 9
NO_TEXT_RATE = 0.04


def case_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """cases.csv: the ledger with the first plaintiff and defendant of each suit."""
    size = len(rows)
    outcome = rows["outcome"].to_numpy()
    table = {
        "case_no": rows["case_no"].to_numpy(dtype=object),
        "court": COURT_NAMES[column(rows, "court")],
        "cause": rows["cause"].map(CAUSE_NAMES).to_numpy(dtype=object),
        "filed": written.iso_dates(rows["filed"].to_numpy()),
        "heard": written.iso_dates(rows["heard"].to_numpy()),
        "hearing_time": written.iso_times(rows["heard"].to_numpy()),
        "closed": written.iso_dates(rows["closed"].to_numpy()),
        "close_kind": rows["outcome"].map(OUTCOME_NAMES).to_numpy(dtype=object),
        "claimed": rows["claimed"].to_numpy(),
        "awarded": rows["awarded"].to_numpy(),
        "defaulted": written.yes_no(outcome == "default"),
        "notice_served": written.yes_no(rows["notice"].to_numpy()),
        "interest_waived": written.yes_no(rows["waived"].to_numpy()),
        "in_kind": written.yes_no(rows["in_kind"].to_numpy()),
        "judge_code": written.plain(
            column(rows, "court") * 100 + rng.integers(1, JUDGES_PER_COURT, size)
        ),
    }
    table |= _plaintiffs(rng, world, rows)
    table |= _party(rng, world, rows, "defendant")
    pleading = _pleadings(rng, world, rows)
    return pd.DataFrame(
        table
        | {
            "evidence_count": column(rows, "evidence"),
            "defence": suits_texts.defences(rng, column(rows, "level")),
            "pleading": dirt.blanked(rng, pleading, NO_TEXT_RATE),
            "posted_date": written.iso_dates(rows["posted"].to_numpy()),
        }
    )


def _plaintiffs(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    """Plaintiffs; some give their agent's phone or an address that is not their home."""
    party = _party(rng, world, rows, "plaintiff")
    agent = world.agents["person"].to_numpy()[column(rows, "agent")]
    agents_own = dirt.soiled(
        rng, looked_up(world.population.persons["phone"], agent), dirt.PHONE_KINDS
    )
    given = (rows["agent_phone"] & (rows["agent"] >= 0)).to_numpy()
    party["plaintiff_phone"] = np.where(given, agents_own, party["plaintiff_phone"])
    office = dirt.soiled(
        rng, rows["office"].to_numpy(dtype=object), dirt.ADDRESS_KINDS[:2]
    )
    party["plaintiff_address"] = np.where(
        office == "", party["plaintiff_address"], office
    )
    return party


def _party(rng: Rng, world: World, rows: pd.DataFrame, side: str) -> dict[str, Texts]:
    persons, companies = world.population.persons, world.population.companies
    person, firm = column(rows, side), column(rows, f"{side}_firm")
    code = dirt.blanked(rng, looked_up(companies["uscc"], firm), dirt.USCC_MISSING_RATE)
    moved = chance(rng, len(rows), 0.12)
    address = looked_up(persons["address"], person)
    elsewhere = names.street_addresses(rng, world.district[person])
    address = np.where(moved & (address != ""), elsewhere, address)
    phone = np.where(
        firm >= 0,
        looked_up(companies["phone"], firm),
        looked_up(persons["phone"], person),
    )
    name = looked_up(persons["name"], person)
    return {
        f"{side}_name": dirt.soiled(rng, name, dirt.COURT_NAME_KINDS),
        f"{side}_id": dirt.soiled(
            rng, looked_up(persons["person_id"], person), dirt.COURT_ID_KINDS
        ),
        f"{side}_company": dirt.soiled(
            rng, looked_up(companies["name"], firm), dirt.COMPANY_KINDS[:2]
        ),
        f"{side}_uscc": code,
        f"{side}_phone": dirt.soiled(rng, phone, dirt.PHONE_KINDS),
        f"{side}_address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS),
    }


def _pleadings(rng: Rng, world: World, rows: pd.DataFrame) -> Texts:
    facts = {
        "sum": written.plain(np.round(rows["claimed"].to_numpy()).astype(np.int64))
    }
    for side in ("plaintiff", "defendant"):
        person, firm = column(rows, side), column(rows, f"{side}_firm")
        facts[side] = np.where(
            firm >= 0,
            looked_up(world.population.companies["name"], firm),
            looked_up(world.population.persons["name"], person),
        )
    said = pd.DataFrame(
        {
            "kind": rows["cause"].map(TEXT_KIND),
            "style": rows["style"],
            "rewritten": rows["rewritten"],
        }
    )
    return suits_texts.pleadings(rng, said, facts)


def party_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """parties.csv: guarantors and co-defendants beside the first two parties."""
    parts = [
        _further(rows, "guarantor", "guarantor"),
        _further(rows, "co_defendant", "co_defendant"),
    ]
    parties = pd.concat(parts).sort_values(["case_no", "role"], ignore_index=True)
    persons, person = world.population.persons, column(parties, "person")
    return pd.DataFrame(
        {
            "case_no": dirt.soiled(
                rng, parties["case_no"].to_numpy(dtype=object), dirt.CASE_KINDS
            ),
            "role": parties["role"],
            "name": dirt.soiled(
                rng, looked_up(persons["name"], person), dirt.COURT_NAME_KINDS
            ),
            "person_id": dirt.soiled(
                rng, looked_up(persons["person_id"], person), dirt.COURT_ID_KINDS
            ),
            "phone": dirt.soiled(
                rng, looked_up(persons["phone"], person), dirt.PHONE_KINDS
            ),
            "objected": written.yes_no(parties["objects"].to_numpy()),
            "posted_date": written.iso_dates(parties["posted"].to_numpy()),
        }
    )


def _further(rows: pd.DataFrame, name: str, role: str) -> pd.DataFrame:
    held = rows[rows[name] >= 0]
    objects = held["objects"] if role == "co_defendant" else False
    return pd.DataFrame(
        {
            "case_no": held["case_no"],
            "role": role,
            "person": held[name],
            "objects": objects,
            "posted": held["posted"],
        }
    )


def agent_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """agents.csv: who acts for which side; one court is silent for three months."""
    filed = rows["filed"].to_numpy()
    silent = (column(rows, "court") == SILENT_COURT) & (
        (filed >= SILENT[0]) & (filed <= SILENT[1])
    )
    heard = rows[~silent]
    parts = [
        _licensed(world, heard, "agent", "plaintiff"),
        _licensed(world, heard, "defence_agent", "defendant"),
        _citizens(heard),
    ]
    agents = pd.concat(parts).sort_values(["case_no", "side"], ignore_index=True)
    persons, person = world.population.persons, column(agents, "person")
    firm = looked_up(world.population.companies["name"], column(agents, "firm"))
    return pd.DataFrame(
        {
            "case_no": dirt.soiled(
                rng, agents["case_no"].to_numpy(dtype=object), dirt.CASE_KINDS
            ),
            "side": agents["side"],
            "name": dirt.soiled(
                rng, looked_up(persons["name"], person), dirt.NAME_KINDS
            ),
            "licence_no": dirt.blanked(
                rng,
                agents["licence"].to_numpy(dtype=object),
                dirt.LICENCE_MISSING_RATE,
            ),
            "firm": firm,
            "kind": agents["kind"],
            "phone": dirt.soiled(
                rng, looked_up(persons["phone"], person), dirt.PHONE_KINDS
            ),
            "posted_date": written.iso_dates(agents["posted"].to_numpy()),
        }
    )


def _licensed(world: World, rows: pd.DataFrame, name: str, side: str) -> pd.DataFrame:
    held = rows[rows[name] >= 0]
    chosen = world.agents.iloc[column(held, name)]
    return pd.DataFrame(
        {
            "case_no": held["case_no"].to_numpy(dtype=object),
            "side": side,
            "person": chosen["person"].to_numpy(),
            "firm": chosen["firm"].to_numpy(),
            "kind": chosen["kind"].to_numpy(),
            "licence": chosen["licence"].to_numpy(),
            "posted": held["posted"].to_numpy(),
        }
    )


def _citizens(rows: pd.DataFrame) -> pd.DataFrame:
    """Brokers without a licence: for the employer, and on paper for nobody else."""
    held = rows[rows["citizen"] >= 0]
    return pd.DataFrame(
        {
            "case_no": held["case_no"].to_numpy(dtype=object),
            "side": "defendant",
            "person": held["citizen"].to_numpy(),
            "firm": NOBODY,
            "kind": "citizen",
            "licence": "",
            "posted": held["posted"].to_numpy(),
        }
    )


def loan_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """loans.csv: what lending suits say of the loan."""
    held = rows[rows["cause"] == "lending"]
    size = len(held)
    principal = held["principal"].to_numpy(dtype=float)
    mixed = chance(rng, size, dirt.WAN_RATE)
    guarantor: Ints = column(held, "guarantor")
    ids = looked_up(world.population.persons["person_id"], guarantor)
    lag = days(between(rng, 0, 20, size))
    has_iou: Bools = held["iou"].to_numpy(dtype=bool)
    return pd.DataFrame(
        {
            "case_no": dirt.soiled(
                rng, held["case_no"].to_numpy(dtype=object), dirt.CASE_KINDS
            ),
            "principal": np.where(mixed, principal / 10_000, principal),
            "rate": held["rate"].to_numpy(),
            "lent_date": written.iso_dates(held["lent"].to_numpy()),
            "paid_by": np.where(held["paid_by"] == "cash", "现金", "转账"),
            "iou": written.yes_no(has_iou),
            "guarantor_id": dirt.soiled(rng, ids, dirt.COURT_ID_KINDS),
            "posted_date": written.iso_dates(
                np.minimum(held["posted"].to_numpy() + lag, np.datetime64("2024-12-31"))
            ),
        }
    )
