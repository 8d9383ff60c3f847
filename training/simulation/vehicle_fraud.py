"""Planted fraud of the vehicle scenario (domain.md, section 3 and Appendix B).

Every scheme starts from ordinary drafts. Schemes come in a simple form that rules
can see and an evading form where no single rule should be enough.
"""

import numpy as np
import pandas as pd

from training.simulation.sampling import (
    Ints,
    Rng,
    between,
    chance,
    days,
    lognormal,
    pick,
    weighted,
)
from training.simulation.vehicle_claims import (
    CORNERS,
    FLOOD_DAYS,
    USUAL_GRADE,
    any_adult,
    at_hours,
    column,
    draft,
    household_mate,
)
from training.simulation.vehicle_plants import (
    Planted,
    flag,
    in_period,
    keepers_of,
    mostly,
    property_only,
    set_claimant,
    turns,
    vehicles_of_kind,
)
from training.simulation.vehicle_world import (
    HOSPITALS,
    WINDOW_DAYS,
    World,
    day_of_year,
)

NOMINAL_PLAINTIFFS = (6, 14)  # staff of the garage
SUITS_PER_RELATIVE = 4
HIDDEN_SHOPS = 3
STAGED_CARS = 5
TWO_YEARS = 730


def assignment_ring(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """One garage buys claims, its staff sue, its appraiser and lawyer help."""
    shop = _garage_with_staff(rng, world)
    staff = world.population.staff_of(int(world.shops[shop]))
    count = min(len(staff), int(between(rng, *NOMINAL_PLAINTIFFS, 1)[0]))
    plaintiffs = rng.choice(staff, count, replace=False)
    rows = property_only(draft(rng, world, size))
    rows = set_claimant(rows, plaintiffs[_uneven(rng, count, size)])
    rows = _at_shop(rng, world, rows, np.full(size, shop))
    rows = _to_court(rng, world, rows, suing=0.93, party=0.82, agents=1)
    boss = int(world.population.companies["legal_rep"].iloc[world.shops[shop]])
    return rows.assign(
        time=in_period(rng, rows, WINDOW_DAYS - 60),
        loss=lognormal(rng, 5500, 0.5, size),
        ratio=rng.uniform(1.9, 4.0, size),
        assessed=flag(rng, size, 0.32),
        assigned=flag(rng, size, 0.68),
        assign_days=lognormal(rng, 6, 0.6, size).astype(np.int64) + 1,
        assignee_is_shop=flag(rng, size, 0.2),
        payee=mostly(rng, boss, column(rows, "payee"), 0.5),
        phone_of=mostly(rng, boss, column(rows, "phone_of"), 0.2),
        round_prices=flag(rng, size, 0.5),
        billed=flag(rng, size, 0.8),
    )


def assignment_ring_evading(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Relatives of staff sue, few suits each; three shops have one hidden owner."""
    shops = _hide_owner(rng, world)
    staff = [world.population.staff_of(int(world.shops[shop])) for shop in shops]
    relatives = world.population.mates_of(np.unique(np.concatenate(staff)))
    needed = min(len(relatives), -(-size // (SUITS_PER_RELATIVE - 1)))
    plaintiffs = rng.choice(relatives, needed, replace=False)
    rows = property_only(draft(rng, world, size))
    rows = set_claimant(rows, turns(rng, plaintiffs, size))
    rows = _at_shop(rng, world, rows, turns(rng, shops, size))
    rows = _to_court(rng, world, rows, suing=0.80, party=0.62, agents=2)
    return rows.assign(
        time=in_period(rng, rows, WINDOW_DAYS - 60),
        loss=lognormal(rng, 6500, 0.5, size),
        ratio=rng.uniform(1.4, 1.8, size),
        assessed=flag(rng, size, 0.6),
        assigned=flag(rng, size, 0.3),
        assign_days=lognormal(rng, 16, 0.7, size).astype(np.int64) + 1,
        assignee_is_shop=False,
    )


def injury_broker(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A broker brings the injured to one expert whose grades are too generous."""
    rows = draft(rng, world, size)
    injured = rng.choice(np.flatnonzero(world.population.adults()), size, False)
    rows = set_claimant(rows, injured)
    agency = int(rng.integers(0, len(world.agencies)))
    expert = int(world.experts[agency, 0])
    rows = _with_agents(rng, world, rows, agents=1)
    lawyer = int(world.agents["person"].iloc[column(rows, "agent")[0]])
    wards = list(pick(rng, HOSPITALS, 2))
    kind = pick(rng, ("two_car", "e_bike", "pedestrian"), size, (4, 5, 1))
    return rows.assign(
        time=in_period(rng, rows, WINDOW_DAYS - 120),
        kind=kind,
        rider=kind != "two_car",
        injured=injured,
        injury=True,
        self_settled=False,
        resp=pick(rng, ("full", "main", "equal"), size, (6, 3, 1)),
        hospital=np.where(
            flag(rng, size, 0.6), pick(rng, wards, size), rows["hospital"]
        ),
        diagnosis=_profitable(rng, size),
        litigated=flag(rng, size, 0.9),
        graded=flag(rng, size, 0.96),
        grade_shift=pick(rng, ("1", "2", "3"), size, (2, 6, 2)).astype(np.int64),
        commissioned=_asked_by(rng, size, 0.72),
        objected=flag(rng, size, 0.55),
        appraised=flag(rng, size, 0.05),
        agency=mostly(rng, agency, column(rows, "agency"), 0.93),
        expert=mostly(rng, expert, column(rows, "expert"), 0.93),
        assigned=False,
        phone_of=mostly(rng, lawyer, column(rows, "phone_of"), 0.3),
        payee=mostly(rng, lawyer, column(rows, "payee"), 0.3),
    )


def staged_collision(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """One driver is hit while others change lane, again and again, same spot."""
    car = int(_cars(rng, world, 1)[0])
    driver = int(keepers_of(world, np.array([car]))[0])
    rows = _collisions(rng, world, size, np.full(size, car), np.full(size, driver))
    cells = rng.integers(0, 60, 3)
    part = pick(rng, CORNERS, 1)[0]
    return rows.assign(
        time=in_period(rng, rows, TWO_YEARS),
        cell=np.where(flag(rng, size, 0.55), rng.choice(cells, size), rows["cell"]),
        resp=pick(rng, ("none", "main"), size, (95, 5)),
        impact=np.where(flag(rng, size, 0.9), part, rows["impact"]),
        loss=rng.uniform(1000, 2300, size),
        ratio=rng.uniform(0.98, 1.10, size),
        self_settled=flag(rng, size, 0.65),
        shop=mostly(rng, int(column(rows, "shop")[0]), column(rows, "shop"), 0.5),
    )


def staged_collision_evading(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Six to eight drivers take turns in five cars, so that nobody stands out."""
    cars = _cars(rng, world, STAGED_CARS)
    crew = any_adult(rng, world, int(rng.integers(6, 9)))
    driver, car = turns(rng, crew, size), turns(rng, cars, size)
    rows = _collisions(rng, world, size, car, driver)
    order = np.argsort(in_period(rng, rows, TWO_YEARS))
    return rows.assign(
        # In order of time the turns keep each driver under three in six months.
        time=np.sort(in_period(rng, rows, TWO_YEARS)),
        resp=pick(rng, ("none", "minor", "equal", "main"), size, (76, 10, 6, 8)),
        loss=lognormal(rng, 2700, 0.35, size),
        ratio=rng.uniform(1.0, 1.25, size)[order],
    )


def drunk_driver_swap(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """At night somebody sober is named as the driver."""
    rows = property_only(draft(rng, world, size))
    keeper = keepers_of(world, column(rows, "vehicle"))
    mate = household_mate(rng, world, keeper)
    friend = any_adult(rng, world, size)
    sober = np.where((mate != keeper) & flag(rng, size, 0.6), mate, friend)
    day = rows["time"].to_numpy().astype("datetime64[D]")
    hour = np.array([22, 23, 0, 1, 2])[weighted(rng, np.ones(5), size)]
    rows = set_claimant(rows, np.where(flag(rng, size, 0.8), keeper, sober))
    return rows.assign(
        time=at_hours(rng, day, hour),
        kind=pick(rng, ("single", "two_car"), size, (7, 3)),
        resp=pick(rng, ("full", "main"), size, (9, 1)),
        driver=sober,
        loss=lognormal(rng, 11_000, 0.6, size),
        report_minutes=lognormal(rng, 170, 0.7, size),
        self_settled=False,
    )


def write_off(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """An old luxury car, newly bought and well insured, drowns or burns."""
    rows = property_only(draft(rng, world, size))
    cars = _cars(rng, world, size)
    rain = rng.choice(np.array(FLOOD_DAYS, "datetime64[D]"), size)
    day = rows["time"].to_numpy().astype("datetime64[D]")
    day = np.where(flag(rng, size, 0.3), rain, day)
    day = np.maximum(day, np.datetime64("2022-03-01"))
    bought = day - days(between(rng, 8, 55, size))
    value = lognormal(rng, 62, 0.3, size).round(1)
    world.vehicles.loc[cars, "value_wan"] = value
    world.vehicles.loc[cars, "acquired"] = bought
    world.vehicles.loc[cars, "anniversary"] = day_of_year(bought)
    keeper = keepers_of(world, cars)
    rows = set_claimant(rows, keeper)
    water = flag(rng, size, 0.6)
    return rows.assign(
        vehicle=cars,
        driver=keeper,
        time=at_hours(rng, day, rng.integers(0, 24, size)),
        kind="single",
        resp="full",
        impact=np.where(water, "roof_flood", "front"),
        loss=value * 10_000 * rng.uniform(0.55, 0.88, size),
        ratio=rng.uniform(1.0, 1.12, size),
        self_settled=False,
        litigated=flag(rng, size, 0.15),
    )


def grey_inflated(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A single repair bill written too high: soft fraud, kept apart."""
    rows = property_only(draft(rng, world, size))
    return rows.assign(
        ratio=rng.uniform(1.35, 2.4, size), round_prices=flag(rng, size, 0.45)
    )


def _profitable(rng: Rng, size: int) -> Ints:
    """Injuries that usually earn the lightest grade, or none."""
    graded = np.where(USUAL_GRADE == 10, 3.0, 1.0)
    return weighted(rng, graded, size)


def _garage_with_staff(rng: Rng, world: World) -> int:
    """A garage of middling popularity: neither empty nor the biggest."""
    order = np.argsort(world.shop_weight)
    middle = order[len(order) // 5 : -max(1, len(order) // 8)]
    return int(rng.choice(middle))


def _uneven(rng: Rng, members: int, size: int) -> Ints:
    return weighted(rng, rng.uniform(0.5, 1.5, members), size)


def _at_shop(rng: Rng, world: World, rows: pd.DataFrame, shops: Ints) -> pd.DataFrame:
    """Repairs at the ring's garage and appraisals by its one agency per garage."""
    agency = world.shop_appraisers[shops, 0]
    expert = world.experts[agency, 0]
    size = len(rows)
    usual = flag(rng, size, 0.9)
    near = flag(rng, size, 0.75)
    return rows.assign(
        shop=shops,
        agency=np.where(usual, agency, column(rows, "agency")),
        expert=np.where(usual, expert, column(rows, "expert")),
        district=np.where(near, world.shop_district[shops], column(rows, "district")),
    )


def _to_court(
    rng: Rng,
    world: World,
    rows: pd.DataFrame,
    *,
    suing: float,
    party: float,
    agents: int,
) -> pd.DataFrame:
    """Suits on appraisals that the plaintiff ordered."""
    size = len(rows)
    rows = _with_agents(rng, world, rows, agents=agents)
    return rows.assign(
        litigated=flag(rng, size, suing),
        appraised=flag(rng, size, 0.92),
        commissioned=_asked_by(rng, size, party),
        objected=flag(rng, size, 0.48),
    )


def _with_agents(
    rng: Rng, world: World, rows: pd.DataFrame, *, agents: int
) -> pd.DataFrame:
    chosen = rng.choice(len(world.agents), agents, replace=False)
    usual = flag(rng, len(rows), 0.9)
    agent = np.where(usual, rng.choice(chosen, len(rows)), column(rows, "agent"))
    agent[:1] = chosen[0]
    return rows.assign(agent=agent, has_agent=flag(rng, len(rows), 0.95))


def _asked_by(rng: Rng, size: int, party: float) -> np.ndarray:
    asked = pick(rng, ("court", "insurer", "police"), size, (7, 2, 1))
    return np.where(chance(rng, size, party), "party", asked)


def _hide_owner(rng: Rng, world: World) -> Ints:
    """Put three garages of one district under one household, on paper apart."""
    shops = _neighbouring_shops(rng, world)
    companies, persons = world.population.companies, world.population.persons
    owner = int(companies["legal_rep"].iloc[world.shops[shops[0]]])
    mates = world.population.mates_of(np.array([owner]))
    positions = world.shops[shops]
    companies.loc[positions[1:], "phone"] = persons["phone"].iloc[owner]
    companies.loc[positions[0], "address"] = persons["address"].iloc[owner]
    if len(mates):
        companies.loc[positions[1], "legal_rep"] = mates[0]
    return shops


def _neighbouring_shops(rng: Rng, world: World) -> Ints:
    counts = np.bincount(world.shop_district)
    district = rng.choice(np.flatnonzero(counts >= HIDDEN_SHOPS))
    near = np.flatnonzero(world.shop_district == district)
    return rng.choice(near, HIDDEN_SHOPS, replace=False)


def _cars(rng: Rng, world: World, size: int) -> Ints:
    return rng.choice(vehicles_of_kind(world, 0), size, replace=False)


def _collisions(
    rng: Rng, world: World, size: int, cars: Ints, drivers: Ints
) -> pd.DataFrame:
    """Two-car collisions of given cars and drivers, settled without a court."""
    rows = property_only(draft(rng, world, size))
    rows = set_claimant(rows, drivers)
    homes = world.population.persons["district"].to_numpy()[drivers]
    near = flag(rng, size, 0.8)
    return rows.assign(
        vehicle=cars,
        driver=drivers,
        kind="two_car",
        district=np.where(near, homes, column(rows, "district")),
        litigated=flag(rng, size, 0.01),
        assigned=False,
    )


TYPOLOGIES: tuple[Planted, ...] = (
    Planted("assignment_ring", 0.0030, 30, 14, assignment_ring, fraud=True),
    Planted(
        "assignment_ring_evading", 0.0030, 20, 10, assignment_ring_evading, fraud=True
    ),
    Planted("injury_broker", 0.0050, 33, 10, injury_broker, fraud=True),
    Planted("staged_collision", 0.0028, 27, 10, staged_collision, fraud=True),
    Planted(
        "staged_collision_evading",
        0.0030,
        20,
        10,
        staged_collision_evading,
        fraud=True,
    ),
    Planted("drunk_driver_swap", 0.0010, 0, 2, drunk_driver_swap, fraud=True),
    Planted("write_off", 0.0010, 0, 2, write_off, fraud=True),
    Planted("grey_inflated", 0.0300, 0, 20, grey_inflated),
)
