"""Planted schemes of judicial auctions: rings, nominees, insiders, leases, defaults.

Each scheme claims rounds, changes what it would change, and names who paid deposits.
From July 2023 on, rings, nominees, tenants and defaulters evade what rules look for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation.auction_contests import entrants_of
from training.simulation.auction_plants import (
    affiliates,
    floor_price,
    in_groups,
    kin_pairs,
    mark,
    pairs_in_turn,
    resell,
    tie_by_company,
)
from training.simulation.auction_world import (
    GOODS,
    IMMOVABLE,
    NOBODY,
    Stage,
)
from training.simulation.sampling import Bools, Ints, Rng, between, chance, days

REGIME = np.datetime64("2023-07-01")  # evasion switches on
SURE_PRICE = 1.3  # of the market: a bid that nobody beats and nobody means to pay


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of planted rounds.

    Attributes:
        share: of all rounds; `share_of` narrows it to some of them.
        minimum: rounds planted even in the smallest simulation.
    """

    name: str
    share: float
    minimum: int
    stage_it: Callable[[Rng, Stage, int], None]


def since_regime(stage: Stage) -> Bools:
    """Rounds that begin once schemes evade."""
    return np.asarray(stage.rounds["day"].to_numpy() >= REGIME)


def first_rounds(stage: Stage) -> Bools:
    """First auctions of what rings care for: nothing of little worth."""
    worth = stage.of_lots("asset") != GOODS
    return np.asarray((stage.rounds["number"].to_numpy() == 0) & worth)


def knockout_ring(rng: Rng, stage: Stage, count: int) -> None:
    """One bids, the others pay the deposit and keep silent; the gain is shared."""
    adults = np.flatnonzero(stage.population.adults())
    for size in in_groups(rng, count, 8):
        rounds = stage.claim(rng, first_rounds(stage) & ~since_regime(stage), size)
        ring = rng.choice(adults, int(rng.integers(5, 9)), replace=False)
        table = np.tile(ring, (len(rounds), 1))
        people = rng.permuted(table, axis=1)[:, :4]
        people[:, 0] = np.resize(rng.permutation(ring), len(rounds))
        people = _without_repeats(people)
        floor_price(rng, stage, rounds, 0.70, 0.75)
        rows = entrants_of(rounds, people, active=np.ones(len(rounds), np.int64))
        # One of them pays for another, or deals from the same device, now and then.
        same = chance(rng, len(rows), 0.3) & (rows["place"] > 0)
        rows["account_of"] = np.where(same, ring[0], rows["account_of"])
        dealt = chance(rng, len(rows), 0.4)
        rows["device_of"] = np.where(dealt, ring[0], rows["device_of"])
        rows["ip_of"] = np.where(dealt, ring[0], rows["ip_of"])
        rows["lead"] = _close_together(rng, rows["round"].to_numpy(), 0.5)
        stage.entrants.append(rows)
        mark(stage, rounds, "knockout_ring")
        resell(rng, stage, rounds, people[:, 1], 0.4)


def _without_repeats(people: Ints) -> Ints:
    """The winner stands once in its row."""
    repeated = people[:, 1:] == people[:, :1]
    people[:, 1:][repeated] = NOBODY
    return people


def _close_together(rng: Rng, rounds: Ints, hours: float) -> "np.ndarray":
    """Deposits paid one after the other: hours before the start."""
    base = np.zeros(int(rounds.max()) + 1 if len(rounds) else 0)
    base[rounds] = rng.uniform(3, 60, len(rounds))
    return np.asarray(base[rounds] + rng.exponential(hours, len(rounds)))


def token_raise_ring(rng: Rng, stage: Stage, count: int) -> None:
    """Own devices and accounts, one token raise, winners and pairs that rotate."""
    adults = np.flatnonzero(stage.population.adults())
    for size in in_groups(rng, count, 12):
        rounds = stage.claim(rng, first_rounds(stage) & since_regime(stage), size)
        ring = rng.choice(adults, int(rng.integers(6, 9)), replace=False)
        pairs = ring[pairs_in_turn(rng, len(ring), len(rounds))]
        third = np.resize(rng.permutation(ring), len(rounds))
        people = _third_apart(np.column_stack([pairs, third]))
        floor_price(rng, stage, rounds, 0.78, 0.81)
        step = stage.rounds["step"].to_numpy()[rounds]
        stage.put(rounds, target=stage.rounds["start_price"].to_numpy()[rounds] + step)
        rows = entrants_of(rounds, people, active=np.full(len(rounds), 2))
        rows["lead"] = _close_together(rng, rows["round"].to_numpy(), 1.5)
        stage.entrants.append(rows)
        # Members bid in earnest elsewhere: the ring is in two of five of their lots.
        stage.elsewhere.append((ring, round(len(rounds) * 1.5)))
        mark(stage, rounds, "token_raise_ring")
        resell(rng, stage, rounds, affiliates(rng, stage, pairs[:, 1]), 0.5)


def _third_apart(people: Ints) -> Ints:
    same = (people[:, 2] == people[:, 0]) | (people[:, 2] == people[:, 1])
    people[same, 2] = NOBODY
    return people


def nominee_buyback(rng: Rng, stage: Stage, count: int) -> None:
    """The debtor's kin or associate buys back at the floor."""
    fits = first_rounds(stage) & (stage.of_lots("asset") < IMMOVABLE)
    rounds = stage.claim(rng, fits, count)
    debtor, kin = kin_pairs(rng, stage, len(rounds))
    late = since_regime(stage)[rounds]
    hidden = tie_by_company(rng, stage, debtor, rounds)
    # A new nominee is only kin of somebody who holds shares beside the debtor.
    buyer = np.where(late, affiliates(rng, stage, hidden), kin)
    stage.put_lots(rounds, debtor=debtor, debtor_company=NOBODY)
    floor_price(rng, stage, rounds, 0.70, 0.78)
    people = buyer[:, None]
    rows = entrants_of(rounds, people, active=np.ones(len(rounds), np.int64))
    stage.entrants.append(rows)
    stage.funds.append(pd.DataFrame({"round": rounds, "payer": debtor, "payee": buyer}))
    mark(stage, rounds, "nominee_buyback", alone=True)


def insider(rng: Rng, stage: Stage, count: int) -> None:
    """Staff of the helper or the appraiser, or their kin, or an officer's kin, buys."""
    rounds = stage.claim(rng, first_rounds(stage), count)
    person, kin = kin_pairs(rng, stage, len(rounds))
    way = np.arange(len(rounds)) % 3
    employer = np.where(
        way == 0, stage.of_lots("helper")[rounds], stage.of_lots("appraiser")[rounds]
    )
    employed = way < 2
    stage.staff.append(
        pd.DataFrame({"person": person[employed], "company": employer[employed]})
    )
    officer = rounds[way == 2]
    stage.conflicts.append(pd.DataFrame({"round": officer, "relation": "officer_kin"}))
    floor_price(rng, stage, rounds, 0.70, 0.74)
    people = np.where(way == 0, person, kin)[:, None]
    stage.entrants.append(
        entrants_of(rounds, people, active=np.ones(len(rounds), np.int64))
    )
    mark(stage, rounds, "insider", alone=True)


def low_appraisal(rng: Rng, stage: Stage, count: int) -> None:
    """One appraiser values far below the market for one circle of buyers."""
    adults = np.flatnonzero(stage.population.adults())
    appraisers = stage.population.companies_of("appraiser")
    fits = first_rounds(stage) & (stage.of_lots("asset") < IMMOVABLE)
    for size in in_groups(rng, count, 6):
        rounds = stage.claim(rng, fits, size)
        market = stage.of_lots("market")[rounds]
        low = np.round(market * rng.uniform(0.48, 0.62, len(rounds)), -2)
        stage.put_lots(
            rounds,
            appraisal=low,
            appraiser=rng.choice(appraisers),
            prior_claims=np.round(low * 0.2, -2),
        )
        floor_price(rng, stage, rounds, 0.70, 0.76)
        circle = rng.choice(adults, 3, replace=False)
        people = np.resize(circle, len(rounds))[:, None]
        stage.entrants.append(
            entrants_of(rounds, people, active=np.ones(len(rounds), np.int64))
        )
        mark(stage, rounds, "low_appraisal")


def fake_lease(rng: Rng, stage: Stage, count: int) -> None:
    """A long lease appears, dated before the mortgage, to keep buyers away."""
    fits = stage.of_lots("asset") < IMMOVABLE
    # A lease burdens all rounds of its lot, one and a half on average.
    rounds = stage.claim(rng, fits, round(count / 1.5))
    size = len(rounds)
    debtor, kin = kin_pairs(rng, stage, size)
    late = since_regime(stage)[rounds]
    mortgage = stage.rounds["day"].to_numpy()[rounds] - days(
        between(rng, 500, 1800, size)
    )
    evading = late & chance(rng, size, 0.7)
    years = np.where(evading, rng.uniform(4.0, 4.9, size), rng.uniform(8, 20, size))
    stage.put_lots(
        rounds,
        debtor=debtor,
        debtor_company=NOBODY,
        mortgage=mortgage,
        leased=True,
        lease_years=np.round(years, 1),
        lease_signed=mortgage - days(between(rng, 5, 200, size)),
        lease_cash=~evading | chance(rng, size, 0.5),
        lease_registered=False,
        tenant=np.where(evading, affiliates(rng, stage, kin), kin),
        vacated=False,
    )
    crowd = np.where(chance(rng, size, 0.7), 0, 1)
    stage.put(rounds, bidders=crowd)
    mark(stage, stage.all_rounds(rounds), "fake_lease", alone=True)


def malicious_default(rng: Rng, stage: Stage, count: int) -> None:
    """A straw man outbids all and does not pay: the sale is delayed.

    One serves again and again; or an associate takes the lot cheaply afterwards; or,
    once schemes evade, each straw man appears once.
    """
    adults = np.flatnonzero(stage.population.adults())
    for turn, size in enumerate(in_groups(rng, count, 4)):
        late, straw = since_regime(stage), rng.choice(adults, size, replace=False)
        if turn % 3 == 0:
            rounds = stage.claim(rng, first_rounds(stage) & ~late, size)
            _outbid(rng, stage, rounds, np.full(len(rounds), straw[0]))
        elif turn % 3 == 1:
            rounds = stage.claim(rng, first_rounds(stage) & late, size)
            _outbid(rng, stage, rounds, straw[: len(rounds)])
        else:
            again = stage.claim(rng, second_rounds(stage), max(1, size // 2))
            people = straw[: len(again)]
            _outbid(rng, stage, again - 1, people)
            _taken_over(rng, stage, again, people)
            rounds = stage.all_rounds(again)
        mark(stage, rounds, "malicious_default")


def second_rounds(stage: Stage) -> Bools:
    """Second auctions of what is worth the trouble."""
    worth = stage.of_lots("asset") != GOODS
    return np.asarray((stage.rounds["number"].to_numpy() == 1) & worth)


def _outbid(rng: Rng, stage: Stage, rounds: Ints, winner: Ints) -> None:
    """The winner goes far beyond the market among others who mean it."""
    adults = np.flatnonzero(stage.population.adults())
    people = np.column_stack([winner, rng.choice(adults, (len(rounds), 3))])
    rows = entrants_of(rounds, people, active=between(rng, 2, 4, len(rounds)))
    if len(rows):
        first = rows["place"] == 0
        rows["device_of"] = np.where(first, winner[0], rows["device_of"])
    stage.entrants.append(rows)
    market = stage.of_lots("market")[rounds]
    high = market * rng.uniform(SURE_PRICE, SURE_PRICE + 0.4, len(rounds))
    stage.put(rounds, target=high, default=True)


def _taken_over(rng: Rng, stage: Stage, rounds: Ints, straw: Ints) -> None:
    """Somebody of the straw man's household buys at the next start price."""
    buyer = affiliates(rng, stage, straw)[:, None]
    alone = np.ones(len(rounds), dtype=np.int64)
    stage.entrants.append(entrants_of(rounds, buyer, active=alone))


SCHEMES = (
    Scheme("token_raise_ring", 0.005, 8, token_raise_ring),
    Scheme("knockout_ring", 0.005, 6, knockout_ring),
    Scheme("nominee_buyback", 0.005, 4, nominee_buyback),
    Scheme("insider", 0.002, 3, insider),
    Scheme("low_appraisal", 0.004, 5, low_appraisal),
    Scheme("malicious_default", 0.005, 5, malicious_default),
    # 1.5 % of immovables, which are two in three rounds.
    Scheme("fake_lease", 0.01, 6, fake_lease),
)
