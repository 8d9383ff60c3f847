"""What stations' pumps, tills and forecourts say."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, written
from training.simulation.fuel_invoices import month_ends, month_texts
from training.simulation.fuel_months import LITRES_PER_CAR
from training.simulation.fuel_world import FIRST_MONTH, World
from training.simulation.sampling import Floats, Ints, Rng, between, chance, days

PUMPS = 2
RETAIL = 1.05  # price at the pump over wholesale
RESET_RATE = 0.0006  # a day's chance that a repaired pump begins at nought
PROBE_RATE = 0.02  # stations whose tank probe reads wrongly for a month
TYPO_FACTOR = 10.0
DAYS_A_MONTH = 28


def stations_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The units that are stations."""
    return rows[rows["kind"] == "station"].reset_index(drop=True)


def day_tables(rng: Rng, world: World, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """station_days.csv.gz: a row per station, pump and day."""
    units = stations_of(rows).sort_values(["company", "month"]).reset_index(drop=True)
    units["probe"] = np.where(
        chance(rng, len(units), PROBE_RATE), rng.uniform(1.3, 1.6, len(units)), 1.0
    )
    cells = len(units) * DAYS_A_MONTH * PUMPS
    cell = np.arange(cells)
    unit, day = cell // (DAYS_A_MONTH * PUMPS), cell // PUMPS % DAYS_A_MONTH
    weight = rng.uniform(0.7, 1.3, cells)
    weight = weight / np.bincount(unit, weight)[unit]
    frame = pd.DataFrame({"unit": unit, "day": day, "pump": cell % PUMPS + 1})
    for name in ("declared", "metered"):
        frame[name] = units[name].to_numpy()[unit] * weight
    frame["metered"] *= units["probe"].to_numpy()[unit] * rng.normal(1, 0.01, cells)
    meters = _running(rng, units, frame)
    frame = frame.assign(meter_total=meters, tax_total=_running(rng, units, frame, 1.0))
    order = rng.permutation(cells)
    for part in written.in_parts(frame.iloc[order]):
        yield _days(rng, world, units, part)


def _running(
    rng: Rng, units: pd.DataFrame, frame: pd.DataFrame, keep: float = 0.0
) -> Floats:
    """Totals of each pump that only grow, but for repairs (unless `keep`)."""
    unit = frame["unit"].to_numpy()
    station = units["company"].to_numpy()[unit]
    litres = frame["declared" if keep else "metered"]
    reset = chance(rng, len(frame), 0.0 if keep else RESET_RATE)
    key = [station, frame["pump"]]
    since = pd.Series(reset).groupby(key).cumsum()
    return litres.groupby([*key, since]).cumsum().to_numpy(dtype=float)


def _days(
    rng: Rng, world: World, units: pd.DataFrame, part: pd.DataFrame
) -> pd.DataFrame:
    size = len(part)
    unit = part["unit"].to_numpy()
    of = units.iloc[unit]
    month = of["month"].to_numpy(np.int64)
    date = (FIRST_MONTH + month).astype("datetime64[D]") + days(part["day"].to_numpy())
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    declared = part["declared"].to_numpy()
    takings = declared * world.wholesale[month] * RETAIL
    invoiced = takings * (1 - of["uninvoiced"].to_numpy(dtype=float))
    return pd.DataFrame(
        {
            "station_uscc": dirt.soiled(rng, codes[of["company"]], dirt.USCC_KINDS),
            "pump": part["pump"].to_numpy(),
            "day": written.iso_dates(date),
            "month": month_texts(month),
            "litres": np.round(declared, 1),
            "metered": np.round(part["metered"].to_numpy(), 1),
            "meter_total": np.round(part["meter_total"].to_numpy(), 1),
            "tax_total": np.round(part["tax_total"].to_numpy(), 1),
            "takings": written.money(takings),
            "invoiced": written.money(invoiced * rng.uniform(0.8, 1.2, size)),
            "posted_date": written.iso_dates(date + days(between(rng, 1, 5, size))),
        }
    )


def traffic_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """station_traffic.csv: vehicles that turned in, as cameras count them."""
    units = stations_of(rows)
    month = units["month"].to_numpy(np.int64)
    seen = units["sold"].to_numpy() / LITRES_PER_CAR * rng.normal(1, 0.07, len(units))
    table = pd.DataFrame(
        {
            "station_uscc": _codes(world, units["company"].to_numpy(np.int64)),
            "month": month_texts(month),
            "vehicles": np.round(seen).astype(np.int64),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 1, 9, len(units)))
            ),
        }
    )
    return table[~chance(rng, len(table), 0.05)]


def payee_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """qr_payments.csv: takings by code, for stations asked of the payment firms."""
    units = stations_of(rows)
    month = units["month"].to_numpy(np.int64)
    asked = rng.random(len(world.population.companies)) < 0.75
    table = pd.DataFrame(
        {
            "station_uscc": _codes(world, units["company"].to_numpy(np.int64)),
            "month": month_texts(month),
            "person_share": np.round(units["personal"].to_numpy(), 4),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 10, 40, len(units)))
            ),
        }
    )
    return table[np.asarray(asked[units["company"].to_numpy(np.int64)])]


def with_typos(rng: Rng, rows: pd.DataFrame, trips: pd.DataFrame) -> pd.DataFrame:
    """Stations that book kilograms as tonnes now and then."""
    clumsy = rows.loc[rows["name"] == "unit_typo_station", "company"].unique()
    wrong = trips["to"].isin(clumsy).to_numpy() & chance(rng, len(trips), 0.15)
    return trips.assign(
        tonnes=np.where(wrong, trips["tonnes"] * TYPO_FACTOR, trips["tonnes"])
    )


def _codes(world: World, company: Ints) -> np.ndarray:
    return world.population.companies["uscc"].to_numpy(dtype=object)[company]
