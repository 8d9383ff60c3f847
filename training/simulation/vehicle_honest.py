"""Hard negatives of the vehicle scenario: honest people whom naive rules accuse."""

import numpy as np
import pandas as pd

from training.simulation.names import DISTRICTS
from training.simulation.sampling import Floats, Rng, days, pick, weighted
from training.simulation.vehicle_claims import any_adult, at_hours, column, draft
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
from training.simulation.vehicle_world import CLASSES, World

SNOW_WEEK = np.datetime64("2024-02-02")
ONE_AGENCY_DISTRICT = len(DISTRICTS) - 1


def busy_dealer_shop(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A dealer's garage with many customers and one usual appraiser."""
    shop = _popular(rng, world.shop_weight)
    agency = int(world.shop_appraisers[shop, 0])
    rows = draft(rng, world, size)
    return rows.assign(
        shop=shop,
        agency=mostly(rng, agency, column(rows, "agency"), 0.85),
        litigated=rows["litigated"].to_numpy() | flag(rng, size, 0.03),
        billed=flag(rng, size, 0.9),
    )


def specialist_lawyer(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A traffic lawyer with many clients, whose cases are fought over."""
    agent = _popular(rng, world.agent_weight)
    rows = draft(rng, world, size)
    hurt = flag(rng, size, 0.5)
    person = np.where(hurt, column(rows, "injured"), column(rows, "claimant"))
    rows = set_claimant(rows, person)
    return rows.assign(
        agent=agent,
        has_agent=True,
        litigated=True,
        injury=hurt,
        resp=np.where(hurt, "full", rows["resp"]),
        appraised=~hurt,
        graded=hurt & flag(rng, size, 0.6),
        objected=flag(rng, size, 0.45),
        assigned=False,
    )


def ride_hailing_driver(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A driver who is on the road all day, now at fault, now not."""
    car = int(rng.choice(vehicles_of_kind(world, CLASSES.index("ride_hailing"))))
    driver = int(keepers_of(world, np.array([car]))[0])
    rows = property_only(draft(rng, world, size))
    rows = set_claimant(rows, np.full(size, driver))
    fault = pick(rng, ("none", "full", "equal", "main"), size, (5, 4, 1, 1))
    return rows.assign(
        vehicle=car,
        driver=driver,
        time=in_period(rng, rows, 365),
        kind="two_car",
        resp=fault,
    )


def single_appraiser_county(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Everyone in the county uses its one agency; insurers come late."""
    local = np.flatnonzero(world.shop_district == ONE_AGENCY_DISTRICT)
    rows = property_only(draft(rng, world, size))
    shop = local[weighted(rng, world.shop_weight[local], size)]
    agency = world.shop_appraisers[shop, 0]
    expert = rng.integers(0, world.experts.shape[1], size)
    return rows.assign(
        district=ONE_AGENCY_DISTRICT,
        shop=shop,
        agency=agency,
        expert=world.experts[agency, expert],
        litigated=flag(rng, size, 0.8),
        appraised=True,
        commissioned=np.where(flag(rng, size, 0.75), "party", "court"),
        assessed=flag(rng, size, 0.5),
    )


def fleet_company(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """One manager files, and sues, for all cars of a company."""
    owned = np.flatnonzero(world.vehicles["company"].to_numpy() >= 0)
    company = int(world.vehicles["company"].iloc[rng.choice(owned)])
    cars = np.flatnonzero(world.vehicles["company"].to_numpy() == company)
    manager = int(world.population.companies["legal_rep"].iloc[company])
    rows = property_only(draft(rng, world, size))
    car = rng.choice(cars, size)
    rows = set_claimant(rows, np.full(size, manager))
    return rows.assign(
        vehicle=car,
        driver=keepers_of(world, car),
        phone_of=manager,
        payee=-1 - company,
        litigated=flag(rng, size, 0.4),
        assigned=False,
    )


def credit_garage(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A garage that repairs on credit and sues, in its people's names, for the price."""
    shop = int(rng.integers(0, len(world.shops)))
    company = int(world.shops[shop])
    manager = int(world.population.companies["legal_rep"].iloc[company])
    names = np.append(world.population.staff_of(company)[:2], manager)
    rows = property_only(draft(rng, world, size))
    rows = set_claimant(rows, rng.choice(names, size))
    agency = int(world.shop_appraisers[shop, 0])
    lawyer = int(column(rows, "agent")[0])
    return rows.assign(
        shop=shop,
        agency=mostly(rng, agency, column(rows, "agency"), 0.75),
        agent=mostly(rng, lawyer, column(rows, "agent"), 0.7),
        litigated=flag(rng, size, 0.9),
        appraised=flag(rng, size, 0.7),
        commissioned=np.where(flag(rng, size, 0.55), "party", "court"),
        assigned=flag(rng, size, 0.85),
        assign_days=rng.integers(2, 40, size),
        assignee_is_shop=flag(rng, size, 0.6),
        payee=mostly(rng, -1 - company, column(rows, "payee"), 0.7),
    )


def storm_family(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Three real crashes of one household in a week of snow."""
    car, second = rng.choice(vehicles_of_kind(world, 0), 2, replace=False)
    keeper = keepers_of(world, np.array([car]))
    mates = world.population.mates_of(keeper)
    family = np.concatenate([keeper, mates])
    world.vehicles.loc[second, "keeper"] = family[-1]
    rows = property_only(draft(rng, world, size))
    driver = turns(rng, family, size)
    rows = set_claimant(rows, driver)
    day = SNOW_WEEK + days(rng.integers(0, 6, size))
    return rows.assign(
        vehicle=rng.choice(np.array([car, second]), size),
        driver=driver,
        time=at_hours(rng, day, rng.integers(6, 21, size)),
    )


def courier_hub(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Couriers on e-bikes, scratched again and again near their depot."""
    couriers = any_adult(rng, world, max(2, size // 5))
    rows = property_only(draft(rng, world, size))
    rider = turns(rng, couriers, size)
    rows = set_claimant(rows, rider)
    return rows.assign(
        kind="e_bike",
        rider=True,
        injured=rider,
        resp=pick(rng, ("full", "main", "equal"), size, (5, 4, 1)),
        district=int(rng.integers(0, 3)),
        cell=rng.integers(0, 3, size),
        impact=pick(rng, ("left", "right"), size, (2, 1)),
        loss=rng.uniform(500, 2200, size),
    )


def _popular(rng: Rng, weights: Floats) -> int:
    """One of the best-known: the very first in a small prefecture."""
    first = np.argsort(-weights)[: max(1, len(weights) // 150)]
    return int(rng.choice(first))


HARD_NEGATIVES: tuple[Planted, ...] = (
    Planted("busy_dealer_shop", 0.0100, 200, 15, busy_dealer_shop, honest=True),
    Planted("specialist_lawyer", 0.0030, 60, 6, specialist_lawyer, honest=True),
    Planted("ride_hailing_driver", 0.0015, 6, 6, ride_hailing_driver, honest=True),
    Planted(
        "single_appraiser_county", 0.0015, 30, 4, single_appraiser_county, honest=True
    ),
    Planted("fleet_company", 0.0020, 40, 5, fleet_company, honest=True),
    Planted("credit_garage", 0.0030, 20, 5, credit_garage, honest=True),
    Planted("storm_family", 0.0003, 3, 3, storm_family, honest=True),
    Planted("courier_hub", 0.0015, 15, 6, courier_hub, honest=True),
)
