"""What a firm buys, burns, sells and drives in each month of its spell.

First every month is drawn as an honest one; then the months of schemes and look-alikes
are changed where they differ. One row is one unit.
"""

from typing import Any

import numpy as np
import pandas as pd

from training.simulation.fuel_world import (
    LITRES_PER_STEAM_TONNE,
    World,
)
from training.simulation.sampling import Bools, Floats, Rng, chance, lognormal, pick

BURNT = ("燃料油", "轻质燃料油", "重质油")
DISSOLVED = ("白油", "溶剂油", "芳烃", "工业白油", "石油醚")
BLENDED = ("芳烃", "燃料油", "MTBE", "轻循环油", "混合芳烃")
HUB_ITEMS = ("复合柴油", "轻质油", "复合柴油", "轻循环油")
NIGHT_RATE = 0.08  # of ordinary deliveries to a yard or site
LITRES_PER_CAR = 30.0


def draw_months(rng: Rng, world: World) -> pd.DataFrame:
    """One row per firm and month on the list, in no order."""
    firms = world.firms
    spell = firms["length"].to_numpy()
    row = np.repeat(np.arange(len(firms)), spell)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(spell) - spell, spell)
    rows = firms.iloc[row].reset_index(drop=True)
    rows["month"] = rows["start"].to_numpy() + offset
    rows["firm"] = row
    rows["misdeed"] = ~rows["honest"].to_numpy(dtype=bool) & (
        rows["month"] >= rows["misdeed_from"]
    )
    rows = _ordinary(rng, rows)
    rows = _schemes(rng, rows)
    rows = _resale(rng, world, rows)
    rows = _lookalikes(rng, rows)
    return rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)


def _is(rows: pd.DataFrame, *kinds: str) -> Bools:
    return np.asarray(rows["kind"].isin(kinds))


def _ordinary(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    size = len(rows)
    km = rows["trucks"].to_numpy() * rng.uniform(6000, 10000, size)
    km = np.where(_is(rows, "freight"), km, km * 0.3)
    gas = rows["gas_share"].to_numpy()
    noise = np.clip(rng.normal(1, 0.1, size), 0.7, 1.3)
    driven = km * (1 - gas) * rows["per_km"].to_numpy() * noise
    scale, month = rows["scale"].to_numpy(), rows["month"].to_numpy()
    season = 0.4 + 1.2 * np.isin(month % 12, (3, 4, 5, 8, 9, 10))
    still = np.where(_is(rows, "builder"), 9000 * rng.uniform(0.4, 1.6, size), 0.0)
    still = np.where(_is(rows, "coop"), 7000 * season * noise, still)
    still = np.where(_is(rows, "manufacturer"), 2500 * noise, still)
    need = driven + still * scale
    most = (rows["steam"] * rows["hours"] * LITRES_PER_STEAM_TONNE).to_numpy()
    capacity = np.where(rows["use"] == "none", 0.0, most)
    burnt = capacity * rows["load"].to_numpy() * rng.uniform(0.8, 1.15, size)
    dabbles = chance(rng, size, 0.15) & ~_is(rows, "station", "trader")
    small = np.where(dabbles, lognormal(rng, 500, 0.5, size).clip(80, 1900), 0.0)
    sold = np.where(_is(rows, "station"), 180_000 * scale * noise, 0.0)
    return rows.assign(
        km=km * (1 - gas),
        gas_km=km * gas,
        capacity=capacity,
        need=need,
        legal=need * np.clip(rows["invoiced"] * rng.normal(1, 0.04, size), 0.2, 1.05),
        oil=np.where(burnt > 0, burnt, small),
        vague=_vague(rng, rows),
        oil_item=np.where(
            rows["use"] == "boiler", pick(rng, BURNT, size), pick(rng, DISSOLVED, size)
        ),
        ratio=rng.normal(0.93, 0.05, size).clip(0.82, 1.1),
        deducted=0.97,
        sold=sold,
        metered=sold * rng.uniform(0.985, 1.015, size),
        declared=sold * rng.uniform(0.97, 1.0, size),
        uninvoiced=rng.beta(6, 6, size),
        personal=np.where(chance(rng, size, 0.15), rng.uniform(0.01, 0.12, size), 0.0),
        out_fuel=np.where(_is(rows, "trader"), 160_000 * scale * noise, 0.0),
        out_oil=_oil_trade(rng, rows),
        kept=1.0,
        night_rate=NIGHT_RATE,
        extra_nights=rng.poisson(0.05, size) * _is(rows, "freight", "builder", "coop"),
        tested=0.04,
        fails=0.03,
        power=_power(rng, rows, burnt, sold),
        margin=rng.uniform(1.015, 1.06, size),
        amount=0.0,
    )


def _vague(rng: Rng, rows: pd.DataFrame) -> Floats:
    """Chemical raw material: usual at plants, rare and little elsewhere."""
    plant = _is(rows, "manufacturer") & (rows["firm"].to_numpy() % 3 == 0)
    rate = np.where(plant, 0.7, np.where(_is(rows, "freight", "builder"), 0.05, 0.0))
    litres = np.where(plant, 9000, 700) * rng.lognormal(0, 0.5, len(rows))
    return np.where(chance(rng, len(rows), rate), litres, 0.0)


def _oil_trade(rng: Rng, rows: pd.DataFrame) -> Floats:
    """Half the traders sell solvents and fuel oil to plants, too."""
    deals = _is(rows, "trader") & (rows["firm"].to_numpy() % 2 == 0)
    return np.where(deals, 60_000 * rng.lognormal(0, 0.5, len(rows)), 0.0)


def _power(rng: Rng, rows: pd.DataFrame, burnt: Floats, sold: Floats) -> Floats:
    """Electricity goes with what is really made, pumped or run."""
    base = np.select(
        [_is(rows, "manufacturer"), _is(rows, "station"), _is(rows, "trader")],
        [20_000 * rows["scale"].to_numpy() + burnt * 0.5, 2000 + sold * 0.03, 800.0],
        1500.0,
    )
    return np.asarray(base * rng.lognormal(0, 0.08, len(rows)), dtype=float)


def _set(rows: pd.DataFrame, mask: Bools, **values: Any) -> None:
    """Change the rows of a mask; a value is one for all or one per row of the mask."""
    for name, value in values.items():
        rows.loc[mask, name] = value


def _misdeeds(rows: pd.DataFrame, name: str, *kinds: str) -> Bools:
    mask = np.asarray(rows["misdeed"] & (rows["name"] == name))
    return mask & _is(rows, *kinds) if kinds else mask


def _schemes(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    _hub(rng, rows)
    _affiliates(rng, rows)
    _traders(rng, rows)
    _stations(rng, rows)
    _vans(rng, rows)
    return rows


def _hub(rng: Rng, rows: pd.DataFrame) -> None:
    buyers = _misdeeds(rows, "hub_users", "freight", "builder")
    size = int(buyers.sum())
    share = rng.uniform(0.6, 0.9, size)
    need = rows.loc[buyers, "need"].to_numpy().clip(4000)
    _set(
        rows,
        buyers,
        oil=need * share,
        legal=need * (1 - share) * rng.uniform(0.85, 1.0, size),
        oil_item=pick(rng, HUB_ITEMS, size),
        ratio=rng.uniform(0.68, 0.79, size),
        deducted=1.0,
        tested=0.2,
        fails=0.6,
        amount=need * share * (1.2 + 0.9),
    )
    hub = _misdeeds(rows, "hub_users", "trader")
    _set(rows, hub, out_fuel=0.0, out_oil=8000.0, amount=30_000.0)


def _affiliates(rng: Rng, rows: pd.DataFrame) -> None:
    hauliers = _misdeeds(rows, "affiliate_users", "freight")
    size = int(hauliers.sum())
    share = rng.uniform(0.25, 0.35, size)
    need = rows.loc[hauliers, "need"].to_numpy()
    _set(
        rows,
        hauliers,
        oil=0.0,
        vague=need * share,
        legal=need * (1 - share) * rng.uniform(0.93, 1.0, size),
        ratio=rng.uniform(0.83, 0.90, size),
        deducted=1.0,
        amount=need * share * (1.2 + 0.9),
    )


def _resale(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """The affiliates' plant burns little itself and buys what its hauliers take."""
    taken = rows[_misdeeds(rows, "affiliate_users", "freight")]
    sums = taken.groupby(["oil_supplier", "month"])["vague"].sum()
    keys = pd.MultiIndex.from_frame(rows[["company", "month"]])
    resold = sums.reindex(keys).fillna(0.0).to_numpy()
    plants = _misdeeds(rows, "affiliate_users", "manufacturer")
    own = rows["capacity"].to_numpy() * rng.uniform(0.38, 0.48, len(rows))
    most = 1.25 * rows["capacity"].to_numpy()
    # It stays under 1.3 times what the boiler could burn.
    bought = np.minimum(own + resold * rng.uniform(0.98, 1.03, len(rows)), most)
    low = 20_000 * rows["scale"].to_numpy() + own * 0.5
    rows["oil"] = np.where(plants, bought, rows["oil"])
    rows["power"] = np.where(plants, low, rows["power"])
    rows["amount"] = np.where(plants, resold * 1.2, rows["amount"])
    return rows


def _traders(rng: Rng, rows: pd.DataFrame) -> None:
    changers = _misdeeds(rows, "name_changer")
    size = int(changers.sum())
    out = 200_000 * rng.lognormal(0, 0.25, size)
    # `kept` is the share of what is sold that was bought under the same class.
    _set(
        rows,
        changers,
        out_fuel=out,
        out_oil=0.0,
        kept=rng.uniform(0.05, 0.35, size),
        oil_item=pick(rng, BLENDED, size),
        margin=rng.uniform(1.03, 1.09, size),
        amount=out * 1.2,
    )
    shells = _misdeeds(rows, "shell_trader")
    size = int(shells.sum())
    out = 900_000 * rng.lognormal(0, 0.15, size)
    _set(
        rows,
        shells,
        out_fuel=out,
        out_oil=0.0,
        kept=1.0,
        margin=rng.uniform(0.99, 1.0, size),
        power=rng.uniform(0, 90, size),
        amount=out * 0.9,
    )


def _stations(rng: Rng, rows: pd.DataFrame) -> None:
    plain = _misdeeds(rows, "under_declarer")
    size = int(plain.sum())
    sold = rows.loc[plain, "sold"].to_numpy()
    declared = sold * rng.uniform(0.4, 0.66, size)
    _set(
        rows,
        plain,
        declared=declared,
        uninvoiced=rng.uniform(0.91, 0.98, size),
        personal=rng.uniform(0.5, 0.9, size),
        tested=0.1,
        fails=0.3,
        amount=(sold - declared) * 7 * 0.13,
    )
    wary = _misdeeds(rows, "under_declarer_evading")
    size = int(wary.sum())
    sold = rows.loc[wary, "sold"].to_numpy()
    declared = sold * rng.uniform(0.74, 0.80, size)
    _set(
        rows,
        wary,
        declared=declared,
        metered=declared / rng.normal(0.88, 0.008, size),
        uninvoiced=rng.uniform(0.55, 0.8, size),
        personal=rng.uniform(0.25, 0.35, size),
        amount=(sold - declared) * 7 * 0.13,
    )


def _vans(rng: Rng, rows: pd.DataFrame) -> None:
    vans = _misdeeds(rows, "pump_van")
    size = int(vans.sum())
    nights = rng.integers(4, 10, size)
    _set(rows, vans, extra_nights=nights, tested=0.35, fails=0.7)
    _set(rows, vans, amount=nights * 9000 * 1.2)


def _lookalikes(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    def are(name: str) -> tuple[Bools, int]:
        mask = np.asarray(rows["name"] == name)
        return mask, int(mask.sum())

    for name, low, high in (
        ("subcontractor_freight", 0.25, 0.55),
        ("fuel_card_parent", 0.05, 0.3),
        ("lng_fleet", 0.9, 1.0),
    ):
        mask, size = are(name)
        need = rows.loc[mask, "need"].to_numpy()
        _set(rows, mask, legal=need * rng.uniform(low, high, size))
    mask, size = are("excavator_builder")
    need = 30_000 * rng.lognormal(0, 0.3, size)
    _set(rows, mask, need=need, legal=need, night_rate=0.3)
    _set(rows, mask, extra_nights=rng.integers(2, 8, size))
    mask, size = are("farm_coop")
    harvest = np.isin(rows.loc[mask, "month"] % 12, (5, 9, 10))
    _set(rows, mask, extra_nights=np.where(harvest, rng.integers(3, 7, size), 0))
    _set(rows, mask, personal=0.0)
    mask, size = are("rural_station")
    _set(rows, mask, uninvoiced=rng.uniform(0.9, 0.97, size))
    _set(rows, mask, personal=rng.uniform(0.5, 1.0, size))
    _honest_traders(rng, rows)
    return rows


def _honest_traders(rng: Rng, rows: pd.DataFrame) -> None:
    blender = np.asarray(rows["name"] == "licensed_blender")
    size = int(blender.sum())
    out = 260_000 * rng.lognormal(0, 0.2, size)
    _set(rows, blender, out_fuel=out, kept=rng.uniform(0.1, 0.35, size))
    _set(rows, blender, oil_item=pick(rng, BLENDED, size), power=out * 0.12)
    agent = np.asarray(rows["name"] == "consignment_trader")
    _set(rows, agent, margin=rng.uniform(1.002, 1.009, int(agent.sum())))
    young = np.asarray(rows["name"] == "new_subsidiary")
    _set(rows, young, out_fuel=750_000 * rng.lognormal(0, 0.2, int(young.sum())))
    # A regional wholesaler deals in solvents with many small users.
    wide = np.asarray(rows["name"] == "regional_wholesaler")
    _set(rows, wide, out_oil=150_000 * rng.lognormal(0, 0.3, int(wide.sum())))
