"""Tables of the tax office: the list of company-months, invoices, returns, duties."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.fuel_trade import FUEL, OIL, OTHER, VAGUE
from training.simulation.fuel_world import FIRST_MONTH, MONTHS, World
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    distinct,
    lognormal,
    pick,
    texts,
    weighted,
)

FUEL_CODE = "1070101020000000000"
NON_FUEL_OIL_CODE, VAGUE_CODE = "1070203990000000000", "1070299990000000000"
OTHER_CODES = ("1090299990000000000", "1080407000000000000", "3010502020200000000")
PREFIXES = {FUEL: "*成品油*", OIL: "*非成品油*", VAGUE: "*化学原料*", OTHER: "*杂项*"}
UNITS = ("升", "吨", "千克", "桶")
LITRES_PER_UNIT = np.array([1.0, 1190.0, 1.19, 200.0])
UNIT_SHARES = np.array([0.55, 0.30, 0.05, 0.10])
VOID_RATE, RED_RATE = 0.015, 0.01
NO_PREFIX_RATE = 0.05
VAT = 0.13
INDUSTRY = {
    "freight": "freight",
    "builder": "building",
    "manufacturer": "manufacture",
    "station": "station",
    "trader": "trade",
    "coop": "farming",
}


def month_texts(months: Ints) -> Texts:
    """2023-05."""
    return np.asarray((FIRST_MONTH + months).astype(str), dtype=object)


def month_ends(months: Ints) -> np.ndarray:
    """The last day of each month."""
    return (FIRST_MONTH + months + 1).astype("datetime64[D]") - days(np.array(1))


def unit_keys(world: World, company: Ints, month: Ints) -> Texts:
    """Code of the company, and the month."""
    codes = world.population.companies["uscc"].to_numpy(dtype=object)[company]
    months = pd.Series(month_texts(month), dtype="str").str.replace("-", "")
    return np.asarray(codes + "-" + months.to_numpy(dtype=object), dtype=object)


def month_tables(
    rng: Rng, world: World, rows: pd.DataFrame, lines: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """company_months.csv: who dealt in oil in which month."""
    oil = lines[lines["cls"] != OTHER]
    keys = pd.MultiIndex.from_frame(rows[["company", "month"]])
    total = np.zeros(len(rows))
    for side in ("buyer", "seller"):
        sums = oil.groupby([side, "month"])["amount"].sum()
        total = np.maximum(total, sums.reindex(keys).fillna(0.0).to_numpy())
    listed = rows.assign(total=total)
    for part in written.in_parts(listed):
        company = part["company"].to_numpy(np.int64)
        month = part["month"].to_numpy(np.int64)
        known = world.population.companies.iloc[company]
        name = known["name"].to_numpy(dtype=object)
        filed = month_ends(month) + days(between(rng, 10, 18, len(part)))
        yield pd.DataFrame(
            {
                "company_month": unit_keys(world, company, month),
                "uscc": known["uscc"].to_numpy(dtype=object),
                "name": dirt.soiled(rng, name, dirt.COMPANY_KINDS[:2]),
                "industry": part["kind"].map(INDUSTRY).to_numpy(dtype=object),
                "district": texts(names.DISTRICTS)[known["district"].to_numpy()],
                "month": month_texts(month),
                "oil_amount": written.money(part["total"].to_numpy()),
                "posted_date": written.iso_dates(filed),
            }
        )


def invoice_tables(
    rng: Rng, world: World, lines: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """invoice_lines.csv.gz of the deduction ledger, by date."""
    number = distinct(rng, len(lines), 10**10)
    industry = np.full(len(world.population.companies), "other", dtype=object)
    firms = world.firms
    industry[firms["company"]] = firms["kind"].map(INDUSTRY)
    industry[world.majors] = "trade"
    lines = lines.assign(number=number, industry=industry[lines["buyer"]])
    order = np.argsort(lines["date"].to_numpy(), kind="stable")
    for part in written.in_parts(lines.iloc[order]):
        yield _invoices(rng, world, part)


def _invoices(rng: Rng, world: World, lines: pd.DataFrame) -> pd.DataFrame:
    size = len(lines)
    companies = world.population.companies
    code = companies["uscc"].to_numpy(dtype=object)
    name = companies["name"].to_numpy(dtype=object)
    seller, buyer = lines["seller"].to_numpy(), lines["buyer"].to_numpy()
    cls = lines["cls"].to_numpy(np.int64)
    unit = np.where(cls == OTHER, 0, weighted(rng, UNIT_SHARES, size))
    litres = lines["litres"].to_numpy()
    amount = lines["amount"].to_numpy()
    date = lines["date"].to_numpy()
    read = np.where(chance(rng, size, dirt.WAN_RATE), litres / 1000, litres)
    price = amount / np.maximum(litres, 0.01) * LITRES_PER_UNIT[unit]
    buyer_code = dirt.blanked(rng, code[buyer], 0.01)
    return pd.DataFrame(
        {
            "inv_no": identifiers.padded(lines["number"].to_numpy(), 10),
            "date": written.iso_dates(date),
            "month": month_texts(lines["month"].to_numpy(np.int64)),
            "seller_uscc": dirt.soiled(rng, code[seller], dirt.USCC_KINDS),
            "seller_name": dirt.soiled(rng, name[seller], dirt.COMPANY_KINDS),
            "buyer_uscc": dirt.soiled(rng, buyer_code, dirt.USCC_KINDS),
            "buyer_name": dirt.soiled(rng, name[buyer], dirt.COMPANY_KINDS),
            "buyer_industry": lines["industry"].to_numpy(dtype=object),
            "goods_code": _codes(rng, cls),
            "item": _items(rng, cls, lines["item"].to_numpy(dtype=object)),
            "unit": texts(UNITS)[unit],
            "qty": np.round(litres / LITRES_PER_UNIT[unit], 3),
            "price": np.round(price, 2),
            "litres": np.where(cls == OTHER, np.nan, np.round(read, 1)),
            "amount": written.money(amount),
            "vat": written.money(amount * VAT),
            "deducted": written.yes_no(
                chance(rng, size, lines["deducted"].to_numpy(dtype=float))
            ),
            "voided": written.yes_no(chance(rng, size, VOID_RATE)),
            "red": written.yes_no(chance(rng, size, RED_RATE)),
            "device": _devices(world, seller),
            "posted_date": written.iso_dates(date + days(between(rng, 1, 12, size))),
        }
    )


def _codes(rng: Rng, cls: Ints) -> Texts:
    size = len(cls)
    other = pick(rng, OTHER_CODES, size)
    choices = [FUEL_CODE, NON_FUEL_OIL_CODE, VAGUE_CODE]
    held = np.select([cls == FUEL, cls == OIL, cls == VAGUE], choices, default="")
    return np.where(cls == OTHER, other, held.astype(object))


def _items(rng: Rng, cls: Ints, item: Texts) -> Texts:
    """*非成品油*复合柴油; some sellers leave the class out."""
    prefix = texts([PREFIXES[each] for each in range(4)])[cls]
    bare = chance(rng, len(cls), NO_PREFIX_RATE)
    return np.asarray(np.where(bare, "", prefix) + item, dtype=object)


def _devices(world: World, seller: Ints) -> Texts:
    serial = np.asarray(world.device[seller], dtype=np.int64)
    return np.asarray(
        "6619" + identifiers.padded(serial * 7919 % 10**8, 8), dtype=object
    )


def return_tables(
    rng: Rng, world: World, lines: pd.DataFrame, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """vat_returns.csv: every month of every firm since it was founded.

    Shells hand in none once they are dropped.
    """
    grid = _filing_grid(world)
    company = grid["company"].to_numpy(np.int64)
    month = grid["month"].to_numpy(np.int64)
    keys = pd.MultiIndex.from_arrays([company, month])
    oil = lines[lines["cls"] != OTHER]
    sold = oil.groupby(["seller", "month"])["amount"].sum().reindex(keys)
    bought = oil.groupby(["buyer", "month"])["amount"].sum().reindex(keys)
    by_unit = rows.set_index(["company", "month"])
    driven = by_unit["km"].reindex(keys) + by_unit["gas_km"].reindex(keys)
    own = _turnover(rng, grid, driven.fillna(0.0).to_numpy())
    pumped = by_unit["declared"].reindex(keys).fillna(0.0).to_numpy()
    sales = own + sold.fillna(0.0).to_numpy() + pumped * world.wholesale[month] * 1.05
    other = own * rng.normal(0.72, 0.06, len(grid)).clip(0.4, 0.95)
    inputs = other + bought.fillna(0.0).to_numpy()
    yield _returns(rng, world, grid.assign(sales=sales, inputs=inputs))


def _filing_grid(world: World) -> pd.DataFrame:
    """One row per firm and month in which it has to file."""
    firms = world.firms
    opened = world.population.companies["established"].to_numpy()[firms["company"]]
    first = (opened.astype("datetime64[M]") - FIRST_MONTH).astype(np.int64) + 1
    first = np.maximum(first, 0)
    ends = np.where(
        firms["name"] == "shell_trader", firms["start"] + firms["length"], MONTHS
    )
    month = np.tile(np.arange(MONTHS), len(firms))
    row = np.repeat(np.arange(len(firms)), MONTHS)
    kept = (month >= first[row]) & (month < ends[row])
    grid = firms.iloc[row[kept]].reset_index(drop=True)
    return grid.assign(month=month[kept])


def _turnover(rng: Rng, grid: pd.DataFrame, driven: Floats) -> Floats:
    """Sales other than of oil."""
    usual = grid["kind"].map(
        {
            "freight": 350_000,
            "builder": 1_500_000,
            "manufacturer": 2_500_000,
            "station": 60_000,
            "trader": 40_000,
            "coop": 120_000,
        }
    )
    drawn = (
        usual.to_numpy() * grid["scale"].to_numpy() * lognormal(rng, 1, 0.2, len(grid))
    )
    haul = driven * rng.normal(7.0, 0.5, len(grid))
    return np.where((grid["kind"] == "freight") & (driven > 0), haul, drawn)


def _returns(rng: Rng, world: World, grid: pd.DataFrame) -> pd.DataFrame:
    size = len(grid)
    grid = grid.iloc[rng.permutation(size)]
    company = grid["company"].to_numpy(np.int64)
    month = grid["month"].to_numpy(np.int64)
    output, inputs = grid["sales"].to_numpy() * VAT, grid["inputs"].to_numpy() * VAT
    return pd.DataFrame(
        {
            "uscc": world.population.companies["uscc"].to_numpy(dtype=object)[company],
            "month": month_texts(month),
            "sales": written.money(grid["sales"].to_numpy()),
            "input": written.money(inputs),
            "output": written.money(output),
            "payable": written.money(np.maximum(output - inputs, 0.0)),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 10, 16, size))
            ),
        }
    )


def duty_table(rng: Rng, world: World, lines: pd.DataFrame) -> pd.DataFrame:
    """consumption_tax.csv: majors, and blenders on what they make into fuel."""
    firms = world.firms
    payers = firms.loc[firms["name"] == "licensed_blender", "company"].to_numpy()
    payers = np.concatenate([world.majors, payers])
    sold = lines[lines["seller"].isin(payers) & (lines["cls"] == FUEL)]
    sums = sold.groupby(["seller", "month"])["litres"].sum().reset_index()
    month = sums["month"].to_numpy(np.int64)
    code = world.population.companies["uscc"].to_numpy(dtype=object)[sums["seller"]]
    return pd.DataFrame(
        {
            "uscc": code,
            "month": month_texts(month),
            "item": "柴油",
            "qty": np.round(sums["litres"].to_numpy(), 0),
            "tax": written.money(sums["litres"].to_numpy() * 1.2),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 10, 16, len(sums)))
            ),
        }
    )
