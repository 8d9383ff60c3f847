"""Tables of the insurers' association: claims and policies."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, names, written
from training.simulation.places import Place
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    chance,
    days,
    texts,
)
from training.simulation.vehicle_claims import column, flags
from training.simulation.vehicle_world import (
    CLASSES,
    COVERS,
    FIRST_DAY,
    POLICY_YEARS,
    World,
    policy_numbers,
)

CASE_NO_MISSING_RATE = 0.05
NO_GARAGE_RATE = 0.65  # injury claims without a repair
OPTIONAL_COVER_RATE = 0.5
THIRD_PARTY_LIMITS = np.array([50, 100, 200, 300])  # 万元


def looked_up(table: pd.DataFrame, name: str, positions: Ints) -> Texts:
    """A text column at row positions."""
    return table[name].iloc[positions].to_numpy(dtype=object)


def grid_cells(place: Place, rows: pd.DataFrame) -> Texts:
    """Grid cell ids: district code and cell, such as 330602-017."""
    code = written.plain(place.districts[column(rows, "district")])
    cell = pd.Series(written.plain(column(rows, "cell")), dtype="str").str.zfill(3)
    return np.asarray(code + "-" + cell.to_numpy(dtype=object), dtype=object)


def payees(world: World, codes: Ints) -> Texts:
    """Accounts of people (0 and up) or companies (below 0)."""
    persons, companies = world.population.persons, world.population.companies
    own = looked_up(persons, "account", np.maximum(codes, 0))
    firm = looked_up(companies, "account", np.maximum(-1 - codes, 0))
    return np.where(codes >= 0, own, firm)


def has_garage(rng: Rng, rows: pd.DataFrame) -> Bools:
    """Injury claims mostly name no garage."""
    return ~(flags(rows, "injury") & chance(rng, len(rows), NO_GARAGE_RATE))


def shops_as_written(rng: Rng, world: World, shops: Ints) -> Texts:
    """Garage names with their usual variants; some still use the former name."""
    companies = world.population.companies
    name = looked_up(companies, "name", world.shops[shops])
    former = looked_up(companies, "former_name", world.shops[shops])
    old = chance(rng, len(shops), dirt.OLD_NAME_RATE) & (former != "")
    return dirt.soiled(rng, np.where(old, former, name), dirt.COMPANY_KINDS)


def claim_tables(rng: Rng, world: World, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """claims.csv, part by part."""
    for part in written.in_parts(rows):
        table = {
            **_claim_heads(world, part),
            **_claimants(rng, world, part),
            **_garages(rng, world, part),
            **_claim_amounts(rng, world.population.place, part),
        }
        yield pd.DataFrame(table)


def _claim_heads(world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    self_settled = flags(rows, "self_settled")
    return {
        "claim_no": rows["claim_no"].to_numpy(dtype=object),
        "policy_no": policy_numbers(world, column(rows, "policy")),
        "acc_no": np.where(self_settled, "", rows["acc_no"]),
        "report_time": written.iso_times(rows["report_time"].to_numpy()),
        "accident_time": written.iso_times(rows["time"].to_numpy()),
        "insurer": names.INSURER_SHORT[column(rows, "insurer")],
    }


def _claimants(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    persons, vehicles = world.population.persons, world.vehicles
    claimant, car = column(rows, "claimant"), column(rows, "vehicle")
    phone = looked_up(persons, "phone", column(rows, "phone_of"))
    name = looked_up(persons, "name", claimant)
    number = looked_up(persons, "person_id", claimant)
    plate = looked_up(vehicles, "plate", car)
    return {
        "plate": dirt.soiled(rng, plate, dirt.PLATE_KINDS),
        "vehicle_class": texts(CLASSES)[vehicles["kind"].to_numpy()[car]],
        "claimant_id": dirt.soiled(rng, number, dirt.ID_KINDS),
        "claimant_name": dirt.soiled(rng, name, dirt.NAME_KINDS),
        "claimant_phone": dirt.soiled(rng, phone, dirt.PHONE_KINDS),
        "payee_account": payees(world, column(rows, "payee")),
    }


def _garages(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    shop = column(rows, "shop")
    repaired = flags(rows, "has_garage")
    code = looked_up(world.population.companies, "uscc", world.shops[shop])
    code = dirt.blanked(rng, code, dirt.USCC_MISSING_RATE)
    return {
        "shop": np.where(repaired, shops_as_written(rng, world, shop), ""),
        "shop_uscc": np.where(repaired, dirt.soiled(rng, code, dirt.USCC_KINDS), ""),
        "impact_part": rows["impact"].to_numpy(dtype=object),
        "injury": written.yes_no(flags(rows, "injury")),
    }


def _claim_amounts(
    rng: Rng, place: Place, rows: pd.DataFrame
) -> dict[str, Texts | Floats]:
    litigated, assessed = flags(rows, "litigated"), flags(rows, "assessed")
    known = assessed | flags(rows, "desk_estimate")
    case = dirt.blanked(rng, rows["case_no"].to_numpy(), CASE_NO_MISSING_RATE)
    case = dirt.soiled(rng, np.where(litigated, case, ""), dirt.CASE_KINDS)
    return {
        "loss_assessed": written.yes_no(assessed),
        "assessed_amount": np.where(known, rows["assessed_amount"], np.nan),
        "claimed_amount": mixed_units(rng, rows["claimed_amount"].to_numpy()),
        "paid_amount": rows["paid_amount"].to_numpy(),
        "paid_date": written.iso_dates(rows["paid_date"].to_numpy()),
        "litigated": written.yes_no(litigated),
        "case_no": case,
        "place_grid": grid_cells(place, rows),
    }


def mixed_units(rng: Rng, yuan: Floats) -> Floats:
    """A few sums were typed in 万元."""
    wan = chance(rng, len(yuan), dirt.WAN_RATE)
    return np.where(wan, np.round(yuan / 10_000, 2), yuan)


def policy_tables(
    rng: Rng, world: World, rows: pd.DataFrame, *, claimed_only: bool = False
) -> Iterator[pd.DataFrame]:
    """policies.parquet: all cars that met with an accident, on either side."""
    sides = np.concatenate([column(rows, "vehicle"), column(rows, "other_vehicle")])
    cars = rng.permutation(np.unique(sides))
    per_car = POLICY_YEARS * len(COVERS)
    codes = (cars[:, None] * per_car + np.arange(per_car)).ravel()
    claimed = np.zeros(len(world.policy_serials), dtype=np.bool_)
    claimed[column(rows, "policy")] = True
    optional = chance(rng, len(codes), OPTIONAL_COVER_RATE)
    in_force = _in_force(world, codes) & (optional | (codes % 3 == 0))
    kept = claimed[codes] | (in_force & (not claimed_only))
    for part in written.in_parts(pd.DataFrame({"code": codes[kept]})):
        yield _policy_table(rng, world, column(part, "code"))


def _starts(world: World, codes: Ints) -> np.ndarray:
    car, year = codes // (POLICY_YEARS * len(COVERS)), codes // 3 % POLICY_YEARS
    first = (year + 2021 - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray(first + days(world.vehicles["anniversary"].to_numpy()[car]))


def _in_force(world: World, codes: Ints) -> Bools:
    """Policies of the present owner that reach into the window."""
    start = _starts(world, codes)
    car = codes // (POLICY_YEARS * len(COVERS))
    acquired = world.vehicles["acquired"].to_numpy()[car]
    return (start >= acquired.astype("datetime64[D]")) & (
        start + days(np.array(365)) > FIRST_DAY
    )


def _policy_table(rng: Rng, world: World, codes: Ints) -> pd.DataFrame:
    car, year = codes // (POLICY_YEARS * len(COVERS)), codes // 3 % POLICY_YEARS
    cover = codes % 3
    vehicles = world.vehicles
    start = _starts(world, codes)
    value = vehicles["value_wan"].to_numpy()[car] * 0.92**year
    vin = dirt.soiled(rng, looked_up(vehicles, "vin", car), dirt.VIN_KINDS)
    plate = dirt.soiled(rng, looked_up(vehicles, "plate", car), dirt.PLATE_KINDS)
    number, name = _insured(rng, world, car)
    return pd.DataFrame(
        {
            "policy_no": policy_numbers(world, codes),
            "insurer": names.INSURER_SHORT[world.insurers[car, year]],
            "vin": vin,
            "plate": plate,
            "insured_id": number,
            "insured_name": name,
            "start_date": written.arrow_dates(start),
            "end_date": written.arrow_dates(start + days(np.array(364))),
            "cover": texts(COVERS)[cover],
            "limit_wan": _limits(car, cover, value),
            "vehicle_value_wan": np.round(value, 1),
            "vehicle_class": texts(CLASSES)[vehicles["kind"].to_numpy()[car]],
        }
    )


def _limits(car: Ints, cover: Ints, value: Floats) -> Floats:
    liability = THIRD_PARTY_LIMITS[car * 7 % 4].astype(float)
    return np.select([cover == 0, cover == 1], [20.0, liability], np.round(value, 1))


def _insured(rng: Rng, world: World, car: Ints) -> tuple[Texts, Texts]:
    """A person, or for company cars the company and its credit code."""
    persons, companies = world.population.persons, world.population.companies
    keeper = world.vehicles["keeper"].to_numpy()[car]
    company = world.vehicles["company"].to_numpy()[car]
    owned = company >= 0
    number = dirt.soiled(rng, looked_up(persons, "person_id", keeper), dirt.ID_KINDS)
    name = dirt.soiled(rng, looked_up(persons, "name", keeper), dirt.NAME_KINDS)
    firm = np.maximum(company, 0)
    return (
        np.where(owned, looked_up(companies, "uscc", firm), number),
        np.where(owned, looked_up(companies, "name", firm), name),
    )
