"""Ordinary claims, drawn before any department writes them down.

A draft is a table with one row per claim and every fact about it, needed or not:
an agent is drawn also for claims that never reach a court. Planted typologies
start from ordinary drafts and override only what the scheme forces, so that in
all else fraud looks like everybody.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from training.simulation.names import DISTRICT_WEIGHTS
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    Texts,
    Times,
    chance,
    days,
    lognormal,
    pick,
    weighted,
    weighted_within,
)
from training.simulation.vehicle_world import (
    FIRST_DAY,
    WINDOW_DAYS,
    World,
    draw_hospitals,
)

Columns = dict[str, "np.ndarray"]
CELLS = 160  # grid cells per district
NIGHT_SHARE = np.array([9, 5, 4, 3, 4, 9, 22, 55, 70, 58, 50, 48], dtype=float)
DAY_SHARE = np.array([44, 46, 50, 52, 56, 68, 74, 60, 46, 38, 28, 17], dtype=float)
WEEKDAY_SHARE = np.array([1.06, 1.0, 1.0, 1.02, 1.14, 0.94, 0.84])
STORM_DAYS = ("2022-02-07", "2023-12-18", "2024-01-22", "2024-02-04")  # snow
FLOOD_DAYS = ("2022-09-14", "2023-07-22", "2024-07-26")  # typhoon rain
STORM_FACTOR = 2.5
KINDS = ("two_car", "single", "pedestrian", "e_bike")
KIND_SHARES = (0.68, 0.16, 0.03, 0.13)
INJURY_RATES = {"two_car": 0.05, "single": 0.02, "pedestrian": 0.75, "e_bike": 0.30}
SELF_SETTLED_RATES = {"two_car": 0.5, "single": 0.3, "pedestrian": 0.0, "e_bike": 0.1}
SIDES = ("front", "rear", "left", "right")
CORNERS = ("front_left", "front_right", "rear_left", "rear_right")
PARTS = (*SIDES, *CORNERS, "roof_flood")
PART_SHARES = (0.22, 0.26, 0.08, 0.09, 0.11, 0.11, 0.06, 0.05, 0.02)
LOCAL_SHARE = 0.85  # accidents in the keeper's own district, repairs in the same
MEDIAN_LOSS = 2500.0
DIAGNOSES = (
    *("S82.1", "S52.5", "S32.0", "S06.0", "S22.3", "S42.2", "S72.0"),
    *("S13.4", "S93.4", "S83.5", "T14.0"),
)
USUAL_GRADE = np.array([10, 10, 9, 11, 10, 10, 9, 11, 11, 10, 11])  # 11 = none
USUAL_DAYS = np.array([14, 8, 18, 6, 10, 12, 21, 3, 4, 9, 2])
DIAGNOSIS_SHARES = (8, 10, 6, 12, 12, 7, 4, 16, 10, 5, 10)
LIE_LOW = 11


def draft(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Draw ordinary claims; see STEPS for the columns."""
    rows = Rows(size)
    for step in STEPS:
        rows.columns |= step(rng, world, rows)
    return pd.DataFrame(rows.columns)


class Rows:
    """A draft in the making: growing a table column by column would cost far more."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.columns: Columns = {}

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> "pd.Series[Any]":
        return pd.Series(self.columns[name])


def column(rows: pd.DataFrame | Rows, name: str) -> Ints:
    """A column of positions or whole numbers."""
    return rows[name].to_numpy(dtype=np.int64)


def flags(rows: pd.DataFrame | Rows, name: str) -> Bools:
    """A column of truths."""
    return rows[name].to_numpy(dtype=np.bool_)


def vehicles_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Cars meet accidents in proportion to their use."""
    rate = world.vehicles["rate"].to_numpy()
    return {
        "vehicle": weighted(rng, rate, len(rows)),
        "other_vehicle": weighted(rng, rate, len(rows)),
    }


def place_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """When and where: rush hours, Fridays, storms; mostly near home."""
    size = len(rows)
    when = accident_times(rng, size)
    vehicle = _on_the_road(rng, world, column(rows, "vehicle").copy(), when)
    keeper = world.vehicles["keeper"].to_numpy()[vehicle]
    home = world.population.persons["district"].to_numpy()[keeper]
    away = weighted(rng, DISTRICT_WEIGHTS, size)
    return {
        "vehicle": vehicle,
        "time": when,
        "district": np.where(chance(rng, size, LOCAL_SHARE), home, away),
        "cell": (CELLS * rng.random(size) ** 2).astype(np.int64),
        "home": home,
    }


def accident_times(rng: Rng, size: int) -> Times:
    """Moments inside the window."""
    day = FIRST_DAY + days(weighted(rng, _day_weights(), size))
    return at_hours(rng, day, weighted(rng, np.r_[NIGHT_SHARE, DAY_SHARE], size))


def at_hours(rng: Rng, day: Times, hours: Ints) -> Times:
    """A random second of the given hour."""
    second = hours * 3600 + rng.integers(0, 3600, len(hours))
    return np.asarray(day.astype("datetime64[s]") + second.astype("timedelta64[s]"))


def _on_the_road(rng: Rng, world: World, vehicle: Ints, when: Times) -> Ints:
    """Replace cars that their keepers had not bought yet.

    Moving the accident instead would make ordinary claims later than planted ones.
    """
    acquired = world.vehicles["acquired"].to_numpy()
    rate = world.vehicles["rate"].to_numpy()
    while len(early := np.flatnonzero(when < acquired[vehicle])):
        vehicle[early] = weighted(rng, rate, len(early))
    return vehicle


def _day_weights() -> np.ndarray:
    calendar = FIRST_DAY + days(np.arange(WINDOW_DAYS))
    weights = WEEKDAY_SHARE[(calendar.astype(np.int64) + 3) % 7]
    stormy = np.isin(calendar, np.array(STORM_DAYS + FLOOD_DAYS, "datetime64[D]"))
    return np.where(stormy, weights * STORM_FACTOR, weights)


def drivers_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """The keeper drives, or somebody of the household, or a friend."""
    size = len(rows)
    keeper = world.vehicles["keeper"].to_numpy()
    own, other = keeper[column(rows, "vehicle")], keeper[column(rows, "other_vehicle")]
    kind = pick(rng, KINDS, size, KIND_SHARES)
    # A car does not collide with itself.
    kind[column(rows, "vehicle") == column(rows, "other_vehicle")] = "single"
    return {
        "kind": kind,
        "driver": _driver(rng, world, own),
        "other_driver": _driver(rng, world, other),
    }


def _driver(rng: Rng, world: World, keeper: Ints) -> Ints:
    size = len(keeper)
    mate = household_mate(rng, world, keeper)
    driver = np.where(chance(rng, size, 0.13), mate, keeper)
    return np.where(chance(rng, size, 0.04), any_adult(rng, world, size), driver)


def household_mate(rng: Rng, world: World, people: Ints) -> Ints:
    """Another adult of the household; the person where there is none."""
    population = world.population
    home = population.persons["household"].to_numpy()[people]
    start, count = population.household_start[home], population.household_size[home]
    step = rng.integers(1, np.maximum(count, 2))
    mate = start + (people - start + step) % count
    return np.where(population.adults()[mate], mate, people)


def any_adult(rng: Rng, world: World, size: int) -> Ints:
    """Anyone of age."""
    return rng.choice(np.flatnonzero(world.population.adults()), size)


def fault_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Injury, responsibility of side A and whether the police came."""
    size = len(rows)
    kind = rows["kind"].to_numpy(dtype=object)
    injury = chance(rng, size, _by_kind(kind, INJURY_RATES))
    calm = world.calm[column(rows, "driver")]
    resp = pick(rng, ("full", "main"), size, (4, 1))
    blameless = chance(rng, size, calm) & (kind == "two_car")
    resp[blameless] = pick(rng, ("none", "minor"), int(blameless.sum()), (9, 1))
    shared = chance(rng, size, np.where(kind == "single", 0, 0.06))
    resp[shared] = "equal"
    hurt = injury & np.isin(resp, ("none", "minor"))  # the car at fault pays
    resp[hurt] = "main"
    settled = chance(rng, size, _by_kind(kind, SELF_SETTLED_RATES)) & ~injury
    return {"injury": injury, "resp": resp, "self_settled": settled}


def _by_kind(kind: Texts, rates: dict[str, float]) -> np.ndarray:
    return pd.Series(kind, dtype="str").map(rates).to_numpy(dtype=float)


def claimant_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Owner, driver, injured party, company manager; rarely somebody else."""
    size = len(rows)
    vehicle = column(rows, "vehicle")
    stranger = any_adult(rng, world, size)
    rider = ~rows["kind"].isin(("two_car", "single")).to_numpy()
    other = np.where(rider, stranger, column(rows, "other_driver"))
    injured = np.where(chance(rng, size, 0.7), other, stranger)
    claimant = world.vehicles["keeper"].to_numpy()[vehicle]
    claimant = np.where(chance(rng, size, 0.09), column(rows, "driver"), claimant)
    company = world.vehicles["company"].to_numpy()[vehicle]
    manager = world.population.companies["legal_rep"].to_numpy()[company]
    owned = (company >= 0) & chance(rng, size, 0.8)
    claimant = np.where(owned, manager, claimant)
    # Heirs, buyers and others who are lawfully neither owner nor driver.
    claimant = np.where(chance(rng, size, 0.03), stranger, claimant)
    hurt = flags(rows, "injury") & chance(rng, size, 0.85)
    return {
        "claimant": np.where(hurt, injured, claimant),
        "injured": injured,
        "rider": rider,
    }


def damage_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """What broke, the true loss, and how much more is claimed."""
    size = len(rows)
    value = world.vehicles["value_wan"].to_numpy()[column(rows, "vehicle")]
    loss = lognormal(rng, MEDIAN_LOSS, 0.85, size) * (value / 11) ** 0.35
    wreck = chance(rng, size, 0.004)
    loss = np.where(wreck, value * 10_000 * rng.uniform(0.4, 0.9, size), loss)
    impact = pick(rng, PARTS, size, PART_SHARES)
    rain = rows["time"].to_numpy().astype("datetime64[D]")
    rainy = np.isin(rain, np.array(FLOOD_DAYS, "datetime64[D]"))
    impact[rainy & chance(rng, size, 0.4)] = "roof_flood"
    return {
        "impact": impact,
        "loss": np.minimum(loss, value * 9_000),
        "ratio": benign_ratios(rng, size),
        "assessed": chance(rng, size, 0.92),
        "desk_estimate": chance(rng, size, 0.5),
        "round_prices": chance(rng, size, 0.30),
        "billed": chance(rng, size, 0.62),
    }


def benign_ratios(rng: Rng, size: int) -> np.ndarray:
    """Claimed over assessed: mostly 0.9 to 1.3, with a lawful upper tail."""
    usual = rng.normal(1.06, 0.09, size).clip(0.85, 1.35)
    dear = rng.uniform(1.3, 1.8, size)
    very = rng.uniform(1.8, 3.6, size)
    draw = rng.random(size)
    return np.where(draw < 0.935, usual, np.where(draw < 0.985, dear, very))


def shop_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """A garage by popularity; its staff go to their own one."""
    size = len(rows)
    home, where = column(rows, "home"), column(rows, "district")
    near = np.where(chance(rng, size, 0.75), home, where)
    shop = weighted_within(rng, near, world.shop_district, world.shop_weight)
    own = world.garage_of[column(rows, "claimant")]
    shop = np.where((own >= 0) & chance(rng, size, 0.6), own, shop)
    slot = weighted(rng, np.array([0.70, 0.20, 0.10]), size)
    agency = world.shop_appraisers[shop, slot]
    expert = world.experts[agency, rng.integers(0, world.experts.shape[1], size)]
    return {"shop": shop, "agency": agency, "expert": expert}


def dispute_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Whether it comes to court, with whom, and who asked for the appraisal."""
    size = len(rows)
    chances = np.where(flags(rows, "injury"), 0.085, 0.007)
    chances = np.where(rows["loss"] > 15_000, np.maximum(chances, 0.04), chances)
    chances = np.where(flags(rows, "assessed"), chances, np.maximum(chances, 0.035))
    litigated = chance(rng, size, chances)
    appraised = chance(rng, size, np.where(litigated, 0.55, 0.012))
    askers = ("party", "court", "insurer", "police")
    party = chance(rng, size, np.where(litigated, 0.5, 0.3))
    asker = pick(rng, askers[1:], size, (0.5, 0.35, 0.15))
    asker[party] = askers[0]
    objected = chance(rng, size, np.where(party, 0.34, 0.10))
    ratio = rows["ratio"].to_numpy()
    tough = litigated & chance(rng, size, 0.35)  # what is fought over is dear
    return {
        "litigated": litigated,
        "appraised": appraised,
        "commissioned": asker,
        "objected": objected,
        "agent": weighted(rng, world.agent_weight, size),
        "has_agent": chance(rng, size, 0.78),
        "ratio": np.where(tough, rng.uniform(1.3, 3.2, size), ratio),
    }


def assignment_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Honest garages, too, take a claim in place of payment."""
    size = len(rows)
    litigated = flags(rows, "litigated")
    assigned = chance(rng, size, np.where(litigated, 0.20, 0.003))
    assigned &= ~flags(rows, "injury")
    company = world.shops[column(rows, "shop")]
    manager = world.population.companies["legal_rep"].to_numpy()[company]
    taker = np.where(
        chance(rng, size, 0.55), manager, garage_hands(rng, world, rows, size)
    )
    return {
        "assigned": assigned,
        "assign_days": lognormal(rng, 22.0, 0.9, size).astype(np.int64) + 1,
        "assignee_is_shop": chance(rng, size, 0.5),
        "claimant": np.where(assigned, taker, column(rows, "claimant")),
    }


def garage_hands(rng: Rng, world: World, rows: Rows, size: int) -> Ints:
    """Somebody who works at the garage of each row."""
    people = np.flatnonzero(world.garage_of >= 0)
    shops = world.garage_of[people]
    wanted = column(rows, "shop")
    empty = ~np.isin(wanted, shops)
    wanted = np.where(empty, shops[0], wanted)
    return people[weighted_within(rng, wanted, shops, np.ones(len(people)))]


def injury_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Diagnosis, days in hospital, and a disability grade that may be asked for."""
    size = len(rows)
    code = weighted(rng, np.array(DIAGNOSIS_SHARES, dtype=float), size)
    stay = np.maximum(rng.poisson(USUAL_DAYS[code] * lognormal(rng, 1, 0.3, size)), 0)
    asked = chance(rng, size, np.where(flags(rows, "litigated"), 0.6, 0.30))
    serious = (USUAL_GRADE[code] <= 10) | chance(rng, size, 0.4)
    better = weighted(rng, np.array([0.74, 0.18, 0.06, 0.02]), size)
    return {
        "diagnosis": code,
        "days_in": stay,
        "hospital": draw_hospitals(rng, size),
        "graded": asked & serious & flags(rows, "injury"),
        "grade_shift": better,  # late complications
    }


def filing_step(rng: Rng, world: World, rows: Rows) -> Columns:
    """Delays, the phone that was left and the account that is paid."""
    size = len(rows)
    claimant = column(rows, "claimant")
    agent = column(rows, "agent")
    lawyer = world.agents["person"].to_numpy()[agent]
    represented = flags(rows, "litigated") & flags(rows, "has_agent")
    leaves = chance(rng, size, np.where(represented, 0.12, 0.0))
    shop = world.shops[column(rows, "shop")]
    firm = world.agents["firm"].to_numpy()[agent]
    payee = np.where(chance(rng, size, 0.10), -1 - shop, claimant)
    client = represented & chance(rng, size, 0.25)
    return {
        "report_minutes": lognormal(rng, 50.0, 1.3, size),
        "suit_days": lognormal(rng, 70.0, 0.5, size).astype(np.int64) + LIE_LOW,
        "phone_of": np.where(leaves, lawyer, claimant),
        "payee": np.where(client, -1 - firm, payee),  # below 0: a company's account
    }


Step = Callable[[Rng, World, Rows], Columns]
STEPS: tuple[Step, ...] = (
    vehicles_step,
    place_step,
    drivers_step,
    fault_step,
    claimant_step,
    damage_step,
    shop_step,
    dispute_step,
    assignment_step,
    injury_step,
    filing_step,
)
