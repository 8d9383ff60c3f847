"""Contracts with elders, and the money they bring: refunds, accounts, custody, income."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import identifiers, written
from training.simulation.elder_ties import Ties
from training.simulation.elder_world import (
    CONTRACTS,
    FIRST_MONTH,
    LAST_DAY,
    MIX,
    MONTHS,
    column,
    month_start,
    rates,
)
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    between,
    chance,
    days,
    distinct,
)

SIXTY = np.datetime64("1964-06-30")  # sixty years old by the middle of the last year
AFTER_SLOWING = 0.12  # what a firm still sells once it has slowed
BANDS = ("under_50", "50-59", "60-69", "70-79", "80_over")
BAND_EDGES = np.array([50, 60, 70, 80])
PREPAID = np.array([False, True, True, True, False])  # of the kinds of contract
DAYS_A_MONTH = 3  # days with movements on an account that the bank adds up
RUN_MONTHS = 3
RUN_REFUNDS = 0.12  # of the contracts, for each time that outflow exceeds inflow
REQUESTED_RATE = 0.04  # firms whose account statements somebody asked for
ORDINARY_LIMIT = 12
DEPOSIT_MONTHS = 11  # monthly bed fees that a careful home asks for at most


def volumes(rows: pd.DataFrame) -> Floats:
    """Expected contracts per firm and month; the last year sums to `yearly`."""
    month = np.arange(MONTHS)
    first, slows = column(rows, "first")[:, None], column(rows, "slows")[:, None]
    age = month - first
    weight = rates(rows, "growth")[:, None] ** (np.minimum(age, 24) / 3)
    swing = np.sin(2 * np.pi * (month + column(rows, "form")[:, None] % 12) / 12)
    weight = weight * (1 + rates(rows, "season")[:, None] * swing)
    weight = np.where(month >= slows, weight * AFTER_SLOWING, weight)
    weight = np.where(age >= 0, weight, 0.0)
    best = np.minimum(np.maximum(first + 12, 1), np.minimum(slows, MONTHS))
    year = (month >= np.minimum(best, MONTHS) - 12) & (month < best)
    last = np.where(slows < MONTHS, year, month >= MONTHS - 12)
    active = np.minimum((last & (age >= 0)).sum(axis=1), 12)
    total = np.maximum((weight * last).sum(axis=1), 1e-9)
    wanted = rates(rows, "yearly") * active / 12
    return np.asarray(weight * (wanted / total)[:, None])


def contracts(rng: Rng, rows: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """All contracts by position: firm, day, kind, amount, months, payer, payee."""
    count = rng.poisson(volumes(rows))
    firm = np.repeat(np.arange(len(rows)), count.sum(axis=1))
    month = np.repeat(np.tile(np.arange(MONTHS), len(rows)), count.ravel())
    size = len(firm)
    day = month_start(month) + days(between(rng, 0, 27, size))
    mix = np.cumsum(rows[MIX].to_numpy(np.float64), axis=1)
    kind = (rng.random(size)[:, None] * mix[:, -1:][firm] > mix[firm]).sum(axis=1)
    amount = rates(rows, "amount")[firm] * rng.lognormal(
        0, rates(rows, "spread")[firm], size
    )
    whole = chance(rng, size, rates(rows, "rounded")[firm])
    step = np.where(amount > 5000, 1000.0, 100.0)
    amount = np.where(whole, np.maximum(np.round(amount / step), 1) * step, amount)
    # Who keeps to the limit of months keeps to that of deposits.
    limited = (kind == CONTRACTS.index("deposit")) & (rates(rows, "long")[firm] == 0)
    most = np.floor(rates(rows, "bed_fee")[firm] * DEPOSIT_MONTHS / 100) * 100
    amount = np.where(limited, np.minimum(amount, most), amount)
    table = pd.DataFrame(
        {"firm": firm, "day": day, "kind": kind, "amount": np.round(amount, 2)}
    )
    table["months"] = _months(rng, table, rates(rows, "long")[firm])
    sold = rates(rows, "promised")[firm]
    table["promised"] = np.where(
        PREPAID[kind] & (sold > 0), np.round(sold + rng.normal(0, 0.004, size), 3), 0.0
    )
    table["payer"] = _payers(rng, rows, ties, firm)
    table["private"] = chance(rng, size, rates(rows, "private")[firm])
    return table.iloc[rng.permutation(size)].reset_index(drop=True)


def _months(rng: Rng, table: pd.DataFrame, long: Floats) -> Ints:
    size, kind = len(table), column(table, "kind")
    usual = between(rng, 1, ORDINARY_LIMIT, size)
    beyond = between(rng, 18, 60, size)
    months = np.where(chance(rng, size, long), beyond, usual)
    return np.where(kind <= CONTRACTS.index("member_card"), months, 0)


def _payers(rng: Rng, rows: pd.DataFrame, ties: Ties, firm: Ints) -> Ints:
    """Clients of each firm, some of whom pay again; who they are is nobody's concern."""
    births = ties.population.persons["birth"].to_numpy().astype("datetime64[D]")
    elders = np.flatnonzero(births <= SIXTY)
    younger = np.flatnonzero((births > SIXTY) & ties.population.adults())
    sold = np.bincount(firm, minlength=len(rows))
    clients = np.maximum(1, np.round(sold * (1 - rates(rows, "again")))).astype(int)
    start = np.concatenate([[0], np.cumsum(clients)[:-1]])
    owner = np.repeat(np.arange(len(rows)), clients)
    is_old = chance(rng, len(owner), rates(rows, "old")[owner])
    person = np.where(
        is_old, rng.choice(elders, len(owner)), rng.choice(younger, len(owner))
    )
    return np.asarray(
        person[start[firm] + (rng.random(len(firm)) * clients[firm]).astype(int)]
    )


def contract_tables(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """contracts.parquet of civil affairs, in no order."""
    persons = ties.population.persons
    tokens = distinct(rng, len(persons), 10**10)
    numbers = distinct(rng, len(sold), 10**9)
    births = persons["birth"].to_numpy().astype("datetime64[Y]").astype(int) + 1970
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    banks = ties.population.companies["account"].to_numpy(dtype=object)
    own = persons["account"].to_numpy(dtype=object)[ties.heads]
    for part in written.in_parts(sold.assign(number=numbers)):
        firm, size = column(part, "firm"), len(part)
        company = column(rows, "company")[firm]
        day = part["day"].to_numpy().astype("datetime64[D]")
        band = np.searchsorted(BAND_EDGES, 2024 - births[column(part, "payer")])
        months = column(part, "months")
        yield pd.DataFrame(
            {
                "ct_no": "HT" + identifiers.padded(column(part, "number"), 9),
                "uscc": codes[company],
                "payer_token": "T"
                + identifiers.padded(tokens[column(part, "payer")], 10),
                "age_band": np.array(BANDS, dtype=object)[band],
                "signed": written.arrow_dates(day),
                "kind": np.array(CONTRACTS, dtype=object)[column(part, "kind")],
                "amount": part["amount"].to_numpy(),
                "months": pd.array(np.where(months > 0, months, 0), dtype="Int64"),
                "promised_rate": part["promised"]
                .where(part["promised"] > 0)
                .to_numpy(),
                "payee_account": np.where(
                    part["private"].to_numpy(), own[firm], banks[company]
                ),
                "sales_phone": ties.phones[firm],
                "posted_date": written.arrow_dates(
                    day + days(between(rng, 1, 12, size))
                ),
            }
        )


def refund_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> pd.DataFrame:
    """refunds.csv: who asked for money back, and what became of it."""
    firm = column(sold, "firm")
    day = sold["day"].to_numpy().astype("datetime64[D]")
    asked = chance(rng, len(sold), rates(rows, "refunds")[firm])
    late = day > LAST_DAY - days(np.array(540))
    asked |= late & chance(rng, len(sold), RUN_REFUNDS * rates(rows, "run")[firm])
    chosen = np.flatnonzero(asked)
    firm, day = firm[chosen], day[chosen]
    runs = rates(rows, "run")[firm] > 0
    when = day + days(between(rng, 20, 300, len(chosen)))
    rush = LAST_DAY - days(between(rng, 15, 75, len(chosen)))
    when = np.where(runs, np.maximum(rush, day + days(np.array(3))), when)
    amount = sold["amount"].to_numpy(np.float64)[chosen]
    refused = chance(rng, len(chosen), rates(rows, "refuses")[firm])
    known = when + days(between(rng, 1, 14, len(chosen)))
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "uscc": codes[column(rows, "company")[firm]],
            "asked_date": written.iso_dates(when),
            "amount": amount,
            "outcome": np.where(refused, "refused", "paid").astype(object),
            "posted_date": written.iso_dates(known),
        }
    )
    return table.sort_values(["posted_date", "amount"], ignore_index=True)


def bank_tables(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """bank_days.csv.gz: what banks add up per account and day under their duty."""
    number = len(rows) * MONTHS
    firm, month = column(sold, "firm"), _month_of(sold)
    taken = np.where(sold["private"].to_numpy(bool), 0.0, sold["amount"].to_numpy())
    inflow = np.bincount(firm * MONTHS + month, taken, number)
    count = np.bincount(firm * MONTHS + month, taken > 0, number)
    busy = np.flatnonzero(inflow > 0)
    place, month = np.divmod(busy, MONTHS)
    day = np.repeat(month_start(month), DAYS_A_MONTH)
    share = rng.dirichlet(np.full(DAYS_A_MONTH, 4.0), len(busy)).ravel()
    place, month = np.repeat(place, DAYS_A_MONTH), np.repeat(month, DAYS_A_MONTH)
    size = len(place)
    run = (rates(rows, "run")[place] > 0) & (month >= MONTHS - RUN_MONTHS)
    ratio = np.where(run, rates(rows, "run")[place], rates(rows, "out_ratio")[place])
    amount = np.repeat(inflow[busy], DAYS_A_MONTH) * share
    out = amount * ratio * rng.lognormal(0, 0.15, size)
    accounts = ties.population.companies["account"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "account": accounts[column(rows, "company")[place]],
            "day": day + days(between(rng, 0, 27, size)),
            "in_count": np.maximum(
                1, np.round(np.repeat(count[busy], DAYS_A_MONTH) * share)
            ).astype(int),
            "in_amount": np.round(amount, 2),
            "in_old_share": _near(rng, rates(rows, "old")[place]),
            "out_count": 1 + rng.poisson(2, size),
            "out_amount": np.round(out, 2),
            "out_private_share": _near(rng, rates(rows, "out_private")[place]),
            "cash_share": _near(rng, rates(rows, "cash")[place]),
        }
    )
    order = rng.permutation(size)
    for part in written.in_parts(table.iloc[order]):
        when = part["day"].to_numpy().astype("datetime64[D]")
        yield part.assign(
            day=written.iso_dates(when),
            posted_date=written.iso_dates(when + days(between(rng, 1, 7, len(part)))),
        )


def _near(rng: Rng, share: Floats) -> Floats:
    noisy = share + rng.normal(0, 0.06, len(share))
    return np.asarray(np.round(noisy.clip(0, 1), 3))


def _month_of(sold: pd.DataFrame) -> Ints:
    month = sold["day"].to_numpy().astype("datetime64[M]") - FIRST_MONTH
    return np.asarray(month.astype(np.int64))


def request_table(rng: Rng, rows: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """bank_requests.csv: statements that were asked for, a few firms only."""
    chosen = np.flatnonzero(chance(rng, len(rows), REQUESTED_RATE))
    day = LAST_DAY - days(between(rng, 20, 300, len(chosen)))
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    within = rates(rows, "out_private")[chosen] * rng.uniform(0.7, 1.0, len(chosen))
    return pd.DataFrame(
        {
            "uscc": codes[column(rows, "company")[chosen]],
            "interest_share": _near(rng, rates(rows, "interest")[chosen]),
            "within_7_days_share": np.round(within, 3),
            "posted_date": written.iso_dates(day),
        }
    )


def prepaid_quarters(rows: pd.DataFrame, sold: pd.DataFrame) -> Floats:
    """Prepaid money per firm and quarter."""
    prepaid = np.where(PREPAID[column(sold, "kind")], sold["amount"].to_numpy(), 0.0)
    place = column(sold, "firm") * (MONTHS // 3) + _month_of(sold) // 3
    size = len(rows) * (MONTHS // 3)
    return np.asarray(np.bincount(place, prepaid, size).reshape(len(rows), -1))


def income_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> pd.DataFrame:
    """service_income.csv: what firms declare to the tax office as income of services."""
    prepaid = prepaid_quarters(rows, sold)
    spent = np.where(~PREPAID[column(sold, "kind")], sold["amount"].to_numpy(), 0.0)
    place = column(sold, "firm") * (MONTHS // 3) + _month_of(sold) // 3
    earned = np.bincount(place, spent, prepaid.size).reshape(prepaid.shape)
    mean = prepaid[:, -4:].mean(axis=1) / rates(rows, "prepaid_ratio")
    used = np.where(mean > 0, mean, earned[:, -4:].mean(axis=1))
    active = np.arange(MONTHS // 3) >= (column(rows, "first") // 3)[:, None]
    income = used[:, None] * active * rng.lognormal(0, 0.12, prepaid.shape)
    firm, quarter = np.nonzero(active)
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    begin = month_start(quarter * 3)
    posted = month_start(quarter * 3 + 3) + days(between(rng, 3, 18, len(firm)))
    table = pd.DataFrame(
        {
            "uscc": codes[column(rows, "company")[firm]],
            "month": begin.astype("datetime64[M]").astype(str).astype(object),
            "income": np.round(income[firm, quarter], 2),
            "posted_date": written.iso_dates(posted),
        }
    )
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def custody_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, sold: pd.DataFrame
) -> pd.DataFrame:
    """custody.csv: what must lie on the supervised account, and what does."""
    required = np.cumsum(prepaid_quarters(rows, sold), axis=1) * 0.25
    held = required * rates(rows, "custody")[:, None]
    held = held * rng.lognormal(0, 0.01, held.shape)
    opened = (rates(rows, "custody") >= 0)[:, None] & (required > 0)
    firm, quarter = np.nonzero(opened)
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    day = month_start(quarter * 3 + 3) - days(np.array(1))
    return pd.DataFrame(
        {
            "uscc": codes[column(rows, "company")[firm]],
            "day": written.iso_dates(day),
            "required": np.round(required[firm, quarter], 2),
            "held": np.round(held[firm, quarter], 2),
            "posted_date": written.iso_dates(
                day + days(between(rng, 2, 15, len(firm)))
            ),
        }
    )
