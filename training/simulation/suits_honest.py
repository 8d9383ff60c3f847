"""Hard negatives of the litigation scenario: honest suits whom naive rules accuse."""

import numpy as np
import pandas as pd

from training.simulation.sampling import (
    Rng,
    between,
    chance,
    lognormal,
    pick,
)
from training.simulation.suits_cases import closing, column, draft, rounded, with_agent
from training.simulation.suits_plants import Planted, mostly, within
from training.simulation.suits_world import (
    NOBODY,
    ONE_ORG_COURT,
    World,
    any_adult,
    drawn_agents,
    housemates,
    working_day,
)

OLD_WORKERS = ("1966-01-01", "1979-06-01")


def merchant(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A dealer in building materials with forty unpaid bills, sued on as loans."""
    dealer = int(rng.choice(world.firms("other")))
    rows = draft(rng, world, size, "lending")
    outcome = pick(rng, ("default", "mediation", "judgment"), size, (0.35, 0.35, 0.3))
    rows = closing(rng, rows, outcome).assign(
        plaintiff=NOBODY,
        plaintiff_firm=dealer,
        principal=np.round(lognormal(rng, 38_000, 0.8, size), 0),
        rate=0.0,
        paid_by="transfer",
        guarantor=NOBODY,
        evidence=3 + rng.poisson(4, size),
    )
    usual = int(drawn_agents(rng, world, 1)[0])
    return with_agent(rng, world, rows, mostly(rng, usual, column(rows, "agent"), 0.7))


def licensed_lender(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A micro-lender with a licence: its borrowers often abscond."""
    lender = int(rng.choice(world.firms("small_lender")))
    rows = draft(rng, world, size, "lending")
    outcome = pick(rng, ("default", "mediation", "judgment"), size, (0.6, 0.3, 0.1))
    rows = closing(rng, rows, outcome).assign(
        plaintiff=NOBODY,
        plaintiff_firm=lender,
        principal=rounded(rng, lognormal(rng, 120_000, 0.6, size), 0.8),
        rate=pick(rng, ("14.4", "15.4", "18"), size).astype(float),
        paid_by="transfer",
        iou=True,
        evidence=3 + rng.poisson(2, size),
    )
    usual = int(drawn_agents(rng, world, 1)[0])
    return with_agent(rng, world, rows, np.full(size, usual)).assign(
        style=f"lender{lender}", rewritten=0.03
    )


def relatives_loan(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A true loan among relatives, paid by transfer; some debtors are in trouble."""
    rows = draft(rng, world, size, "lending")
    lends = any_adult(rng, world, size)
    owes = housemates(rng, world, lends)
    outcome = pick(rng, ("mediation", "judgment", "default"), size, (0.6, 0.25, 0.15))
    return closing(rng, rows, outcome).assign(
        plaintiff=lends,
        plaintiff_firm=NOBODY,
        defendant=owes,
        court=world.district[owes],
        principal=rounded(rng, lognormal(rng, 110_000, 0.7, size), 0.8),
        paid_by="transfer",
        trouble=chance(rng, size, 0.3),
        loop=False,
    )


def home_buyers(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Buyers of one late building sue its developer on one day through one lawyer."""
    developer = int(rng.choice(world.firms("builder")))
    day = working_day(within(rng, 1, 1))[0]
    rows = draft(rng, world, size, "flat_sale")
    agent = np.full(size, int(drawn_agents(rng, world, 1)[0]))
    outcome = np.full(size, pick(rng, ("mediation", "judgment"), 1)[0])
    rows = closing(rng, rows, outcome).assign(
        defendant_firm=developer,
        defendant=NOBODY,
        court=int(world.population.companies["district"].iloc[developer]),
        filed=day,
        level=2,
        principal=np.round(lognormal(rng, 42_000, 0.3, size), 0),
        length=int(between(rng, 25, 70, 1)[0]),
    )
    return with_agent(rng, world, rows, agent).assign(
        style=f"buyers{developer}", rewritten=0.0
    )


def legal_aid(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A legal-aid lawyer with many wage claims at many employers."""
    agent = int(drawn_agents(rng, world, 1)[0])
    rows = draft(rng, world, size, "wage")
    return with_agent(rng, world, rows, np.full(size, agent)).assign(
        style=f"aid{agent}", rewritten=0.15
    )


def old_worker(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """A real worker of many years without any record, whose employer disputes it."""
    rows = draft(rng, world, size, "labour_relation")
    rows = closing(rng, rows, pick(rng, ("judgment", "mediation"), size, (0.75, 0.25)))
    later = chance(rng, size, 0.6)
    return rows.assign(
        plaintiff=rng.choice(world.jobless(OLD_WORKERS), size, replace=False),
        years=rng.uniform(5, 16, size),
        level=np.where(chance(rng, size, 0.75), 3, rows["level"]),
        evidence=4 + rng.poisson(3, size),
        back_paid=np.where(later, between(rng, 20, 240, size), NOBODY),
    )


def fast_mediation(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """Small clear debts that the court's own pre-trial mediation closes in days."""
    rows = draft(rng, world, size, "lending")
    rows = closing(rng, rows, np.full(size, "mediation", dtype=object))
    return rows.assign(
        principal=rounded(rng, lognormal(rng, 18_000, 0.6, size), 0.7),
        length=between(rng, 1, 7, size),
        level=1,
        granted=1.0,
        waived=chance(rng, size, 0.5),
    )


def only_mediator(rng: Rng, world: World, size: int) -> pd.DataFrame:
    """The one busy mediation body of a small county."""
    rows = draft(rng, world, size, "confirmation")
    return rows.assign(court=ONE_ORG_COURT, org=0, mediator=rng.integers(0, 2, size))


HARD_NEGATIVES: tuple[Planted, ...] = (
    Planted("merchant", 0.0130, 40, 20, merchant),
    Planted("licensed_lender", 0.0120, 36, 18, licensed_lender),
    Planted("relatives_loan", 0.0120, 12, 8, relatives_loan),
    Planted("home_buyers", 0.0130, 60, 16, home_buyers),
    Planted("legal_aid", 0.0150, 100, 16, legal_aid),
    Planted("old_worker", 0.0100, 12, 8, old_worker),
    Planted("fast_mediation", 0.0150, 20, 10, fast_mediation),
    Planted("only_mediator", 0.0080, 40, 8, only_mediator),
)
