"""Hard negatives of the wage scenario: honest workers whom naive rules accuse."""

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
    texts,
)
from training.simulation.wages_claims import (
    Planted,
    amounts,
    claimed_from,
    column,
    debtor_column,
    draft,
    settled,
    styled,
    with_iou,
)
from training.simulation.wages_people import at_home, clan_of, outsiders, take_staff
from training.simulation.wages_world import (
    CITIZEN_AGENTS,
    COMMISSIONED,
    GUARD,
    World,
    quarter_of,
)

CREW_POSTS = ("木工", "钢筋工", "泥工")


def foreman_crew(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """A crew paid by its foreman: IOUs, no insurance, filed on one day by legal aid."""
    rows = outsiders(rng, world, debtor, world.pool.take(size))
    rows = draft(rng, world, rows.assign(post=pick(rng, CREW_POSTS, size)))
    more = pick(rng, ("8", "9", "10"), size, (0.75, 0.15, 0.10)).astype(np.int64)
    rows = rows.assign(kind="wage", docs=more, style=styled(rng, size))
    rows["amount"] = amounts(rng, rows)
    rows = _together(rng, world, rows, _lawyer(rng, world), spread=0)
    rows = with_iou(rng, rows)
    foreman = int(column(rows, "person")[0])
    day = rows["end"].to_numpy()[0] + days(np.full(size, int(rng.integers(5, 60))))
    signed = chance(rng, size, 0.7)
    return rows.assign(
        iou_day=np.where(signed, day, rows["iou_day"].to_numpy()),
        phone_of=np.where(chance(rng, size, 0.2), foreman, rows["phone_of"]),
        account_of=np.where(chance(rng, size, 0.25), foreman, rows["account_of"]),
    )


def dispatch_workers(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """An agency insures those who work, and are owed wages, at the debtor."""
    people = world.pool.take(size)
    agency = int(rng.choice(world.population.companies_of("labour_dispatch")))
    stop = world.debtors["stop"].to_numpy()[[debtor]]
    world.extra_jobs.append(
        pd.DataFrame(
            {
                "person": people,
                "company": agency,
                "first_quarter": 0,
                "last_quarter": int(quarter_of(stop)[0]),
            }
        )
    )
    rows = draft(rng, world, outsiders(rng, world, debtor, people))
    return rows.assign(payroll=chance(rng, size, 0.6))


def night_guard(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Guards and caretakers who stay after the machines have stopped."""
    staff = _anywhere(rng, world, size).assign(post=GUARD)
    rows = draft(rng, world, staff.assign(pay=np.round(rng.normal(3900, 250, size))))
    stop, petition = (debtor_column(world, rows, n) for n in ("stop", "petition"))
    after = days(between(rng, 65, 260, size))
    end = np.maximum(np.minimum(stop + after, petition), stop + days(np.array(64)))
    rows = rows.assign(end=end, months=between(rng, 4, 12, size), kind="wage")
    rows["start"] = claimed_from(rows)
    filed = debtor_column(world, rows, "accepted") - days(between(rng, 1, 15, size))
    rows = settled(rng, rows.assign(filed=filed))
    return with_iou(rng, rows.assign(amount=amounts(rng, rows)))


def sales_commission(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Sales staff whose commissions exceed their base pay many times."""
    rows = draft(rng, world, _anywhere(rng, world, size).assign(post=COMMISSIONED))
    bonus = chance(rng, size, 0.4)
    rows = rows.assign(
        monthly=np.round(rows["pay"] * rng.uniform(2.0, 6.0, size), -1),
        kind=np.where(bonus, "bonus", "wage"),
    )
    return with_iou(rng, rows.assign(amount=_lump(rng, rows)))


def brothers(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Brothers of one household, with a cousin or two, in the same plant."""
    people = at_home(rng, world, 3)[:size]
    staff = take_staff(rng, world, debtor, len(people)).assign(person=people)
    rows = draft(rng, world, staff.assign(insured=True))
    return rows.assign(
        account_of=np.where(chance(rng, len(rows), 0.4), people[0], people)
    )


def village_factory(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """A plant whose owner hired half the village, and who go to one lawyer together."""
    people = clan_of(rng, world, debtor, size)
    staff = take_staff(rng, world, debtor, size).assign(person=people)
    rows = draft(rng, world, staff)
    return with_iou(rng, _together(rng, world, rows, _lawyer(rng, world), spread=25))


def piece_rate_team(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """A team that shares what it is paid for a piece: equal, often round sums."""
    rows = draft(rng, world, take_staff(rng, world, debtor, size))
    each = float(rng.integers(180, 420)) * 100
    months = int(rng.integers(3, 7))
    rows = rows.assign(
        kind="wage",
        months=months,
        monthly=np.round(each / months, -1),
        amount=np.round(each * rng.normal(1, 0.025, size), -2),
        start=claimed_from,
    )
    return with_iou(rng, _together(rng, world, rows, _lawyer(rng, world), spread=2))


def mediation_day(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """The township mediates all arrears of a plant on one day."""
    rows = draft(rng, world, take_staff(rng, world, debtor, size))
    rows = _together(rng, world, rows, _lawyer(rng, world), spread=1)
    return with_iou(
        rng,
        settled(rng, rows.assign(close_kind="mediation", quick=True)),
    )


def employee_shareholder(
    rng: Rng, world: World, debtor: int, size: int
) -> pd.DataFrame:
    """Long-serving staff who hold a small share of the debtor."""
    rows = draft(rng, world, _on_the_books(rng, world, size))
    world.extra_roles.append(
        pd.DataFrame(
            {
                "debtor": column(rows, "debtor"),
                "person": column(rows, "person"),
                "role": "shareholder",
            }
        )
    )
    return rows


def stolen_identity(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Workers entered online as directors of the debtor who know nothing of it."""
    rows = draft(rng, world, _on_the_books(rng, world, size))
    world.extra_roles.append(
        pd.DataFrame(
            {
                "debtor": column(rows, "debtor"),
                "person": column(rows, "person"),
                "role": texts(["director"] * len(rows)),
                "stolen": True,
            }
        )
    )
    return rows


def _anywhere(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Staff of any debtor who have no claim yet."""
    chosen = rng.permutation(np.flatnonzero(~world.spent))[:size]
    world.spent[chosen] = True
    return world.staff.iloc[chosen].reset_index(drop=True)


def _on_the_books(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Staff whom insurance and payroll know."""
    return _anywhere(rng, world, size).assign(insured=True, payroll=True)


def _lump(rng: Rng, rows: pd.DataFrame) -> np.ndarray:
    wage = rows["monthly"] * rows["months"] * rng.normal(1, 0.1, len(rows)).clip(0.7)
    bonus = rows["pay"] * lognormal(rng, 12, 0.5, len(rows))
    lump = np.where(rows["kind"] == "bonus", bonus, wage)
    return np.asarray(np.round(lump, 2))


def _lawyer(rng: Rng, world: World) -> int:
    return int(rng.choice(world.agents[:-CITIZEN_AGENTS]))


def _together(
    rng: Rng, world: World, rows: pd.DataFrame, agent: int, *, spread: int
) -> pd.DataFrame:
    """Filed by one agent within few days."""
    size = len(rows)
    accepted = debtor_column(world, rows, "accepted")
    stop = debtor_column(world, rows, "stop")
    room = int((accepted - stop).astype("timedelta64[D]").astype(np.int64)[0])
    first = int(rng.integers(12, max(room - 6, 13)))
    filed = stop + days(first + between(rng, 0, spread, size))
    agents: Ints = np.full(size, agent)
    return settled(
        rng,
        rows.assign(
            arbitrated=True,
            filed=filed,
            agent=agents,
            body=0,
            quick=chance(rng, size, 0.3),
        ),
    )


HARD_NEGATIVES: tuple[Planted, ...] = (
    Planted("foreman_crew", 0.020, 22, 16, foreman_crew, kinds=("builder",)),
    Planted("dispatch_workers", 0.012, 14, 8, dispatch_workers),
    Planted("night_guard", 0.006, 0, 6, night_guard),
    Planted("sales_commission", 0.006, 0, 6, sales_commission),
    Planted("brothers", 0.006, 3, 6, brothers, kinds=("factory",)),
    Planted("village_factory", 0.008, 14, 10, village_factory, kinds=("factory",)),
    Planted("piece_rate_team", 0.012, 13, 12, piece_rate_team),
    Planted("mediation_day", 0.025, 30, 20, mediation_day),
    Planted("employee_shareholder", 0.004, 0, 6, employee_shareholder),
    Planted("stolen_identity", 0.003, 0, 6, stolen_identity),
)
