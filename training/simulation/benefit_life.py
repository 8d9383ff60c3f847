"""What ordinarily happens to beneficiaries: death, custody, work, property, care."""

import numpy as np
import pandas as pd

from training.simulation import registers_life, registers_wealth
from training.simulation.benefit_world import (
    EVASION_MONTH,
    MONTHS,
    World,
    months,
)
from training.simulation.registers_life import FIRST_DAY, LAST_DAY
from training.simulation.sampling import (
    Ints,
    Rng,
    Times,
    between,
    chance,
    days,
    lognormal,
    pick,
)

SOURCES_SHARE = 0.7  # how often each further register tells of a death, too
LATE_DAYS = 60  # from then on a death counts as registered late
PAID_TILL_KNOWN_RATE = 0.35  # of late registrations: paid until the office knew
LATE_LAG = 3  # months overpaid from which on a stop looks wrong
HOME_OWNERS, SECOND_HOME = 0.8, 0.12
POOR = ("dibao", "tekun")
SHORT_STAY = 16  # days below which a month of care is not paid
SHORT_MONTH_RATE = 0.10
FACE_TRAVEL = (("face", 0.75), ("travel", 0.35))  # signs of life a year
CHRONIC_RATE = 0.05
CLAIM_RATE = 0.6  # visits that end in a bill to the insurance
EARLIEST_SIGN = np.datetime64("2021-06-01")


def live(rng: Rng, world: World) -> None:
    """Let everything ordinary happen, before anything is planted."""
    _die(rng, world)
    _serve(rng, world)
    _own(rng, world)
    _stay(rng, world)
    population = world.population
    world.add("marriages", registers_life.couples(rng, population))
    world.add("wages", registers_wealth.incomes(rng, population))
    world.add("losses", lost_ids(rng, _bystanders(rng, world, 0.01)))


def record_deaths(
    rng: Rng, world: World, person: Ints, died: Times, *, least: int = 1
) -> Times:
    """Deaths as one to three registers tell of them; returns when the first one knew."""
    size = len(person)
    told = np.maximum(least, 1 + rng.binomial(2, SOURCES_SHARE, size))
    rank = rng.random((size, 3)).argsort(axis=1)
    first = np.full(size, np.datetime64("2100-01-01"))
    for number, origin in enumerate(registers_life.ORIGINS):
        tells = rank[:, number] < told
        known = died + registers_life.registered_after(rng, size)
        first = np.where(tells, np.minimum(first, known), first)
        world.add("deaths", death_rows(person, person, origin, died, known)[tells])
    world.silent_from[person] = died
    return first


def death_rows(
    person: Ints, named: Ints, origin: str, died: Times, known: Times
) -> pd.DataFrame:
    """Death records: whose number they bear, and whose name and birth date."""
    return pd.DataFrame(
        {
            "person": person,
            "named": named,
            "origin": origin,
            "died": died,
            "known": known,
        }
    )


def _die(rng: Rng, world: World) -> None:
    rows = registers_life.deaths(rng, world.population)
    newest = pd.Series(world.rows["start"].to_numpy()).groupby(world.ids("person"))
    begun = newest.max().reindex(rows["person"]).to_numpy()
    # Nobody is granted a benefit after death.
    rows = rows[~(begun >= rows["died"].to_numpy())]
    person = rows["person"].to_numpy(np.int64)
    died = rows["died"].to_numpy().astype("datetime64[D]")
    known = record_deaths(rng, world, person, died)
    world.used[person] = True
    _stop(rng, world, person, died, known)


def _stop(rng: Rng, world: World, person: Ints, died: Times, known: Times) -> None:
    """Offices stop paying a month or two later, some only when they hear of it."""
    place = np.full(len(world.used), -1)
    place[person] = np.arange(len(person))
    units = np.flatnonzero(place[world.ids("person")] >= 0)
    of = place[world.ids("person")[units]]
    size = len(units)
    death_month, known_month = months(died[of]), months(known[of])
    lag = rng.choice(4, size, p=(0.4, 0.45, 0.13, 0.02))
    remote = world.stops_late[world.ids("office")[units]]
    lag = np.where(remote, lag + between(rng, 2, 3, size), lag)
    late = (known[of] > died[of] + days(np.array(LATE_DAYS))) & chance(
        rng, size, PAID_TILL_KNOWN_RATE
    )
    lag = np.where(late, known_month - death_month + 1, lag)
    first, last = world.ids("paid_from")[units], world.ids("paid_to")[units]
    stop = np.clip(np.minimum(last, death_month + lag), first, MONTHS - 1)
    over = stop - death_month
    kind = np.where(remote, "remote_office", "late_registration")
    kind = np.where(over >= LATE_LAG, kind, np.where(over == 2, "last_month_lag", ""))
    world.put(units, paid_to=stop, hard_negative=kind)


def _serve(rng: Rng, world: World) -> None:
    """Custody; offices suspend what may not be paid in prison."""
    rows = registers_life.custody(rng, world.population)
    person = rows["person"].to_numpy(np.int64)
    rows = rows[~world.used[person]]
    world.add("custody", rows)
    prison = rows[rows["kind"] == "prison"]
    place = np.full(len(world.used), -1)
    place[prison["person"].to_numpy(np.int64)] = np.arange(len(prison))
    units = np.flatnonzero(place[world.ids("person")] >= 0)
    held = prison.iloc[place[world.ids("person")[units]]]
    suspend(
        world,
        units,
        held["start"].to_numpy(),
        held["end"].to_numpy(),
    )
    world.used[rows["person"].to_numpy(np.int64)] = True


def suspend(world: World, units: Ints, start: Times, end: Times) -> None:
    """No payment in the months between two days."""
    first = np.clip(months(start) + 1, 0, MONTHS - 1)
    world.put(units, gap_from=first, gap_to=np.minimum(months(end), MONTHS - 1))


def _poor(world: World) -> "np.ndarray":
    """Who receives what only those without property may receive, by person."""
    poor = np.zeros(len(world.used), dtype=np.bool_)
    poor[world.ids("person")[world.of_scheme(*POOR)]] = True
    return poor


def _own(rng: Rng, world: World) -> None:
    """Cars, homes and companies, but none for those whom the office has checked."""
    population = world.population
    poor = _poor(world)
    cars = registers_wealth.cars(rng, population)
    cheap = (cars["value"] < 25_000).to_numpy()
    world.add("cars", cars[~poor[cars["person"].to_numpy(np.int64)] | cheap])
    roles = registers_wealth.company_roles(rng, population)
    world.add("roles", roles[~poor[roles["person"].to_numpy(np.int64)]])
    adults = np.flatnonzero(population.adults())
    owners = adults[chance(rng, len(adults), HOME_OWNERS)]
    world.add("homes", homes(rng, owners))
    second = owners[chance(rng, len(owners), SECOND_HOME) & ~poor[owners]]
    world.add("homes", homes(rng, second))


def homes(rng: Rng, owners: Ints) -> pd.DataFrame:
    """Homes by owner: share held, how and when they came by it, area and value."""
    size = len(owners)
    how = pick(rng, ("purchase", "inheritance", "resettlement"), size, (72, 8, 20))
    inherited = how == "inheritance"
    area = np.round(lognormal(rng, 88, 0.3, size))
    return pd.DataFrame(
        {
            "person": owners,
            "share": np.where(
                inherited, 1 / between(rng, 2, 5, size), pick_share(rng, size)
            ),
            "how": how,
            "area": area,
            "value": np.round(area * lognormal(rng, 9500, 0.3, size), -3),
            "acquired": LAST_DAY - days(between(rng, 60, 7000, size)),
        }
    )


def pick_share(rng: Rng, size: int) -> "np.ndarray":
    """Most own a home alone or with their spouse."""
    return np.where(chance(rng, size, 0.55), 1.0, 0.5)


def _stay(rng: Rng, world: World) -> None:
    """Months in care homes; a short month is not claimed."""
    units = np.flatnonzero(world.of_scheme("care_home"))
    population = world.population
    district = population.persons["district"].to_numpy(np.int64)
    local = population.companies["district"].to_numpy(np.int64)
    care = population.companies_of("care_home")
    person = world.ids("person")[units]
    home = rng.choice(care, len(units))
    for place in range(len(np.unique(local))):
        near = care[local[care] == place]
        here = np.flatnonzero(district[person] == place)
        if len(near):
            home[here] = rng.choice(near, len(here))
    world.rows["home"] = -1
    world.put(units, home=home)
    world.rows["short_month"] = -1
    first, last = world.ids("paid_from")[units], world.ids("paid_to")[units]
    short = chance(rng, len(units), SHORT_MONTH_RATE) & (last - first > 3)
    short &= world.ids("gap_from")[units] < 0
    month = np.where(short, first + (last - first) // 2, -1)
    world.put(units, short_month=month)
    chosen = units[short]
    world.put(chosen, gap_from=month[short], gap_to=month[short])


def lost_ids(rng: Rng, people: Ints) -> pd.DataFrame:
    """Identity cards reported as lost."""
    lost = FIRST_DAY + days(between(rng, -2500, 900, len(people)))
    return pd.DataFrame({"person": people, "reported": lost})


def _bystanders(rng: Rng, world: World, rate: float) -> Ints:
    adults = np.flatnonzero(world.population.adults())
    return adults[chance(rng, len(adults), rate)]


def signs_of_life(rng: Rng, world: World) -> pd.DataFrame:
    """Doctor's visits, face checks and travel of all beneficiaries while they live."""
    people = np.unique(world.ids("person"))
    years = (LAST_DAY - EARLIEST_SIGN).astype(int) / 365
    kinds = [("clinic", world.visits[people])]
    kinds += [(kind, np.full(len(people), rate)) for kind, rate in FACE_TRAVEL]
    parts = []
    for kind, rate in kinds:
        count = rng.poisson(rate * years)
        person = np.repeat(people, count)
        span = int((LAST_DAY - EARLIEST_SIGN).astype(int))
        day = EARLIEST_SIGN + days(rng.integers(0, span, len(person)))
        seen = pd.DataFrame({"person": person, "kind": kind, "day": day})
        parts.append(seen[day < world.silent_from[person]])
    if "signs" in world.events:
        parts.append(world.happened("signs"))
    return pd.concat(parts, ignore_index=True)


def medical_bills(rng: Rng, world: World, signs: pd.DataFrame) -> pd.DataFrame:
    """Bills of the visits, beside those that were planted."""
    visits = signs[signs["kind"] == "clinic"]
    visits = visits[chance(rng, len(visits), CLAIM_RATE)]
    clinics = world.population.companies_of("clinic")
    size = len(visits)
    amount = lognormal(rng, 145, 0.8, size)
    # The chronically ill fetch the same medicine every time.
    chronic = chance(rng, len(world.used), CHRONIC_RATE)
    usual = lognormal(rng, 160, 0.5, len(world.used)).round(0)
    person = visits["person"].to_numpy(np.int64)
    same = chronic[person] & chance(rng, size, 0.6)
    amount = np.where(same, usual[person] + rng.uniform(-1, 1, size), amount)
    bills = pd.DataFrame(
        {
            "person": visits["person"].to_numpy(),
            "clinic": rng.choice(clinics, size),
            "day": visits["day"].to_numpy(),
            "item": pick(rng, ("门诊诊疗", "西药", "中成药", "检查检验"), size),
            "amount": np.round(amount, 1),
        }
    )
    return pd.concat([bills, *world.events.get("bills", [])], ignore_index=True)


def stays(rng: Rng, world: World) -> pd.DataFrame:
    """One row per unit in care and month: person, home, month, days."""
    rows = world.rows[world.of_scheme("care_home")]
    first, last = rows["paid_from"].to_numpy(), rows["paid_to"].to_numpy()
    count = (last - first + 1).astype(np.int64)
    of = np.repeat(np.arange(len(rows)), count)
    month = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    # Homes type 30 unless somebody was away.
    away = chance(rng, len(of), 0.15)
    held = np.where(away, between(rng, 18, 29, len(of)), 30)
    short = rows["short_month"].to_numpy()[of] == month
    held = np.where(short, between(rng, 3, SHORT_STAY - 1, len(of)), held)
    table = pd.DataFrame(
        {
            "person": rows["person"].to_numpy()[of],
            "home": rows["home"].to_numpy()[of],
            "month": month,
            "days": held,
        }
    )
    return _padded(rng, rows, of, table)


def _padded(
    rng: Rng, rows: pd.DataFrame, of: Ints, table: pd.DataFrame
) -> pd.DataFrame:
    """Months that homes claim for people who were hardly there."""
    typology = rows["typology"].to_numpy(dtype=object)[of]
    month = table["month"].to_numpy(np.int64)
    padded = (typology == "care_home_padding") & chance(rng, len(of), 0.5)
    exact = (
        (typology == "stays_at_sixteen")
        & (month >= EVASION_MONTH)
        & chance(rng, len(of), 0.8)
    )
    held = np.where(
        padded, between(rng, 2, SHORT_STAY - 1, len(of)), table["days"].to_numpy()
    )
    return table.assign(days=np.where(exact, SHORT_STAY, held))
