"""Planted elder-care schemes: how firms of each kind of ring behave.

Every function gets the rows of one ring and returns the habits that it changes.
"""

from typing import Any

import numpy as np
import pandas as pd

from training.simulation.elder_plants import Scheme
from training.simulation.elder_world import (
    AGENCY,
    DAY_CARE,
    HOME,
    MIX,
    NEVER,
    SHOP,
    TRAVEL,
)
from training.simulation.sampling import Bools, Floats, Rng, between, chance, lognormal

CAUGHT_BY_RULES = "bed_card_ponzi"
CAUGHT_BY_NO_RULE = "bed_card_evading"
SWITCH_MONTH = 18  # from July 2023 on rings know what the rules look for
LATE_EVADERS = 0.6  # of the rings that begin after it
LATEST_SUCCESSION = 31  # a later shell has hardly sold yet
SUCCESSION_FROM = 4  # firms of a ring that changes its shell

Habits = dict[str, Any]


def mixed(rows: pd.DataFrame, **shares: float) -> Habits:
    """The kinds of contract that a firm sells."""
    return {name: np.full(len(rows), shares.get(name[4:], 0.0)) for name in MIX}


def begins(rng: Rng, rows: pd.DataFrame, low: int, high: int) -> Habits:
    """A ring starts within a few months; a shell is opened no later than it sells."""
    start = int(rng.integers(low, high + 1))
    first = np.minimum(start + between(rng, 0, 2, len(rows)), 32)
    opened = (np.datetime64("2022-01") + first).astype("datetime64[D]")
    known = rows["opened"].to_numpy().astype("datetime64[D]")
    return {"first": first, "opened": np.minimum(known, opened)}


def succession(rows: pd.DataFrame, first: np.ndarray) -> Habits:
    """In a larger ring the last firm takes over when the first one slows."""
    size = len(rows)
    moved = int(first.max()) + 8
    if size < SUCCESSION_FROM or moved > LATEST_SUCCESSION:
        return {}
    slows, starts = np.full(size, NEVER), first.copy()
    slows[0], starts[-1] = moved, moved
    opened = (np.datetime64("2022-01") + starts).astype("datetime64[D]")
    known = rows["opened"].to_numpy().astype("datetime64[D]").copy()
    known = np.minimum(known, opened)
    known[-1] = opened[-1]
    return {"slows": slows, "first": starts, "opened": known, "founded": known}


def _evades(rng: Rng, first: int) -> bool:
    return first >= SWITCH_MONTH and bool(rng.random() < LATE_EVADERS)


def _uniform(rng: Rng, rows: pd.DataFrame, low: float, high: float) -> Floats:
    return rng.uniform(low, high, len(rows))


def _shell(rng: Rng, rows: pd.DataFrame, *, evades: bool) -> Habits:
    """What raisers have in common: few insured staff, money out to individuals."""
    low, high = (0.22, 0.45) if evades else (0.03, 0.25)
    return {
        "insured": _uniform(rng, rows, low, high),
        "arrears": 0.04 if evades else 0.25,
        "old": _uniform(rng, rows, 0.84, 0.96),
        "again": _uniform(rng, rows, 0.4, 0.65),
        "rounded": _uniform(rng, rows, 0.8, 0.98),
        "out_private": _uniform(rng, rows, 0.33, 0.47)
        if evades
        else _uniform(rng, rows, 0.5, 0.8),
        "private": _uniform(rng, rows, 0.3, 0.7) if evades else 0.1,
        "interest": _uniform(rng, rows, 0.15, 0.3) if evades else 0.5,
        "out_ratio": _uniform(rng, rows, 0.85, 1.0),
        "season": 0.05,
    }


def bed_card_ponzi(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Cards on beds that do not exist, with a promised return."""
    begun = begins(rng, rows, 10, 26)
    beds = between(rng, 15, 45, len(rows))
    return {
        **_shell(rng, rows, evades=False),
        **begun,
        **mixed(rows, member_card=0.6, deposit=0.25, service=0.15),
        "line": HOME,
        "beds": beds,
        "filed": chance(rng, len(rows), 0.5),
        "yearly": beds * _uniform(rng, rows, 4.5, 9.0),
        "growth": _uniform(rng, rows, 1.25, 1.9),
        "amount": lognormal(rng, 58_000, 0.25, len(rows)),
        "long": 0.5,
        "promised": _uniform(rng, rows, 0.08, 0.12),
        "promising": 0.5,
        "custody": np.where(
            chance(rng, len(rows), 0.6), -1.0, _uniform(rng, rows, 0.05, 0.4)
        ),
        "prepaid_ratio": _uniform(rng, rows, 6.0, 20.0),
        "events": _uniform(rng, rows, 2.5, 6.0),
        "gift": 0.9,
        "venues": between(rng, 4, 8, len(rows)),
        "occupancy": _uniform(rng, rows, 0.1, 0.4),
        "ads": _uniform(rng, rows, 0.6, 1.5),
        "cash": _uniform(rng, rows, 0.15, 0.45),
        "complaints": lognormal(rng, 0.8, 0.4, len(rows)),
        "grievance": 0.8,
    }


def bed_card_evading(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Cards split over brands round one real home; each firm keeps below every rule."""
    size = len(rows)
    show = np.arange(size) == 0  # the full home that visitors are taken to
    beds = np.where(show, between(rng, 40, 80, size), between(rng, 26, 40, size))
    return {
        **_shell(rng, rows, evades=True),
        **begins(rng, rows, SWITCH_MONTH, SWITCH_MONTH + 6),
        **mixed(rows, member_card=0.55, service=0.45),
        "line": np.where(show, HOME, DAY_CARE),
        "beds": beds,
        "filed": True,
        "yearly": beds * _uniform(rng, rows, 0.8, 1.25),
        "growth": _uniform(rng, rows, 1.12, 1.25),
        "amount": lognormal(rng, 24_000, 0.12, size),
        "spread": 0.2,
        "long": 0.0,
        "promising": 0.0,
        "soft": 0.5,
        "ads": _uniform(rng, rows, 0.5, 0.9),
        "custody": _uniform(rng, rows, 1.05, 1.15),
        "prepaid_ratio": _uniform(rng, rows, 1.2, 3.4),
        "events": _uniform(rng, rows, 1.5, 2.4),
        "gift": 0.45,
        "venues": between(rng, 2, 3, size),
        "occupancy": np.where(show, 0.97, _uniform(rng, rows, 0.3, 0.6)),
        "insured": _uniform(rng, rows, 0.38, 0.6),
        "arrears": 0.01,
        "complaints": 0.15,
        "refuses": 0.02,
        "team": -1,  # each brand sells under a phone of its own
    }


def base_tour(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Shares in a care base, sold on tours to it."""
    begun = begins(rng, rows, 6, 28)
    evades = _evades(rng, int(begun["first"][0]))
    return {
        **_shell(rng, rows, evades=evades),
        **begun,
        **succession(rows, begun["first"]),
        **mixed(rows, project=0.7, service=0.3),
        "line": TRAVEL,
        "yearly": _uniform(rng, rows, 50, 180),
        "growth": _uniform(rng, rows, 1.15, 1.8),
        "amount": lognormal(rng, 42_000 if evades else 75_000, 0.2, len(rows)),
        "promised": 0.0 if evades else _uniform(rng, rows, 0.06, 0.12),
        "promising": 0.02 if evades else 0.4,
        "soft": 0.5,
        "ads": _uniform(rng, rows, 0.6, 1.5),
        "prepaid_ratio": _uniform(rng, rows, 2.5, 9.0),
        "events": _uniform(rng, rows, 2.0, 3.4)
        if evades
        else _uniform(rng, rows, 5.0, 9.0),
        "gift": 0.8,
        "venues": between(rng, 3, 8, len(rows)),
        "custody": -1.0,
        "complaints": lognormal(rng, 0.6, 0.5, len(rows)),
        "grievance": 0.8,
    }


def hard_sell(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Health products at many times their price, sold at lectures with gifts."""
    begun = begins(rng, rows, 4, 30)
    evades = _evades(rng, int(begun["first"][0]))
    return {
        **begun,
        **succession(rows, begun["first"]),
        **mixed(rows, product=0.9, member_card=0.1),
        "line": SHOP,
        "yearly": _uniform(rng, rows, 60, 220),
        "growth": _uniform(rng, rows, 1.0, 1.3),
        "amount": lognormal(rng, 6_000 if evades else 11_000, 0.25, len(rows)),
        "old": _uniform(rng, rows, 0.85, 0.97),
        "again": _uniform(rng, rows, 0.5, 0.75),
        "rounded": _uniform(rng, rows, 0.7, 0.95),
        "private": _uniform(rng, rows, 0.2, 0.6),
        "cash": _uniform(rng, rows, 0.3, 0.6),
        "out_private": _uniform(rng, rows, 0.3, 0.6),
        "insured": _uniform(rng, rows, 0.05, 0.35),
        "events": _uniform(rng, rows, 2.2, 3.6)
        if evades
        else _uniform(rng, rows, 5.0, 10.0),
        "gift": _uniform(rng, rows, 0.7, 1.0),
        "venues": between(rng, 4, 9, len(rows)),
        "soft": 0.1,
        "complaints": lognormal(rng, 1.2 if evades else 4.0, 0.35, len(rows)),
        "grievance": 0.85,
        "refunds": _uniform(rng, rows, 0.05, 0.12),
        "refuses": _uniform(rng, rows, 0.5, 0.85),
    }


def house_for_pension(rng: Rng, rows: pd.DataFrame) -> Habits:
    """A loan on the home, the money handed on into a project."""
    return {
        **_shell(rng, rows, evades=False),
        **begins(rng, rows, 8, 28),
        **mixed(rows, project=0.9, service=0.1),
        "line": AGENCY,
        "yearly": _uniform(rng, rows, 10, 26),
        "growth": _uniform(rng, rows, 1.05, 1.4),
        "amount": lognormal(rng, 520_000, 0.3, len(rows)),
        "promised": _uniform(rng, rows, 0.06, 0.10),
        "promising": 0.6,
        "ads": _uniform(rng, rows, 0.4, 1.0),
        "custody": -1.0,
        "prepaid_ratio": _uniform(rng, rows, 10.0, 40.0),
        "complaints": lognormal(rng, 1.0, 0.4, len(rows)),
        "grievance": 0.8,
    }


def backpay_agency(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Fees for pension years that nobody can buy afterwards."""
    return {
        **begins(rng, rows, 8, 29),
        **mixed(rows, service=1.0),
        "line": AGENCY,
        "yearly": _uniform(rng, rows, 40, 110),
        "growth": _uniform(rng, rows, 1.05, 1.35),
        "amount": lognormal(rng, 52_000, 0.2, len(rows)),
        "old": _uniform(rng, rows, 0.55, 0.85),
        "rounded": _uniform(rng, rows, 0.7, 0.95),
        "private": _uniform(rng, rows, 0.5, 0.9),
        "out_private": _uniform(rng, rows, 0.4, 0.75),
        "out_ratio": _uniform(rng, rows, 0.85, 1.0),
        "cash": _uniform(rng, rows, 0.25, 0.6),
        "soft": 0.4,
        "insured": _uniform(rng, rows, 0.05, 0.35),
        "complaints": lognormal(rng, 6.0, 0.4, len(rows)),
        "grievance": 0.85,
        "refunds": _uniform(rng, rows, 0.06, 0.12),
        "refuses": _uniform(rng, rows, 0.5, 0.8),
    }


def subsidy_padding(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Subsidies for residents who do not live there."""
    late: Bools = chance(rng, len(rows), 0.4)
    return {
        "line": HOME,
        "padding": np.where(
            late, _uniform(rng, rows, 1.25, 1.45), _uniform(rng, rows, 1.5, 2.2)
        ),
        "occupancy": _uniform(rng, rows, 0.3, 0.55),
        "insured": _uniform(rng, rows, 0.2, 0.5),
        "own_form": True,
        "team": -1,
        "form": rows["form"].to_numpy(),
        "wording": rows["wording"].to_numpy(),
    }


SCHEMES = (
    Scheme("bed_card_ponzi", 0.014, (HOME, DAY_CARE), (3, 5), 3, bed_card_ponzi),
    Scheme("bed_card_evading", 0.006, (HOME, DAY_CARE), (6, 6), 6, bed_card_evading),
    Scheme("base_tour", 0.010, (TRAVEL,), (2, 4), 2, base_tour),
    Scheme("hard_sell", 0.030, (SHOP,), (2, 5), 2, hard_sell),
    Scheme("house_for_pension", 0.003, (AGENCY,), (1, 3), 1, house_for_pension),
    Scheme("backpay_agency", 0.005, (AGENCY,), (1, 3), 1, backpay_agency),
    # 3 % of the homes, which are 27 % of the firms in scope.
    Scheme("subsidy_padding", 0.008, (HOME,), (1, 2), 2, subsidy_padding),
)
