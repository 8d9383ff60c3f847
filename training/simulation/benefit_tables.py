"""What each department of the benefits scenario delivers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.benefit_world import (
    OFFICE_KINDS,
    VILLAGES,
    World,
    certified_on,
    first_days,
)
from training.simulation.delivery import ring_ids
from training.simulation.registers_life import LAST_DAY, NO_ID_RATE
from training.simulation.registers_wealth import looked_up
from training.simulation.sampling import (
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    distinct,
    pick,
)

# Scheme systems check the number as it is typed; what is left is old and lower-case ones.
CHECKED_ID_KINDS = dirt.ID_KINDS[:2]
SILENT_DISTRICT, SILENT_MONTHS = 4, (17, 19)  # June to August 2023 are not delivered
YEARLY_RISE = 0.03
DECLARED_RATE = 0.9
OPENED_RATE = 0.4  # of accounts whose bank was asked (tier B)


def office_names(world: World) -> Texts:
    """Names of the paying offices."""
    district = world.office_district
    place = np.arange(len(district)) - np.searchsorted(district, district)
    towns = names.TOWN_TABLE[district, place % names.TOWN_TABLE.shape[1]]
    kinds = np.array(OFFICE_KINDS, dtype=object)[place % len(OFFICE_KINDS)]
    return np.asarray(
        world.population.place.district_names[district] + towns + kinds, dtype=object
    )


def number_units(rng: Rng, world: World) -> None:
    """Numbers that tell nothing, and an order that tells nothing."""
    size = len(world.rows)
    number = distinct(rng, size, 10**8)
    mark = world.population.place.mark
    world.rows["ben_id"] = np.asarray(
        "B" + mark + identifiers.padded(number, 8), dtype=object
    )
    world.rows = world.rows.iloc[rng.permutation(size)].reset_index(drop=True)


def benefit_tables(rng: Rng, world: World) -> Iterator[pd.DataFrame]:
    """benefits.csv of the paying offices."""
    offices = office_names(world)
    clerks = identifiers.padded(distinct(rng, 10**5, 10**6), 6)
    for part in written.in_parts(world.rows):
        size = len(part)
        persons = world.population.persons.iloc[part["person"].to_numpy(np.int64)]
        ids = persons["person_id"].to_numpy(dtype=object)
        start = part["start"].to_numpy().astype("datetime64[D]")
        office = part["office"].to_numpy(np.int64)
        place = world.population.place
        district = place.district_names
        yield pd.DataFrame(
            {
                "ben_id": part["ben_id"].to_numpy(dtype=object),
                "scheme": part["scheme"].to_numpy(dtype=object),
                "person_id": dirt.soiled(rng, ids, CHECKED_ID_KINDS),
                "name": dirt.soiled(
                    rng, persons["name"].to_numpy(dtype=object), dirt.NAME_KINDS
                ),
                "phone": dirt.soiled(
                    rng, persons["phone"].to_numpy(dtype=object), dirt.PHONE_KINDS
                ),
                "office": offices[office],
                "county": district[world.office_district[office]],
                "village": np.array(VILLAGES, dtype=object)[
                    part["village"].to_numpy(np.int64)
                ],
                "clerk": "C" + place.mark + clerks[part["clerk"].to_numpy(np.int64)],
                "start_date": written.iso_dates(start),
                "monthly_amount": part["amount"].to_numpy(),
                "last_cert": written.iso_dates(certified_on(part)),
                "cert_mode": part["cert_mode"].to_numpy(dtype=object),
                "cert_device": place.marked(part["cert_device"].to_numpy(dtype=object)),
                "care_home_uscc": looked_up(
                    world.population.companies["uscc"], part["home"].to_numpy(np.int64)
                ),
                "posted_date": written.iso_dates(
                    start + days(between(rng, 3, 25, size))
                ),
            }
        )


def payment_tables(rng: Rng, world: World, since: int = 0) -> Iterator[pd.DataFrame]:
    """payments.parquet: one row per unit and month paid; one district fell silent.

    Args:
        since: first month told of.
    """
    for part in written.in_parts(world.rows):
        rows = _paid_months(part)
        rows = rows[rows["month"] >= since]
        of, month = rows["of"].to_numpy(), rows["month"].to_numpy()
        office = part["office"].to_numpy(np.int64)[of]
        silent = world.office_district[office] == SILENT_DISTRICT
        silent &= (month >= SILENT_MONTHS[0]) & (month <= SILENT_MONTHS[1])
        rows = rows[~silent].iloc[rng.permutation(int((~silent).sum()))]
        yield _payments(rng, part, rows["of"].to_numpy(), rows["month"].to_numpy())


def _paid_months(part: pd.DataFrame) -> pd.DataFrame:
    first, last = (part[name].to_numpy(np.int64) for name in ("paid_from", "paid_to"))
    count = last - first + 1
    of = np.repeat(np.arange(len(part)), count)
    month = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    begin, end = (part[name].to_numpy(np.int64)[of] for name in ("gap_from", "gap_to"))
    kept = (begin < 0) | (month < begin) | (month > end)
    return pd.DataFrame({"of": of[kept], "month": month[kept]})


def _payments(rng: Rng, part: pd.DataFrame, of: Ints, month: Ints) -> pd.DataFrame:
    paid = first_days(month) + days(between(rng, 4, 11, len(of)))
    later = month >= part["change_month"].to_numpy(np.int64)[of]
    account = np.where(
        later,
        part["new_account"].to_numpy(dtype=object)[of],
        part["account"].to_numpy(dtype=object)[of],
    )
    amount = part["amount"].to_numpy()[of] * (1 + YEARLY_RISE * (month // 12))
    return pd.DataFrame(
        {
            "ben_id": part["ben_id"].to_numpy(dtype=object)[of],
            "month": written.arrow_dates(first_days(month)),
            "amount": np.round(amount, 0),
            "account": account,
            "posted_date": written.arrow_dates(paid),
        }
    )


def death_table(rng: Rng, world: World) -> pd.DataFrame:
    """deaths.csv as health, civil affairs and police report them."""
    rows = world.happened("deaths")
    rows = rows[rows["known"] <= LAST_DAY].reset_index(drop=True)
    persons = world.population.persons
    ids = looked_up(persons["person_id"], rows["person"].to_numpy(np.int64))
    ids = dirt.soiled(rng, ids, dirt.ID_KINDS)
    lost = (rows["origin"] == "cremation") & chance(rng, len(rows), NO_ID_RATE)
    name = persons["name"].to_numpy(dtype=object)[rows["named"]]
    name = rows["name"].where(rows["name"].notna(), name).to_numpy(dtype=object)
    born = persons["birth"].to_numpy()[rows["named"]]
    table = pd.DataFrame(
        {
            "origin": rows["origin"].to_numpy(dtype=object),
            "person_id": np.where(lost, "", ids),
            "name": dirt.soiled(rng, name, dirt.NAME_KINDS),
            "birth_date": written.iso_dates(born),
            "death_date": written.iso_dates(rows["died"].to_numpy()),
            "posted_date": written.iso_dates(rows["known"].to_numpy()),
        }
    )
    table = table.iloc[rng.permutation(len(table))]
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def sign_tables(rng: Rng, world: World, signs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """life_signs.csv.gz of hospitals, certification and transport."""
    for part in written.in_parts(signs.iloc[rng.permutation(len(signs))]):
        day = part["day"].to_numpy().astype("datetime64[D]")
        yield pd.DataFrame(
            {
                "person_id": _soiled_ids(rng, world, part),
                "kind": part["kind"].to_numpy(dtype=object),
                "seen": written.iso_dates(day),
                "posted_date": written.iso_dates(
                    day + days(between(rng, 1, 12, len(part)))
                ),
            }
        )


def bill_tables(rng: Rng, world: World, bills: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """medical_bills.csv.gz of the medical insurance."""
    clinics = world.population.companies["name"].to_numpy(dtype=object)
    for part in written.in_parts(bills.iloc[rng.permutation(len(bills))]):
        day = part["day"].to_numpy().astype("datetime64[D]")
        yield pd.DataFrame(
            {
                "person_id": _soiled_ids(rng, world, part),
                "clinic": clinics[part["clinic"].to_numpy(np.int64)],
                "billed": written.iso_dates(day),
                "item": part["item"].to_numpy(dtype=object),
                "amount": part["amount"].to_numpy(),
                "posted_date": written.iso_dates(day + days(np.array(2))),
            }
        )


def stay_tables(rng: Rng, world: World, stays: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """care_home_stays.csv of the care homes."""
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    for part in written.in_parts(stays.iloc[rng.permutation(len(stays))]):
        month = first_days(part["month"].to_numpy(np.int64))
        posted = month + days(between(rng, 31, 40, len(part)))
        yield pd.DataFrame(
            {
                "home_uscc": codes[part["home"].to_numpy(np.int64)],
                "person_id": _soiled_ids(rng, world, part),
                "month": written.iso_dates(month),
                "days": part["days"].to_numpy(np.int64),
                "posted_date": written.iso_dates(posted),
            }
        )


def home_table(rng: Rng, world: World) -> pd.DataFrame:
    """homes.csv of the property registry."""
    rows = world.happened("homes")
    rows = rows.iloc[rng.permutation(len(rows))]
    acquired = rows["acquired"].to_numpy()
    address = world.population.persons["address"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "title_no": world.population.place.mark
            + identifiers.padded(distinct(rng, len(rows), 10**8), 8),
            "person_id": _soiled_ids(rng, world, rows),
            "address": dirt.soiled(rng, address[rows["person"]], dirt.ADDRESS_KINDS),
            "share": rows["share"].round(3).to_numpy(),
            "how": rows["how"].to_numpy(dtype=object),
            "area": rows["area"].to_numpy(),
            "value_wan": rows["value"].to_numpy() / 10_000,
            "acquired": written.iso_dates(acquired),
            "posted_date": written.iso_dates(
                acquired + days(between(rng, 3, 40, len(rows)))
            ),
        }
    )


def asset_table(rng: Rng, world: World) -> pd.DataFrame:
    """household_assets.csv: what applicants for aid declared."""
    rows = world.rows[world.of_scheme("dibao", "tekun", "housing")]
    rows = rows[chance(rng, len(rows), DECLARED_RATE) | (rows["declared_car"] > 0)]
    size = len(rows)
    declared = rows["start"].to_numpy().astype("datetime64[D]")
    declared = np.maximum(declared, np.datetime64("2021-03-01"))
    declared = declared + days(between(rng, 0, 200, size))
    return pd.DataFrame(
        {
            "ben_id": rows["ben_id"].to_numpy(dtype=object),
            "cars": rows["declared_car"].to_numpy(np.int64),
            "homes": np.maximum(
                rows["declared_home"].to_numpy(np.int64), between(rng, 0, 1, size)
            ),
            "deposits": pick(
                rng, ("under_10000", "under_50000", "over_50000"), size, (80, 18, 2)
            ),
            "declared": written.iso_dates(declared),
            "posted_date": written.iso_dates(declared + days(np.array(10))),
        }
    )


def loss_table(rng: Rng, world: World) -> pd.DataFrame:
    """lost_identities.csv of the police."""
    rows = world.happened("losses")
    rows = rows.iloc[rng.permutation(len(rows))]
    reported = rows["reported"].to_numpy()
    return pd.DataFrame(
        {
            "person_id": _soiled_ids(rng, world, rows),
            "reported": written.iso_dates(reported),
            "posted_date": written.iso_dates(
                reported + days(between(rng, 0, 5, len(rows)))
            ),
        }
    )


def withdrawal_table(rng: Rng, world: World) -> pd.DataFrame:
    """withdrawals.csv: banks answer for the few accounts that were asked for."""
    rows = world.rows
    asked = chance(rng, len(rows), OPENED_RATE)
    dead = world.silent_from[world.ids("person")] < LAST_DAY
    rows = rows[asked & dead]
    last = first_days(rows["paid_to"].to_numpy(np.int64))
    moment = last + days(between(rng, 12, 24, len(rows)))
    moment = np.minimum(moment, LAST_DAY)
    return pd.DataFrame(
        {
            "account": rows["new_account"].to_numpy(dtype=object),
            "time": written.iso_dates(moment),
            "channel": pick(
                rng, ("atm", "teller", "standing_order"), len(rows), (6, 1, 3)
            ),
            "amount": rows["amount"].to_numpy(),
            "posted_date": written.iso_dates(
                np.minimum(moment + days(np.array(5)), LAST_DAY)
            ),
        }
    )


def truth_table(rng: Rng, world: World) -> pd.DataFrame:
    """What was planted; ring numbers are drawn anew so that they carry no order."""
    rows = world.rows
    rings = ring_ids(rng, world.ids("group"), world.population.place.mark)
    wrong = rows["wrong_months"].to_numpy(dtype=np.float64) * rows["amount"].to_numpy()
    return pd.DataFrame(
        {
            "ben_id": rows["ben_id"],
            "fraud": rows["fraud"],
            "typology": rows["typology"],
            "ring_id": rings,
            "hard_negative": rows["hard_negative"],
            "amount": np.round(wrong, 2),
        }
    )


def _soiled_ids(rng: Rng, world: World, rows: pd.DataFrame) -> Texts:
    ids = world.population.persons["person_id"].to_numpy(dtype=object)
    return dirt.soiled(rng, ids[rows["person"].to_numpy(np.int64)], dirt.ID_KINDS)
