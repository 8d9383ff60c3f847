"""Tables of the other departments: trucks, tankers, boilers, permits, tests, power."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, written
from training.simulation.fuel_invoices import month_ends, month_texts
from training.simulation.fuel_trade import FUEL, OTHER
from training.simulation.fuel_world import (
    FIRST_DAY,
    FIRST_MONTH,
    MONTHS,
    SILENT_DISTRICT,
    SILENT_MONTHS,
    World,
)
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    between,
    chance,
    days,
    distinct,
    pick,
)

TANKER_LITRES = 36_000  # about 30 tonnes
BULK_LITRES = 2_500  # smaller lots are fetched by card or drum
DENSITY = (0.765, 0.815)  # petrol and diesel together
HUNG_ON_RATE = 0.15  # 挂靠: the owner on paper is another firm
NO_CARRIER_RATE = 0.03
NO_RECEIVER_RATE = 0.03
TONNES_TYPO_RATE = 0.003
PLATES_PER_SELLER = 3


def truck_frame(rng: Rng, world: World) -> pd.DataFrame:
    """Each truck with the row of its firm."""
    firms = world.firms
    row = np.repeat(np.arange(len(firms)), firms["trucks"].to_numpy())
    gas = chance(rng, len(row), firms["gas_share"].to_numpy(dtype=float)[row])
    energy = np.where(gas, pick(rng, ("lng", "lng", "electric"), len(row)), "diesel")
    known = ~gas | chance(rng, len(row), firms["tracked"].to_numpy(dtype=float)[row])
    return pd.DataFrame(
        {
            "firm": row,
            "plate": identifiers.plates(rng, len(row)),
            "energy": energy,
            "told": np.where(known, energy, ""),
            "tonnage": pick(rng, ("18", "31", "40", "49"), len(row)).astype(int),
        }
    )


def truck_table(rng: Rng, world: World, trucks: pd.DataFrame) -> pd.DataFrame:
    """trucks.csv of the traffic police; some stand in another firm's name."""
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    owner = world.firms["company"].to_numpy()[trucks["firm"]]
    hung = chance(rng, len(trucks), HUNG_ON_RATE)
    owner = np.where(hung, rng.choice(world.outsiders, len(trucks)), owner)
    since = FIRST_DAY - days(between(rng, 60, 2500, len(trucks)))
    table = pd.DataFrame(
        {
            "plate": dirt.soiled(
                rng, trucks["plate"].to_numpy(dtype=object), dirt.PLATE_KINDS
            ),
            "owner_uscc": dirt.soiled(rng, codes[owner], dirt.USCC_KINDS),
            "tonnage": trucks["tonnage"].to_numpy(),
            "fuel": trucks["energy"].to_numpy(dtype=object),
            "status": pick(rng, ("normal", "overdue"), len(trucks), (0.96, 0.04)),
            "posted_date": written.iso_dates(
                since + days(between(rng, 1, 20, len(trucks)))
            ),
        }
    )
    return table.iloc[rng.permutation(len(table))]


def km_tables(
    rng: Rng, world: World, rows: pd.DataFrame, trucks: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """truck_km.csv.gz of the transport office's satellite platform."""
    units = rows[["firm", "month", "km", "gas_km", "company", "name", "misdeed"]]
    both = units.merge(trucks, on="firm")
    gas = (both["energy"] != "diesel").to_numpy()
    share = rng.uniform(0.7, 1.3, len(both))
    fleet = pd.Series(share).groupby([both["firm"], both["month"]]).transform("sum")
    of_kind = pd.Series(share).groupby([both["firm"], both["month"], gas])
    mixed = (fleet - of_kind.transform("sum")).to_numpy() > 1e-9
    way = np.where(gas, both["gas_km"], both["km"])
    # A fleet of one kind of truck drives all of its way with that kind.
    way = np.where(gas & ~mixed, both["km"] + both["gas_km"], way)
    km = way * share / np.where(mixed, of_kind.transform("sum"), fleet)
    stops = rng.poisson(np.where(both["name"] == "hub_users", 1.6, 0.9), len(both))
    both = both.assign(driven=np.round(km, 1), stops=stops)
    silent = _silent(world, both)
    both = both[~silent]
    for part in written.in_parts(both.iloc[rng.permutation(len(both))]):
        yield _km(rng, world, part)


def _silent(world: World, rows: pd.DataFrame) -> Bools:
    """Months in which one district's transport office delivered nothing."""
    district = world.population.companies["district"].to_numpy()[rows["company"]]
    inside = rows["month"].between(*SILENT_MONTHS).to_numpy()
    return np.asarray((district == SILENT_DISTRICT) & inside)


def _km(rng: Rng, world: World, part: pd.DataFrame) -> pd.DataFrame:
    size = len(part)
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    carrier = dirt.blanked(rng, codes[part["company"]], NO_CARRIER_RATE)
    month = part["month"].to_numpy(np.int64)
    plate = part["plate"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "plate": dirt.soiled(rng, plate, dirt.PLATE_KINDS),
            "carrier_uscc": dirt.soiled(rng, carrier, dirt.USCC_KINDS),
            "month": month_texts(month),
            "energy": part["told"].to_numpy(dtype=object),
            "km": part["driven"].to_numpy(),
            "night_stops": part["stops"].to_numpy(),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 3, 9, size))
            ),
        }
    )


def boiler_table(rng: Rng, world: World) -> pd.DataFrame:
    """boilers.csv: special equipment and process lines, some registered late."""
    firms = world.firms[world.firms["use"] != "none"]
    firms = firms[firms["registered"].astype(bool)]
    size = len(firms)
    company = firms["company"].to_numpy(np.int64)
    since = FIRST_DAY - days(between(rng, 100, 2000, size))
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "reg_no": "锅" + identifiers.padded(distinct(rng, size, 10**7), 7),
            "uscc": dirt.soiled(rng, codes[company], dirt.USCC_KINDS),
            "kind": firms["use"].to_numpy(dtype=object),
            "fuel": pick(rng, ("oil", "oil", "oil_gas"), size),
            "t_per_h": firms["steam"].to_numpy(),
            "hours": firms["hours"].to_numpy(),
            "posted_date": written.iso_dates(since + days(between(rng, 5, 40, size))),
        }
    )
    return table.iloc[rng.permutation(size)]


def permit_table(rng: Rng, world: World) -> pd.DataFrame:
    """permits.csv: fuel retail, fuel wholesale and hazardous chemicals."""
    firms = world.firms
    held = firms[firms["kind"].isin(("trader", "station")) & firms["permit"]]
    plants = firms[(firms["kind"] == "manufacturer") & (np.arange(len(firms)) % 3 == 0)]
    company = np.concatenate([held["company"], world.majors, plants["company"]])
    kind = np.concatenate(
        [
            np.where(held["kind"] == "station", "retail_fuel", "wholesale_fuel"),
            np.full(len(world.majors), "wholesale_fuel"),
            np.full(len(plants), "hazchem"),
        ]
    )
    company = np.asarray(company, dtype=np.int64)
    size = len(company)
    opened = world.population.companies["established"].to_numpy()[company]
    lag = np.where(chance(rng, size, 0.06), between(rng, 100, 300, size), 20)
    since = np.maximum(opened.astype("datetime64[D]"), FIRST_DAY - days(np.array(900)))
    since = since + days(lag)
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "uscc": codes[company],
            "kind": kind,
            "from_date": written.iso_dates(since),
            "to_date": written.iso_dates(since + days(np.array(5 * 365))),
            "posted_date": written.iso_dates(since + days(between(rng, 1, 20, size))),
        }
    )
    return table.iloc[rng.permutation(size)]


def trip_frame(
    rng: Rng, world: World, rows: pd.DataFrame, lines: pd.DataFrame
) -> pd.DataFrame:
    """Tanker trips: those behind bulk lines, and those that no invoice tells of."""
    bulk = lines[(lines["cls"] != OTHER) & (lines["litres"] > BULK_LITRES)]
    kind = np.full(len(world.population.companies), "outside", dtype=object)
    kind[world.firms["company"]] = world.firms["kind"]
    bulk = bulk[np.isin(kind[bulk["buyer"]], ("outside",), invert=True)]
    count = np.ceil(bulk["litres"].to_numpy() / TANKER_LITRES).astype(int)
    line = np.repeat(np.arange(len(bulk)), count)
    billed = bulk.iloc[line].reset_index(drop=True)
    density = rng.uniform(*DENSITY, len(billed))
    rates = rows.set_index(["company", "month"])["night_rate"]
    keys = pd.MultiIndex.from_frame(billed[["buyer", "month"]])
    night = chance(rng, len(billed), rates.reindex(keys).fillna(0.08).to_numpy())
    trips = pd.DataFrame(
        {
            "from": billed["seller"],
            "to": billed["buyer"],
            "to_kind": kind[billed["buyer"]],
            "date": billed["date"],
            "night": night,
            "tonnes": billed["litres"] / count[line] * density / 1000,
        }
    )
    return pd.concat([trips, _unbilled(rng, world, rows)], ignore_index=True)


def _unbilled(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Night trips to a site; a legal supplier's are known, a van's come from nowhere."""
    count = rows["extra_nights"].to_numpy(dtype=np.int64)
    unit = np.repeat(np.arange(len(rows)), count)
    picked = rows.iloc[unit].reset_index(drop=True)
    van = (picked["name"] == "pump_van").to_numpy() & picked["misdeed"].to_numpy(bool)
    first = (FIRST_MONTH + picked["month"].to_numpy(np.int64)).astype("datetime64[D]")
    seller = rng.choice(world.majors, len(picked))
    nowhere = van & chance(rng, len(picked), 0.7)
    return pd.DataFrame(
        {
            "from": np.where(nowhere, -1, seller),
            "to": picked["company"].to_numpy(np.int64),
            "to_kind": picked["kind"].to_numpy(dtype=object),
            "date": first + days(rng.integers(0, 28, len(picked))),
            "night": True,
            "tonnes": rng.uniform(6, 12, len(picked)),
        }
    )


def trip_tables(rng: Rng, world: World, trips: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """tanker_trips.csv.gz of the hazardous-goods platform."""
    seller = trips["from"].to_numpy(np.int64)
    pool = identifiers.plates(rng, len(world.population.companies) + 1)
    turn = rng.integers(0, PLATES_PER_SELLER, len(trips))
    plate = pool[(seller * PLATES_PER_SELLER + turn) % len(pool)]
    hour = np.where(trips["night"], between(rng, 22, 28, len(trips)), 0)
    hour = np.where(trips["night"], hour % 24, between(rng, 6, 20, len(trips)))
    minutes = hour * 60 + rng.integers(0, 60, len(trips))
    left = trips["date"].to_numpy() + minutes.astype("timedelta64[m]")
    trips = trips.assign(plate=plate, left=left)
    for part in written.in_parts(trips.iloc[np.argsort(left, kind="stable")]):
        yield _trips(rng, world, part)


def _trips(rng: Rng, world: World, part: pd.DataFrame) -> pd.DataFrame:
    size = len(part)
    held = np.append(world.population.companies["uscc"].to_numpy(dtype=object), "")
    kinds = {"station": "station", "manufacturer": "plant", "trader": "depot"}
    left = part["left"].to_numpy()
    tonnes = part["tonnes"].to_numpy()
    wrong = chance(rng, size, TONNES_TYPO_RATE)
    plate = part["plate"].to_numpy(dtype=object)
    month = left.astype("datetime64[M]").astype(str).astype(object)
    stay = between(rng, 25, 150, size).astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "plate": dirt.soiled(rng, plate, dirt.PLATE_KINDS),
            "left_at": written.iso_times(left),
            "arrived_at": written.iso_times(left + stay),
            "month": month,
            "from_uscc": held[part["from"]],
            "to_uscc": dirt.blanked(rng, held[part["to"]], NO_RECEIVER_RATE),
            "to_kind": part["to_kind"].map(kinds).fillna("site").to_numpy(dtype=object),
            "tonnes": np.round(np.where(wrong, tonnes * 10, tonnes), 2),
            "posted_date": written.iso_dates(left + days(between(rng, 1, 6, size))),
        }
    )


def sample_table(
    rng: Rng, world: World, rows: pd.DataFrame, lines: pd.DataFrame
) -> pd.DataFrame:
    """samples.csv: fuel tests, a few where somebody complained."""
    tested = rows[chance(rng, len(rows), rows["tested"].to_numpy(dtype=float))]
    size = len(tested)
    failed = chance(rng, size, tested["fails"].to_numpy(dtype=float))
    month = tested["month"].to_numpy(np.int64)
    first = (FIRST_MONTH + month).astype("datetime64[D]")
    date = first + days(rng.integers(0, 28, size))
    supplier = _suppliers(lines, tested)
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    held = np.append(codes, "")
    sulphur = np.where(failed, rng.lognormal(4.6, 0.8, size), rng.uniform(2, 9.8, size))
    flash = np.where(
        failed & chance(rng, size, 0.3),
        rng.uniform(38, 58, size),
        rng.uniform(61, 76, size),
    )
    named = chance(rng, size, 0.8)
    return pd.DataFrame(
        {
            "site_uscc": codes[tested["company"]],
            "date": written.iso_dates(date),
            "month": month_texts(month),
            "sulphur_ppm": np.round(sulphur, 1),
            "flash_c": np.round(flash, 1),
            "passed": written.yes_no(~failed),
            "supplier_uscc": np.where(named, held[supplier], ""),
            "posted_date": written.iso_dates(date + days(between(rng, 7, 30, size))),
        }
    )


def _suppliers(lines: pd.DataFrame, tested: pd.DataFrame) -> Ints:
    """From whom the tested site bought last, fuel that is none before true fuel."""
    oil = lines[lines["cls"] != OTHER].sort_values(["cls", "date"], kind="stable")
    odd = oil.assign(rank=(oil["cls"] != FUEL).astype(int))
    last = odd.sort_values("rank", kind="stable").drop_duplicates(
        ["buyer", "month"], keep="last"
    )
    seller = last.set_index(["buyer", "month"])["seller"]
    keys = pd.MultiIndex.from_frame(tested[["company", "month"]])
    return seller.reindex(keys).fillna(-1).to_numpy(dtype=np.int64)


def power_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """electricity.csv.gz of the grid company."""
    month = rows["month"].to_numpy(np.int64)
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "uscc": dirt.soiled(rng, codes[rows["company"]], dirt.USCC_KINDS),
            "month": month_texts(month),
            "kwh": np.round(rows["power"].to_numpy(), 1),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 2, 8, len(rows)))
            ),
        }
    )
    return table[~chance(rng, len(table), 0.02)]


def price_table(world: World) -> pd.DataFrame:
    """fuel_prices.csv of the price authority: wholesale diesel by week."""
    week = np.arange(MONTHS * 4)
    month = week // 4
    first = (FIRST_MONTH + month).astype("datetime64[D]") + days(week % 4 * 7)
    wave = np.sin(week * 1.7) * 0.03
    return pd.DataFrame(
        {
            "week": written.iso_dates(first),
            "month": month_texts(month),
            "price": np.round(world.wholesale[month] + wave, 3),
            "posted_date": written.iso_dates(first + days(np.array(3))),
        }
    )


def customs_table(rng: Rng, world: World) -> pd.DataFrame:
    """customs.csv: the majors and some traders import."""
    firms = world.firms
    traders = firms.loc[(firms["kind"] == "trader") & firms["permit"], "company"]
    importers = np.concatenate([world.majors, traders.to_numpy()[::4]])
    company = np.repeat(importers, 6)
    month = rng.integers(0, MONTHS, len(company))
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "uscc": codes[company],
            "month": month_texts(month),
            "hs_code": pick(rng, ("27101922", "27101992", "27075000"), len(company)),
            "qty_t": np.round(rng.lognormal(6.0, 0.6, len(company)), 2),
            "posted_date": written.iso_dates(
                month_ends(month) + days(between(rng, 5, 15, len(company)))
            ),
        }
    )
