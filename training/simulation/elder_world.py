"""Firms of the elder-care scenario and how an honest one of each line behaves.

One row per firm in scope. Columns are habits (rates and sizes) from which every
department's table is drawn; planted schemes change the habits, never the tables.
"""

import numpy as np
import pandas as pd

from training.simulation.population import COMPANIES, Population
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    between,
    chance,
    days,
    lognormal,
    weighted,
)

FIRST_MONTH = np.datetime64("2022-01")
MONTHS = 36
LAST_DAY = np.datetime64("2024-12-31")
NEVER = 99  # a month that does not come
KINDS = ("care_home", "wellness", "clinic", "other")
LINES = ("home", "day_care", "shop", "travel", "agency")
HOME, DAY_CARE, SHOP, TRAVEL, AGENCY = range(len(LINES))
# Which line a company of each kind is in.
LINE_SHARES = np.array(
    [
        [1.00, 0.00, 0.00, 0.00, 0.00],
        [0.20, 0.20, 0.40, 0.15, 0.05],
        [0.00, 0.50, 0.50, 0.00, 0.00],
        [0.24, 0.22, 0.32, 0.13, 0.09],
    ]
)
CONTRACTS = ("service", "deposit", "member_card", "project", "product")
MIX = [f"mix_{kind}" for kind in CONTRACTS]
MIX_OF_LINE = np.array(
    [
        [0.70, 0.25, 0.05, 0.00, 0.00],
        [0.90, 0.00, 0.10, 0.00, 0.00],
        [0.05, 0.00, 0.00, 0.00, 0.95],
        [1.00, 0.00, 0.00, 0.00, 0.00],
        [1.00, 0.00, 0.00, 0.00, 0.00],
    ]
)
SHOP_CARD_RATE = 0.06  # shops that sell an ordinary discount card
YEARLY = np.array([0, 24, 26, 20, 14])  # contracts a year; a home's follow its beds
AMOUNT = np.array([14_000, 3_000, 1_800, 3_500, 2_500])
OLD_SHARE = np.array([0.66, 0.70, 0.62, 0.72, 0.60])
EVENTS = np.array([0.4, 0.8, 0.8, 1.2, 0.3])  # lectures and tours a month
MODEL_FORMS, MODEL_FORM_RATE = 9, 0.25  # forms that an association hands out
UNFILED_RATE = 0.03  # homes and day-care whose filing is pending


def people_for(units: int) -> int:
    """People of a prefecture that has enough companies for so many firms in scope."""
    rate = sum(COMPANIES[kind][1] for kind in KINDS)
    return max(3000, round(units / rate * 1000 * 1.02))


def draft(rng: Rng, population: Population, units: int) -> pd.DataFrame:
    """Honest firms, one row each, in no order.

    Raises:
        ValueError: the prefecture has fewer companies that can be in scope.
    """
    found = np.concatenate([population.companies_of(kind) for kind in KINDS])
    if len(found) < units:
        raise ValueError(
            f"simulate: units={units!r} firms wanted, the prefecture has {len(found)}; "
            "ask for more people"
        )
    company = rng.permutation(found)[:units]
    rows = pd.DataFrame({"company": company, "line": _lines(rng, population, company)})
    rows["district"] = population.companies["district"].to_numpy()[company]
    return _conduct(rng, _business(rng, _premises(rng, rows, population)))


def column(rows: pd.DataFrame, name: str) -> Ints:
    """A column of positions or counts."""
    return rows[name].to_numpy(dtype=np.int64)


def rates(rows: pd.DataFrame, name: str) -> Floats:
    """A column of rates or sizes."""
    return rows[name].to_numpy(dtype=np.float64)


def month_start(months: Ints) -> np.ndarray:
    """First days of months counted from the window's start."""
    return np.asarray((FIRST_MONTH + months).astype("datetime64[D]"))


def _lines(rng: Rng, population: Population, company: Ints) -> Ints:
    kinds = population.companies["kind"].to_numpy()[company]
    line = np.zeros(len(company), dtype=np.int64)
    for place, kind in enumerate(KINDS):
        rows = np.flatnonzero(kinds == kind)
        line[rows] = weighted(rng, LINE_SHARES[place], len(rows))
    return line


def _premises(rng: Rng, rows: pd.DataFrame, population: Population) -> pd.DataFrame:
    size, line = len(rows), column(rows, "line")
    founded = population.companies["established"].to_numpy()[column(rows, "company")]
    founded = founded.astype("datetime64[D]")
    new = chance(rng, size, 0.1)
    opened = founded + days(between(rng, 20, 900, size))
    recent = LAST_DAY - days(between(rng, 60, 900, size))
    opened = np.minimum(np.where(new, recent, opened), LAST_DAY - days(np.array(60)))
    beds = np.where(
        line == HOME,
        np.round(lognormal(rng, 60, 0.5, size)).clip(12, 400),
        np.where(line == DAY_CARE, between(rng, 8, 40, size), 0),
    ).astype(int)
    staffed = np.where(beds > 0, 2 + beds * rng.uniform(0.12, 0.25, size), 0)
    staff = np.where(beds > 0, staffed, between(rng, 3, 14, size)).astype(int)
    bedded = line <= DAY_CARE
    return rows.assign(
        opened=opened,
        founded=np.minimum(founded, opened),
        beds=beds,
        staff=np.minimum(staff, 60),
        bed_fee=np.round(lognormal(rng, 2200, 0.3, size), -1),
        filed=bedded & ~chance(rng, size, UNFILED_RATE),
    )


def _business(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    size, line = len(rows), column(rows, "line")
    mix = MIX_OF_LINE[line].copy()
    card = (line == SHOP) & chance(rng, size, SHOP_CARD_RATE)
    mix[card] = (0.05, 0.0, 0.25, 0.0, 0.70)
    yearly = YEARLY[line] * lognormal(rng, 1.0, 0.5, size)
    yearly = np.where(
        line == HOME, column(rows, "beds") * rng.uniform(0.3, 0.9, size), yearly
    )
    began = rows["opened"].to_numpy().astype("datetime64[M]") - FIRST_MONTH
    long = np.where(chance(rng, size, 0.06), rng.uniform(0.05, 0.25, size), 0.0)
    return rows.assign(
        **dict(zip(MIX, mix.T, strict=True)),
        yearly=np.maximum(yearly, 6.0),
        first=np.maximum(began.astype(int), 0),
        slows=NEVER,
        growth=lognormal(rng, 1.0, 0.09, size),
        season=rng.uniform(0.0, 0.25, size),
        amount=AMOUNT[line] * lognormal(rng, 1.0, 0.5, size),
        spread=rng.uniform(0.35, 0.7, size),
        long=np.where(line <= DAY_CARE, long, 0.0),
        promised=0.0,
        old=rng.normal(OLD_SHARE[line], 0.10).clip(0.3, 0.97),
        again=0.65 * rng.beta(2, 4, size),
        rounded=rng.uniform(0.15, 0.9, size),
        private=np.where(chance(rng, size, 0.15), rng.uniform(0.05, 0.6, size), 0.0),
        prepaid_ratio=rng.uniform(0.1, 0.6, size),
        occupancy=rng.beta(8, 3, size),
    )


def _conduct(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    size, line = len(rows), column(rows, "line")
    custody = rng.uniform(1.0, 1.3, size)
    custody = np.where(chance(rng, size, 0.06), rng.uniform(0.6, 1.0, size), custody)
    return rows.assign(
        custody=np.where(chance(rng, size, 0.03), -1.0, custody),  # -1: no account
        out_private=rng.beta(2.5, 7, size),
        out_ratio=rng.uniform(0.6, 0.95, size),
        cash=rng.beta(1.5, 7, size),
        interest=rng.beta(1, 40, size),
        insured=rng.beta(4, 2, size).clip(0.05, 1.0),
        arrears=np.where(chance(rng, size, 0.05), 0.3, 0.01),
        ads=rng.uniform(0.05, 0.4, size),
        promising=np.where(chance(rng, size, 0.01), 0.15, 0.0),
        soft=np.where(chance(rng, size, 0.06), 0.25, 0.0),
        discount=np.where(chance(rng, size, 0.05), 0.2, 0.0),
        events=EVENTS[line] * lognormal(rng, 1.0, 0.8, size),
        gift=rng.uniform(0.0, 0.6, size),
        venues=between(rng, 1, 4, size),
        complaints=lognormal(rng, 0.2, 0.5, size),
        grievance=rng.uniform(0.1, 0.5, size),  # share about refunds and promises
        burst=0.0,  # complaints per 100 clients in the last quarter
        refunds=rng.uniform(0.01, 0.04, size),
        refuses=rng.uniform(0.02, 0.3, size),
        run=0.0,  # withdrawals over inflow in the last quarter
        padding=np.where(line == HOME, rng.normal(1.0, 0.02, size), 1.0),
        form=np.arange(size),
        wording=_wordings(rng, size),
        own_form=True,
        team=-1,
        fraud=0,
        typology="",
        hard_negative="",
        ring=-1,
        chain=-1,
        group=-1,
    )


def _wordings(rng: Rng, size: int) -> Ints:
    """Numbers of the contract forms: one's own, or a model form that many use."""
    handed_out = size + between(rng, 0, MODEL_FORMS - 1, size)
    return np.where(chance(rng, size, MODEL_FORM_RATE), handed_out, np.arange(size))
