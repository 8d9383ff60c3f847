"""What becomes of the drafts: amounts, policies, dates and numbers."""

import numpy as np
import pandas as pd

from training.simulation import identifiers
from training.simulation.places import Place
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    lognormal,
    pick,
    texts,
)
from training.simulation.vehicle_claims import (
    USUAL_DAYS,
    USUAL_GRADE,
    Columns,
    column,
    flags,
)
from training.simulation.vehicle_world import World, policy_codes, policy_year

COMPULSORY, THIRD_PARTY, HULL = 0, 1, 2
COMPULSORY_DEATH_LIMIT = 180_000.0
COMPULSORY_PROPERTY_LIMIT = 2_000.0
YEAR_INCOME = 62_000.0  # basis of disability compensation, 20 years
NO_GRADE = 11
CASES_PER_DAY = 40  # spacing of case numbers within a court's day
CLOSE_KINDS = ("判决", "调解", "撤诉")
PAYMENT_REFUSED_RATE = 0.03


def settle(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Add amounts, insurer and dates, then number everything by time."""
    rows = rows.assign(**_amounts(rng, rows))
    rows = rows.assign(**_policies(world, rows))
    # Without a suit there is no court to order an appraisal.
    idle = (rows["commissioned"] == "court") & ~rows["litigated"]
    rows = rows.assign(commissioned=rows["commissioned"].mask(idle, "insurer"))
    rows = rows.assign(**_dates(rng, rows))
    rows = rows.assign(**_outcome(rng, rows))
    rows = rows.sort_values("report_time", kind="stable", ignore_index=True)
    return rows.assign(**_numbers(world.population.place, rows))


def grades(rows: pd.DataFrame, shift: Ints) -> Ints:
    """Disability grade: 1 is the gravest, 10 the lightest, 11 means none."""
    return np.clip(USUAL_GRADE[column(rows, "diagnosis")] - shift, 1, NO_GRADE)


def _compensation(rows: pd.DataFrame, grade: Ints) -> Floats:
    share = 0.1 * (NO_GRADE - grade)
    return np.where(flags(rows, "graded"), share * 20 * YEAR_INCOME * 0.7, 0.0)


def _amounts(rng: Rng, rows: pd.DataFrame) -> Columns:
    """The insurer's view and the claimant's view of the same loss."""
    size = len(rows)
    injury = flags(rows, "injury")
    stay = USUAL_DAYS[column(rows, "diagnosis")] * 0.3 + column(rows, "days_in")
    cost = (600 + 950 * stay) * lognormal(rng, 1.0, 0.35, size)
    usual = grades(rows, np.zeros(size, dtype=np.int64))
    found = grades(rows, column(rows, "grade_shift"))
    loss = np.where(injury, 0.2, 1.0) * rows["loss"].to_numpy()
    hurt = np.where(injury, cost * 1.4, 0.0)
    assessed = (loss + hurt + _compensation(rows, usual)) * rng.normal(1, 0.04, size)
    ratio = rows["ratio"].to_numpy()
    # People do not inflate a hospital bill as they do a repair.
    part = np.where(injury, np.minimum(ratio, 1.5), ratio)
    claimed = (loss + hurt) * part + _compensation(rows, found)
    return {
        "medical_cost": cost,
        "grade": found,
        "assessed_amount": _written_sum(rng, assessed),
        "claimed_amount": _written_sum(rng, claimed),
    }


def _written_sum(rng: Rng, amounts: Floats) -> Floats:
    """Some sums to the cent, most rounded to ten or a hundred yuan."""
    step = np.array([0.01, 1, 10, 100])[
        rng.choice(4, len(amounts), p=[0.2, 0.3, 0.4, 0.1])
    ]
    rounded = np.round(np.round(amounts / step) * step, 2)
    return np.asarray(np.maximum(rounded, 100.0), dtype=np.float64)


def _policies(world: World, rows: pd.DataFrame) -> Columns:
    """The side at fault is insured: an innocent driver claims on the other's policy."""
    blameless = faultless(rows)
    own, other = column(rows, "vehicle"), column(rows, "other_vehicle")
    car = np.where(blameless, other, own)
    year = policy_year(world, car, rows["time"].to_numpy())
    claimed = rows["claimed_amount"].to_numpy()
    cover = np.full(len(rows), HULL)
    liable = blameless | (flags(rows, "rider") & ~flags(rows, "injury"))
    small = claimed <= COMPULSORY_PROPERTY_LIMIT
    cover[liable] = np.where(small, COMPULSORY, THIRD_PARTY)[liable]
    hurt = flags(rows, "injury")
    bodily = np.where(claimed <= COMPULSORY_DEATH_LIMIT, COMPULSORY, THIRD_PARTY)
    cover[hurt] = bodily[hurt]
    return {
        "policy": policy_codes(car, year, cover),
        "insurer": world.insurers[car, year],
    }


def faultless(rows: pd.DataFrame) -> Bools:
    """Claims of a driver who was hit: the other side's insurer pays."""
    two = (rows["kind"] == "two_car").to_numpy()
    lesser = rows["resp"].isin(("none", "minor")).to_numpy()
    return np.asarray(two & lesser & ~flags(rows, "injury"))


def _dates(rng: Rng, rows: pd.DataFrame) -> Columns:
    size = len(rows)
    time = rows["time"].to_numpy().astype("datetime64[s]")
    minutes = np.minimum(rows["report_minutes"].to_numpy(), 30 * 1440)
    report = time + (minutes * 60).astype(np.int64).astype("timedelta64[s]")
    filed = report.astype("datetime64[D]") + days(rows["suit_days"].to_numpy())
    closed = filed + days(lognormal(rng, 75, 0.45, size) + 8)
    wait = (filed - time.astype("datetime64[D]")).astype(np.int64)
    assigned = np.minimum(column(rows, "assign_days"), wait - 2)
    return {
        "report_time": report,
        "filed": filed,
        "closed": closed,
        "published": closed + days(between(rng, 8, 90, size)),
        "assigned_date": time.astype("datetime64[D]") + days(assigned),
        "appraised_date": _appraisal_dates(rng, rows, report, filed),
    }


def _appraisal_dates(
    rng: Rng, rows: pd.DataFrame, report: Times, filed: Times
) -> Times:
    """Courts ask after filing; everybody else before."""
    size = len(rows)
    begun = report.astype("datetime64[D]")
    wait = (filed - begun).astype(np.int64)
    before = begun + days(1 + rng.uniform(0.15, 0.85, size) * wait)
    court = (rows["commissioned"] == "court").to_numpy() & flags(rows, "litigated")
    return np.where(court, filed + days(between(rng, 12, 70, size)), before)


def _outcome(rng: Rng, rows: pd.DataFrame) -> Columns:
    """How suits end and what is paid in the end."""
    size = len(rows)
    litigated = flags(rows, "litigated")
    claimed = rows["claimed_amount"].to_numpy()
    assessed = rows["assessed_amount"].to_numpy()
    end = pick(rng, CLOSE_KINDS, size, (0.55, 0.31, 0.14))
    granted = claimed * np.clip(rng.beta(9, 2, size), 0.3, 1)
    granted = np.where(end == "撤诉", 0.0, granted)
    agreed = np.minimum(claimed, assessed * rng.uniform(1.0, 1.25, size))
    paid = np.where(litigated & (end != "撤诉"), granted, agreed)
    paid = np.where(chance(rng, size, PAYMENT_REFUSED_RATE), 0.0, paid)
    start = np.where(litigated, rows["closed"], rows["report_time"])
    start = start.astype("datetime64[D]")
    when = start + days(lognormal(rng, 18, 0.6, size) + 1)
    return {
        "close_kind": end,
        "awarded": np.round(granted, 2),
        "paid_amount": np.round(paid, 2),
        "paid_date": np.where(paid > 0, when, np.datetime64("NaT")),
    }


def _numbers(place: Place, rows: pd.DataFrame) -> Columns:
    """Numbers run with time, after mixing: they tell nothing about the claim."""
    report, filed = rows["report_time"].to_numpy(), rows["filed"].to_numpy()
    courts = texts([f"{place.plate[0]}{str(code)[2:]}" for code in place.districts])
    court = courts[column(rows, "district")]
    years, numbers = _docket(column(rows, "district"), filed, flags(rows, "litigated"))
    return {
        "claim_no": _claim_numbers(place, report),
        "acc_no": accident_numbers(
            place, rows["time"].to_numpy(), column(rows, "district")
        ),
        "case_no": identifiers.case_numbers(years, court, numbers),
    }


def _claim_numbers(place: Place, report: Times) -> Texts:
    year = report.astype("datetime64[Y]").astype(np.int64) + 1970
    sequence = identifiers.sequence_within(year) + 1
    return np.asarray(
        "LP" + place.mark + identifiers.padded(year * 10**7 + sequence, 11)
    )


def accident_numbers(place: Place, time: Times, district: Ints) -> Texts:
    """District, day and the order of the day."""
    day = identifiers.birth_numbers(time.astype("datetime64[D]"))
    order = np.argsort(time, kind="stable")
    key = place.districts[district] * 10**8 + day
    sequence = np.empty(len(time), dtype=np.int64)
    sequence[order] = identifiers.sequence_within(key[order])
    return identifiers.padded(key * 10_000 + sequence + 1, 18)


def _docket(district: Ints, filed: Times, litigated: Bools) -> tuple[Ints, Ints]:
    """Year and number under which a court files a suit."""
    start = filed.astype("datetime64[Y]").astype("datetime64[D]")
    day = (filed.astype("datetime64[D]") - start).astype(np.int64)
    year = filed.astype("datetime64[Y]").astype(np.int64) + 1970
    key = ((year * 10 + district) * 400 + day) * 2 + litigated
    return year, day * CASES_PER_DAY + identifiers.sequence_within(key) + 1
