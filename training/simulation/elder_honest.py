"""Honest firms that look like schemes, and firms that a scheme or a rumour has harmed."""

from typing import Any

import numpy as np
import pandas as pd

from training.simulation.elder_fraud import mixed
from training.simulation.elder_plants import Scheme
from training.simulation.elder_world import (
    DAY_CARE,
    HOME,
    MIX,
    SHOP,
    TRAVEL,
)
from training.simulation.sampling import Rng, between, chance, days, lognormal

Habits = dict[str, Any]


def sound_ccrc(rng: Rng, rows: pd.DataFrame) -> Habits:
    """A large community for the well-off: high member deposits, all in custody."""
    size = len(rows)
    beds = between(rng, 200, 400, size)
    return {
        **mixed(rows, member_card=0.75, service=0.25),
        "line": HOME,
        "beds": beds,
        "staff": between(rng, 40, 60, size),
        "filed": True,
        "yearly": beds * rng.uniform(0.3, 0.6, size),
        "growth": np.where(chance(rng, size, 0.4), rng.uniform(1.3, 1.8, size), 1.0),
        "amount": lognormal(rng, 240_000, 0.25, size),
        "long": rng.uniform(0.0, 0.3, size),
        "old": rng.uniform(0.84, 0.95, size),
        "rounded": rng.uniform(0.8, 0.98, size),
        "custody": rng.uniform(1.03, 1.3, size),
        "prepaid_ratio": rng.uniform(2.0, 6.0, size),
        "occupancy": rng.uniform(0.75, 0.95, size),
    }


def charity_home(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Free lectures with gifts every week, hardly any money taken."""
    size = len(rows)
    return {
        "filed": True,
        "events": rng.uniform(4.5, 8.0, size),
        "gift": rng.uniform(0.7, 1.0, size),
        "venues": between(rng, 4, 8, size),
        "amount": lognormal(rng, 4_000, 0.25, size),
        "occupancy": rng.uniform(0.85, 0.98, size),
        "old": rng.uniform(0.8, 0.95, size),
    }


def opening_year(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Opened within the year: empty beds, prepayments before the first income."""
    size = len(rows)
    first = between(rng, 25, 30, size)
    opened = (np.datetime64("2022-01") + first).astype("datetime64[D]")
    return {
        "line": HOME,
        "first": first,
        "opened": opened,
        "founded": opened - days(between(rng, 60, 300, size)),
        "beds": between(rng, 60, 140, size),
        "filed": chance(rng, size, 0.7),
        "growth": rng.uniform(1.1, 1.6, size),
        "occupancy": rng.uniform(0.15, 0.4, size),
        "prepaid_ratio": rng.uniform(3.0, 8.0, size),
        "custody": rng.uniform(0.9, 1.2, size),
        "events": rng.uniform(1.0, 3.0, size),
        "ads": rng.uniform(0.5, 1.2, size),
    }


def state_owned(rng: Rng, rows: pd.DataFrame) -> Habits:
    """A project of the district: many clients, subsidies named in its notices."""
    size = len(rows)
    beds = between(rng, 150, 320, size)
    return {
        **mixed(rows, deposit=0.3, service=0.5, project=0.2),
        "line": HOME,
        "beds": beds,
        "filed": True,
        "yearly": beds * rng.uniform(0.6, 1.1, size),
        "growth": rng.uniform(1.0, 1.5, size),
        "amount": lognormal(rng, 20_000, 0.25, size),
        "long": 0.0,
        "discount": rng.uniform(0.3, 0.6, size),
        "ads": rng.uniform(0.6, 1.2, size),
        "custody": rng.uniform(1.0, 1.1, size),
        "prepaid_ratio": rng.uniform(0.8, 2.5, size),
        "old": rng.uniform(0.8, 0.92, size),
    }


def price_dispute(rng: Rng, rows: pd.DataFrame) -> Habits:
    """One rise of prices, and everybody complains at once."""
    size = len(rows)
    return {
        "yearly": rng.uniform(40, 90, size),
        "burst": rng.uniform(8.0, 20.0, size),
        "grievance": rng.uniform(0.2, 0.5, size),
    }


def ordinary_shop(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Old customers, cash, few insured staff: an ordinary health shop."""
    size = len(rows)
    return {
        "old": rng.uniform(0.82, 0.95, size),
        "again": rng.uniform(0.4, 0.7, size),
        "cash": rng.uniform(0.25, 0.5, size),
        "events": rng.uniform(1.5, 4.5, size),
        "gift": rng.uniform(0.4, 0.9, size),
        "venues": between(rng, 1, 3, size),
        "insured": rng.uniform(0.1, 0.5, size),
        "yearly": rng.uniform(40, 120, size),
    }


def former_employee(rng: Rng, rows: pd.DataFrame) -> Habits:
    """Its manager once was on the staff of a failed raiser; business is in order."""
    return {"filed": rows["line"].to_numpy() <= DAY_CARE}


def restructured(rng: Rng, rows: pd.DataFrame) -> Habits:
    """A new company takes over the clients of the old one, in good order."""
    size = len(rows)
    new = np.arange(size) == 1
    moved = int(between(rng, 26, 31, 1)[0])
    start = (np.datetime64("2022-01") + moved).astype("datetime64[D]")
    known = rows["opened"].to_numpy().astype("datetime64[D]")
    return {
        "line": rows["line"].to_numpy()[0],
        "beds": rows["beds"].to_numpy()[0],
        "filed": rows["filed"].to_numpy()[0],
        "first": np.where(new, moved, 0),
        "slows": np.where(new, 99, moved),
        "opened": np.where(new, start, known),
        "founded": np.where(new, start, np.minimum(known, np.datetime64("2021-06-01"))),
        "form": rows["form"].to_numpy()[0],
        "wording": rows["form"].to_numpy()[0],
    }


def honest_chain(_rng: Rng, rows: pd.DataFrame) -> Habits:
    """Branches of one owner: one phone, one contract form, often one office."""
    line, beds = rows["line"].to_numpy()[0], rows["beds"].to_numpy()
    return {
        "line": line,
        "beds": np.where(line == DAY_CARE, np.maximum(beds, beds[0]), 0),
        "filed": rows["filed"].to_numpy()[0],
        "wording": rows["form"].to_numpy()[0],
        **{name: rows[name].to_numpy()[0] for name in MIX},
    }


def rumour_run(rng: Rng, rows: pd.DataFrame) -> Habits:
    """A rumour emptied a sound home: it pays back everybody who asks."""
    size = len(rows)
    return {
        **mixed(rows, deposit=0.5, service=0.5),
        "line": HOME,
        "filed": True,
        "amount": lognormal(rng, 14_000, 0.2, size),
        "spread": 0.2,
        "long": 0.0,
        "custody": rng.uniform(1.0, 1.1, size),
        "run": rng.uniform(3.2, 6.0, size),
        "refuses": 0.0,
        "out_private": rng.uniform(0.4, 0.7, size),
        "burst": rng.uniform(0.0, 6.0, size),
    }


def stolen_identity(_rng: Rng, rows: pd.DataFrame) -> Habits:
    """The owner's identity was used to register a shell of a ring: no habit changes."""
    return {"filed": rows["filed"].to_numpy()}


HARD_NEGATIVES = (
    Scheme("sound_ccrc", 0.008, (HOME,), (1, 1), 4, sound_ccrc),
    Scheme("charity_home", 0.008, (HOME, DAY_CARE), (1, 1), 4, charity_home),
    Scheme("opening_year", 0.010, (HOME,), (1, 1), 4, opening_year),
    Scheme("state_owned", 0.005, (HOME,), (1, 1), 4, state_owned),
    Scheme("price_dispute", 0.010, (HOME, DAY_CARE, TRAVEL), (1, 1), 4, price_dispute),
    Scheme("ordinary_shop", 0.015, (SHOP,), (1, 1), 4, ordinary_shop),
    Scheme(
        "former_employee", 0.008, (HOME, DAY_CARE, SHOP), (1, 1), 4, former_employee
    ),
    Scheme(
        "honest_chain", 0.06, (DAY_CARE, SHOP), (3, 7), 6, honest_chain, is_chain=True
    ),
    Scheme("restructured", 0.008, (HOME, DAY_CARE, SHOP), (2, 2), 4, restructured),
)
VICTIMS = (
    Scheme("rumour_run", 0.004, (HOME,), (1, 1), 4, rumour_run),
    Scheme("stolen_identity", 0.004, (HOME, SHOP), (1, 1), 4, stolen_identity),
)
