"""Courts, helpers, lots and rounds of judicial auctions, before anybody bids.

Lots and rounds are tables by position; schemes and honest look-alikes change rows of
them before bids are drawn from what stands there.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from training.simulation import names
from training.simulation.population import Population
from training.simulation.registers_life import FIRST_DAY
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    lognormal,
    weighted,
)

NOBODY = -1
ASSETS = ("home", "shop", "factory", "land", "vehicle", "machinery", "goods")
ASSET_SHARES = np.array([0.40, 0.13, 0.08, 0.05, 0.19, 0.08, 0.07])
IMMOVABLE = 4  # the first four
HOME, SHOP, FACTORY, LAND, VEHICLE, MACHINERY, GOODS = range(len(ASSETS))
AREA_MEDIAN = np.array([105.0, 70, 2400, 3200, 1, 1, 1])
UNIT_PRICE = np.array([11500.0, 14500, 2300, 900, 78_000, 120_000, 4200])
UNIT_SPREAD = np.array([0.16, 0.25, 0.22, 0.25, 0.55, 0.8, 1.0])
DISTRICT_LEVEL = np.array([1.25, 1.15, 1.0, 0.95, 0.8, 0.75])
RURAL_RATE, RURAL_LEVEL = 0.2, 0.7
OFFICERS_PER_COURT = 4
FIRST_START, LAST_START = 20, 1075  # days of the window in which rounds begin
ROUNDS = ("first", "second", "sale")
# Bidders of an honest round: nobody, one, two to five, six and more.
CROWD_SHARES = np.array([0.35, 0.30, 0.25, 0.10])
UNSOLD_BY_ROUND = np.array([0.42, 0.25, 0.35])  # no bidder, by round: 35 % in all
SILENT_RATE = 0.15  # of those who paid the deposit
MARKET_KNOWN_RATE = 0.75
DOCS = ("公告", "裁定书", "评估报告", "图片视频", "竞买须知", "权属状况")
ALL_DOCS = (1 << len(DOCS)) - 1
BASIS_DOC = 1  # the place of the ruling, which law may keep from the public
REGULARS_SHARE = 0.02  # of adults: who bids often


@dataclass(slots=True)
class Stage:
    """What schemes may change, and what they leave behind for other departments.

    Attributes:
        pool: who may bid at all; regulars: who bids often.
        taken: rounds that belong to a scheme or an honest look-alike.
        entrants: who paid a deposit in the rounds that were staged by hand.
        roles, conflicts, funds, resales, staff: rows by position for other departments.
        elsewhere: people who also bid that often in ordinary rounds.
    """

    population: Population
    lots: pd.DataFrame
    rounds: pd.DataFrame
    pool: Ints
    regulars: Ints
    taken: Bools
    entrants: list[pd.DataFrame] = field(default_factory=list)
    roles: list[pd.DataFrame] = field(default_factory=list)
    conflicts: list[pd.DataFrame] = field(default_factory=list)
    funds: list[pd.DataFrame] = field(default_factory=list)
    resales: list[pd.DataFrame] = field(default_factory=list)
    staff: list[pd.DataFrame] = field(default_factory=list)
    elsewhere: list[tuple[Ints, int]] = field(default_factory=list)

    def of_lots(self, column: str) -> np.ndarray:
        """A column of the lots, one value per round."""
        return np.asarray(self.lots[column].to_numpy()[self.rounds["lot"].to_numpy()])

    def free(self) -> Bools:
        """Last rounds of lots none of whose rounds is staged yet."""
        lot = self.rounds["lot"].to_numpy()
        used = np.zeros(len(self.lots), dtype=np.bool_)
        used[lot[self.taken]] = True
        return np.asarray(~used[lot] & self.rounds["last"].to_numpy())

    def claim(self, rng: Rng, fits: Bools, count: int) -> Ints:
        """Take rounds among those that fit, at most as many as there are."""
        able = np.flatnonzero(fits & self.free())
        chosen = np.sort(rng.choice(able, min(count, len(able)), replace=False))
        self.taken[chosen] = True
        return np.asarray(chosen, dtype=np.int64)

    def all_rounds(self, rounds: Ints) -> Ints:
        """Every round of the lots of some rounds, which are taken, too."""
        lot = self.rounds["lot"].to_numpy()
        found = np.flatnonzero(np.isin(lot, lot[rounds]))
        self.taken[found] = True
        return found

    def put(self, rounds: Ints, **values: Any) -> None:
        """Set columns of rounds."""
        for name, value in values.items():
            self.rounds.loc[rounds, name] = value

    def put_lots(self, rounds: Ints, **values: Any) -> None:
        """Set columns of the lots of rounds."""
        lots = self.rounds["lot"].to_numpy()[rounds]
        for name, value in values.items():
            self.lots.loc[lots, name] = value


def build_stage(rng: Rng, population: Population, units: int) -> Stage:
    """Honest lots and exactly `units` rounds."""
    lots = _lots(rng, population, round(units * 0.85) + 60)
    rounds = _rounds(rng, lots, units)
    kept = np.unique(rounds["lot"].to_numpy())
    rounds["lot"] = np.searchsorted(kept, rounds["lot"].to_numpy())
    lots = lots.iloc[kept].reset_index(drop=True)
    pool = _who_may_bid(population)
    regulars = rng.choice(pool, round(len(pool) * REGULARS_SHARE), replace=False)
    taken = np.zeros(len(rounds), dtype=np.bool_)
    return Stage(population, lots, rounds, pool, regulars, taken)


def _who_may_bid(population: Population) -> Ints:
    """Grown-ups without staff of helpers and appraisers and their households (art. 34)."""
    kinds = population.companies["kind"].to_numpy()
    jobs = population.jobs
    firm = kinds[jobs["company"].to_numpy(np.int64)]
    excluded = np.isin(firm, ("auction_helper", "appraiser"))
    home = population.persons["household"].to_numpy()
    barred = home[jobs["person"].to_numpy(np.int64)[excluded]]
    return np.flatnonzero(population.adults() & ~np.isin(home, barred))


def _lots(rng: Rng, population: Population, size: int) -> pd.DataFrame:
    district = weighted(rng, names.DISTRICT_WEIGHTS, size)
    asset = weighted(rng, ASSET_SHARES, size)
    immovable = asset < IMMOVABLE
    rural = immovable & chance(rng, size, RURAL_RATE)
    area = np.where(
        immovable, AREA_MEDIAN[asset] * rng.lognormal(0, 0.4, size), 1.0
    ).round(2)
    level = np.where(immovable, DISTRICT_LEVEL[district], 1.0)
    level = np.where(rural, level * RURAL_LEVEL, level)
    unit = UNIT_PRICE[asset] * level * rng.lognormal(0, UNIT_SPREAD[asset])
    market = np.maximum(area * unit, 800)
    start = FIRST_DAY + days(between(rng, FIRST_START, LAST_START, size))
    lots = pd.DataFrame(
        {
            "district": district,
            "asset": asset,
            "rural": rural,
            "area": area,
            "floor": np.where(asset == HOME, between(rng, 1, 18, size), 0),
            "market": market,
            "appraisal": _rounded(market * rng.lognormal(0, 0.12, size)),
            "first_start": start,
            "address": _addresses(rng, district, immovable),
            "officer": district * OFFICERS_PER_COURT
            + between(rng, 0, OFFICERS_PER_COURT - 1, size),
            "start_share": rng.uniform(0.70, 0.88, size),
            "cut": rng.uniform(0.08, 0.2, size),
        }
    )
    estimate = _rounded(market * rng.lognormal(0, 0.06, size))
    known = chance(rng, size, MARKET_KNOWN_RATE)
    lots["market_estimate"] = np.where(known, estimate, np.nan)
    return _with_burdens(rng, population, _with_agencies(rng, population, lots))


def _rounded(amounts: Floats) -> Floats:
    """To hundreds, as appraisers write."""
    return np.asarray(np.maximum(np.round(amounts, -2), 500.0))


def _addresses(rng: Rng, district: Ints, immovable: Bools) -> Texts:
    homes = names.home_addresses(rng, district)
    return np.where(immovable, homes, "").astype(object)


def _with_agencies(
    rng: Rng, population: Population, lots: pd.DataFrame
) -> pd.DataFrame:
    """A court asks one of few appraisers and helpers."""
    district = lots["district"].to_numpy()
    appraisers = rng.permutation(population.companies_of("appraiser"))
    helpers = rng.permutation(population.companies_of("auction_helper"))
    near = district + weighted(rng, np.array([0.5, 0.3, 0.2]), len(lots)) * 2
    side = district + weighted(rng, np.array([0.85, 0.15]), len(lots))
    return lots.assign(
        appraiser=appraisers[near % len(appraisers)],
        helper=helpers[side % len(helpers)],
    )


def _with_burdens(rng: Rng, population: Population, lots: pd.DataFrame) -> pd.DataFrame:
    """Debtors, mortgages, leases, claims that go before, and how taxes are borne."""
    size = len(lots)
    adults = np.flatnonzero(population.adults())
    asset = lots["asset"].to_numpy()
    immovable = asset < IMMOVABLE
    owned = chance(rng, size, np.where(asset == HOME, 0.05, 0.45))
    firm = rng.integers(0, len(population.companies), size)
    start = lots["first_start"].to_numpy()
    mortgage = start - days(between(rng, 500, 2600, size))
    leased = immovable & chance(rng, size, np.where(asset == SHOP, 0.3, 0.07))
    # A true lease of a shop is often long, but it is registered or paid by the year.
    registered = chance(rng, size, 0.45)
    prior = lots["appraisal"].to_numpy() * rng.uniform(0, 0.45, size)
    mortgaged = immovable & chance(rng, size, 0.75)
    return lots.assign(
        debtor=np.where(owned, NOBODY, rng.choice(adults, size)),
        debtor_company=np.where(owned, firm, NOBODY),
        mortgage=np.where(mortgaged, mortgage, np.datetime64("NaT", "D")),
        seizure=start - days(between(rng, 120, 420, size)),
        leased=leased,
        lease_years=np.where(leased, lease_lengths(rng, size), 0.0),
        lease_signed=_signed(rng, start),
        lease_cash=chance(rng, size, 0.12),
        lease_registered=registered,
        tenant=rng.choice(adults, size),
        vacated=~leased & chance(rng, size, 0.8),
        tax_by_buyer=False,
        docs=ALL_DOCS,
        basis_private=chance(rng, size, 0.02),
        agreed=chance(rng, size, 0.03),
        prior_claims=np.where(mortgaged, prior, 0.0).round(-2),
    )


def lease_lengths(rng: Rng, size: int) -> Floats:
    """Years; one in five is longer than five."""
    return np.asarray(np.round(lognormal(rng, 2.6, 0.75, size).clip(0.5, 20), 1))


def _signed(rng: Rng, start: Times) -> Times:
    return np.asarray(start - days(between(rng, 200, 2400, len(start))))


def _rounds(rng: Rng, lots: pd.DataFrame, units: int) -> pd.DataFrame:
    """One to three rounds a lot, until `units`; none begins after the window."""
    size = len(lots)
    unsold = rng.random((size, 3)) < UNSOLD_BY_ROUND
    count = 1 + unsold[:, 0] + (unsold[:, 0] & unsold[:, 1])
    lot = np.repeat(np.arange(size), count)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    number = np.arange(len(lot)) - first[lot]
    gap = days(between(rng, 18, 29, len(lot)))
    start = lots["first_start"].to_numpy()[lot] + gap * number
    rounds = pd.DataFrame(
        {
            "lot": lot,
            "number": number,
            "day": start,
            "bidders": np.where(unsold[lot, number], 0, _crowds(rng, len(lot))),
        }
    )
    if len(rounds) < units:
        raise ValueError(f"_rounds: {len(rounds)} rounds drawn, {units} wanted")
    return _priced(rng, lots, _cut_to(rounds, units))


def _cut_to(rounds: pd.DataFrame, units: int) -> pd.DataFrame:
    rounds = rounds.iloc[:units].reset_index(drop=True)
    lot = rounds["lot"].to_numpy()
    return rounds.assign(last=np.append(lot[1:] != lot[:-1], True))


def _crowds(rng: Rng, size: int) -> Ints:
    """How many bid where somebody does."""
    band = weighted(rng, CROWD_SHARES[1:], size)
    few, many = between(rng, 2, 5, size), 6 + rng.geometric(0.35, size)
    return np.asarray(np.where(band == 0, 1, np.where(band == 1, few, many)))


def _priced(rng: Rng, lots: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Notice, start price, deposit and step as the law asks."""
    size = len(rounds)
    lot = rounds["lot"].to_numpy()
    asset = lots["asset"].to_numpy()[lot]
    number = rounds["number"].to_numpy()
    need = notice_needed(asset, number)
    begin = rounds["day"].to_numpy().astype("datetime64[s]")
    begin = begin + (between(rng, 9, 14, size) * 3600).astype("timedelta64[s]")
    notice = begin - days(need + between(rng, 1, 12, size))
    return set_prices(
        rng,
        lots,
        rounds.assign(
            begin=begin,
            notice=notice - (between(rng, 0, 7200, size)).astype("timedelta64[s]"),
            hours=24.0,
            silent=0,
            target=np.nan,
            default=False,
            status="",
            views=0,
            watchers=0,
            fraud=0,
            typology="",
            hard_negative="",
            group=NOBODY,
        ),
    )


def notice_needed(asset: Ints, number: Ints) -> Ints:
    """Days of notice (articles 12 and 26); a sale is announced like a second auction."""
    first = np.where(asset < IMMOVABLE, 30, 15)
    later = np.where(asset < IMMOVABLE, 15, 7)
    return np.asarray(np.where(number == 0, first, later))


def set_prices(rng: Rng, lots: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Start price from the appraisal, deposit and step from the start price."""
    lot = rounds["lot"].to_numpy()
    number = rounds["number"].to_numpy()
    first = lots["appraisal"].to_numpy()[lot] * lots["start_share"].to_numpy()[lot]
    first = np.ceil(first / 100) * 100
    lowered = np.ceil(first * (1 - lots["cut"].to_numpy()[lot]) / 100) * 100
    start = np.where(number == 0, first, np.maximum(lowered, 100))
    size = len(rounds)
    deposit = np.ceil(start * rng.uniform(0.08, 0.16, size) / 10) * 10
    return rounds.assign(
        start_price=start,
        deposit=np.clip(deposit, np.ceil(start * 0.05), np.floor(start * 0.2)),
        step=np.maximum(np.round(start * rng.uniform(0.004, 0.012, size), -2), 50.0),
    )
