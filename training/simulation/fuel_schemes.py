"""Planted schemes, each a ring of firms: who takes part, since when, with whom.

What a firm of a scheme buys and sells in a month is in `fuel_months`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation.fuel_world import (
    LITRES_PER_STEAM_TONNE,
    MONTHS,
    REGIME_CHANGE,
    World,
    open_before,
)
from training.simulation.sampling import Ints, Rng, between

BEFORE_CHANGE_RATE = 0.7  # plain rings that end before the regime changes


@dataclass(frozen=True, slots=True)
class Scheme:
    """One typology: of which firms, how many of them, in rings of what make-up."""

    name: str
    share: float  # of the firms of `of`
    of: tuple[str, ...]
    ring: tuple[str, ...]  # kind of each member; the first leads
    months: tuple[int, int]
    evading: bool = False
    finish: Callable[[Rng, World, Ints], None] | None = None


def free_firms(firms: pd.DataFrame, kind: str) -> Ints:
    """Firms of a kind that nothing was planted on."""
    return np.flatnonzero((firms["kind"] == kind) & (firms["name"] == ""))


def plant_schemes(rng: Rng, world: World) -> int:
    """Mark the firms of all rings; returns how many rings there are."""
    firms, ring = world.firms, 0
    for scheme in SCHEMES:
        count = round(scheme.share * int(firms["kind"].isin(scheme.of).sum()))
        per_ring = sum(kind in scheme.of for kind in scheme.ring)
        for _ in range(max(1, round(count / per_ring))):
            _plant_ring(rng, world, scheme, ring)
            ring += 1
    return ring


def _plant_ring(rng: Rng, world: World, scheme: Scheme, ring: int) -> None:
    firms = world.firms
    members = np.empty(len(scheme.ring), dtype=np.int64)
    for place, kind in enumerate(scheme.ring):
        members[place] = rng.choice(free_firms(firms, kind))
        firms.loc[int(members[place]), "name"] = scheme.name
    firms.loc[members, "group"] = int(ring)
    firms.loc[members, "honest"] = False
    _time_ring(rng, firms, scheme, members)
    if scheme.finish is not None:
        scheme.finish(rng, world, members)


def _time_ring(rng: Rng, firms: pd.DataFrame, scheme: Scheme, members: Ints) -> None:
    """A common stretch at the end of each member's spell; honest months before it."""
    active = int(rng.integers(scheme.months[0], scheme.months[1] + 1))
    if scheme.evading:
        first = int(rng.integers(REGIME_CHANGE, MONTHS - active + 1))
    else:
        last = REGIME_CHANGE if rng.random() < BEFORE_CHANGE_RATE else MONTHS - 3
        first = int(rng.integers(6, last - active + 1))
    late = between(rng, 0, 1, len(members))
    late[:3] = 0  # a ring begins with more than one
    before = np.minimum(between(rng, 4, 14, len(members)), first)
    firms.loc[members, "misdeed_from"] = first + late
    firms.loc[members, "start"] = first - before
    firms.loc[members, "length"] = before + active


def _join_hub(_rng: Rng, world: World, members: Ints) -> None:
    """All buy from the first, which has no permit to sell fuel."""
    firms = world.firms
    firms.loc[members[1:], "oil_supplier"] = firms.loc[members[0], "company"]
    firms.loc[members[0], "permit"] = False
    firms.loc[members[0], "staff"] = 3


def _join_affiliates(rng: Rng, world: World, members: Ints) -> None:
    """A plant with a real boiler buys for its owner's hauliers; one family owns them."""
    firms, companies = world.firms, world.population.companies
    plant = int(members[0])
    hauliers = members[1:]
    firms.loc[hauliers, "oil_supplier"] = int(firms["company"].iloc[plant])
    litres = firms.loc[hauliers, "trucks"].sum() * 8000 * 0.34 * 0.3
    firms.loc[plant, "use"] = "boiler"
    firms.loc[plant, "registered"] = True
    firms.loc[plant, "hours"] = 420.0
    firms.loc[plant, "steam"] = max(
        0.5, round(litres * 2.0 / 420 / LITRES_PER_STEAM_TONNE, 1)
    )
    _one_family(rng, world, firms.loc[members, "company"].to_numpy(np.int64))
    device = world.device
    shared = firms.loc[members[:3], "company"].to_numpy(np.int64)
    device[shared] = device[shared[0]]
    companies.loc[shared[1], "phone"] = companies["phone"].iloc[shared[0]]


def _one_family(rng: Rng, world: World, companies: Ints) -> None:
    """Members of one household are the legal representatives."""
    population = world.population
    sizes = population.household_size
    home = int(rng.choice(np.flatnonzero(sizes >= 3)))
    family = population.household_start[home] + np.arange(sizes[home])
    adults = family[population.adults()[family]]
    family = adults if len(adults) else family
    reps = np.resize(family, len(companies))
    population.companies.loc[companies, "legal_rep"] = reps


def _rotate_shells(rng: Rng, world: World, members: Ints) -> None:
    """Each shell is new, nearly without staff, and follows the one before."""
    firms = world.firms
    first = int(min(firms.loc[members[0], "misdeed_from"], MONTHS - 14))
    for place, member in enumerate(members):
        length = int(rng.integers(4, 6))
        start = max(0, first + 5 * place)
        firms.loc[member, ["start", "misdeed_from"]] = start
        firms.loc[member, "length"] = length
    firms.loc[members, "staff"] = between(rng, 0, 1, len(members))
    firms.loc[members, "permit"] = False
    open_before(rng, world.population, firms, members)
    companies = firms.loc[members, "company"].to_numpy(np.int64)
    _one_family(rng, world, companies)
    world.device[companies] = world.device[companies[0]]


def _no_permit(rng: Rng, world: World, members: Ints) -> None:
    world.firms.loc[members, "permit"] = rng.random(len(members)) < 0.5


SCHEMES = (
    Scheme(
        "hub_users",
        0.03,
        ("freight", "builder"),
        ("trader", "freight", "freight", "builder", "freight", "builder"),
        (5, 7),
        finish=_join_hub,
    ),
    Scheme(
        "affiliate_users",
        0.015,
        ("freight", "builder"),
        ("manufacturer", "freight", "freight", "freight"),
        (6, 8),
        evading=True,
        finish=_join_affiliates,
    ),
    Scheme("name_changer", 0.01, ("trader",), ("trader",), (6, 9), finish=_no_permit),
    Scheme("under_declarer", 0.03, ("station",), ("station",), (6, 9)),
    Scheme(
        "under_declarer_evading",
        0.02,
        ("station",),
        ("station",),
        (6, 9),
        evading=True,
    ),
    Scheme(
        "shell_trader",
        0.005,
        ("trader", "builder", "freight"),
        ("trader", "trader"),
        (4, 5),
        finish=_rotate_shells,
    ),
    Scheme("pump_van", 0.005, ("freight", "builder"), ("builder",), (5, 8)),
)
CAUGHT_BY_RULES = "hub_users"
CAUGHT_BY_NO_RULE = "affiliate_users"
