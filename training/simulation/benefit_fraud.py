"""Planted schemes of the benefits scenario, plain ones and such that evade the rules."""

import numpy as np
import pandas as pd

from training.simulation import identifiers
from training.simulation.benefit_life import homes, record_deaths
from training.simulation.benefit_plants import (
    Planted,
    long_paid,
    of,
)
from training.simulation.benefit_world import (
    EVASION_MONTH,
    MONTHS,
    World,
    devices,
    first_days,
    months,
)
from training.simulation.population import QUARTERS
from training.simulation.registers_life import LAST_DAY
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    between,
    chance,
    days,
    pick,
    texts,
)

LINE = 1130  # yuan a month: the minimum-living line of the prefecture
TWO_REGISTERS_RATE = 0.75  # of deaths that the family draws on
STRAY_SIGN_RATE = 0.03  # somebody else used the card of a dead person
ROUND_SUM, VARIED_SUM = 814.8, 612.4
TEMPLATE_ITEM = "中药饮片"
LONG_AGO = np.datetime64("1990-01-01")


def dead_paid(rng: Rng, world: World, units: Ints) -> None:
    """The family keeps drawing 6 to 30 months after a registered death."""
    size = len(units)
    person = world.ids("person")[units]
    last = between(rng, 24, MONTHS - 1, size)
    over = np.minimum(between(rng, 6, 30, size), last)
    died = first_days(last - over) - days(between(rng, 0, 27, size))
    least = 2 if chance(rng, 1, TWO_REGISTERS_RATE)[0] else 1
    record_deaths(rng, world, person, died, least=least)
    stray = chance(rng, size, STRAY_SIGN_RATE)
    seen = died + days(between(rng, 40, 150, size))
    world.add("signs", _signs(person[stray], "clinic", seen[stray]))
    world.put(
        units,
        paid_to=last,
        wrong_months=over,
        cert_mode=pick(rng, ("proxy", "paper", "visit"), size, (5, 4, 1)),
    )


def hidden_death(rng: Rng, world: World, units: Ints) -> None:
    """Buried at home without a record; proxies certify, the child's account is paid."""
    size = len(units)
    person = world.ids("person")[units]
    died = first_days(between(rng, 6, EVASION_MONTH - 2, size))
    world.silent_from[person] = died
    world.visits[person] = rng.uniform(9, 16, size)
    mates = world.population.household_start[
        world.population.persons["household"].to_numpy(np.int64)[person]
    ]
    account = world.population.persons["account"].to_numpy(dtype=object)
    child = np.where(mates == person, identifiers.accounts(rng, size), account[mates])
    month = EVASION_MONTH + between(rng, 0, 5, size)
    world.put(
        units,
        new_account=child,
        change_month=month,
        cert_mode="proxy",
        cert_device=devices(rng, 1)[0] if size > 1 else devices(rng, size),
        cert_age=between(rng, 20, 300, size),
        wrong_months=MONTHS - 1 - months(died),
    )


def clerk_ghosts(rng: Rng, world: World, units: Ints) -> None:
    """A clerk revives people long dead or gone and shares out two accounts."""
    size = len(units)
    persons = world.population.persons
    away = persons["status"].isin(("cancelled_death", "migrated")).to_numpy()
    old = persons["birth"].to_numpy() < np.datetime64("1964-01-01")
    holds = np.isin(np.arange(len(persons)), world.ids("person"))
    gone = np.flatnonzero(away & old & ~holds & ~world.used)
    ghosts = rng.choice(gone, size, replace=False)
    world.silent_from[ghosts] = LONG_AGO
    world.used[ghosts] = True
    accounts = identifiers.accounts(rng, 2)
    first = between(rng, 0, 14, size)
    account = accounts[(np.arange(size) >= max(3, size // 2)).astype(int)]
    world.put(
        units,
        person=ghosts,
        clerk=int(world.ids("clerk")[units[0]]),
        office=int(world.ids("office")[units[0]]),
        start=first_days(first),
        paid_from=first,
        account=account,
        new_account=account,
        cert_mode="proxy",
        cert_device=devices(rng, 1)[0],
        wrong_months=MONTHS - first,
    )


def prison_paid(rng: Rng, world: World, units: Ints) -> None:
    """Nobody told the office, and it never asked."""
    size = len(units)
    start = first_days(between(rng, 4, 20, size))
    length = between(rng, 10, 40, size)
    end = start + days(30 * length)
    world.add("custody", custody_rows(world, units, "prison", start, end))
    inside = np.minimum(MONTHS - 1, months(end)) - months(start)
    world.put(units, wrong_months=inside)


def custody_rows(
    world: World, units: Ints, kind: str, start: np.ndarray, end: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": world.ids("person")[units],
            "kind": kind,
            "start": start,
            "end": end,
        }
    )


def hidden_wage(rng: Rng, world: World, units: Ints) -> None:
    """A steady wage beside minimum-living aid."""
    person = world.ids("person")[units]
    wages = _wages(rng, world, person, between(rng, 0, 5, len(units)))
    world.add("wages", wages)
    world.put(units, wrong_months=_worked(wages))


def spouse_wage(rng: Rng, world: World, units: Ints) -> None:
    """From the campaign on wages go to the spouse; the beneficiary earns nothing."""
    person = world.ids("person")[units]
    wages = _wages(rng, world, world.spouses[person], np.full(len(units), 6))
    world.add("wages", wages.assign(income=(wages["income"] * 1.6).round(-2)))
    world.put(units, wrong_months=_worked(wages))


def _has_idle_spouse(world: World) -> Bools:
    """Poor by the register, with a spouse of whom no benefit and no death is known."""
    other = world.spouses[world.ids("person")]
    known = world.used.copy()
    known[world.ids("person")] = True
    adult = world.population.adults()
    return long_paid("dibao")(world) & (other >= 0) & ~known[other] & adult[other]


def _wages(rng: Rng, world: World, person: Ints, first: Ints) -> pd.DataFrame:
    others = world.population.companies_of("other")
    pay = np.round(3 * LINE * rng.uniform(1.6, 3.2, len(person)), -2)
    return pd.DataFrame(
        {
            "person": person,
            "company": rng.choice(others, len(person)),
            "first_quarter": first,
            "last_quarter": np.minimum(QUARTERS - 1, first + between(rng, 4, 9, 1)),
            "income": pay,
        }
    )


def _worked(wages: pd.DataFrame) -> Ints:
    quarters = wages["last_quarter"] - wages["first_quarter"] + 1
    return np.asarray(3 * quarters.to_numpy(), dtype=np.int64)


def hidden_assets(rng: Rng, world: World, units: Ints) -> None:
    """A good car, a second home or a firm that the declaration leaves out."""
    size = len(units)
    person = world.ids("person")[units]
    kind = rng.integers(0, 3, size)
    driven, housed, firm = person[kind == 0], person[kind == 1], person[kind == 2]
    value = np.round(rng.uniform(70_000, 260_000, len(driven)), -2)
    bought = LAST_DAY - days(between(rng, 200, 1000, len(driven)))
    world.add("cars", car_rows(driven, value, bought))
    owned = homes(rng, np.repeat(housed, 2))
    world.add("homes", owned.assign(how="purchase", share=1.0))
    world.add("roles", role_rows(rng, world, firm, "legal_rep", online=0.12))
    world.put(units, wrong_months=between(rng, 8, 24, size))


def car_rows(person: Ints, value: np.ndarray, bought: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": person,
            "company": -1,
            "value": value,
            "use": texts(["private"] * len(person)),
            "registered": bought,
        }
    )


def role_rows(
    rng: Rng, world: World, person: Ints, role: str, *, online: float
) -> pd.DataFrame:
    """Roles at ordinary companies, filed at the counter or online."""
    size = len(person)
    company = rng.choice(world.population.companies_of("other"), size)
    share = np.where(role == "shareholder", rng.uniform(0.002, 0.02, size), np.nan)
    return pd.DataFrame(
        {
            "company": company,
            "person": person,
            "role": texts([role] * size),
            "share": share,
            "channel": pick(rng, ("online", "counter"), size, (online, 1 - online)),
            "since": np.datetime64("2018-01-01") + days(between(rng, 0, 1900, size)),
            "until": np.datetime64("NaT"),
        }
    )


def double_pension(rng: Rng, world: World, units: Ints) -> None:
    """Resident pension drawn on beside the employees' pension."""
    pair_up(rng, world, units, early=True)
    last = np.full(len(units), MONTHS - 1)
    world.put(units, paid_to=last, wrong_months=MONTHS - world.ids("paid_from")[units])


def pair_up(rng: Rng, world: World, units: Ints, *, early: bool) -> None:
    """Let the units belong to people who draw an employees' pension."""
    fits = of("urban_pension")(world)
    begun = world.ids("paid_from")
    fits &= (begun <= 20) if early else (begun >= 3) & (begun <= 32)
    free = np.flatnonzero(fits & ~world.used[world.ids("person")])
    held = rng.choice(free, len(units), replace=False)
    person = world.ids("person")[held]
    world.used[world.ids("person")[held]] = True
    world.put(
        units,
        person=person,
        start=world.rows["start"].to_numpy()[held],
        paid_from=begun[held],
        account=world.rows["account"].to_numpy(dtype=object)[held],
        new_account=world.rows["account"].to_numpy(dtype=object)[held],
    )


def care_home_padding(rng: Rng, world: World, units: Ints) -> None:
    """One home claims months for residents who were hardly there."""
    world.put(units, home=int(world.ids("home")[units[0]]))
    world.put(units, wrong_months=_months_paid(world, units) // 2)


def stays_at_sixteen(rng: Rng, world: World, units: Ints) -> None:
    """From the campaign on the home writes just the days that the rule asks for."""
    world.put(units, home=int(world.ids("home")[units[0]]))
    world.put(units, wrong_months=between(rng, 9, 16, len(units)))


def _months_paid(world: World, units: Ints) -> Ints:
    return np.asarray(
        world.ids("paid_to")[units] - world.ids("paid_from")[units] + 1, dtype=np.int64
    )


def template_prescriptions(rng: Rng, world: World, units: Ints) -> None:
    """A clinic bills the same sum for many cards on one day."""
    _templates(rng, world, units, 0, ROUND_SUM, 0)


def varied_templates(rng: Rng, world: World, units: Ints) -> None:
    """The same from the campaign on, with a yuan more or less."""
    _templates(rng, world, units, EVASION_MONTH, VARIED_SUM, 1)


def _templates(
    rng: Rng, world: World, units: Ints, begin: int, amount: float, vary: int
) -> None:
    person = world.ids("person")[units]
    clinic = int(rng.choice(world.population.companies_of("clinic")))
    month = np.arange(begin, MONTHS)
    day = first_days(month) + days(rng.integers(3, 27, len(month)))
    # The clinic bills on the last days of the year, too.
    day = np.append(day, LAST_DAY - days(rng.integers(1, 8, 1)))
    used = rng.random((len(day), len(person))) < 0.85
    used[-1] = True
    times, who = np.nonzero(used)
    sums = amount + vary * np.round(rng.uniform(-1, 1, len(who)), 1)
    bills = pd.DataFrame(
        {
            "person": person[who],
            "clinic": clinic,
            "day": day[times],
            "item": TEMPLATE_ITEM,
            "amount": sums,
        }
    )
    world.add("bills", bills)
    seen = bills[chance(rng, len(bills), 0.6)]
    world.add(
        "signs", _signs(seen["person"].to_numpy(), "clinic", seen["day"].to_numpy())
    )
    world.put(units, wrong_months=np.bincount(who, minlength=len(person)))


def _signs(person: Ints, kind: str, day: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"person": person, "kind": kind, "day": day})


PENSIONS = ("urban_pension", "resident_pension", "age_allowance", "survivor")
CARDS = ("dibao", "tekun", "disability", "resident_pension")
TYPOLOGIES = (
    Planted(
        "double_pension", 0.002, 2, of("resident_pension"), double_pension, fraud=True
    ),
    Planted("dead_paid", 0.003, 3, long_paid(*PENSIONS), dead_paid, fraud=True),
    Planted(
        *("hidden_death", 0.0015, 4, long_paid(*PENSIONS), hidden_death),
        group_size=4,
        fraud=True,
    ),
    Planted(
        *("clerk_ghosts", 0.0003, 5, of("resident_pension"), clerk_ghosts),
        group_size=5,
        fraud=True,
    ),
    Planted("prison_paid", 0.0005, 2, long_paid(*PENSIONS), prison_paid, fraud=True),
    Planted("spouse_wage", 0.0015, 2, _has_idle_spouse, spouse_wage, fraud=True),
    Planted("hidden_wage", 0.005, 3, long_paid("dibao"), hidden_wage, fraud=True),
    Planted("hidden_assets", 0.003, 3, long_paid("dibao"), hidden_assets, fraud=True),
    Planted(
        *("care_home_padding", 0.002, 4, long_paid("care_home"), care_home_padding),
        group_size=6,
        fraud=True,
    ),
    Planted(
        *("stays_at_sixteen", 0.0015, 4, long_paid("care_home"), stays_at_sixteen),
        group_size=5,
        fraud=True,
    ),
    Planted(
        *("template_prescriptions", 0.004, 7, of(*CARDS), template_prescriptions),
        group_size=12,
        fraud=True,
    ),
    Planted(
        *("varied_templates", 0.002, 7, of(*CARDS), varied_templates),
        group_size=9,
        fraud=True,
    ),
)
CAUGHT_BY_RULES = "double_pension"
CAUGHT_BY_NO_RULE = "hidden_death"
