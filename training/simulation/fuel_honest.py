"""Honest firms that look like a scheme, and people whose name was misused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from training.simulation.fuel_schemes import free_firms
from training.simulation.fuel_world import MONTHS, World, open_before
from training.simulation.sampling import Ints, Rng

SHARE = 0.012  # of the firms, for each kind


@dataclass(frozen=True, slots=True)
class Lookalike:
    """One kind of hard negative: of which firms, and which traits they bear instead."""

    name: str
    kind: str
    traits: tuple[tuple[str, Any], ...] = ()


HARD_NEGATIVES = (
    # An asphalt or ceramic plant with large kilns; some are registered late.
    Lookalike("boiler_plant", "manufacturer", (("use", "boiler"), ("steam", 11.0))),
    Lookalike("solvent_user", "manufacturer", (("use", "process"),)),
    Lookalike("subcontractor_freight", "freight"),
    Lookalike("lng_fleet", "freight", (("gas_share", 0.9), ("tracked", 0.3))),
    Lookalike("fuel_card_parent", "freight"),
    Lookalike("farm_coop", "coop"),
    Lookalike("excavator_builder", "builder"),
    Lookalike("rural_station", "station", (("scale", 0.25),)),
    Lookalike("unit_typo_station", "station"),
    Lookalike("regional_wholesaler", "trader", (("scale", 2.5),)),
    Lookalike("licensed_blender", "trader", (("permit", True),)),
    Lookalike("consignment_trader", "trader"),
    Lookalike("new_subsidiary", "trader", (("staff", 2),)),
    # Documented: a company was filed online in the name of who knows nothing of it.
    Lookalike("stolen_identity_victim", "freight"),
)
LONGEST = 14  # months of a look-alike on the list


def plant_honest(rng: Rng, world: World) -> None:
    """Mark the look-alikes among the firms that no scheme took."""
    firms = world.firms
    count = max(1, round(SHARE * len(firms)))
    for kind in HARD_NEGATIVES:
        free = free_firms(firms, kind.kind)
        rows = rng.choice(free, min(count, len(free)), replace=False)
        firms.loc[rows, "name"] = kind.name
        for trait, value in kind.traits:
            firms.loc[rows, trait] = value
        _shorten(rng, firms, rows)
        if kind.name == "new_subsidiary":
            open_before(rng, world.population, firms, rows)
    _late_registered(firms)
    _lend_names(rng, world)


def _shorten(rng: Rng, firms: pd.DataFrame, rows: Ints) -> None:
    length = np.minimum(firms["length"].to_numpy()[rows], LONGEST)
    firms.loc[rows, "length"] = length
    firms.loc[rows, "start"] = rng.integers(0, MONTHS - length - 1)


def _late_registered(firms: pd.DataFrame) -> None:
    """Of large kilns and process lines every other one stands in no register yet."""
    for name in ("boiler_plant", "solvent_user"):
        rows = np.flatnonzero(firms["name"] == name)
        firms.loc[rows[::2], "registered"] = False


def _lend_names(rng: Rng, world: World) -> None:
    """The shells' papers name the owners of honest firms, who never signed them."""
    firms, companies = world.firms, world.population.companies
    victims = firms.loc[firms["name"] == "stolen_identity_victim", "company"]
    shells = firms.loc[firms["name"] == "shell_trader", "company"].to_numpy(np.int64)
    stolen = companies["legal_rep"].to_numpy()[victims]
    chosen = rng.choice(shells, len(victims), replace=len(victims) > len(shells))
    companies.loc[chosen, "legal_rep"] = stolen


def fit_spells(rng: Rng, firms: pd.DataFrame, units: int) -> None:
    """Lengthen or shorten the spells of ordinary firms until the months add up."""
    ordinary = np.flatnonzero(firms["name"] == "")
    fixed = int(firms["length"].sum() - firms.loc[ordinary, "length"].sum())
    wanted = units - fixed
    if not len(ordinary) * 3 <= wanted <= len(ordinary) * MONTHS:
        raise ValueError(
            f"simulate: units={units!r} do not fit the {len(firms)} firms that deal in "
            "oil; ask for other units, or give people="
        )
    length = firms.loc[ordinary, "length"].to_numpy(dtype=float)
    length = np.clip(np.round(length * wanted / length.sum()), 3, MONTHS).astype(int)
    while (rest := wanted - int(length.sum())) != 0:
        step = 1 if rest > 0 else -1
        movable = np.flatnonzero(length < MONTHS if step > 0 else length > 3)
        length[rng.permutation(movable)[: abs(rest)]] += step
    firms.loc[ordinary, "length"] = length
    firms.loc[ordinary, "start"] = rng.integers(0, MONTHS - length + 1)
    firms["start"] = np.minimum(firms["start"], MONTHS - firms["length"])
