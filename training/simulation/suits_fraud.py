"""Planted false suits: eight schemes of the domain brief and two that evade."""

import numpy as np
import pandas as pd

from training.simulation import names
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    lognormal,
    pick,
)
from training.simulation.suits_cases import closing, column, draft, rounded
from training.simulation.suits_plants import Planted, mostly, turns, within
from training.simulation.suits_world import (
    NOBODY,
    ONE_ORG_COURT,
    World,
    any_adult,
    drawn_agents,
    housemates,
    working_day,
)

CAUGHT_BY_RULES = "property_mediation"
CAUGHT_BY_NO_RULE = "nominal_lenders"
NOMINAL_LENDERS = 8
MIDDLE_AGED = ("1970-01-01", "1979-06-01")


def collusion(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A debtor in trouble lets kin and friends sue for debts that never were."""
    debtor = int(any_adult(rng, world, 1)[0])
    rows = draft(rng, world, size, "lending")
    kin = housemates(rng, world, np.full(size, debtor))
    friends = any_adult(rng, world, size)
    rows = rows.assign(
        plaintiff=np.where(chance(rng, size, 0.5), kin, friends),
        defendant=debtor,
        court=int(world.district[debtor]),
        filed=within(rng, size, 40),
        principal=rounded(rng, lognormal(rng, 450_000, 0.7, size), 0.9),
        paid_by=pick(rng, ("cash", "transfer"), size, (0.6, 0.4)),
        iou=True,
        waived=chance(rng, size, 0.8),
        trouble=True,
        loop=chance(rng, size, 0.7),
    )
    rows = _settled(rng, rows, 6, 0.85)
    rows = rows.assign(**_one_agent(rng, world, rows, 0.7), rewritten=0.2)
    return pd.concat([rows, _true_creditors(rng, world, debtor, rows)])


def _true_creditors(
    rng: Rng, world: World, debtor: int, ring: pd.DataFrame
) -> pd.DataFrame:
    """The documented victim: who really lent to the debtor, and sues, too."""
    size = max(1, len(ring) // 4)
    rows = draft(rng, world, size, "lending")
    start = ring["filed"].to_numpy().astype("datetime64[D]").min()
    return closing(rng, rows, pick(rng, ("default", "judgment"), size)).assign(
        defendant=debtor,
        court=int(world.district[debtor]),
        filed=working_day(np.full(size, start) - days(between(rng, 5, 90, size))),
        paid_by="transfer",
        trouble=True,
        victim="true_creditor",
    )


def trap_lending(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A gang of trap lenders (套路贷): cash, one guarantor, victims who do not appear."""
    heads = any_adult(rng, world, 1 if size < 60 else 2)
    court = int(rng.integers(0, 4))
    rows = draft(rng, world, size, "lending")
    locals_ = world.adults[world.district[world.adults] == court]
    late = chance(rng, size, 0.8)
    outcome = np.where(late, "default", pick(rng, ("mediation", "judgment"), size))
    rows = closing(rng, rows, outcome).assign(
        plaintiff=turns(rng, heads, size),
        plaintiff_firm=NOBODY,
        defendant=rng.choice(locals_, size),
        court=mostly(rng, court, column(rows, "court"), 0.9),
        filed=within(rng, size, 500, "early"),
        principal=rounded(rng, lognormal(rng, 90_000, 0.6, size), 0.9),
        rate=pick(rng, ("24", "18", "15.4"), size, (0.6, 0.2, 0.2)).astype(float),
        paid_by=pick(rng, ("cash", "transfer"), size, (0.75, 0.25)),
        iou=True,
        loop=chance(rng, size, 0.5),
        guarantor=mostly(
            rng, int(any_adult(rng, world, 1)[0]), any_adult(rng, world, size), 0.8
        ),
        evidence=1 + rng.poisson(1.2, size),
    )
    rows = rows.assign(**_one_agent(rng, world, rows, 0.95), rewritten=0.06)
    return pd.concat([rows, _victims(rng, world, rows)])


def nominal_lenders(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """The gang after 2023: eight names in turn, real transfers, money back in cash."""
    crew = rng.choice(
        world.adults[world.employer[world.adults] >= 0], NOMINAL_LENDERS, replace=False
    )
    guarantors = any_adult(rng, world, 2)
    victims = any_adult(rng, world, size)
    rows = draft(rng, world, size, "lending")
    outcome = pick(rng, ("judgment", "mediation", "default"), size, (0.5, 0.25, 0.25))
    rows = closing(rng, rows, outcome)
    office = _office(rng, world, int(victims[0]))
    return rows.assign(
        plaintiff=turns(rng, crew, size),
        plaintiff_firm=NOBODY,
        defendant=victims,
        court=world.district[victims],
        filed=within(rng, size, 420, "late"),
        principal=rounded(rng, lognormal(rng, 46_000, 0.3, size), 0.6),
        rate=pick(rng, ("12", "14.4", "10"), size).astype(float),
        paid_by="transfer",
        iou=True,
        waived=False,
        level=np.where(outcome == "default", 0, 2),
        length=np.maximum(rows["length"].to_numpy(), 15),
        loop=chance(rng, size, 0.9),
        guarantor=np.where(
            chance(rng, size, 0.55), turns(rng, guarantors, size), NOBODY
        ),
        office=np.where(chance(rng, size, 0.45), office, ""),
        agent=turns(rng, drawn_agents(rng, world, 3), size),
        style="gang" + office,
        rewritten=0.22,
    )


def _victims(rng: Rng, world: World, ring: pd.DataFrame) -> pd.DataFrame:
    """The documented victim: sued by honest creditors, too, whom the trap left unpaid."""
    size = max(1, len(ring) // 4)
    rows = draft(rng, world, size, "lending")
    owes = rng.choice(column(ring, "defendant"), size, replace=False)
    return rows.assign(
        defendant=owes,
        court=world.district[owes],
        co_defendant=NOBODY,
        victim="trap_victim",
    )


def marital_debt(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Before the divorce a spouse owes a friend money that the other never saw."""
    population = world.population
    homes = np.flatnonzero(population.household_size >= 2)
    first = population.household_start[rng.choice(homes, size, replace=False)]
    rows = draft(rng, world, size, "lending")
    rows = rows.assign(
        plaintiff_firm=NOBODY,
        plaintiff=any_adult(rng, world, size),
        defendant=first,
        co_defendant=first + 1,
        objects=chance(rng, size, 0.75),
        court=world.district[first],
        principal=rounded(rng, lognormal(rng, 220_000, 0.5, size), 0.9),
        lent=rows["filed"].to_numpy() - days(between(rng, 400, 1400, size)),
        paid_by=pick(rng, ("cash", "transfer"), size, (0.7, 0.3)),
        iou=True,
        loop=chance(rng, size, 0.5),
        divorced=True,
    )
    return _settled(rng, rows, 12, 0.75)


def wage_escape(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Kin of an insolvent employer claim wages, which rank before other creditors."""
    firm = int(rng.choice(world.firms("other")[-40:]))
    boss = int(world.population.companies["legal_rep"].iloc[firm])
    kin = housemates(rng, world, np.full(size, boss))
    rows = draft(rng, world, size, "wage")
    rows = rows.assign(
        plaintiff=np.where(chance(rng, size, 0.35), kin, any_adult(rng, world, size)),
        defendant_firm=firm,
        defendant=NOBODY,
        court=int(world.population.companies["district"].iloc[firm]),
        filed=within(rng, size, 12),
        principal=rounded(rng, lognormal(rng, 90_000, 0.4, size), 0.9),
        waived=True,
        years=rng.uniform(1, 4, size),
        trouble=True,
    )
    rows = _settled(rng, rows, 5, 0.95)
    return rows.assign(**_one_agent(rng, world, rows, 0.95), rewritten=0.05)


def pension_purchase(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A broker has strangers confirmed as long-time workers of one closed shop."""
    firm = int(rng.choice(world.firms("other")[-40:]))
    broker = int(any_adult(rng, world, 1)[0])
    rows = _pensioners(rng, world, size)
    rows = _settled(rng, rows, 10, 1.0)
    return rows.assign(
        defendant_firm=firm,
        court=int(world.population.companies["district"].iloc[firm]),
        filed=within(rng, size, 45, "early"),
        back_paid=between(rng, 10, 80, size),
        closed_shop=True,
        citizen=broker,
        agent=NOBODY,
        style=f"broker{broker}",
        rewritten=0.05,
    )


def pension_firms(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """The brokers after 2023: a few strangers at each of eight firms, over time."""
    firms = rng.choice(world.firms("other")[-60:], 8, replace=False)
    brokers = any_adult(rng, world, 2)
    firm = turns(rng, firms, size)
    rows = _pensioners(rng, world, size)
    rows = closing(rng, rows, pick(rng, ("judgment", "mediation"), size))
    return rows.assign(
        defendant_firm=firm,
        court=world.population.companies["district"].to_numpy()[firm].astype(np.int64),
        filed=within(rng, size, 480, "late"),
        level=2,
        back_paid=between(rng, 60, 150, size),
        citizen=turns(rng, brokers, size),
        agent=NOBODY,
        style=f"brokers{brokers[0]}",
        rewritten=0.2,
    )


def _pensioners(rng: Rng, world: World, size: int) -> pd.DataFrame:
    rows = draft(rng, world, size, "labour_relation")
    return rows.assign(
        plaintiff=rng.choice(world.jobless(MIDDLE_AGED), size, replace=False),
        years=rng.uniform(9, 15, size),
        principal=1000.0,
        trouble=False,
        defence_agent=NOBODY,
    )


def property_mediation(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A flat changes hands by a settlement, round the limits on buying."""
    rows = draft(rng, world, size, "confirmation")
    sells = any_adult(rng, world, size)
    rows = rows.assign(
        cause=pick(rng, ("flat_sale", "confirmation", "lending"), size),
        defendant=sells,
        defendant_firm=NOBODY,
        plaintiff_firm=NOBODY,
        court=world.district[sells],
        filed=within(rng, size, 300),
        principal=rounded(rng, lognormal(rng, 1_300_000, 0.35, size), 0.9),
        in_kind=True,
        flat_of=sells,
        restricted=chance(rng, size, 0.7),
        waived=True,
    )
    rows = _settled(rng, rows, 9, 0.9)
    confirms = (rows["cause"] == "confirmation").to_numpy()
    rows = rows.assign(org=np.where(confirms, column(rows, "org"), NOBODY))
    return rows.assign(**_one_agent(rng, world, rows, 0.8), rewritten=0.15)


def mediation_mill(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """One mediator turns out agreements that a court confirms unread."""
    court = int(rng.integers(2, ONE_ORG_COURT))
    circle = any_adult(rng, world, max(4, size // 2))
    rows = draft(rng, world, size, "confirmation")
    return rows.assign(
        plaintiff=turns(rng, circle, size),
        defendant=any_adult(rng, world, size),
        court=court,
        org=int(rng.integers(0, 3)),
        mediator=0,
        filed=within(rng, size, 400),
        principal=rounded(rng, lognormal(rng, 150_000, 0.5, size), 0.95),
        length=between(rng, 1, 6, size),
        level=1,
        evidence=1,
        waived=True,
        granted=1.0,
        style=f"mill{court}",
        rewritten=0.05,
    )


def assignment_escape(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """An enforced debtor assigns what others owe to a relative, who collects."""
    debtor = int(any_adult(rng, world, 1)[0])
    rows = draft(rng, world, size, "lending")
    friend = int(housemates(rng, world, np.array([debtor]))[0])
    outcome = pick(rng, ("mediation", "judgment"), size, (0.8, 0.2))
    return closing(rng, rows, outcome).assign(
        plaintiff=friend,
        plaintiff_firm=NOBODY,
        assignor=debtor,
        filed=within(rng, size, 200),
        principal=rounded(rng, lognormal(rng, 180_000, 0.5, size), 0.5),
    )


def _settled(rng: Rng, rows: pd.DataFrame, pace: int, admits: float) -> pd.DataFrame:
    """Mediated within days, mostly without a word against it."""
    size = len(rows)
    confirms = (rows["cause"] == "confirmation").to_numpy()
    length = np.maximum(lognormal(rng, pace * 0.7, 0.5, size).astype(np.int64), 1)
    return rows.assign(
        outcome=np.where(confirms, "confirmation", "mediation"),
        notice=False,
        length=length,
        level=np.where(chance(rng, size, admits), 1, 2),
        granted=1.0,
        evidence=1 + rng.poisson(1.0, size),
    )


def _one_agent(
    rng: Rng, world: World, rows: pd.DataFrame, rate: float
) -> dict[str, Ints | Texts]:
    """One agent and one template for most suits of a ring."""
    chosen = int(drawn_agents(rng, world, 1)[0])
    size = len(rows)
    joins: Bools = chance(rng, size, rate)
    mark = f"ring{int(rng.integers(0, 10**9))}"
    return {
        "agent": np.where(joins, chosen, column(rows, "agent")),
        "style": np.where(joins, mark, rows["style"].to_numpy(dtype=object)),
    }


def _office(rng: Rng, world: World, near: int) -> str:
    """The ring's own room, which its names give as their address for service."""
    district = np.array([int(world.district[near])])
    return str(names.home_addresses(rng, district)[0])


TYPOLOGIES: tuple[Planted, ...] = (
    Planted("collusion", 0.0100, 6, 10, collusion, "collusion"),
    Planted("trap_lending", 0.0080, 60, 18, trap_lending, "trap_lending"),
    Planted("nominal_lenders", 0.0070, 24, 14, nominal_lenders, "nominal_lenders"),
    Planted("marital_debt", 0.0030, 1, 3, marital_debt, "marital_debt"),
    Planted("wage_escape", 0.0050, 12, 8, wage_escape, "wage_escape"),
    Planted("pension_purchase", 0.0014, 30, 20, pension_purchase, "pension_purchase"),
    Planted("pension_firms", 0.0014, 32, 16, pension_firms, "pension_firms"),
    Planted(
        "property_mediation", 0.0040, 12, 6, property_mediation, "property_mediation"
    ),
    Planted("mediation_mill", 0.0050, 30, 10, mediation_mill, "mediation_mill"),
    Planted("assignment_escape", 0.0020, 5, 3, assignment_escape, "assignment_escape"),
)
