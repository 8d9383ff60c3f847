"""Cars, policies, garages, appraisers and agents of the vehicle scenario."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation import identifiers, names
from training.simulation.population import QUARTERS, Population
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    distinct,
    lognormal,
    pick,
    texts,
    weighted,
    weighted_within,
)

FIRST_DAY = np.datetime64("2022-01-01")
LAST_DAY = np.datetime64("2024-12-31")
WINDOW_DAYS = int((LAST_DAY - FIRST_DAY).astype(int)) + 1
CLASSES = ("private", "taxi", "ride_hailing", "freight", "fleet")
CLASS_SHARES = np.array([0.87, 0.02, 0.03, 0.05, 0.03])
CLAIMS_PER_YEAR = np.array([0.25, 1.2, 1.2, 0.25, 0.25])
COMPANY_OWNED = np.array([0.0, 0.7, 0.0, 0.3, 1.0])
PEOPLE_PER_VEHICLE = 1.9
RECENT_OWNER_RATE = 0.12  # bought, new or used, inside the window
LUXURY_RATE = 0.04
SWITCH_INSURER_RATE = 0.15
CITIZEN_AGENT_RATE = 0.08  # 公民代理: no licence
APPRAISERS_PER_SHOP = 3
EXPERTS_PER_AGENCY = 3
POLICY_YEARS = 4  # a window of three years meets at most four policy years
COVERS = ("compulsory", "third_party", "hull")
HOSPITALS = (
    *(
        "绍兴市人民医院",
        "绍兴第二医院",
        "绍兴市中医院",
        "绍兴市中心医院",
        "柯桥区中医院",
        "上虞人民医院",
    ),
    *(
        "诸暨市人民医院",
        "诸暨市中医院",
        "嵊州市人民医院",
        "新昌县人民医院",
    ),
)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that claims happen to; columns hold positions, not numbers."""

    population: Population
    vehicles: pd.DataFrame
    insurers: Ints  # vehicle x policy year -> insurer
    policy_serials: Ints
    shops: Ints  # company positions; below, a shop is a position in this list
    shop_district: Ints
    shop_weight: Floats
    shop_appraisers: Ints  # shop x 3 -> agency
    agencies: Ints
    experts: Ints  # agency x 3 -> person
    agents: pd.DataFrame
    agent_weight: Floats
    garage_of: Ints  # person -> shop that employs them, or -1
    calm: Floats  # person -> how often the other side is at fault


def vehicles_for(claims: int) -> int:
    """How many vehicles have that many claims in the window."""
    return max(600, round(claims / (3 * float(CLASS_SHARES @ CLAIMS_PER_YEAR))))


def build_world(rng: Rng, population: Population, claims: int) -> World:
    """Cars, policies, garages, appraisers and agents of a prefecture."""
    vehicle_count = vehicles_for(claims)
    vehicles = _vehicles(rng, population, vehicle_count)
    shops = population.companies_of("garage")
    districts = population.companies["district"].to_numpy()
    agencies = population.companies_of("appraiser")
    agents = _agents(rng, population)
    return World(
        population=population,
        vehicles=vehicles,
        insurers=_insurers(rng, vehicle_count),
        policy_serials=distinct(rng, vehicle_count * POLICY_YEARS * 3, 10**9),
        shops=shops,
        shop_district=districts[shops],
        shop_weight=_popularity(rng, len(shops)),
        shop_appraisers=_shop_appraisers(rng, districts[shops], districts[agencies]),
        agencies=agencies,
        experts=_experts(rng, population, agencies),
        agents=agents,
        agent_weight=_popularity(rng, len(agents)),
        garage_of=_garage_of(population, shops),
        calm=_calm(rng, population, vehicles),
    )


def _popularity(rng: Rng, size: int) -> Floats:
    """Zipf shares, flattened at the top, in random order."""
    return rng.permutation((np.arange(size) + 5.0) ** -0.9)


def _vehicles(rng: Rng, population: Population, size: int) -> pd.DataFrame:
    kind = weighted(rng, CLASS_SHARES, size)
    keepers = np.flatnonzero(population.adults())
    fleets = population.companies_of("fleet")
    owned = chance(rng, size, COMPANY_OWNED[kind])
    recent = chance(rng, size, RECENT_OWNER_RATE)
    bought = FIRST_DAY + days(between(rng, 0, WINDOW_DAYS - 60, size))
    return pd.DataFrame(
        {
            "plate": identifiers.plates(rng, size, population.place.plate),
            "vin": identifiers.vins(rng, size),
            "kind": kind,
            "keeper": rng.choice(keepers, size, replace=size > len(keepers)),
            "company": np.where(owned, rng.choice(fleets, size), -1),
            "value_wan": _values(rng, kind),
            "acquired": np.where(recent, bought, np.datetime64("2015-01-01")),
            "anniversary": np.where(
                recent, day_of_year(bought), rng.integers(0, 365, size)
            ),
            "rate": CLAIMS_PER_YEAR[kind] * lognormal(rng, 1.0, 0.35, size),
        }
    )


def day_of_year(when: np.ndarray) -> Ints:
    """0 for 1 January; capped at 364 so that every year has the day."""
    start = when.astype("datetime64[Y]").astype("datetime64[D]")
    passed = (when.astype("datetime64[D]") - start).astype(np.int64)
    return np.asarray(np.minimum(passed, 364), dtype=np.int64)


def _values(rng: Rng, kind: Ints) -> Floats:
    value = lognormal(rng, 11.0, 0.45, len(kind))
    luxury = chance(rng, len(kind), LUXURY_RATE) & (kind == 0)
    value[luxury] = lognormal(rng, 55.0, 0.4, int(luxury.sum()))
    return value.round(1)


def _insurers(rng: Rng, size: int) -> Ints:
    shares = np.array([0.30, 0.22, 0.15, 0.10, 0.08, 0.06, 0.05, 0.04])
    insurers = np.empty((size, POLICY_YEARS), dtype=np.int64)
    insurers[:, 0] = weighted(rng, shares, size)
    for year in range(1, POLICY_YEARS):
        switched = chance(rng, size, SWITCH_INSURER_RATE)
        other = weighted(rng, shares, size)
        insurers[:, year] = np.where(switched, other, insurers[:, year - 1])
    return insurers


def _shop_appraisers(rng: Rng, shops: Ints, agencies: Ints) -> Ints:
    """Each shop works with one to three agencies of its own district."""
    even = np.ones(len(agencies))
    picks = [weighted_within(rng, shops, agencies, even) for _ in range(3)]
    usual = np.column_stack(picks)
    few = rng.integers(1, APPRAISERS_PER_SHOP + 1, len(shops))
    usual[few < 2, 1] = usual[few < 2, 0]
    usual[few < 3, 2] = usual[few < 3, 0]
    return usual


def _experts(rng: Rng, population: Population, agencies: Ints) -> Ints:
    staff = [population.staff_of(int(agency)) for agency in agencies]
    everyone = np.flatnonzero(population.adults())
    drawn = [
        rng.choice(people if len(people) else everyone, EXPERTS_PER_AGENCY)
        for people in staff
    ]
    return np.array(drawn, dtype=np.int64)


def _agents(rng: Rng, population: Population) -> pd.DataFrame:
    """Lawyers at their firms, and citizens who act without a licence."""
    firms = population.companies_of("law_firm")
    jobs = population.jobs
    jobs = jobs[jobs["company"].isin(firms) & (jobs["last_quarter"] == QUARTERS - 1)]
    person = jobs["person"].to_numpy(np.int64)
    firm = jobs["company"].to_numpy(np.int64)
    citizen = chance(rng, len(person), CITIZEN_AGENT_RATE)
    serial = identifiers.padded(distinct(rng, len(person), 10**8), 12)
    licence = f"1{population.place.code}" + serial
    return pd.DataFrame(
        {
            "person": person,
            "firm": firm,
            "licence": np.where(citizen, "", licence),
        }
    )


def _calm(rng: Rng, population: Population, vehicles: pd.DataFrame) -> Floats:
    """Share of crashes that are the other side's fault: higher for professionals."""
    calm = rng.beta(5, 5, len(population.persons))
    hired = vehicles["kind"].isin(
        (CLASSES.index("taxi"), CLASSES.index("ride_hailing"))
    )
    drivers = vehicles["keeper"].to_numpy(dtype=np.int64)[hired.to_numpy()]
    calm[drivers] = rng.beta(7, 2.5, len(drivers))
    return calm


def _garage_of(population: Population, shops: Ints) -> Ints:
    """The garage that pays a person's social insurance, as a shop position."""
    shop_of = np.full(len(population.companies), -1)
    shop_of[shops] = np.arange(len(shops))
    jobs = population.jobs[population.jobs["last_quarter"] == QUARTERS - 1]
    garage = np.full(len(population.persons), -1)
    garage[jobs["person"].to_numpy()] = shop_of[jobs["company"].to_numpy()]
    return garage


def policy_year(world: World, vehicle: Ints, when: np.ndarray) -> Ints:
    """Which of a vehicle's policy years (0 starts in 2021) covers a moment."""
    year = when.astype("datetime64[Y]").astype(np.int64) + 1970
    begun = day_of_year(when) >= world.vehicles["anniversary"].to_numpy()[vehicle]
    return np.asarray(np.clip(year - 2022 + begun, 0, POLICY_YEARS - 1))


def policy_codes(vehicle: Ints, year: Ints, cover: Ints) -> Ints:
    """One position per vehicle, policy year and cover."""
    return np.asarray((vehicle * POLICY_YEARS + year) * len(COVERS) + cover)


def policy_numbers(world: World, codes: Ints) -> Texts:
    """Policy numbers as printed: insurer, cover and a number without order."""
    vehicle, cover = codes // (POLICY_YEARS * 3), codes % 3
    year = codes // 3 % POLICY_YEARS
    insurer = world.insurers[vehicle, year]
    head = texts([f"P{place + 1:02d}" for place in range(len(names.INSURERS))])
    kind = texts(["JQ", "SZ", "CS"])
    serial = identifiers.padded(world.policy_serials[codes], 9)
    kind = kind + world.population.place.mark
    return np.asarray(head[insurer] + kind[cover] + serial, dtype=object)


def draw_hospitals(rng: Rng, size: int) -> Texts:
    """Hospitals by size."""
    return pick(rng, HOSPITALS, size, list(1 / (np.arange(len(HOSPITALS)) + 2.0)))
