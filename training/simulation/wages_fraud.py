"""Planted fraud of the wage scenario (domain.md, section 4 and Appendix B).

From the regime change on, rings take care: smaller sums, papers, several agents, weeks
instead of one day.
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
from training.simulation.wages_people import (
    clan_of,
    outsiders,
    pairs_at_home,
    take_staff,
)
from training.simulation.wages_world import CITIZEN_AGENTS, EVASION_FROM, World

CAUGHT_BY_RULES = "nominee_batch"
CAUGHT_BY_NO_RULE = "backfilled_contracts"
WAIT_WEEKS = 5  # over which a careful ring spreads its filings


def relatives_as_workers(
    rng: Rng, world: World, debtor: int, size: int
) -> pd.DataFrame:
    """The controller's clan holds IOUs for wages that nobody earned."""
    careful = _careful(world, debtor)
    close = round(size * (0.6 if careful else 1.0))
    strangers = world.pool.draw(rng, size - close)
    kin = np.concatenate([clan_of(rng, world, debtor, close), strangers])
    rows = draft(rng, world, outsiders(rng, world, debtor, kin))
    low, high = (30_000, 80_000) if careful else (50_000, 300_000)
    target = np.exp(rng.uniform(np.log(low), np.log(high), size))
    rows = _sized(rng, rows, target, thousand=0.3 if careful else 0.6)
    after = between(rng, 65, 200, size)
    late = chance(rng, size, 0.0 if careful else 0.35)
    rows = rows.assign(
        end=rows["end"].to_numpy() + days(np.where(late, after, 0)),
        docs=_papers(rng, size, iou_only=0.5 if careful else 0.85),
        style=styled(rng, size),
        bulk=chance(rng, size, 0.4 if careful else 0.0),
    )
    rows = _to_arbitration(rng, world, rows, careful=careful, mediated=0.7)
    return _on_one_day(rng, world, with_iou(rng, rows), 0.4 if careful else 0.9)


def debts_as_wages(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Suppliers and lenders, and who stands for them, ask as workers."""
    careful = _careful(world, debtor)
    people = world.pool.draw(rng, size)
    rows = draft(rng, world, outsiders(rng, world, debtor, people))
    debt = lognormal(rng, 90_000 if careful else 170_000, 0.6, size).clip(25_000)
    owed = chance(rng, size, 0.55)
    kind = pick(rng, ("loan", "goods", "works"), size, (5, 3, 2))
    world.ledger.append(
        pd.DataFrame(
            {"debtor": debtor, "person": people, "kind": kind, "amount": debt}
        )[owed]
    )
    rows = _sized(rng, rows, debt * rng.uniform(0.9, 1.1, size), thousand=0.5)
    rows = rows.assign(docs=_papers(rng, size, iou_only=0.6))
    rows = with_iou(rng, _to_arbitration(rng, world, rows, careful=True, mediated=0.6))
    grown = chance(rng, size, 0.3)
    less = rows["amount"].to_numpy() * rng.uniform(0.4, 0.8, size)
    bargain = chance(rng, size, 0.15)
    return rows.assign(
        iou_amount=np.where(grown, np.round(less, -2), rows["iou_amount"]),
        cut=np.where(bargain, rng.uniform(0.2, 0.38, size), rows["cut"]),
        cut_reason=False,
    )


def inflated_employee(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """True employees for whom the debtor confirms more pay and more months."""
    rows = draft(rng, world, take_staff(rng, world, debtor, size))
    rows = rows.assign(
        kind="wage",
        monthly=np.round(rows["pay"] * rng.uniform(1.5, 2.7, size), -2),
        months=column(rows, "months") + between(rng, 1, 6, size),
        docs=_papers(rng, size, iou_only=0.25),
        arbitrated=chance(rng, size, 0.8),
        close_kind=pick(rng, ("mediation", "award"), size, (0.75, 0.25)),
        agent=_one_agent(rng, world, debtor, size, 0.6),
    )
    rows = rows.assign(start=claimed_from(rows), amount=amounts(rng, rows))
    return with_iou(rng, settled(rng, rows))


def nominee_batch(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Strangers' names for the controller: one agent, one day, round equal sums."""
    people = world.pool.draw(rng, size)
    rows = draft(rng, world, outsiders(rng, world, debtor, people))
    each = float(rng.integers(28, 60)) * 1000
    rows = rows.assign(
        kind="wage",
        months=int(rng.integers(5, 9)),
        amount=np.round(each * rng.normal(1, 0.03, size), -3),
        docs=_papers(rng, size, iou_only=0.8),
        style=styled(rng, size),
        agent=_citizen(rng, world),
    )
    rows = _monthly_from_amount(rows)
    rows = _to_arbitration(rng, world, rows, careful=False, mediated=1.0)
    rows = _on_one_day(rng, world, with_iou(rng, rows), 0.9)
    return rows.assign(
        agent=int(column(rows, "agent")[0]), account_of=_shared(rng, rows, 0.5, 6)
    )


def nominee_batch_evading(
    rng: Rng, world: World, debtor: int, size: int
) -> pd.DataFrame:
    """The same through three agents, two bodies and five weeks, in ordinary sums."""
    people = np.concatenate(
        [
            clan_of(rng, world, debtor, size // 3),
            world.pool.take(size - size // 3),
        ]
    )
    rows = draft(rng, world, outsiders(rng, world, debtor, people))
    rows = rows.assign(docs=_papers(rng, size, iou_only=0.2), kind="wage")
    rows = rows.assign(amount=amounts(rng, rows), style=styled(rng, size))
    rows = _to_arbitration(rng, world, rows, careful=True, mediated=0.7)
    rows = rows.assign(
        agent=_several_agents(rng, world, size, 3),
        account_of=_shared(rng, rows, 0.6, 4),
    )
    return with_iou(rng, rows)


def backfilled_contracts(
    rng: Rng, world: World, debtor: int, size: int
) -> pd.DataFrame:
    """Nominees inside a true batch, with contracts and insurance paid back in bulk."""
    people = pairs_at_home(rng, world, debtor, size)
    staff = outsiders(rng, world, debtor, people)
    rows = draft(rng, world, staff.assign(insured=True))
    rows = rows.assign(
        kind="wage", bulk=True, payroll=False, docs=_contracts(rng, size)
    )
    rows["amount"] = amounts(rng, rows)
    # Accounts hop: two or three of them name that of another one.
    return with_iou(rng, rows.assign(account_of=_shared(rng, rows, 0.7, 3)))


def _contracts(rng: Rng, size: int) -> Ints:
    """Contract with a payslip, a bank record, or both."""
    return np.array([1, 3, 5, 7])[rng.choice(4, size, p=(0.2, 0.35, 0.2, 0.25))]


def _careful(world: World, debtor: int) -> bool:
    return bool(world.debtors["accepted"].iloc[debtor] >= EVASION_FROM)


def _papers(rng: Rng, size: int, *, iou_only: float) -> Ints:
    """Documents of a claim without work: an IOU alone, or a contract and some more."""
    more = np.array([1, 3, 9, 11])[rng.choice(4, size, p=(0.4, 0.25, 0.25, 0.1))]
    return np.where(chance(rng, size, iou_only), 8, more)


def _sized(
    rng: Rng, rows: pd.DataFrame, target: np.ndarray, *, thousand: float
) -> pd.DataFrame:
    """Claims of given sums, over as many months as the ordinary pay would need."""
    size = len(rows)
    pay = rows["pay"].to_numpy() * rng.uniform(1.0, 1.7, size)
    months = np.clip(np.round(target / pay), 3, 22).astype(np.int64)
    amount = np.where(chance(rng, size, thousand), np.round(target, -3), target)
    rows = rows.assign(kind="wage", months=months, amount=np.round(amount, 2))
    return _monthly_from_amount(rows)


def _monthly_from_amount(rows: pd.DataFrame) -> pd.DataFrame:
    monthly = np.round(rows["amount"] / rows["months"], -1)
    return rows.assign(monthly=monthly, start=claimed_from(rows))


def _to_arbitration(
    rng: Rng, world: World, rows: pd.DataFrame, *, careful: bool, mediated: float
) -> pd.DataFrame:
    """All go to arbitration shortly before the debtor's insolvency is accepted."""
    size, debtor = len(rows), int(column(rows, "debtor")[0])
    accepted = debtor_column(world, rows, "accepted")
    first = int(rng.integers(45, 120))
    spread = between(rng, 0, WAIT_WEEKS * 7 if careful else 3, size)
    close = pick(rng, ("mediation", "award"), size, (mediated, 1 - mediated))
    agent = _several_agents(rng, world, size, 2) if careful else _citizen(rng, world)
    rows = rows.assign(
        arbitrated=True,
        filed=accepted - days(first - spread),
        close_kind=close,
        quick=chance(rng, size, 0.15 if careful else 0.7),
        body=chance(rng, size, 0.5 if careful else 0.0) * 1,
        agent=agent,
        phone_of=rows["person"].to_numpy(),
    )
    if not careful:
        rows["agent"] = _one_agent(rng, world, debtor, size, 0.0, int(rows["agent"][0]))
    return settled(rng, rows)


def _on_one_day(
    rng: Rng, world: World, rows: pd.DataFrame, share: float
) -> pd.DataFrame:
    """IOUs written in a run on one day, weeks before the petition."""
    petition = debtor_column(world, rows, "petition")
    day = petition - days(np.full(len(rows), int(rng.integers(15, 120))))
    one = chance(rng, len(rows), share) & rows["iou_day"].notna().to_numpy()
    return rows.assign(iou_day=np.where(one, day, rows["iou_day"].to_numpy()))


def _one_agent(
    rng: Rng, world: World, debtor: int, size: int, none: float, agent: int = -1
) -> Ints:
    usual = agent if agent >= 0 else int(world.debtor_agents[debtor, 0])
    return np.where(chance(rng, size, none), -1, usual)


def _citizen(rng: Rng, world: World) -> int:
    return int(rng.choice(world.agents[-CITIZEN_AGENTS:]))


def _several_agents(rng: Rng, world: World, size: int, count: int) -> Ints:
    """A broker without a licence and some lawyers who know nothing of one another."""
    lawyers = rng.choice(world.agents[:-CITIZEN_AGENTS], count - 1, replace=False)
    return rng.choice(np.append(lawyers, _citizen(rng, world)), size)


def _shared(rng: Rng, rows: pd.DataFrame, rate: float, users: int) -> Ints:
    """Accounts: at a rate that of the first of every few claimants."""
    person = column(rows, "person")
    holder = person[np.arange(len(rows)) // users * users]
    return np.where(chance(rng, len(rows), rate), holder, person)


TYPOLOGIES: tuple[Planted, ...] = (
    Planted("relatives_as_workers", 0.015, 15, 14, relatives_as_workers, fraud=True),
    Planted("debts_as_wages", 0.010, 9, 10, debts_as_wages, fraud=True),
    Planted("inflated_employee", 0.015, 11, 12, inflated_employee, fraud=True),
    Planted("nominee_batch", 0.004, 18, 14, nominee_batch, fraud=True, before=True),
    Planted(
        "nominee_batch_evading",
        *(0.004, 18, 12, nominee_batch_evading),
        fraud=True,
        before=False,
    ),
    Planted("backfilled_contracts", 0.003, 10, 8, backfilled_contracts, fraud=True),
)
