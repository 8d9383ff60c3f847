"""Offices, schemes and ordinary beneficiaries of the benefits scenario.

A unit is one beneficiary in one scheme. Months are counted from January 2022; people,
offices and companies are known by position until a table is written.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from training.simulation import identifiers, names
from training.simulation.population import Population
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
)

MONTHS = 36
FIRST_MONTH = np.datetime64("2022-01")
EVASION_MONTH = 18  # July 2023: planted schemes begin to evade the rules
NEVER = np.datetime64("2100-01-01")
SCHEMES = (
    *("urban_pension", "resident_pension", "dibao", "tekun", "age_allowance"),
    *("survivor", "disability", "housing", "care_home"),
)
SCHEME_SHARES = (0.22, 0.34, 0.17, 0.04, 0.035, 0.045, 0.06, 0.04, 0.05)
MONTHLY = (3200, 320, 900, 1350, 100, 820, 280, 450, 900)  # yuan, median
SPREAD = (0.25, 0.2, 0.3, 0.08, 0.05, 0.15, 0.1, 0.25, 0.12)
# From which age a scheme begins; 0 = any grown-up may receive it.
BEGINS_AT = (60, 60, 0, 60, 80, 45, 0, 0, 60)
EXCLUSIVE = {"resident_pension": "urban_pension", "tekun": "dibao"}
NEWEST_START = np.datetime64("2024-06-01")
OFFICES_PER_DISTRICT = 3
UNITS_PER_OFFICE = 900  # beyond that a district gets one more office
CLERKS_PER_OFFICE = 3
VILLAGES = (
    *("东风村", "红星村", "和平社区", "新民村", "胜利社区", "光明村", "桥头村"),
    *("塘下村", "大湖村", "西山村", "前进社区", "湖滨社区"),
)
OFFICE_KINDS = ("社会保障服务中心", "民政事务办公室", "公共服务中心")
CERT_MODES, CERT_SHARES = ("face", "visit", "paper", "proxy"), (0.55, 0.24, 0.15, 0.06)
FAMILY_ACCOUNT_RATE = 0.03  # paid to the account of somebody of the household
BANK_CHANGE_RATE = 0.06
EXCEPTION_RATE = 0.03  # minimum-living aid though somebody of the household earns
YEAR = 365.2425


@dataclass(slots=True)
class World:
    """The units and what happens to their people; planters change both."""

    population: Population
    rows: pd.DataFrame
    office_district: Ints
    stops_late: Bools  # per office: far away, so that every stop takes long
    silent_from: Times  # per person: no sign of life from that day on
    visits: Floats  # per person: visits to a doctor a year
    used: Bools  # per person: already dead or part of a planted story
    spouses: Ints  # per person: the other of the first two of a household, or -1
    events: dict[str, list[pd.DataFrame]] = field(default_factory=dict)

    def add(self, event: str, rows: pd.DataFrame) -> None:
        """Let something more happen: rows by positions, written later."""
        self.events.setdefault(event, []).append(rows)

    def happened(self, event: str) -> pd.DataFrame:
        return pd.concat(self.events[event], ignore_index=True)

    def ids(self, name: str) -> Ints:
        """A column of whole numbers of the units."""
        return self.rows[name].to_numpy(dtype=np.int64)

    def of_scheme(self, *schemes: str) -> Bools:
        wanted = [SCHEMES.index(scheme) for scheme in schemes]
        return np.asarray(np.isin(self.ids("kind"), wanted))

    def put(self, units: Ints, **values: Any) -> None:
        """Change columns of some units."""
        for name, value in values.items():
            held: np.ndarray = self.rows[name].to_numpy(copy=True)
            held[units] = value
            # A new column costs a tenth of changing some rows of the old one.
            self.rows[name] = pd.Series(held, dtype=held.dtype, copy=False)


def months(dates: Times) -> Ints:
    """Months since January 2022 (negative before)."""
    since = dates.astype("datetime64[M]") - FIRST_MONTH
    return np.asarray(since.astype(np.int64))


def first_days(month: Ints) -> Times:
    """The first day of each month counted from January 2022."""
    moved = FIRST_MONTH + np.asarray(month).astype("timedelta64[M]")
    return np.asarray(moved.astype("datetime64[D]"))


def build_world(rng: Rng, population: Population, units: int) -> World:
    """Draw the honest beneficiaries: who is entitled, and nobody else."""
    size = len(population.persons)
    rows = _entitled(rng, population, units)
    district = population.persons["district"].to_numpy(np.int64)[rows["person"]]
    per_district = OFFICES_PER_DISTRICT + units // (
        UNITS_PER_OFFICE * len(names.DISTRICTS)
    )
    offices = np.repeat(np.arange(len(names.DISTRICTS)), per_district)
    rows["office"] = district * per_district + rng.integers(0, per_district, units)
    rows["village"] = between(rng, 0, len(VILLAGES) - 1, units)
    rows["clerk"] = rows["office"] * CLERKS_PER_OFFICE + between(
        rng, 0, CLERKS_PER_OFFICE - 1, units
    )
    remote = np.zeros(len(offices), dtype=np.bool_)
    remote[-1] = True
    world = World(
        population=population,
        rows=_paid(rng, population, rows),
        office_district=offices,
        stops_late=remote,
        silent_from=np.full(size, NEVER),
        visits=rng.gamma(1.6, 2.6, size),
        used=np.zeros(size, dtype=np.bool_),
        spouses=_spouses(population),
    )
    _certified(rng, world)
    _loosen(world)
    return world


def _entitled(rng: Rng, population: Population, units: int) -> pd.DataFrame:
    persons = population.persons
    births = persons["birth"].to_numpy().astype("datetime64[D]")
    alive = (persons["status"] != "cancelled_death").to_numpy()
    works = np.zeros(len(persons), dtype=np.bool_)
    works[population.jobs["person"].to_numpy()] = True
    works[population.companies["legal_rep"].to_numpy(np.int64)] = True
    home = persons["household"].to_numpy(np.int64)
    earning = np.zeros(len(population.household_start), dtype=np.bool_)
    earning[home[works]] = True
    # Aid is granted to households without wages, with few exceptions.
    earns = earning[home] & ~chance(rng, len(persons), EXCEPTION_RATE)
    holders: dict[str, Ints] = {}
    parts = []
    for number, (scheme, count) in enumerate(zip(SCHEMES, counts(units), strict=True)):
        grown = births + days(np.array(max(18, BEGINS_AT[number]) * YEAR))
        fits = alive & (grown < NEWEST_START) & ~works
        if scheme == "dibao":
            fits &= ~earns
        fits[holders.get(EXCLUSIVE.get(scheme, ""), np.empty(0, np.int64))] = False
        found = np.flatnonzero(fits)
        if len(found) < count:
            raise ValueError(
                f"simulate: people={len(persons)!r} hold only {len(found)} entitled "
                f"to {scheme}, units={units!r} need {count}"
            )
        holders[scheme] = rng.choice(found, count, replace=False)
        start = _starts(rng, number, births[holders[scheme]])
        parts.append(
            pd.DataFrame(
                {"person": holders[scheme], "scheme": scheme, "start": start}
            ).assign(amount=_amounts(rng, number, count), kind=number)
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows.iloc[rng.permutation(units)].reset_index(drop=True)


def counts(units: int) -> list[int]:
    """Units per scheme; what rounding leaves over goes to the largest."""
    held = [round(share * units) for share in SCHEME_SHARES]
    held[1] += units - sum(held)
    return held


def _starts(rng: Rng, scheme: int, births: Times) -> Times:
    size = len(births)
    entitled = births + days(np.array(BEGINS_AT[scheme] * YEAR + 2))
    applied = np.datetime64("2014-01-01") + days(between(rng, 0, 3800, size))
    late = entitled + days(between(rng, 0, 60, size))
    by_age = SCHEMES[scheme] in ("urban_pension", "resident_pension", "age_allowance")
    start = late if by_age else np.maximum(late, applied)
    start = np.where(start > NEWEST_START, NEWEST_START, start)
    # Schemes begin with the month after they were granted.
    return np.asarray(
        (start.astype("datetime64[M]") + np.timedelta64(1, "M")).astype("datetime64[D]")
    )


def _amounts(rng: Rng, scheme: int, size: int) -> Floats:
    drawn = lognormal(rng, MONTHLY[scheme], SPREAD[scheme], size)
    return np.asarray(np.round(np.maximum(drawn, 30), -1))


def _paid(rng: Rng, population: Population, rows: pd.DataFrame) -> pd.DataFrame:
    size = len(rows)
    person = rows["person"].to_numpy(np.int64)
    own = population.persons["account"].to_numpy(dtype=object)
    home = population.persons["household"].to_numpy(np.int64)[person]
    family = chance(rng, size, FAMILY_ACCOUNT_RATE)
    held = np.where(family, population.household_start[home], person)
    changed = chance(rng, size, BANK_CHANGE_RATE)
    ended = ~rows["scheme"].str.endswith("pension").to_numpy() & chance(rng, size, 0.12)
    first = np.maximum(0, months(rows["start"].to_numpy()))
    last = np.where(ended, np.minimum(35, first + between(rng, 3, 30, size)), 35)
    return rows.assign(
        paid_from=first,
        paid_to=last,
        gap_from=-1,
        gap_to=-1,
        account=own[held],
        new_account=np.where(changed, identifiers.accounts(rng, size), own[held]),
        change_month=between(rng, 2, 33, size),
        fraud=0,
        typology="",
        hard_negative="",
        group=-1,
        wrong_months=0,
    )


def _certified(rng: Rng, world: World) -> None:
    size = len(world.rows)
    mode = pick(rng, CERT_MODES, size, CERT_SHARES)
    world.rows["cert_mode"] = mode
    device = devices(rng, size)
    shared = np.isin(mode, ("visit",))
    terminals = devices(rng, len(world.office_district))
    device[shared] = terminals[world.ids("office")[shared]]
    device[mode == "paper"] = ""
    world.rows["cert_device"] = device
    # Months before the last payment in which the beneficiary was last seen.
    world.rows["cert_age"] = between(rng, 5, 330, size)


def _loosen(world: World) -> None:
    """Texts as objects: changing a few of a column then does not build it anew."""
    held: list[str] = list(world.rows.select_dtypes("str").columns)
    world.rows = world.rows.astype(dict.fromkeys(held, "object"))


def _spouses(population: Population) -> Ints:
    home = population.persons["household"].to_numpy(np.int64)
    place = np.arange(len(home)) - population.household_start[home]
    paired = population.household_size[home] >= 2
    other = np.arange(len(home)) + np.where(place == 0, 1, -1)
    return np.where(paired & (place <= 1), other, -1)


def devices(rng: Rng, size: int) -> Texts:
    """Numbers of the phones and terminals that certifications come from."""
    return np.asarray(
        "D" + identifiers.padded(rng.integers(0, 10**9, size), 9), dtype=object
    )


def certified_on(rows: pd.DataFrame) -> Times:
    """The last certification of each unit, never before its start nor in the future."""
    paid = first_days(rows["paid_to"].to_numpy(np.int64))
    seen = paid - days(rows["cert_age"].to_numpy(np.int64))
    return np.asarray(np.maximum(seen, rows["start"].to_numpy().astype(seen.dtype)))


def window_days(rng: Rng, low: int, high: int, size: int) -> Times:
    """Random days between two months of the window, both included."""
    month = between(rng, low, high, size)
    return np.asarray(first_days(month) + days(rng.integers(0, 28, size)))
