"""How planted groups are sized, which firms they take, and how they are marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from training.simulation.elder_world import column
from training.simulation.sampling import Ints, Rng


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of planted group: how much of it, in groups of what size."""

    name: str
    share: float  # of all firms in scope
    lines: tuple[int, ...]  # in which lines its firms are found
    sizes: tuple[int, int]  # firms of a group
    minimum: int  # firms planted even in the smallest simulation
    habits: Callable[[Rng, pd.DataFrame], dict[str, Any]]
    is_chain: bool = False  # honest firms of one owner

    def group_sizes(self, rng: Rng, units: int) -> list[int]:
        """Sizes of its groups, together its share of the units."""
        left = max(self.minimum, round(self.share * units))
        low, high = self.sizes
        sizes = []
        while left > 0:
            size = int(rng.integers(low, high + 1))
            # What is left over joins the last group or is one of the smallest size.
            size = left if low <= left <= high else max(low, min(size, left))
            sizes.append(size)
            left -= size
        return sizes


def plant(
    rng: Rng, rows: pd.DataFrame, frauds: Sequence[Scheme], honest: Sequence[Scheme]
) -> pd.DataFrame:
    """Change the habits of the firms that each group takes, and mark them."""
    changed = rows.copy()
    free = np.ones(len(rows), dtype=bool)
    ring = 0
    for scheme in (*frauds, *honest):
        is_fraud = scheme in frauds
        for size in scheme.group_sizes(rng, len(rows)):
            members = _members(rng, rows, free, scheme, size)
            free[members] = False
            habits = scheme.habits(rng, rows.iloc[members])
            _change(changed, members, _marks(scheme, is_fraud, ring) | habits)
            ring += 1
    return changed


def _members(
    rng: Rng, rows: pd.DataFrame, free: np.ndarray, scheme: Scheme, size: int
) -> Ints:
    fits = np.flatnonzero(free & np.isin(column(rows, "line"), scheme.lines))
    return np.asarray(rng.choice(fits, size, replace=False))


def _marks(scheme: Scheme, is_fraud: bool, ring: int) -> dict[str, Any]:
    if not is_fraud:
        team = ring if scheme.sizes[1] > 1 else -1  # a successor keeps the phone
        chain = ring if scheme.is_chain else -1
        marks = {"hard_negative": scheme.name, "group": ring, "team": team}
        return {**marks, "chain": chain}
    shared = dict.fromkeys(("ring", "chain", "group", "team"), ring)
    shared |= {"form": -1 - ring, "wording": -1 - ring}
    return {"fraud": 1, "typology": scheme.name, "own_form": False, **shared}


def _change(rows: pd.DataFrame, members: Ints, habits: dict[str, Any]) -> None:
    for name, value in habits.items():
        held = pd.Series(value, index=members).astype(rows[name].dtype)
        rows.loc[members, name] = held
