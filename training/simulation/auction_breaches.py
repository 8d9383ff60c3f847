"""Procedural breaches of courts and helpers, and what is lawful though it looks so."""

from collections.abc import Callable

import numpy as np

from training.simulation.auction_plants import mark, start_at
from training.simulation.auction_world import (
    ALL_DOCS,
    BASIS_DOC,
    DOCS,
    OFFICERS_PER_COURT,
    Stage,
    notice_needed,
)
from training.simulation.sampling import Bools, Ints, Rng, between, chance, days

Breach = Callable[[Rng, Stage, Ints], None]
CARELESS_SHARE = 0.6  # of breaches: by one officer of each court
# Lawful exceptions, shares of all rounds.
MARKET_PRICED, CLOSED_RULING, AGREED_FUTILE, ROUNDED_DEPOSIT = (
    0.004,
    0.006,
    0.006,
    0.003,
)


def procedural_breach(rng: Rng, stage: Stage, count: int) -> None:
    """One article broken in each of these rounds; careless officers more often."""
    number = stage.rounds["number"].to_numpy()
    careless = stage.of_lots("officer") % OFFICERS_PER_COURT == 0
    share = round(count * CARELESS_SHARE)
    breaches = (
        floor_breached,
        notice_short,
        hours_short,
        deposit_off,
        papers_missing,
        taxes_shifted,
        futile_sale,
    )
    cut = stage.claim(rng, number == 1, max(1, round(count * 0.12)))
    cut_deep(rng, stage, cut)
    mark(stage, cut, "procedural_breach", alone=True)
    ours = _claimed(rng, stage, (number == 0) & careless, share)
    rest = _claimed(rng, stage, number == 0, count - len(ours) - len(cut))
    rounds = np.concatenate([ours, rest])
    kind = np.arange(len(rounds)) % len(breaches)
    for place, breach in enumerate(breaches):
        breach(rng, stage, rounds[kind == place])
    mark(stage, rounds, "procedural_breach", alone=True)


def _claimed(rng: Rng, stage: Stage, fits: Bools, count: int) -> Ints:
    return np.asarray(rng.permutation(stage.claim(rng, fits, max(count, 0))))


def floor_breached(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """First start price under 70 % of appraisal and market."""
    worth = np.minimum(
        stage.of_lots("appraisal")[rounds], _market_or(stage, rounds, np.inf)
    )
    start_at(rng, stage, rounds, worth * rng.uniform(0.52, 0.68, len(rounds)))


def _market_or(stage: Stage, rounds: Ints, other: float) -> np.ndarray:
    estimate = stage.of_lots("market_estimate")[rounds]
    return np.where(np.isnan(estimate), other, estimate)


def cut_deep(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """Second start price more than 20 % under the first."""
    before = stage.rounds["start_price"].to_numpy()[rounds - 1]
    start_at(rng, stage, rounds, before * rng.uniform(0.6, 0.77, len(rounds)))


def notice_short(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """Announced some days too late."""
    need = notice_needed(
        stage.of_lots("asset")[rounds], stage.rounds["number"].to_numpy()[rounds]
    )
    begin = stage.rounds["begin"].to_numpy()[rounds].astype("datetime64[s]")
    missing = between(rng, 1, 6, len(rounds))
    stage.put(rounds, notice=begin - days(need - missing))


def hours_short(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """Closed before twenty-four hours."""
    stage.put(rounds, hours=between(rng, 8, 20, len(rounds)).astype(float))


def deposit_off(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """Under 5 % or over 20 % of the start price."""
    high = chance(rng, len(rounds), 0.7)
    share = np.where(
        high, rng.uniform(0.24, 0.45, len(rounds)), rng.uniform(0.01, 0.04, len(rounds))
    )
    start = stage.rounds["start_price"].to_numpy()[rounds]
    stage.put(rounds, deposit=np.maximum(np.round(start * share, -1), 10.0))


def papers_missing(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """One listed document is not published."""
    lost = rng.integers(2, len(DOCS), len(rounds))
    stage.put_lots(rounds, docs=ALL_DOCS - (1 << lost))


def taxes_shifted(_rng: Rng, stage: Stage, rounds: Ints) -> None:
    """All taxes are put upon the buyer."""
    stage.put_lots(rounds, tax_by_buyer=True)


def futile_sale(rng: Rng, stage: Stage, rounds: Ints) -> None:
    """What goes before is more than the start price, and the applicant did not agree."""
    start = stage.rounds["start_price"].to_numpy()[rounds]
    prior = np.round(start * rng.uniform(1.1, 1.6, len(rounds)), -2)
    stage.put_lots(rounds, prior_claims=prior, agreed=False)


def lawful_exceptions(rng: Rng, stage: Stage) -> None:
    """What breaks the letter of a check and is lawful all the same."""
    size = len(stage.rounds)
    number = stage.rounds["number"].to_numpy()
    known = ~np.isnan(stage.of_lots("market_estimate"))
    priced = stage.claim(rng, (number == 0) & known, round(size * MARKET_PRICED))
    market = _market_or(stage, priced, 0.0)
    stage.put_lots(priced, appraisal=np.round(market * 1.35, -2))
    start_at(rng, stage, priced, market * rng.uniform(0.72, 0.9, len(priced)))
    closed = stage.claim(rng, number == 0, round(size * CLOSED_RULING))
    stage.put_lots(closed, docs=ALL_DOCS - (1 << BASIS_DOC), basis_private=True)
    agreed = stage.claim(rng, number == 0, round(size * AGREED_FUTILE))
    futile_sale(rng, stage, agreed)
    stage.put_lots(agreed, agreed=True)
    rounded = stage.claim(rng, number == 0, round(size * ROUNDED_DEPOSIT))
    start = stage.rounds["start_price"].to_numpy()[rounded]
    stage.put(rounded, deposit=np.round(start * 0.0496, 0))
