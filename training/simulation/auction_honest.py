"""Honest rounds that look like schemes, and people who were harmed by such looks."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from training.simulation.auction_contests import entrants_of
from training.simulation.auction_plants import (
    floor_price,
    in_groups,
    kin_pairs,
    mark_honest,
    start_at,
)
from training.simulation.auction_world import (
    FACTORY,
    GOODS,
    HOME,
    IMMOVABLE,
    LAND,
    NOBODY,
    SHOP,
    Stage,
)
from training.simulation.sampling import Bools, Ints, Rng, between, chance, days

LookAlike = Callable[[Rng, Stage, int], None]


def _first(stage: Stage) -> Bools:
    return np.asarray(stage.rounds["number"].to_numpy() == 0)


def _ones(rounds: Ints) -> Ints:
    return np.ones(len(rounds), dtype=np.int64)


def _contested(
    rng: Rng, stage: Stage, rounds: Ints, first: list[Ints], ratio: float
) -> pd.DataFrame:
    """Some given people and two or three others bid up to about the market."""
    others = rng.choice(stage.pool, (len(rounds), 3))
    people = np.column_stack([*first, others])
    active = between(rng, len(first) + 1, len(first) + 3, len(rounds))
    rows = entrants_of(rounds, people, active=active)
    market = stage.of_lots("market")[rounds]
    stage.put(rounds, target=market * rng.normal(ratio, 0.05, len(rounds)))
    return rows


def rural_single(rng: Rng, stage: Stage, count: int) -> None:
    """A lot far out that one person wants, at the start price of the second auction."""
    second = stage.rounds["number"].to_numpy() == 1
    fits = second & (stage.of_lots("asset") < IMMOVABLE)
    rounds = stage.claim(rng, fits, count)
    stage.put_lots(rounds, rural=True)
    people = rng.choice(stage.pool, (len(rounds), 1))
    stage.entrants.append(entrants_of(rounds, people, active=_ones(rounds)))
    mark_honest(stage, rounds, "rural_single_bidder")


def neighbour(rng: Rng, stage: Stage, count: int) -> None:
    """Who lives next door buys the adjoining plot or flat without a rival."""
    fits = _first(stage) & np.isin(stage.of_lots("asset"), (HOME, LAND))
    rounds = stage.claim(rng, fits, count)
    buyer = rng.choice(stage.pool, len(rounds), replace=False)
    stage.put_lots(rounds, address=_next_door(stage, buyer))
    floor_price(rng, stage, rounds, 0.70, 0.8)
    stage.entrants.append(entrants_of(rounds, buyer[:, None], active=_ones(rounds)))
    mark_honest(stage, rounds, "neighbour_buys")


def _next_door(stage: Stage, people: Ints) -> np.ndarray:
    """The room beside each home: 1 and 2 face each other, 3 and 4 as well."""
    home = stage.population.persons["address"].iloc[people].astype("str")
    other = home.str[-2].map({"1": "2", "2": "1", "3": "4", "4": "3"})
    return np.asarray(home.str[:-2] + other + "室", dtype=object)


def co_owner(rng: Rng, stage: Stage, count: int) -> None:
    """A registered co-owner uses the right of first refusal."""
    rounds = stage.claim(rng, _first(stage) & (stage.of_lots("asset") == HOME), count)
    debtor, kin = kin_pairs(rng, stage, len(rounds))
    stage.put_lots(rounds, debtor=debtor, debtor_company=NOBODY)
    rows = entrants_of(rounds, kin[:, None], active=_ones(rounds))
    stage.entrants.append(rows.assign(priority=True))
    mark_honest(stage, rounds, "co_owner_priority")


def two_investors(rng: Rng, stage: Stage, count: int) -> None:
    """Two who live from such lots meet again and again, and mean it."""
    fits = np.isin(stage.of_lots("asset"), (HOME, SHOP))
    for size in in_groups(rng, count, 8):
        rounds = stage.claim(rng, fits, size)
        pair = rng.choice(stage.regulars, 2, replace=False)
        winner = chance(rng, len(rounds), 0.5).astype(np.int64)
        first = [pair[winner], pair[1 - winner]]
        stage.entrants.append(_contested(rng, stage, rounds, first, 0.93))
        mark_honest(stage, rounds, "two_investors")


def couple_wifi(rng: Rng, stage: Stage, count: int) -> None:
    """A couple both pay deposits from one home network, among others."""
    rounds = stage.claim(rng, _first(stage) & (stage.of_lots("asset") == HOME), count)
    one, other = kin_pairs(rng, stage, len(rounds))
    rows = _contested(rng, stage, rounds, [one, other], 0.98)
    spouse = (rows["place"] == 1).to_numpy()
    home = np.repeat(one, rows.groupby("round").size().to_numpy())
    rows["ip_of"] = np.where(spouse, home, rows["ip_of"])
    phoned = spouse & chance(rng, len(rows), 0.5)
    rows["phone_of"] = np.where(phoned, home, rows["phone_of"])
    paid = spouse & chance(rng, len(rows), 0.4)
    rows["account_of"] = np.where(paid, home, rows["account_of"])
    stage.entrants.append(rows)
    mark_honest(stage, rounds, "couple_one_network")


def child_buys_home(rng: Rng, stage: Stage, count: int) -> None:
    """The debtor's grown-up child buys the family home openly, at the market."""
    rounds = stage.claim(rng, _first(stage) & (stage.of_lots("asset") == HOME), count)
    debtor, child = kin_pairs(rng, stage, len(rounds))
    stage.put_lots(rounds, debtor=debtor, debtor_company=NOBODY)
    stage.entrants.append(_contested(rng, stage, rounds, [child], 0.97))
    mark_honest(stage, rounds, "child_buys_home")


def over_appraised(rng: Rng, stage: Stage, count: int) -> None:
    """A factory that was valued too high finds nobody, twice."""
    second = stage.rounds["number"].to_numpy() == 1
    fits = second & np.isin(stage.of_lots("asset"), (FACTORY, SHOP))
    rounds = stage.claim(rng, fits, count)
    stage.put(rounds, bidders=0)
    high = np.round(stage.of_lots("market")[rounds] * 1.7, -2)
    stage.put_lots(rounds, appraisal=high)
    for earlier, share in ((rounds - 1, 0.75), (rounds, 0.62)):
        start_at(rng, stage, earlier, high * share)
    mark_honest(stage, rounds, "over_appraised_unsold")


def curiosity(rng: Rng, stage: Stage, count: int) -> None:
    """A telephone with a lucky number is bid up to hundreds of times its value."""
    rounds = stage.claim(rng, _first(stage) & (stage.of_lots("asset") == GOODS), count)
    size = len(rounds)
    people = rng.choice(stage.pool, (size, 9))
    rows = entrants_of(rounds, people, active=between(rng, 4, 9, size))
    stage.entrants.append(rows)
    high = rng.uniform(60_000, 270_000, size)
    start = stage.rounds["start_price"].to_numpy()[rounds]
    step = np.maximum(np.round(start * 0.3, -1), 50.0)
    watchers = between(rng, 300, 2500, size)
    stage.put(rounds, target=high, step=step, watchers=watchers)
    stage.put(rounds, default=chance(rng, size, 0.25))
    mark_honest(stage, rounds, "curiosity_lot")


def shop_lease(rng: Rng, stage: Stage, count: int) -> None:
    """A shopkeeper has leased for many years, registered, and stays."""
    fits = _first(stage) & (stage.of_lots("asset") == SHOP)
    rounds = stage.claim(rng, fits, count)
    size = len(rounds)
    mortgage = stage.rounds["day"].to_numpy()[rounds] - days(
        between(rng, 500, 1800, size)
    )
    stage.put_lots(
        rounds,
        mortgage=mortgage,
        leased=True,
        lease_years=np.round(rng.uniform(6, 20, size), 1),
        lease_signed=mortgage - days(between(rng, 30, 1500, size)),
        # Small shops often pay some years at once, in cash.
        lease_cash=chance(rng, size, 0.6),
        lease_registered=chance(rng, size, 0.8),
        vacated=False,
    )
    mark_honest(stage, rounds, "long_shop_lease")


def stolen_identity(rng: Rng, stage: Stage, count: int) -> None:
    """Victim: a firm in debt was filed online in the name of an honest buyer."""
    rounds = stage.claim(rng, _first(stage), count)
    size = len(rounds)
    buyer = rng.choice(stage.pool, size, replace=False)
    firms = rng.choice(stage.population.companies_of("other"), size)
    stage.put_lots(rounds, debtor=NOBODY, debtor_company=firms)
    stage.entrants.append(_contested(rng, stage, rounds, [buyer], 0.95))
    since = stage.rounds["day"].to_numpy()[rounds] - days(between(rng, 200, 900, size))
    stage.roles.append(
        pd.DataFrame(
            {
                "company": firms,
                "person": buyer,
                "role": "shareholder",
                "share": 0.2,
                "channel": "online",
                "since": since,
                "until": np.datetime64("NaT"),
            }
        )
    )
    mark_honest(stage, rounds, "stolen_identity_victim")


def loan_refused(rng: Rng, stage: Stage, count: int) -> None:
    """Victim: who bid in good faith and got no loan, twice, is listed as a defaulter."""
    fits = _first(stage) & (stage.of_lots("asset") == HOME)
    rounds = stage.claim(rng, fits, count)
    people = rng.choice(stage.pool, -(-len(rounds) // 2), replace=False)
    buyer = np.repeat(people, 2)[: len(rounds)]
    stage.entrants.append(_contested(rng, stage, rounds, [buyer], 1.0))
    stage.put(rounds, default=True)
    mark_honest(stage, rounds, "loan_refused")


# Name, share of all rounds, how; those that few lots suit come first.
LOOK_ALIKES: tuple[tuple[str, float, LookAlike], ...] = (
    ("over_appraised_unsold", 0.010, over_appraised),
    ("curiosity_lot", 0.012, curiosity),
    ("long_shop_lease", 0.010, shop_lease),
    ("rural_single_bidder", 0.015, rural_single),
    ("neighbour_buys", 0.010, neighbour),
    ("co_owner_priority", 0.010, co_owner),
    ("couple_one_network", 0.012, couple_wifi),
    ("child_buys_home", 0.010, child_buys_home),
    ("stolen_identity_victim", 0.010, stolen_identity),
    ("loan_refused", 0.008, loan_refused),
    ("two_investors", 0.015, two_investors),
)
# Whom the looks of the data have harmed, or could.
VICTIMS = ("stolen_identity_victim", "loan_refused")
