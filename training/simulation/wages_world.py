"""Bankrupt debtors, their staff, agents and clans of the wage-claim scenario."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from training.simulation.population import QUARTERS, Population
from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Times,
    between,
    chance,
    days,
    lognormal,
    pick,
    weighted,
)

FIRST_DAY = np.datetime64("2022-01-01")
FIRST_ACCEPTED, LAST_ACCEPTED = np.datetime64("2022-10-01"), np.datetime64("2024-10-10")
FIRST_STOP = np.datetime64("2022-06-15")
EVASION_FROM = np.datetime64("2023-07-01")  # the regime change
CLAIMS_PER_DEBTOR = 60
PEOPLE_PER_CLAIM = 8
FEWEST_DEBTORS = 14
CLAIMING_RATE = 0.85  # of the staff; the others were paid or let it go
KINDS, KIND_SHARES = ("factory", "builder", "freight"), (0.55, 0.25, 0.20)
UNINSURED = {"builder": 0.35, "factory": 0.08, "freight": 0.08}
GROUP_PAYROLL_RATE = 0.06  # of debtors: another company of the group pays the wages
BULK_RATE = 0.15  # of debtors: insurance paid in bulk shortly before the petition
INFORMAL_PAYROLL_RATE = 0.6  # of uninsured staff: in the books all the same
NEW_STAFF_RATE, LATE_STAFF_RATE = 0.08, 0.015  # few quarters; paid back in bulk
PART_CASH_RATE = 0.12  # of debtors: the payroll shows only a part of the wages
CITIZEN_AGENTS = 6
POSTS = {
    "factory": "挡车工 染色工 机修工 仓管员 质检员 销售员 技术员 行政文员",
    "builder": "木工 钢筋工 泥工 电工 施工员 资料员",
    "freight": "驾驶员 装卸工 调度员 行政文员",
}
POST_NAMES = tuple(dict.fromkeys(" ".join(POSTS.values()).split()))
POST_PAY = dict.fromkeys(POST_NAMES, 6800) | {
    "技术员": 8800,
    "施工员": 8600,
    "木工": 8200,
    "驾驶员": 8000,
    "机修工": 7600,
    "行政文员": 5400,
    "装卸工": 6000,
}
GUARD, COMMISSIONED = "门卫", "销售员"


@dataclass(slots=True)
class Pool:
    """Working-age people, jobless first; everyone is given out once."""

    order: Ints
    used: Bools

    def take(self, count: int, *, employed: bool = False) -> Ints:
        """The next free people: those without a job, or from the employed end."""
        free = self.order[~self.used[self.order]]
        if len(free) < count:
            raise ValueError(
                f"simulate: people={len(self.used)} are too few for this many units"
            )
        return self.mark(free[len(free) - count :] if employed else free[:count])

    def draw(self, rng: Rng, count: int) -> Ints:
        """Free people with and without a job."""
        free = self.order[~self.used[self.order]]
        return self.mark(rng.choice(free, count, replace=False))

    def mark(self, people: Ints) -> Ints:
        self.used[people] = True
        return people


@dataclass(frozen=True, slots=True)
class World:
    """Everything that claims happen to; columns hold positions, not numbers."""

    population: Population
    debtors: pd.DataFrame
    staff: pd.DataFrame
    agents: Ints  # persons: lawyers first, then citizens who act without a licence
    debtor_agents: Ints  # debtor x 2 -> person
    pool: Pool
    clan: Ints  # person -> surname and town, as one number
    spent: Bools  # member of staff -> has a claim already
    extra_jobs: list[pd.DataFrame] = field(default_factory=list)
    extra_roles: list[pd.DataFrame] = field(default_factory=list)
    ledger: list[pd.DataFrame] = field(default_factory=list)

    def lead(self, debtor: int) -> int:
        """The legal representative of a debtor."""
        company = int(self.debtors["company"].iloc[debtor])
        return int(self.population.companies["legal_rep"].iloc[company])


def build_world(rng: Rng, population: Population, units: int) -> World:
    """Debtors with staff, dates and habits, out of a prefecture."""
    debtors = _debtors(rng, population, units)
    pool = _pool(rng, population)
    pool.mark(population.companies["legal_rep"].to_numpy(np.int64))
    agents = _agents(rng, population, pool)
    staff = _staff(rng, debtors, pool)
    return World(
        population=population,
        debtors=debtors,
        staff=staff,
        spent=np.zeros(len(staff), dtype=np.bool_),
        agents=agents,
        debtor_agents=rng.choice(agents[:-CITIZEN_AGENTS], (len(debtors), 2)),
        pool=pool,
        clan=_clans(population),
    )


def _pool(rng: Rng, population: Population) -> Pool:
    born = population.persons["birth"].to_numpy()
    fit = population.adults() & (born > np.datetime64("1963-01-01"))
    people = rng.permutation(np.flatnonzero(fit))
    busy = np.isin(people, population.jobs["person"].to_numpy())
    order = np.concatenate([people[~busy], people[busy]])
    return Pool(order, np.zeros(len(born), dtype=np.bool_))


def _agents(rng: Rng, population: Population, pool: Pool) -> Ints:
    firms = population.companies_of("law_firm")
    jobs = population.jobs
    jobs = jobs[jobs["company"].isin(firms) & (jobs["last_quarter"] == QUARTERS - 1)]
    lawyers = rng.permutation(np.unique(jobs["person"].to_numpy(np.int64)))
    citizens = pool.take(CITIZEN_AGENTS, employed=True)
    return np.concatenate([pool.mark(lawyers), citizens])


def _clans(population: Population) -> Ints:
    """People of one surname registered in one town share a number."""
    return np.asarray(pd.factorize(surnames(population) + towns(population))[0])


def surnames(population: Population) -> "pd.Series[str]":
    return population.persons["name"].astype("str").str[:1]


def towns(population: Population) -> "pd.Series[str]":
    """The part of the registered address down to the town."""
    address = population.persons["address"].astype("str")
    return address.str.extract(r"^(.*?(?:街道|镇))", expand=False).fillna("")


def _debtors(rng: Rng, population: Population, units: int) -> pd.DataFrame:
    count = max(FEWEST_DEBTORS, round(units / CLAIMS_PER_DEBTOR))
    kind = pick(rng, KINDS, count, KIND_SHARES)
    rows = pd.DataFrame(
        {"company": _companies(rng, population, kind), "kind": kind}
    ).assign(district=lambda r: _of(population, "district", r["company"]))
    size = lognormal(rng, 1.0, 0.5, count).clip(0.45, 2.5)
    rows["size"] = np.ceil(size / size.sum() * units / CLAIMING_RATE).astype(int) + 8
    return rows.assign(**_dates(rng, count)).assign(
        assets=np.round(rows["size"] * lognormal(rng, 120_000, 0.7, count), -3),
        stop_known=~chance(rng, count, 0.2),
        group_payroll=chance(rng, count, GROUP_PAYROLL_RATE),
        bulk=chance(rng, count, BULK_RATE),
        part_cash=chance(rng, count, PART_CASH_RATE),
        holding=rng.choice(population.companies_of("other"), count),
    )


def _of(population: Population, column: str, companies: "pd.Series[int]") -> np.ndarray:
    return np.asarray(population.companies[column].to_numpy()[companies])


def _companies(rng: Rng, population: Population, kind: np.ndarray) -> Ints:
    company = np.zeros(len(kind), dtype=np.int64)
    for name in KINDS:
        wanted = np.flatnonzero(kind == name)
        known = population.companies_of(name)
        if len(known) < len(wanted):
            raise ValueError(
                f"simulate: people={len(population.persons)} are too few for this "
                "many units"
            )
        company[wanted] = rng.choice(known, len(wanted), replace=False)
    return company


def _dates(rng: Rng, count: int) -> dict[str, Times]:
    span = int((LAST_ACCEPTED - FIRST_ACCEPTED).astype(int))
    # Evenly spread, so that either side of the regime change has its debtors.
    place = (rng.permutation(count) + rng.random(count)) / count
    accepted = FIRST_ACCEPTED + days((place * span).astype(np.int64))
    petition = accepted - days(between(rng, 20, 80, count))
    idle = lognormal(rng, 110, 0.7, count).clip(20, 540).astype(np.int64)
    stop = np.maximum(petition - days(idle), FIRST_STOP)
    return {
        "accepted": accepted,
        "petition": petition,
        "stop": np.minimum(stop, petition - days(np.array(5))),
        "distribution": accepted + days(between(rng, 130, 420, count)),
    }


def _staff(rng: Rng, debtors: pd.DataFrame, pool: Pool) -> pd.DataFrame:
    debtor = np.repeat(np.arange(len(debtors)), debtors["size"])
    count = len(debtor)
    kind = debtors["kind"].to_numpy(dtype=object)[debtor]
    post = np.empty(count, dtype=object)
    for name, posts in POSTS.items():
        here = kind == name
        post[here] = pick(rng, posts.split(), int(here.sum()))
    base = pd.Series(post).map(POST_PAY).to_numpy(dtype=float)
    level = lognormal(rng, 1.0, 0.12, len(debtors))[debtor]
    uninsured = pd.Series(kind).map(UNINSURED).to_numpy(dtype=float)
    insured = ~chance(rng, count, uninsured.astype(np.float64))
    in_books: Floats = np.where(insured, 0.985, INFORMAL_PAYROLL_RATE)
    listed = chance(rng, count, in_books)
    return pd.DataFrame(
        {
            "person": pool.take(count),
            "debtor": debtor,
            "post": post,
            "pay": np.round(base * level * lognormal(rng, 1.0, 0.13, count), -1),
            "insured": insured,
            "payroll": listed,
            "tenure": weighted(rng, 1 / (np.arange(15) + 2.0), count) + 1,
        }
    )


def quarter_of(day: Times) -> Ints:
    """The quarter of the window that a day lies in."""
    months = day.astype("datetime64[M]").astype(np.int64)
    return np.asarray((months - FIRST_DAY.astype("datetime64[M]").astype(int)) // 3)


def staff_jobs(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Insured jobs of people at their debtor, from before the window to the stop."""
    debtor = rows["debtor"].to_numpy(np.int64)
    stop = world.debtors["stop"].to_numpy()[debtor]
    last = quarter_of(stop)
    new = chance(rng, len(rows), NEW_STAFF_RATE)
    since = between(rng, 1, 3, len(rows))
    return pd.DataFrame(
        {
            "person": rows["person"].to_numpy(np.int64),
            "company": world.debtors["company"].to_numpy(np.int64)[debtor],
            "first_quarter": np.where(new, np.maximum(last - since, 0), 0),
            "last_quarter": last,
        }
    )
