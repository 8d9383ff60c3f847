"""Invoice lines: who sold which oil to whom, so that each trader's books add up.

Lines are held by positions; `fuel_invoices` writes them.
"""

import numpy as np
import pandas as pd

from training.simulation.fuel_world import FIRST_MONTH, World
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    chance,
    days,
    pick,
    weighted_within,
)

FUEL, OIL, VAGUE, OTHER = range(4)
FUEL_ITEMS = ("0号柴油", "车用柴油(Ⅵ)", "92号汽油", "柴油")
VAGUE_ITEM = "化工原料"
OTHER_ITEMS = ("轮胎", "钢材", "机械配件", "包装材料", "运输服务", "劳保用品", "润滑油")
FROM_MAJOR_RATE = 0.55
LITRES_PER_LINE = 12_000
LITRES_PER_DRUM_LINE = 3_000  # oil for workshops comes in smaller lots
MOST_LINES = 6
MAJOR_OIL_RATIO = 0.86  # what traders pay the majors for oil that is no fuel
CIRCULAR_SHARE = 0.4  # of a shell's sales
SHELL_INPUT = 0.1  # purchases of a shell over its sales
UNSTEADY = (0.97, 1.04)  # purchases of a month over its sales


def draw_lines(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """All lines of all units, in no order."""
    used = _purchases(rng, world, rows)
    traders = rows[rows["kind"] == "trader"].reset_index(drop=True)
    outside = _outside_sales(rng, world, traders)
    stock = _restocking(rng, world, traders, pd.concat([used, outside]))
    lines = pd.concat(
        [
            used,
            outside,
            stock,
            _circles(rng, world, traders),
            _sundry(rng, world, rows),
        ],
        ignore_index=True,
    )
    lines = lines.iloc[rng.permutation(len(lines))].reset_index(drop=True)
    month = lines["month"].to_numpy(dtype=np.int64)
    first = (FIRST_MONTH + month).astype("datetime64[D]")
    return lines.assign(
        date=first + days(lines["day"].to_numpy()),
        amount=lines["litres"] * world.wholesale[month] * lines["ratio"],
    )


def _bill(rng: Rng, wanted: pd.DataFrame) -> pd.DataFrame:
    """Cut month totals into lines on random days."""
    wanted = wanted[wanted["litres"] > 1].reset_index(drop=True)
    litres = wanted["litres"].to_numpy()
    lot = np.where(wanted["cls"] == FUEL, LITRES_PER_LINE, LITRES_PER_DRUM_LINE)
    mean = np.minimum(litres / lot, MOST_LINES)
    count = np.ceil(mean).astype(np.int64) + np.minimum(rng.poisson(mean), MOST_LINES)
    line = np.repeat(np.arange(len(wanted)), count)
    weight = rng.uniform(0.5, 1.5, len(line))
    total = np.bincount(line, weight, len(wanted))
    lines = wanted.iloc[line].reset_index(drop=True)
    noise = np.where(lines["cls"] == FUEL, 0.003, 0.012)
    return lines.assign(
        litres=litres[line] * weight / total[line],
        day=rng.integers(0, 28, len(line)),
        ratio=lines["ratio"].to_numpy() * rng.normal(1, noise),
    )


def _wanted(
    rows: pd.DataFrame, cls: int, litres: Floats, seller: Ints, item: object
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seller": seller,
            "buyer": rows["company"].to_numpy(np.int64),
            "month": rows["month"].to_numpy(np.int64),
            "cls": cls,
            "item": item,
            "litres": litres,
            "ratio": 1.0 if cls == FUEL else rows["ratio"].to_numpy(),
            "deducted": rows["deducted"].to_numpy(),
        }
    )


def _purchases(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """What users and stations buy."""
    users = rows[rows["kind"] != "trader"].reset_index(drop=True)
    station = (users["kind"] == "station").to_numpy()
    bought = users["declared"].to_numpy() * rng.uniform(0.97, 1.03, len(users))
    legal = np.where(station, bought, users["legal"])
    bound = (users["oil_supplier"].to_numpy(np.int64) >= 0) & users["misdeed"].to_numpy(
        dtype=bool
    )
    special = users["oil_supplier"].to_numpy(np.int64)
    parts = [
        _wanted(
            users,
            FUEL,
            legal,
            _sellers(rng, world, rows, users),
            pick(rng, FUEL_ITEMS, len(users)),
        )
    ]
    for cls, column in ((OIL, "oil"), (VAGUE, "vague")):
        seller = np.where(bound, special, _sellers(rng, world, rows, users))
        item = VAGUE_ITEM if cls == VAGUE else users["oil_item"].to_numpy(dtype=object)
        parts.append(_wanted(users, cls, users[column].to_numpy(), seller, item))
    return _bill(rng, pd.concat(parts, ignore_index=True))


def _sellers(rng: Rng, world: World, rows: pd.DataFrame, buyers: pd.DataFrame) -> Ints:
    """A major, or an honest trader who is on the list in that month."""
    seller = rng.choice(world.majors, len(buyers))
    open_ = rows[(rows["kind"] == "trader") & ~rows["misdeed"]]
    month = buyers["month"].to_numpy(np.int64)
    held = open_["month"].to_numpy(np.int64)
    loyal = chance(rng, len(buyers), 1 - FROM_MAJOR_RATE) & np.isin(month, held)
    weights = rng.uniform(0.5, 1.5, len(world.firms))[open_["firm"].to_numpy(np.int64)]
    drawn = weighted_within(rng, month[loyal], held, weights)
    seller[loyal] = open_["company"].to_numpy(np.int64)[drawn]
    return np.asarray(seller, dtype=np.int64)


def _outside_sales(rng: Rng, world: World, traders: pd.DataFrame) -> pd.DataFrame:
    """What traders sell to companies beyond the list, several in a month."""
    parts = []
    for cls, column in ((FUEL, "out_fuel"), (OIL, "out_oil")):
        share = rng.dirichlet(np.ones(4), len(traders))
        for place in range(share.shape[1]):
            litres = traders[column].to_numpy() * share[:, place]
            item = pick(rng, FUEL_ITEMS, len(traders))
            if cls == OIL:
                item = traders["oil_item"].to_numpy(dtype=object)
            part = _wanted(
                traders, cls, litres, np.zeros(len(traders), dtype=np.int64), item
            )
            buyer = rng.choice(world.outsiders, len(traders))
            parts.append(part.assign(seller=part["buyer"], buyer=buyer, deducted=0.97))
    return _bill(rng, pd.concat(parts, ignore_index=True))


def _restocking(
    rng: Rng, world: World, traders: pd.DataFrame, sales: pd.DataFrame
) -> pd.DataFrame:
    """What traders buy to sell it, under the same class or under another one."""
    sums = sales.groupby(["seller", "month", "cls"])["litres"].sum()
    out = {}
    for cls in (FUEL, OIL):
        keys = pd.MultiIndex.from_arrays(
            [
                traders["company"].to_numpy(np.int64),
                traders["month"].to_numpy(np.int64),
                np.full(len(traders), cls),
            ]
        )
        out[cls] = sums.reindex(keys).fillna(0.0).to_numpy()
    steady = rng.uniform(*UNSTEADY, len(traders))
    shell = _shells(traders)
    steady = np.where(shell, SHELL_INPUT, steady)
    kept = traders["kept"].to_numpy()
    seller = rng.choice(world.majors, len(traders))
    fuel = _wanted(
        traders,
        FUEL,
        out[FUEL] * kept * steady,
        seller,
        pick(rng, FUEL_ITEMS, len(traders)),
    )
    fuel["ratio"] = 1 / traders["margin"].to_numpy()
    item = traders["oil_item"].to_numpy(dtype=object)
    litres = (out[FUEL] * (1 - kept) + out[OIL]) * steady
    oil = _wanted(traders, OIL, litres, seller, item)
    oil["ratio"] = MAJOR_OIL_RATIO * (traders["ratio"].to_numpy() / 0.93)
    return _bill(rng, pd.concat([fuel, oil], ignore_index=True))


def _shells(traders: pd.DataFrame) -> Bools:
    return np.asarray((traders["name"] == "shell_trader") & traders["misdeed"])


def _circles(rng: Rng, world: World, traders: pd.DataFrame) -> pd.DataFrame:
    """Paper that goes round on one day: shell to front, front to front, and back."""
    shells = traders[_shells(traders)].reset_index(drop=True)
    litres = shells["out_fuel"].to_numpy() * CIRCULAR_SHARE
    fronts = rng.permutation(world.outsiders)
    group = shells["group"].to_numpy(np.int64)
    first = fronts[2 * group % len(fronts)]
    second = fronts[(2 * group + 1) % len(fronts)]
    company = shells["company"].to_numpy(np.int64)
    day = rng.integers(0, 28, len(shells))
    hops = ((company, first), (first, second), (second, company))
    parts = []
    for place, (seller, buyer) in enumerate(hops):
        part = _wanted(shells, FUEL, litres, seller, "柴油")
        parts.append(part.assign(buyer=buyer, day=day, ratio=0.992 + 0.003 * place))
    return pd.concat(parts, ignore_index=True)


def _sundry(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Ordinary purchases that are no oil; some traders also name goods vaguely."""
    taken = rows[chance(rng, len(rows), 0.9)].reset_index(drop=True)
    seller = rng.choice(world.outsiders, len(taken))
    item = pick(rng, OTHER_ITEMS, len(taken))
    part = _wanted(taken, OTHER, np.zeros(len(taken)), seller, item)
    return part.assign(
        litres=rng.lognormal(7.5, 0.8, len(taken)),
        day=rng.integers(0, 28, len(taken)),
        ratio=1.0,
    )
