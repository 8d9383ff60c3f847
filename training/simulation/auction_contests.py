"""Who pays a deposit in a round, who bids, and how the price climbs."""

import numpy as np
import pandas as pd

from training.simulation.auction_world import NOBODY, SILENT_RATE, Stage
from training.simulation.identifiers import sequence_within
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Times,
    between,
    chance,
    days,
    weighted,
)

REGULAR_RATE = 0.3  # deposits paid by people who bid often
LATE_SHARE = 0.55  # of bids in contested rounds
DAY_SECONDS = 86_400
MOST_BIDS = 60


def entrants_of(rounds: Ints, people: Ints, *, active: Ints) -> pd.DataFrame:
    """Deposit payers of staged rounds.

    Args:
        people: rounds x members, the winner first; -1 leaves a place empty, and who
            stands twice in a round takes part once.
        active: how many of the first members bid, per round.
    """
    width = people.shape[1]
    place = np.tile(np.arange(width), len(rounds))
    rows = pd.DataFrame(
        {
            "round": np.repeat(rounds, width),
            "person": people.ravel(),
            "place": place,
            "bids": place < np.repeat(active, width),
        }
    )
    rows = rows[rows["person"] != NOBODY].drop_duplicates(["round", "person"])
    rows = rows.reset_index(drop=True)
    rows["place"] = sequence_within(rows["round"].to_numpy())
    own = rows["person"].to_numpy()
    # Whose account, phone and device each uses.
    return rows.assign(account_of=own, phone_of=own, device_of=own, ip_of=own).assign(
        priority=False, lead=np.nan
    )


def ordinary_entrants(rng: Rng, stage: Stage) -> pd.DataFrame:
    """Deposit payers of all rounds that nobody staged."""
    open_ = np.ones(len(stage.rounds), dtype=np.bool_)
    for part in stage.entrants:
        open_[part["round"].to_numpy()] = False
    bidders = stage.rounds["bidders"].to_numpy()
    rounds = np.flatnonzero(open_ & (bidders > 0))
    silent = rng.binomial(bidders[rounds] + 1, SILENT_RATE)
    total = bidders[rounds] + silent
    each = np.repeat(rounds, total)
    place = sequence_within(each)
    person = _drawn(rng, stage, each)
    rows = pd.DataFrame(
        {
            "round": each,
            "person": person,
            "place": place,
            "bids": place < bidders[each],
            "account_of": person,
            "phone_of": person,
            "device_of": person,
            "ip_of": person,
            "priority": chance(rng, len(each), 0.01),
            "lead": np.nan,
        }
    )
    for people, wanted in stage.elsewhere:
        spots = rng.choice(len(rows), min(wanted, len(rows)), replace=False)
        for column in ("person", "account_of", "phone_of", "device_of", "ip_of"):
            rows.loc[spots, column] = np.resize(people, len(spots))
    # One person pays once; places close up again.
    rows = rows.drop_duplicates(["round", "person"]).reset_index(drop=True)
    return rows.assign(place=sequence_within(rows["round"].to_numpy()))


def _drawn(rng: Rng, stage: Stage, rounds: Ints) -> Ints:
    """Mostly people of the district; some who bid often and keep to a kind of asset."""
    persons = stage.population.persons
    district = stage.of_lots("district")[rounds]
    asset = stage.of_lots("asset")[rounds]
    person = rng.choice(stage.pool, len(rounds))
    local = rng.choice(stage.pool, len(rounds))
    person = np.where(persons["district"].to_numpy()[local] == district, local, person)
    regular = chance(rng, len(rounds), REGULAR_RATE)
    # A third of those who bid often follow one court and kind of asset.
    niche = (district * 7 + asset) % 14
    share = max(len(stage.regulars) // 14, 1)
    places = niche * share + weighted(rng, 1 / (np.arange(share) + 3.0), len(rounds))
    keeps = chance(rng, len(rounds), 0.35)
    anyone = rng.integers(0, len(stage.regulars), len(rounds))
    often = stage.regulars[np.where(keeps, places % len(stage.regulars), anyone)]
    return np.asarray(np.where(regular, often, person), dtype=np.int64)


def with_leads(rng: Rng, stage: Stage, entrants: pd.DataFrame) -> pd.DataFrame:
    """When each deposit was paid: hours before the start, where a scheme did not say."""
    rounds = entrants["round"].to_numpy()
    span = (
        (stage.rounds["begin"] - stage.rounds["notice"]).dt.total_seconds().to_numpy()
    )
    ordinary = np.minimum(rng.exponential(90.0, len(rounds)), span[rounds] / 3600 - 1)
    lead = entrants["lead"].to_numpy()
    lead = np.where(np.isnan(lead), np.maximum(ordinary, 0.02), lead)
    seconds = (lead * 3600).astype(np.int64).astype("timedelta64[s]")
    begin = stage.rounds["begin"].to_numpy().astype("datetime64[s]")[rounds]
    return entrants.assign(paid=begin - seconds)


def set_targets(rng: Rng, stage: Stage, entrants: pd.DataFrame) -> None:
    """What the price climbs to, from the market and the number of bidders."""
    bidders = np.bincount(
        entrants.loc[entrants["bids"], "round"].to_numpy(), minlength=len(stage.rounds)
    )
    market = stage.of_lots("market")
    heat = 0.80 + 0.055 * np.minimum(bidders, 7) + rng.normal(0, 0.07, len(bidders))
    ordinary = np.where(bidders >= 2, market * heat, 0.0)
    known = stage.rounds["target"].to_numpy()
    stage.rounds["target"] = np.where(np.isnan(known), ordinary, known)
    stage.rounds["bidders"] = bidders


def bid_rows(rng: Rng, stage: Stage, entrants: pd.DataFrame) -> pd.DataFrame:
    """All bids in order of time: round, place of the bidder, time, amount, raised."""
    rounds = stage.rounds
    bidders = rounds["bidders"].to_numpy()
    start, step = rounds["start_price"].to_numpy(), rounds["step"].to_numpy()
    raises = _raises(rng, rounds)
    count = np.where(bidders > 0, raises + 1, 0)
    each = np.repeat(np.arange(len(rounds)), count)
    place_in = sequence_within(each)
    steps = _climb(rng, rounds, each, place_in, raises)
    raised = steps * step[each]
    amount = start[each] + _cumulated(raised, each)
    times = _times(rng, rounds, each)
    return pd.DataFrame(
        {
            "round": each,
            "place": _turns(rng, each, place_in, count, bidders),
            "time": times,
            "amount": amount,
            "raised": raised,
        }
    )


def _raises(rng: Rng, rounds: pd.DataFrame) -> Ints:
    """Bids after the first one."""
    bidders = rounds["bidders"].to_numpy()
    gap = rounds["target"].to_numpy() - rounds["start_price"].to_numpy()
    wanted = np.maximum(np.round(gap / rounds["step"].to_numpy()), 0).astype(np.int64)
    least = np.where(bidders >= 2, 1, 0)
    wanted = np.maximum(wanted, least)
    eager = np.maximum(rng.poisson(3.0 * bidders), bidders - 1)
    raises = np.minimum(np.minimum(wanted, eager), MOST_BIDS)
    return np.asarray(np.where(bidders >= 2, np.maximum(raises, 1), 0))


def _climb(
    rng: Rng, rounds: pd.DataFrame, each: Ints, place_in: Ints, raises: Ints
) -> Floats:
    """Steps of each bid over the one before; they add up to the target."""
    gap = rounds["target"].to_numpy() - rounds["start_price"].to_numpy()
    total = np.maximum(np.round(gap / rounds["step"].to_numpy()), raises)
    spare = np.maximum(total - raises, 0)[each]
    weight = np.where(place_in > 0, rng.exponential(1.0, len(each)) ** 1.5, 0.0)
    sums = np.bincount(each, weight, minlength=len(rounds))[each]
    share = np.where(sums > 0, weight / np.where(sums > 0, sums, 1.0), 0.0)
    return np.asarray(np.where(place_in > 0, 1 + np.floor(spare * share), 0.0))


def _cumulated(values: Floats, each: Ints) -> Floats:
    running = np.cumsum(values)
    starts = np.r_[True, each[1:] != each[:-1]]
    before = np.where(starts, running - values, 0.0)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(each)), 0))
    return np.asarray(running - before[first])


def _turns(rng: Rng, each: Ints, place_in: Ints, count: Ints, bidders: Ints) -> Ints:
    """Nobody outbids oneself; the winner, place 0, bids last."""
    crowd = np.maximum(bidders[each], 1)
    from_end = count[each] - 1 - place_in
    hop = np.where(crowd > 1, 1 + rng.integers(0, np.maximum(crowd - 1, 1)), 0)
    # The bid before the last is the runner-up's, place 1.
    hop = np.where(from_end == 1, 1, np.where(from_end == 0, 0, hop))
    order = np.argsort(-np.arange(len(each)), kind="stable")
    backwards = _cumulated(hop[order].astype(np.float64), each[order])
    turn = np.empty(len(each), dtype=np.int64)
    turn[order] = backwards.astype(np.int64)
    return np.asarray(turn % crowd)


def _times(rng: Rng, rounds: pd.DataFrame, each: Ints) -> Times:
    """Bids within the bidding time, many in its last ten minutes and the extensions."""
    length = (rounds["hours"].to_numpy() * 3600)[each]
    crowd = rounds["bidders"].to_numpy()[each]
    early = rng.uniform(60, length - 900)
    late = length - 600 + rng.exponential(240.0, len(each)) * np.minimum(crowd, 6) / 2
    # Who bids alone has no reason to hurry or to wait.
    offset = np.where(chance(rng, len(each), LATE_SHARE) & (crowd > 1), late, early)
    offset = offset[np.lexsort((offset, each))]
    begin = rounds["begin"].to_numpy().astype("datetime64[s]")[each]
    # Two bids never share a second.
    seconds = offset.astype(np.int64) + sequence_within(each)
    return np.asarray(begin + seconds.astype("timedelta64[s]"))


def settle_rounds(rng: Rng, stage: Stage, bids: pd.DataFrame) -> None:
    """Price, end, status and interest of each round, from its bids."""
    rounds = stage.rounds
    size = len(rounds)
    price = np.full(size, np.nan)
    last = bids.drop_duplicates("round", keep="last")
    where = last["round"].to_numpy()
    price[where] = last["amount"].to_numpy()
    begin = rounds["begin"].to_numpy().astype("datetime64[s]")
    length = (rounds["hours"].to_numpy() * 3600).astype(np.int64)
    end = begin + length.astype("timedelta64[s]")
    final = end.copy()
    final[where] = last["time"].to_numpy() + np.timedelta64(300, "s")
    sold = ~np.isnan(price)
    calm = np.where(chance(rng, size, 0.06), "withdrawn", "unsold")
    bidders = rounds["bidders"].to_numpy()
    interest = rng.lognormal(0, 0.6, size) * (1 + 0.5 * np.minimum(bidders, 8))
    known = rounds["watchers"].to_numpy()
    watchers = np.where(known > 0, known, np.round(14 * interest)).astype(np.int64)
    stage.rounds = rounds.assign(
        price=price,
        end=np.maximum(end, final),
        status=np.where(sold, "sold", calm),
        watchers=watchers,
        views=np.round(watchers * rng.lognormal(3.2, 0.35, size)).astype(np.int64),
        default=rounds["default"].to_numpy() | (sold & _loans_refused(rng, size)),
    )


def _loans_refused(rng: Rng, size: int) -> Bools:
    """Honest buyers who cannot pay in the end."""
    return chance(rng, size, 0.015)


def later(rng: Rng, moments: Times, low: int, high: int) -> Times:
    """The day some days after each moment."""
    day = moments.astype("datetime64[D]")
    return np.asarray(day + days(between(rng, low, high, len(moments))))
