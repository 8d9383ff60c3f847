"""Hard negatives of the benefits scenario: honest people whom a naive join accuses."""

import numpy as np
import pandas as pd

from training.simulation import identifiers
from training.simulation.benefit_fraud import (
    PENSIONS,
    car_rows,
    custody_rows,
    pair_up,
    role_rows,
)
from training.simulation.benefit_life import death_rows, homes, lost_ids, suspend
from training.simulation.benefit_plants import Planted, long_paid, of
from training.simulation.benefit_world import (
    MONTHS,
    World,
    devices,
    first_days,
    window_days,
)
from training.simulation.registers_life import LAST_DAY
from training.simulation.sampling import (
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    texts,
)

ALIVE_VISITS = (4.0, 14.0)  # visits a year of people whom a register calls dead
CHECKUP_SUM, CHECKUP_ITEM = 198.0, "健康体检套餐"


def dead_on_paper(rng: Rng, world: World, units: Ints) -> None:
    """Documented: 88 years old, dead in the household register for nine years."""
    died = np.datetime64("2013-02-01") + days(between(rng, 0, 1000, len(units)))
    person = _alive(rng, world, units)
    known = died + days(between(rng, 5, 60, len(units)))
    world.add("deaths", death_rows(person, person, "register", died, known))
    # The mistake was copied into a second register for some of them.
    copied = chance(rng, len(units), 0.4)
    again = death_rows(person, person, "certificate", died, known + days(np.array(400)))
    world.add("deaths", again[copied])


def _lag(person: Ints) -> Times:
    """Days until a mistaken record was entered: neither long nor all alike."""
    return days(4 + person % 26)


def same_name_and_birth(rng: Rng, world: World, units: Ints) -> None:
    """The crematorium's list has no number: somebody else of that name and birth date."""
    person = _alive(rng, world, units)
    died = window_days(rng, 2, 26, len(units))
    rows = death_rows(person, person, "cremation", died, died + _lag(person))
    world.add("deaths", rows.assign(person=-1))


def twin_died(rng: Rng, world: World, units: Ints) -> None:
    """The hospital took the twin's number."""
    person = _alive(rng, world, units)
    died = window_days(rng, 2, 26, len(units))
    rows = death_rows(person, person, "certificate", died, died + _lag(person))
    own = world.population.persons["name"].to_numpy(dtype=object)[person]
    world.add("deaths", rows.assign(name=_siblings(own)))


def _siblings(own: Texts) -> Texts:
    """Names of brothers and sisters: the same surname."""
    return texts([name[0] + ("建国" if len(name) == 2 else "建平") for name in own])


def mistyped_death(rng: Rng, world: World, units: Ints) -> None:
    """One digit wrong in a stranger's death record."""
    person = _alive(rng, world, units)
    gone = np.flatnonzero(
        (world.population.persons["status"] == "cancelled_death").to_numpy()
    )
    stranger = rng.choice(gone, len(units))
    died = window_days(rng, 2, 26, len(units))
    world.add(
        "deaths",
        death_rows(person, stranger, "certificate", died, died + _lag(person)),
    )


def widow_remarried(rng: Rng, world: World, units: Ints) -> None:
    """The husband's death was entered under her number; later she married again."""
    person = _alive(rng, world, units)
    died = window_days(rng, 2, 14, len(units))
    world.add(
        "deaths",
        death_rows(person, person, "register", died, died + _lag(person)),
    )
    adults = np.flatnonzero(world.population.adults() & ~world.used)
    wed = died + days(between(rng, 300, 600, len(units)))
    world.add(
        "marriages",
        pd.DataFrame(
            {
                "a": person,
                "b": rng.choice(adults, len(units), replace=False),
                "registered": wed,
                "ended": np.datetime64("NaT"),
            }
        ),
    )


def _alive(rng: Rng, world: World, units: Ints) -> Ints:
    """The people of these units, who live and go to the doctor."""
    person = world.ids("person")[units]
    world.visits[person] = rng.uniform(*ALIVE_VISITS, len(units))
    return person


def stolen_identity(rng: Rng, world: World, units: Ints) -> None:
    """Documented: a company registered online with the wife's stolen identity."""
    person = world.ids("person")[units]
    world.add("roles", role_rows(rng, world, person, "legal_rep", online=1.0))


def lost_id_companies(rng: Rng, world: World, units: Ints) -> None:
    """Documented: two companies in another city carry an identity that was lost."""
    person = world.ids("person")[units]
    for role in ("legal_rep", "manager"):
        world.add("roles", role_rows(rng, world, person, role, online=1.0))
    world.add("losses", lost_ids(rng, person))


def false_registrations(rng: Rng, world: World, units: Ints) -> None:
    """Documented: a district where an agent filed dozens of false companies online."""
    person = world.ids("person")[units]
    rows = role_rows(rng, world, person, "legal_rep", online=1.0)
    filed = np.datetime64("2022-09-01") + days(between(rng, 0, 40, len(units)))
    world.add("roles", rows.assign(since=filed))


def coop_shareholder(rng: Rng, world: World, units: Ints) -> None:
    """A small share in the village cooperative."""
    person = world.ids("person")[units]
    world.add("roles", role_rows(rng, world, person, "shareholder", online=0.0))


def released_early(rng: Rng, world: World, units: Ints) -> None:
    """The prison register still shows the full sentence."""
    start = first_days(between(rng, 6, 12, len(units)))
    free = start + days(between(rng, 150, 300, len(units)))
    end = free + days(between(rng, 120, 400, len(units)))
    world.add("custody", custody_rows(world, units, "prison", start, end))
    suspend(world, units, start, free)


def suspended_sentence(rng: Rng, world: World, units: Ints) -> None:
    """Community correction: paid by law, at the old rate."""
    start = first_days(between(rng, 4, 20, len(units)))
    end = start + days(between(rng, 300, 900, len(units)))
    world.add("custody", custody_rows(world, units, "community_correction", start, end))


def disability_car(rng: Rng, world: World, units: Ints) -> None:
    """A car that the office knows of and allowed."""
    person = world.ids("person")[units]
    value = np.round(rng.uniform(45_000, 95_000, len(units)), -2)
    bought = LAST_DAY - days(between(rng, 300, 1500, len(units)))
    world.add("cars", car_rows(person, value, bought))
    world.put(units, declared_car=1)


def inherited_home(rng: Rng, world: World, units: Ints) -> None:
    """A part of the parents' home beside the own one."""
    person = world.ids("person")[units]
    world.add("homes", homes(rng, person).assign(how="resettlement", share=1.0))
    parts = 1 / between(rng, 3, 6, len(units))
    world.add("homes", homes(rng, person).assign(how="inheritance", share=parts))
    world.put(units, declared_home=2)


def seasonal_work(rng: Rng, world: World, units: Ints) -> None:
    """One quarter's wage, reported and allowed as the grace of a new job."""
    person = world.ids("person")[units]
    quarter = between(rng, 3, 9, len(units))
    world.add(
        "wages",
        pd.DataFrame(
            {
                "person": person,
                "company": rng.choice(
                    world.population.companies_of("other"), len(units)
                ),
                "first_quarter": quarter,
                "last_quarter": quarter,
                "income": np.round(rng.uniform(5300, 8000, len(units)), -2),
            }
        ),
    )


def transition_month(rng: Rng, world: World, units: Ints) -> None:
    """The resident pension ends a month or two after the employees' one began."""
    pair_up(rng, world, units, early=False)
    begun = world.ids("paid_from")[units]
    first = np.maximum(0, begun - between(rng, 3, 12, len(units)))
    world.put(
        units,
        start=first_days(first),
        paid_from=first,
        paid_to=begun + between(rng, 0, 1, len(units)),
    )


def wrong_birth_date(rng: Rng, world: World, units: Ints) -> None:
    """The household register has them some years too young."""
    start = world.rows["start"].to_numpy()[units].astype("datetime64[D]")
    earlier = start - days(between(rng, 500, 1100, len(units)))
    world.put(units, start=earlier.astype("datetime64[M]").astype("datetime64[D]"))


def guardian_account(rng: Rng, world: World, units: Ints) -> None:
    """A welfare home keeps one account for those it looks after."""
    account = identifiers.accounts(rng, 1)[0]
    world.put(units, account=account, new_account=account)


def village_clerk(rng: Rng, world: World, units: Ints) -> None:
    """The village clerk's phone certifies the old of the village."""
    world.put(
        units,
        village=int(world.ids("village")[units[0]]),
        office=int(world.ids("office")[units[0]]),
        cert_mode="face",
        cert_device=devices(rng, 1)[0],
    )


def checkup_package(rng: Rng, world: World, units: Ints) -> None:
    """The yearly check-up of a village: one price for all."""
    clinic = int(rng.choice(world.population.companies_of("clinic")))
    day = LAST_DAY - days(between(rng, 4, 20, 1))
    person = world.ids("person")[units]
    bills = pd.DataFrame(
        {
            "person": person,
            "clinic": clinic,
            "day": day[0],
            "item": CHECKUP_ITEM,
            "amount": CHECKUP_SUM,
        }
    )
    world.add("bills", bills)
    world.add("signs", bills[["person", "day"]].assign(kind="clinic"))


def hospital_leave(rng: Rng, world: World, units: Ints) -> None:
    """A month in hospital, paid because the bed was kept."""
    month = between(rng, 8, 30, len(units))
    world.put(units, short_month=month)
    person = world.ids("person")[units]
    day = first_days(month) + days(between(rng, 2, 12, len(units)))
    world.add("signs", pd.DataFrame({"person": person, "kind": "clinic", "day": day}))


def lonely_proxy(rng: Rng, world: World, units: Ints) -> None:
    """Bedridden and cared for at home: a niece certifies, the doctor seldom comes."""
    person = world.ids("person")[units]
    world.visits[person] = rng.uniform(0.2, 1.2, len(units))
    world.put(
        units, cert_mode="proxy", change_month=between(rng, 18, MONTHS - 3, len(units))
    )


HARD_NEGATIVES = (
    Planted("transition_month", 0.0012, 1, of("resident_pension"), transition_month),
    Planted("dead_on_paper", 0.001, 2, long_paid(*PENSIONS), dead_on_paper),
    Planted(
        "same_name_and_birth", 0.0015, 2, long_paid(*PENSIONS), same_name_and_birth
    ),
    Planted("twin_died", 0.0007, 1, long_paid(*PENSIONS), twin_died),
    Planted("mistyped_death", 0.0015, 2, long_paid(*PENSIONS), mistyped_death),
    Planted("widow_remarried", 0.0007, 1, long_paid("survivor"), widow_remarried),
    Planted("stolen_identity", 0.0015, 2, of("dibao"), stolen_identity),
    Planted("lost_id_companies", 0.0008, 1, of("dibao", "housing"), lost_id_companies),
    Planted("false_registrations", 0.0012, 2, of("dibao"), false_registrations),
    Planted("coop_shareholder", 0.0015, 2, of("dibao"), coop_shareholder),
    Planted("released_early", 0.0007, 1, long_paid(*PENSIONS), released_early),
    Planted("suspended_sentence", 0.001, 1, long_paid(*PENSIONS), suspended_sentence),
    Planted("disability_car", 0.0012, 1, of("dibao"), disability_car),
    Planted("inherited_home", 0.0015, 2, of("dibao"), inherited_home),
    Planted("seasonal_work", 0.002, 2, long_paid("dibao"), seasonal_work),
    Planted("wrong_birth_date", 0.001, 1, of("age_allowance"), wrong_birth_date),
    Planted("guardian_account", 0.002, 4, of("tekun"), guardian_account, 6),
    Planted("village_clerk", 0.005, 12, of(*PENSIONS), village_clerk, 14),
    Planted("checkup_package", 0.004, 8, of(*PENSIONS), checkup_package, 12),
    Planted("hospital_leave", 0.001, 1, long_paid("care_home"), hospital_leave),
    Planted("lonely_proxy", 0.003, 3, long_paid(*PENSIONS), lonely_proxy),
)
# What happens to some beneficiaries without being planted.
ORDINARY = ("last_month_lag", "late_registration", "remote_office")
# Whom the documented cases were: they must end as "fix the register".
DOCUMENTED_VICTIMS = (
    *("dead_on_paper", "stolen_identity", "lost_id_companies", "false_registrations"),
)
