"""Tables of police, courts, garages, appraisers and hospitals."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.places import Place
from training.simulation.pleadings import court_pleadings
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    lognormal,
    pick,
    texts,
    weighted,
)
from training.simulation.vehicle_claims import (
    DIAGNOSES,
    DIAGNOSIS_SHARES,
    USUAL_DAYS,
    any_adult,
    column,
    flags,
)
from training.simulation.vehicle_insurers import (
    grid_cells,
    looked_up,
    mixed_units,
    shops_as_written,
)
from training.simulation.vehicle_settlement import NO_GRADE, accident_numbers
from training.simulation.vehicle_world import (
    FIRST_DAY,
    WINDOW_DAYS,
    World,
    draw_hospitals,
)

OTHER_SIDE = {
    "full": "none",
    "main": "minor",
    "equal": "equal",
    "minor": "main",
    "none": "full",
}
# One district's traffic police delivered nothing for these months.
GAP_DISTRICT = names.DISTRICTS.index("嵊州市")
GAP = (np.datetime64("2023-06-01"), np.datetime64("2023-08-31"))
PART_NAMES = (
    *(
        "前保险杠",
        "后保险杠",
        "左前门",
        "右前门",
        "左后门",
        "右后门",
        "左前大灯",
        "右前大灯",
    ),
    *(
        "左后尾灯",
        "引擎盖",
        "后备箱盖",
        "左前翼子板",
        "右前翼子板",
        "前挡风玻璃",
        "水箱",
        "轮毂",
    ),
    *(
        "悬挂下臂",
        "后视镜",
        "气囊",
        "喷漆",
    ),
)
UNRELATED_PATIENT_SHARE = 0.06
LIABILITY_CAUSE, INSURANCE_CAUSE = "机动车交通事故责任纠纷", "财产保险合同纠纷"


def accident_tables(
    rng: Rng, world: World, rows: pd.DataFrame, unclaimed: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """accidents.csv.gz, in order of time, also those without a claim."""
    both = pd.concat([rows, unclaimed], ignore_index=True)
    both = both.sort_values("time", kind="stable", ignore_index=True)
    place, time = world.population.place, both["time"].to_numpy()
    both["acc_no"] = accident_numbers(place, time, column(both, "district"))
    day = time.astype("datetime64[D]")
    gap = (column(both, "district") == GAP_DISTRICT) & (day >= GAP[0]) & (day <= GAP[1])
    for part in written.in_parts(both[~gap]):
        yield _accident_table(rng, world, part)


def number_accidents(
    place: Place, rows: pd.DataFrame, unclaimed: pd.DataFrame
) -> pd.DataFrame:
    """Give claims the numbers under which the police filed their accidents."""
    time = np.concatenate([rows["time"].to_numpy(), unclaimed["time"].to_numpy()])
    where = np.concatenate([column(rows, "district"), column(unclaimed, "district")])
    return rows.assign(acc_no=accident_numbers(place, time, where)[: len(rows)])


def _accident_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    persons, vehicles = world.population.persons, world.vehicles
    kind = rows["kind"].to_numpy(dtype=object)
    two = kind == "two_car"
    rider = flags(rows, "rider")
    other = np.where(rider, column(rows, "injured"), column(rows, "other_driver"))
    plate_a = looked_up(vehicles, "plate", column(rows, "vehicle"))
    plate_b = looked_up(vehicles, "plate", column(rows, "other_vehicle"))
    driver_a = looked_up(persons, "person_id", column(rows, "driver"))
    driver_b = np.where(two | rider, looked_up(persons, "person_id", other), "")
    day = rows["time"].to_numpy().astype("datetime64[D]")
    return pd.DataFrame(
        {
            "acc_no": rows["acc_no"],
            "time": written.iso_times(rows["time"].to_numpy()),
            "place_grid": grid_cells(world.population.place, rows),
            "kind": kind,
            "responsibility_a": rows["resp"],
            "responsibility_b": np.where(
                kind == "single", "", rows["resp"].map(OTHER_SIDE)
            ),
            "handled": np.where(flags(rows, "self_settled"), "self_settled", "police"),
            "plate_a": dirt.soiled(rng, plate_a, dirt.PLATE_KINDS),
            "driver_a_id": dirt.soiled(rng, driver_a, dirt.ID_KINDS),
            "plate_b": dirt.soiled(rng, np.where(two, plate_b, ""), dirt.PLATE_KINDS),
            "driver_b_id": dirt.soiled(rng, driver_b, dirt.ID_KINDS),
            "posted_date": written.iso_dates(
                day + days(between(rng, 1, 12, len(rows)))
            ),
        }
    )


def assignment_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """assignments.csv: transfers of a claim that courts saw as exhibits."""
    rows = rows[flags(rows, "assigned") & flags(rows, "litigated")]
    rows = rows.sort_values("filed", kind="stable", ignore_index=True)
    persons, companies = world.population.persons, world.population.companies
    company = world.vehicles["company"].to_numpy()[column(rows, "vehicle")]
    keeper = world.vehicles["keeper"].to_numpy()[column(rows, "vehicle")]
    owner = np.where(
        company >= 0,
        looked_up(companies, "uscc", np.maximum(company, 0)),
        looked_up(persons, "person_id", keeper),
    )
    name = looked_up(persons, "name", column(rows, "claimant"))
    shop = shops_as_written(rng, world, column(rows, "shop"))
    taker = np.where(flags(rows, "assignee_is_shop"), shop, name)
    posted = rows["filed"].to_numpy() + days(between(rng, 5, 60, len(rows)))
    return pd.DataFrame(
        {
            "claim_no": rows["claim_no"],
            "assignor_id": dirt.soiled(rng, owner, dirt.ID_KINDS),
            "assignee_name": dirt.soiled(rng, taker, dirt.NAME_KINDS[:1]),
            "assigned_date": written.iso_dates(rows["assigned_date"].to_numpy()),
            "posted_date": written.iso_dates(posted),
        }
    )


def bill_tables(rng: Rng, world: World, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """repair_bills.parquet: one row per part; a bill adds up to the claimed sum."""
    billed = rows[flags(rows, "billed") & flags(rows, "has_garage")]
    number = 0
    for part in written.in_parts(billed):
        yield _bill_table(rng, world, part, number)
        number += len(part)


def _bill_table(rng: Rng, world: World, rows: pd.DataFrame, start: int) -> pd.DataFrame:
    lines = between(rng, 1, 4, len(rows))
    bill = np.repeat(np.arange(len(rows)), lines)
    weight = rng.gamma(1.5, 1.0, len(bill))
    total = np.bincount(bill, weight, len(rows))
    # Injury claims hold more than a repair; only the car's part is billed.
    repair = np.where(flags(rows, "injury"), 0.2 * rows["loss"], rows["claimed_amount"])
    amount = repair[bill] * weight / total[bill]
    quantity = np.where(chance(rng, len(bill), 0.85), 1, 2)
    labour = amount * rng.beta(4, 9, len(bill))
    price = _prices(
        rng, (amount - labour) / quantity, flags(rows, "round_prices")[bill]
    )
    shop = shops_as_written(rng, world, column(rows, "shop"))
    billed = rows["report_time"].to_numpy().astype("datetime64[D]")
    billed = billed + days(between(rng, 2, 25, len(rows)))
    mark = world.population.place.mark
    head = "WX" + mark + identifiers.padded(start + np.arange(len(rows)) + 1, 9)
    return pd.DataFrame(
        {
            "bill_no": head[bill],
            "claim_no": rows["claim_no"].to_numpy(dtype=object)[bill],
            "shop": shop[bill],
            "part": pick(rng, PART_NAMES, len(bill)),
            "quantity": quantity,
            "price": price,
            "labour": np.round(labour, -1),
            "billed_date": written.arrow_dates(billed[bill]),
        }
    )


def _prices(rng: Rng, prices: Floats, even: Bools) -> Floats:
    """Round hundreds on some bills, list prices on the others."""
    step = np.where(prices > 400, 100, 10)
    rounded = np.maximum(np.round(prices / step) * step, 10)
    return np.where(even, rounded, np.round(prices, 1))


def appraisal_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """appraisals.csv: of cars and of disabilities."""
    car = rows[flags(rows, "appraised")].assign(matter="vehicle")
    body = rows[flags(rows, "graded")].assign(matter="disability")
    rows = pd.concat([car, body], ignore_index=True)
    rows = rows.sort_values("appraised_date", kind="stable", ignore_index=True)
    size = len(rows)
    disability = (rows["matter"] == "disability").to_numpy()
    value = rows["claimed_amount"].to_numpy() * rng.normal(1, 0.015, size)
    grade = column(rows, "grade")
    persons, companies = world.population.persons, world.population.companies
    agency = looked_up(companies, "name", world.agencies[column(rows, "agency")])
    head = "JD" + world.population.place.mark
    expert = looked_up(persons, "name", column(rows, "expert"))
    return pd.DataFrame(
        {
            "report_no": head + identifiers.padded(np.arange(size) + 1, 8),
            "claim_no": rows["claim_no"],
            "case_no": _cited_cases(rng, rows),
            "agency": dirt.soiled(rng, agency, dirt.COMPANY_KINDS[:2]),
            "expert": dirt.soiled(rng, expert, dirt.NAME_KINDS),
            "kind": rows["matter"],
            "value": np.where(disability, np.nan, np.round(value, 0)),
            "grade": np.where(
                disability & (grade < NO_GRADE), written.plain(grade), ""
            ),
            "commissioned_by": rows["commissioned"],
            "report_date": written.slashed_dates(rows["appraised_date"].to_numpy()),
            "objected": written.yes_no(flags(rows, "objected")),
        }
    )


def _cited_cases(rng: Rng, rows: pd.DataFrame) -> Texts:
    """Reports for the court cite the case; those written before it cannot."""
    later = (rows["appraised_date"] >= rows["filed"]).to_numpy()
    known = flags(rows, "litigated") & (later | chance(rng, len(rows), 0.5))
    cited = np.where(known, rows["case_no"], "")
    return dirt.soiled(rng, cited, dirt.CITED_CASE_KINDS)


def medical_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """medical.csv: the injured, among patients who have nothing to do with cars."""
    hurt = rows[flags(rows, "injury")]
    visit = hurt["time"].to_numpy().astype("datetime64[D]")
    visit = visit + days(chance(rng, len(hurt), 0.2))
    related = {
        "patient": column(hurt, "injured"),
        "hospital": hurt["hospital"].to_numpy(dtype=object),
        "code": column(hurt, "diagnosis"),
        "days_in": column(hurt, "days_in"),
        "visit": visit,
        "cost": hurt["medical_cost"].to_numpy(),
    }
    others = _other_patients(rng, world, round(len(rows) * UNRELATED_PATIENT_SHARE))
    both = pd.concat([pd.DataFrame(related), others]).sort_values(
        "visit", kind="stable"
    )
    ids = looked_up(world.population.persons, "person_id", column(both, "patient"))
    return pd.DataFrame(
        {
            "patient_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "hospital": both["hospital"].to_numpy(dtype=object),
            "dx_code": texts(DIAGNOSES)[column(both, "code")],
            "days_in": column(both, "days_in"),
            "first_visit": written.iso_dates(both["visit"].to_numpy()),
            "cost": np.round(both["cost"].to_numpy(), 2),
        }
    )


def _other_patients(rng: Rng, world: World, size: int) -> pd.DataFrame:
    code = weighted(rng, np.array(DIAGNOSIS_SHARES, dtype=float), size)
    stay: Ints = rng.poisson(USUAL_DAYS[code])
    return pd.DataFrame(
        {
            "patient": any_adult(rng, world, size),
            "hospital": draw_hospitals(rng, size),
            "code": code,
            "days_in": stay,
            "visit": FIRST_DAY + days(rng.integers(0, WINDOW_DAYS, size)),
            "cost": (600 + 950 * stay) * lognormal(rng, 1.0, 0.4, size),
        }
    )


def court_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """court_cases.csv: one row per suit, as published."""
    rows = rows[flags(rows, "litigated")]
    rows = rows.sort_values("filed", kind="stable", ignore_index=True)
    district = texts(names.DISTRICTS)[column(rows, "district")]
    cause = np.where(flags(rows, "injury"), LIABILITY_CAUSE, INSURANCE_CAUSE)
    return pd.DataFrame(
        {
            "案号": dirt.soiled(rng, rows["case_no"].to_numpy(), dirt.CASE_KINDS),
            "法院": _court_names(world.population.place, district),
            "案由": cause,
            "立案日期": written.chinese_dates(rows["filed"].to_numpy()),
            "结案日期": written.chinese_dates(rows["closed"].to_numpy()),
            "结案方式": rows["close_kind"],
            "诉请金额": mixed_units(rng, rows["claimed_amount"].to_numpy()),
            "判决金额": rows["awarded"],
            "理赔编号": rows["claim_no"],
            **_plaintiffs(rng, world, rows),
            **_agents(rng, world, rows),
            "公开日期": written.chinese_dates(rows["published"].to_numpy()),
            # A stream of its own: texts move no other draw.
            "事实与理由": court_pleadings(rng.spawn(1)[0], world, rows),
        }
    )


def _court_names(place: Place, district: Texts) -> Texts:
    city = np.where(np.isin(district, names.DISTRICTS[:3]), place.name, "")
    return np.asarray(city + district + "人民法院", dtype=object)


def _plaintiffs(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    persons, claimant = world.population.persons, column(rows, "claimant")
    name = looked_up(persons, "name", claimant)
    number = looked_up(persons, "person_id", claimant)
    defendant = looked_up(
        world.population.companies,
        "name",
        world.population.companies_of("insurer")[column(rows, "insurer")],
    )
    return {
        "原告姓名": dirt.soiled(rng, name, dirt.COURT_NAME_KINDS),
        "原告身份证号": dirt.soiled(rng, number, dirt.COURT_ID_KINDS),
        "被告": dirt.soiled(rng, defendant, dirt.COMPANY_KINDS[1:2]),
    }


def _agents(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    agents, agent = world.agents, column(rows, "agent")
    present = flags(rows, "has_agent")
    person = agents["person"].to_numpy()[agent]
    persons = world.population.persons
    licence = looked_up(agents, "licence", agent)
    licence = dirt.blanked(rng, licence, dirt.LICENCE_MISSING_RATE)
    phone = looked_up(persons, "phone", person)
    name = looked_up(persons, "name", person)
    return {
        "代理人": np.where(present, dirt.soiled(rng, name, dirt.NAME_KINDS), ""),
        "代理人执业证号": np.where(present, licence, ""),
        "代理人电话": np.where(present, dirt.soiled(rng, phone, dirt.PHONE_KINDS), ""),
    }
