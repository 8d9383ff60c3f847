"""Ordinary suits, drawn by positions: who sues whom, for what, and how it ends."""

from typing import Any

import numpy as np
import pandas as pd

from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Texts,
    chance,
    days,
    lognormal,
    pick,
    texts,
    weighted,
)
from training.simulation.suits_world import (
    NOBODY,
    ORG_WEIGHTS,
    World,
    any_adult,
    drawn_agents,
    filing_days,
    housemates,
)

CAUSES = texts(
    ["lending", "wage", "labour_relation", "sale", "flat_sale", "confirmation"]
)
CAUSE_WEIGHTS = np.array([0.55, 0.13, 0.05, 0.12, 0.05, 0.10])
TEXT_KIND = {
    "lending": "lending",
    "wage": "labour",
    "labour_relation": "labour",
    "sale": "trade",
    "flat_sale": "trade",
    "confirmation": "lending",
}
MEDIAN_SUM = {
    "lending": 55_000,
    "wage": 16_000,
    "labour_relation": 12_000,
    "sale": 80_000,
    "flat_sale": 60_000,
    "confirmation": 40_000,
}
AGENT_RATES = {"sale": 0.7, "flat_sale": 0.6, "confirmation": 0.1}
RATES = np.array([0, 6, 8, 10, 12, 14.4, 15.4, 18, 24], dtype=float)
RATE_WEIGHTS = np.array([0.34, 0.1, 0.08, 0.1, 0.12, 0.1, 0.06, 0.05, 0.05])
OUTCOMES = ("default", "mediation", "withdrawn", "judgment")
OUTCOME_WEIGHTS = (0.30, 0.35, 0.09, 0.26)
# What the defendant said (nothing, no objection, mild, dispute), by outcome.
SAID = {
    "default": (1.0, 0.0, 0.0, 0.0),
    "mediation": (0.1, 0.4, 0.38, 0.12),
    "withdrawn": (0.5, 0.1, 0.2, 0.2),
    "judgment": (0.0, 0.08, 0.42, 0.5),
    "confirmation": (0.1, 0.65, 0.25, 0.0),
}
DAYS = {
    "default": (66, 0.35),
    "mediation": (26, 0.6),
    "withdrawn": (28, 0.6),
    "judgment": (85, 0.4),
    "confirmation": (13, 0.5),
}
FIRM_PLAINTIFF_RATE = 0.10  # of lending suits
KIN_LOAN_RATE = 0.03


def column(rows: pd.DataFrame, name: str) -> Ints:
    """A column of positions."""
    return np.asarray(rows[name], dtype=np.int64)


def by_word(words: Texts, table: dict[str, Any], default: float = 0) -> Floats:
    """A number per row, looked up by a word."""
    return np.array([table.get(word, default) for word in words], dtype=float)


def draft(rng: Rng, world: World, size: int, cause: str = "") -> pd.DataFrame:
    """Ordinary suits, of one cause or of all."""
    causes = (
        np.full(size, cause, dtype=object)
        if cause
        else CAUSES[weighted(rng, CAUSE_WEIGHTS, size)]
    )
    rows = pd.DataFrame({"cause": causes, "filed": filing_days(rng, size)})
    rows = _parties(rng, world, rows)
    rows = _sums(rng, rows)
    rows = _outcomes(rng, rows)
    rows = _acting(rng, world, rows)
    return _special(rng, world, rows)


def _parties(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    size, cause = len(rows), rows["cause"].to_numpy()
    others, builders = world.firms("other"), world.firms("builder")
    lenders = world.lenders[weighted(rng, world.lender_weight, size)]
    lends = cause == "lending"
    plaintiff = np.where(lends, lenders, any_adult(rng, world, size))
    by_firm = (cause == "sale") | (lends & chance(rng, size, FIRM_PLAINTIFF_RATE))
    at_work = np.isin(cause, ["wage", "labour_relation"])
    job = world.employer[plaintiff]
    boss = np.where(job == NOBODY, rng.choice(others, size), job)
    against = np.select(
        [at_work, cause == "flat_sale", (cause == "sale") & chance(rng, size, 0.6)],
        [boss, rng.choice(builders, size), rng.choice(others, size)],
        NOBODY,
    )
    defendant = any_adult(rng, world, size)
    kin = lends & chance(rng, size, KIN_LOAN_RATE)
    defendant = np.where(kin, housemates(rng, world, plaintiff), defendant)
    home = world.district
    firm_home = world.population.companies["district"].to_numpy()
    court = np.where(against >= 0, firm_home[against], home[defendant])
    return rows.assign(
        plaintiff=np.where(by_firm, NOBODY, plaintiff),
        plaintiff_firm=np.where(by_firm, rng.choice(others, size), NOBODY),
        defendant=np.where(against >= 0, NOBODY, defendant),
        defendant_firm=against,
        court=court,
    )


def rounded(rng: Rng, sums: Floats, whole: float) -> Floats:
    """Sums as people agree on them: at a rate in full ten thousands."""
    coarse = np.where(sums >= 10_000, 10_000.0, 1000.0)
    fine = np.where(sums >= 10_000, 100.0, 10.0)
    step = np.where(chance(rng, len(sums), whole), coarse, fine)
    return np.asarray(np.maximum(np.round(sums / step), 1) * step)


def _sums(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    size, cause = len(rows), rows["cause"].to_numpy()
    median = by_word(cause, MEDIAN_SUM)
    spread = np.where(np.isin(cause, ["wage", "labour_relation"]), 0.7, 1.0)
    owed = rng.lognormal(np.log(median), spread)
    lends = np.isin(cause, ["lending", "confirmation"])
    owed = np.where(lends, rounded(rng, owed, 0.6), rounded(rng, owed, 0.05))
    age = (60 + lognormal(rng, 420, 0.7, size)).astype(np.int64)
    cash = chance(rng, size, np.where(owed < 50_000, 0.35, 0.10))
    return rows.assign(
        principal=owed,
        rate=RATES[weighted(rng, RATE_WEIGHTS, size)],
        lent=rows["filed"].to_numpy() - days(np.minimum(age, 2500)),
        paid_by=np.where(cash, "cash", "transfer"),
        iou=chance(rng, size, 0.85),
        waived=chance(rng, size, 0.15),
        granted=np.clip(rng.normal(0.93, 0.12, size), 0.3, 1.0),
        evidence=1 + rng.poisson(3.2, size),
    )


def said(rng: Rng, outcome: Texts) -> Ints:
    """How much the defendant contests, drawn by outcome."""
    level = np.zeros(len(outcome), dtype=np.int64)
    for name, weights in SAID.items():
        rows = np.flatnonzero(outcome == name)
        level[rows] = weighted(rng, np.asarray(weights), len(rows))
    return level


def closing(rng: Rng, rows: pd.DataFrame, outcome: Texts) -> pd.DataFrame:
    """Outcome, contest and length of suits that end in these ways."""
    size = len(rows)
    median = by_word(outcome, {name: pace[0] for name, pace in DAYS.items()})
    spread = by_word(outcome, {name: pace[1] for name, pace in DAYS.items()})
    notice = (outcome == "default") & chance(rng, size, 0.4)
    length = rng.lognormal(np.log(median), spread) + 70 * notice
    return rows.assign(
        outcome=outcome,
        level=said(rng, outcome),
        notice=notice,
        length=np.maximum(length.astype(np.int64), 1),
    )


def _outcomes(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    outcome = pick(rng, OUTCOMES, len(rows), OUTCOME_WEIGHTS)
    confirmed = (rows["cause"] == "confirmation").to_numpy()
    return closing(rng, rows, np.where(confirmed, "confirmation", outcome))


def _acting(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Agents, phones and the words of the pleading."""
    size, cause = len(rows), rows["cause"].to_numpy()
    acts = chance(rng, size, by_word(cause, AGENT_RATES, 0.45))
    agent = np.where(acts, drawn_agents(rng, world, size), NOBODY)
    absent = (rows["outcome"] == "default").to_numpy()
    against = np.where(
        chance(rng, size, 0.22) & ~absent, drawn_agents(rng, world, size), NOBODY
    )
    at_work = np.isin(cause, ["wage", "labour_relation"]) & ~absent
    clerk = np.where(
        at_work & chance(rng, size, 0.15), any_adult(rng, world, size), NOBODY
    )
    return with_agent(rng, world, rows.assign(defence_agent=against), agent).assign(
        citizen=clerk,  # somebody without a licence who acts for the employer
        agent_phone=chance(rng, size, 0.03) & acts,  # given as the plaintiff's own
        office="",  # an address for service that is not the plaintiff's home
        rewritten=0.12,
    )


def with_agent(rng: Rng, world: World, rows: pd.DataFrame, agent: Ints) -> pd.DataFrame:
    """Change who acts for the plaintiff; some agents have a template of their own."""
    templated = world.agents["templated"].to_numpy()[agent] & (agent >= 0)
    uses = templated & chance(rng, len(rows), 0.7)
    kind = rows["cause"].map(TEXT_KIND).to_numpy(dtype=object)
    style = "agent" + agent.astype(str).astype(object) + kind
    return rows.assign(agent=agent, style=np.where(uses, style, ""))


def _special(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """What only some causes have: guarantors, mediators, years of work, back-pay."""
    size, cause = len(rows), rows["cause"].to_numpy()
    lends = cause == "lending"
    guaranteed = lends & chance(rng, size, 0.12)
    joined = lends & chance(rng, size, 0.08)
    assigned = lends & chance(rng, size, 0.03)
    related: Bools = cause == "labour_relation"
    paid_up = related & chance(rng, size, 0.2)
    org = weighted(rng, ORG_WEIGHTS, size)
    other = any_adult(rng, world, size)
    return rows.assign(
        guarantor=np.where(guaranteed, any_adult(rng, world, size), NOBODY),
        co_defendant=np.where(joined, other, NOBODY),
        objects=joined & chance(rng, size, 0.12),
        assignor=np.where(assigned, any_adult(rng, world, size), NOBODY),
        org=np.where(cause == "confirmation", org, NOBODY),
        mediator=rng.integers(0, 3, size),
        in_kind=(rows["outcome"] == "mediation").to_numpy() & chance(rng, size, 0.02),
        flat_of=NOBODY,
        restricted=False,
        years=lognormal(rng, 1.6, 0.6, size),
        back_paid=np.where(paid_up, rng.integers(20, 320, size), NOBODY),
        trouble=chance(rng, size, np.where(rows["outcome"] == "default", 0.12, 0.02)),
        loop=False,
        divorced=False,
        closed_shop=False,
    )
