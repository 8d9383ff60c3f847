"""What other departments know of auctioned lots: payment, resale, leases, objections."""

import numpy as np
import pandas as pd

from training.simulation import dirt, written
from training.simulation.auction_contests import later
from training.simulation.auction_tables import Delivery, asked_days
from training.simulation.auction_world import IMMOVABLE, NOBODY, VEHICLE, Stage
from training.simulation.registers_life import LAST_DAY
from training.simulation.registers_wealth import looked_up
from training.simulation.sampling import (
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    lognormal,
)

SILENT_COURT = 4  # delivers no settlements of three months
GAP = (np.datetime64("2023-06-01"), np.datetime64("2023-08-31"))
RESOLD_RATE = 0.06
OBJECTION_RATE = 0.02
CONFLICTS_ASKED = 0.06  # rounds put to the restricted conflict check
PLANTED_FOUND = 0.7  # of officers' kin among those checked
FUNDS_ASKED = 0.5  # nominees whose bank was asked
NOTHING_FOUND = "none"


def ids_of(rng: Rng, stage: Stage, people: Ints) -> Texts:
    """Identity numbers as departments write them; empty where nobody."""
    numbers = looked_up(stage.population.persons["person_id"], people)
    return dirt.soiled(rng, numbers, dirt.ID_KINDS)


def settlement_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """settlements.csv of the courts: did the buyer pay? One court is silent for a while."""
    rounds = held.stage.rounds
    sold = np.flatnonzero(rounds["status"].to_numpy() == "sold")
    end = rounds["end"].to_numpy()[sold].astype("datetime64[D]")
    ours = held.stage.of_lots("district")[sold] == SILENT_COURT
    sold = sold[~(ours & (end >= GAP[0]) & (end <= GAP[1]))]
    end = rounds["end"].to_numpy()[sold].astype("datetime64[D]")
    failed = rounds["default"].to_numpy()[sold]
    paid = later(rng, end, 3, 15)
    table = pd.DataFrame(
        {
            "round_id": held.round_ids[sold],
            "lot_id": held.lot_ids[rounds["lot"].to_numpy()[sold]],
            "payer_id": ids_of(rng, held.stage, held.buyers()[sold]),
            "price": written.money(rounds["price"].to_numpy()[sold]),
            "paid": written.yes_no(~failed),
            "paid_date": np.where(failed, "", written.iso_dates(paid)),
            "defaulted": written.yes_no(failed),
            "posted_date": written.iso_dates(later(rng, end, 16, 30)),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def resale_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """resales.csv of the property registry: where auctioned lots went on to."""
    stage = held.stage
    rows = _resales(rng, held)
    at = rows["round"].to_numpy(np.int64)
    end = stage.rounds["end"].to_numpy()[at].astype("datetime64[D]")
    when = end + days(rows["after"].to_numpy())
    worth = stage.of_lots("market")[at] * rows["ratio"].to_numpy()
    table = pd.DataFrame(
        {
            "lot_id": held.lot_ids[stage.rounds["lot"].to_numpy()[at]],
            "seller_id": ids_of(rng, stage, held.buyers()[at]),
            "buyer_id": ids_of(rng, stage, rows["to"].to_numpy(np.int64)),
            "price": written.money(np.round(worth, -2)),
            "resale_date": written.iso_dates(when),
            "posted_date": written.iso_dates(later(rng, when, 1, 15)),
        }
    )
    known: pd.DataFrame = table[when <= LAST_DAY]
    return known.sort_values("posted_date", kind="stable", ignore_index=True)


def _resales(rng: Rng, held: Delivery) -> pd.DataFrame:
    """Planted ones and ordinary ones of paid lots that a registry knows."""
    rounds = held.stage.rounds
    bought = (held.buyers() != NOBODY) & ~rounds["default"].to_numpy()
    planned = pd.concat(held.stage.resales, ignore_index=True)
    planted: pd.DataFrame = planned[bought[planned["round"].to_numpy(np.int64)]]
    free = bought & (held.stage.of_lots("asset") <= VEHICLE)
    free[planned["round"].to_numpy(np.int64)] = False
    chosen = np.flatnonzero(free & chance(rng, len(rounds), RESOLD_RATE))
    adults = np.flatnonzero(held.stage.population.adults())
    ordinary = pd.DataFrame(
        {
            "round": chosen,
            "to": rng.choice(adults, len(chosen)),
            "ratio": rng.normal(1.06, 0.08, len(chosen)),
            "after": between(rng, 50, 700, len(chosen)),
        }
    )
    return pd.concat([planted, ordinary], ignore_index=True)


def lease_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """leases.csv: contracts shown to the court, beside the register of leases."""
    lots = held.stage.lots
    rows = np.flatnonzero(lots["leased"].to_numpy())
    signed = lots["lease_signed"].to_numpy()[rows]
    first = held.stage.rounds.groupby("lot")["notice"].min().to_numpy()[rows]
    table = pd.DataFrame(
        {
            "lot_id": held.lot_ids[rows],
            "tenant_id": ids_of(rng, held.stage, lots["tenant"].to_numpy()[rows]),
            "signed": written.iso_dates(signed),
            "years": lots["lease_years"].to_numpy()[rows],
            "lump_sum_cash": written.yes_no(lots["lease_cash"].to_numpy()[rows]),
            "registered": written.yes_no(lots["lease_registered"].to_numpy()[rows]),
            "posted_date": written.iso_dates(later(rng, first, -20, -1)),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def property_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """properties.csv of the property registry: it knows addresses, no lot numbers."""
    lots = held.stage.lots
    rows = np.flatnonzero(lots["asset"].to_numpy() < IMMOVABLE)
    seized = lots["seizure"].to_numpy()[rows]
    table = pd.DataFrame(
        {
            "address": dirt.soiled(
                rng,
                lots["address"].to_numpy(dtype=object)[rows],
                dirt.ADDRESS_KINDS[:2],
            ),
            "owner_id": ids_of(rng, held.stage, lots["debtor"].to_numpy()[rows]),
            "mortgage_date": written.iso_dates(lots["mortgage"].to_numpy()[rows]),
            "seizure_date": written.iso_dates(seized),
            "posted_date": written.iso_dates(later(rng, seized, 1, 10)),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def objection_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """objections.csv of the courts: some come in on the eve of the sale."""
    rounds = held.stage.rounds
    kind = rounds["typology"].to_numpy()
    staged = np.isin(kind, ("fake_lease", "malicious_default"))
    filed = chance(rng, len(rounds), np.where(staged, 0.4, OBJECTION_RATE))
    rows = np.flatnonzero(filed)
    eve = np.where(
        staged[rows], chance(rng, len(rows), 0.6), chance(rng, len(rows), 0.1)
    )
    early = between(rng, 2, 25, len(rows))
    begin = rounds["begin"].to_numpy()[rows].astype("datetime64[D]")
    day = begin - days(np.where(eve, 1, early))
    who = held.stage.lots["tenant"].to_numpy()[rounds["lot"].to_numpy()[rows]]
    table = pd.DataFrame(
        {
            "round_id": held.round_ids[rows],
            "filer_id": ids_of(rng, held.stage, who),
            "filed": written.iso_dates(day),
            "posted_date": written.iso_dates(later(rng, day, 1, 7)),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def conflict_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """conflict_checks.csv of the restricted service: a relation, never whose."""
    rounds = held.stage.rounds
    planted = pd.concat(held.stage.conflicts, ignore_index=True)
    planted = planted[chance(rng, len(planted), PLANTED_FOUND)]
    sold = (rounds["status"] == "sold").to_numpy()
    asked = np.flatnonzero(sold & chance(rng, len(rounds), CONFLICTS_ASKED))
    asked = np.setdiff1d(asked, planted["round"].to_numpy())
    at = np.concatenate([planted["round"].to_numpy(np.int64), asked])
    relation = [*planted["relation"], *([NOTHING_FOUND] * len(asked))]
    answered = asked_days(rng, rounds["end"].to_numpy()[at])
    table = pd.DataFrame(
        {
            "round_id": held.round_ids[at],
            "relation": relation,
            "answered": written.iso_dates(answered),
        }
    )
    return table.sort_values(["answered", "round_id"], ignore_index=True)


def fund_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """fund_traces.csv: payments to buyers before the sale, from banks that were asked."""
    stage = held.stage
    planted = pd.concat(stage.funds, ignore_index=True)
    planted = planted[chance(rng, len(planted), FUNDS_ASKED)]
    buyers = held.buyers()
    bought = np.flatnonzero(buyers != NOBODY)
    asked = rng.choice(bought, round(len(bought) * 0.05), replace=False)
    adults = np.flatnonzero(stage.population.adults())
    payer = np.concatenate([planted["payer"], rng.choice(adults, len(asked))])
    payee = np.concatenate([planted["payee"], buyers[asked]])
    at = np.concatenate([planted["round"], asked]).astype(np.int64)
    begin = stage.rounds["begin"].to_numpy()[at].astype("datetime64[D]")
    paid = begin - days(between(rng, 1, 25, len(at)))
    amount = lognormal(rng, 180_000, 0.8, len(at))
    table = pd.DataFrame(
        {
            "round_id": held.round_ids[at],
            "payer_id": ids_of(rng, stage, payer.astype(np.int64)),
            "payee_id": ids_of(rng, stage, payee.astype(np.int64)),
            "amount": written.money(np.round(amount, -2)),
            "paid_date": written.iso_dates(paid),
            "obtained": written.iso_dates(asked_days(rng, begin)),
        }
    )
    return table.sort_values(["obtained", "round_id"], ignore_index=True)
