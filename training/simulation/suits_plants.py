"""How planted groups of suits are sized, drawn and marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation.sampling import Ints, Rng, chance, days
from training.simulation.suits_world import (
    EVASION_FROM,
    FIRST_DAY,
    LAST_FILED,
    World,
    working_day,
)

Draw = Callable[[Rng, World, int], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of planted group: how much of it, in groups of what size."""

    name: str
    share: float  # of all suits
    group_size: int  # mean suits per group
    minimum: int  # suits planted even in the smallest simulation
    draw: Draw
    typology: str = ""  # what the truth calls it; empty for a hard negative


def group_sizes(rng: Rng, planted: Planted, suits: int) -> list[int]:
    """Sizes of the groups, uneven by about a quarter."""
    total = max(planted.minimum, round(planted.share * suits))
    count = max(1, round(total / planted.group_size))
    uneven = rng.uniform(0.75, 1.25, count)
    edges = np.round(np.cumsum(uneven) / uneven.sum() * total).astype(int)
    return [int(size) for size in np.diff(edges, prepend=0)]


def plant(rng: Rng, world: World, kinds: Sequence[Planted], suits: int) -> pd.DataFrame:
    """Draw all groups of all kinds, marked with what they are."""
    parts: list[pd.DataFrame] = []
    for planted in kinds:
        for size in group_sizes(rng, planted, suits):
            part = planted.draw(rng, world, size)
            parts.append(_marked(part, planted, len(parts)))
    return pd.concat(parts, ignore_index=True)


def _marked(rows: pd.DataFrame, planted: Planted, group: int) -> pd.DataFrame:
    # A scheme may bring honest rows along, such as the creditor whom it cheats.
    fraud = np.full(len(rows), planted.typology != "")
    victim = np.full(len(rows), "", dtype=object)
    if "victim" in rows:
        victim = rows["victim"].fillna("").to_numpy(dtype=object)
    fraud &= victim == ""
    negative = np.where(planted.typology == "", planted.name, victim)
    return rows.assign(
        fraud=fraud.astype(np.int64),
        typology=np.where(fraud, planted.typology, ""),
        hard_negative=np.where(fraud, "", negative),
        group=np.where(fraud, group, -1),
    )


def within(rng: Rng, size: int, span: int, era: str = "any") -> np.ndarray:
    """Filing days inside one random stretch, before or after rings changed method."""
    first = EVASION_FROM if era == "late" else FIRST_DAY
    last = EVASION_FROM if era == "early" else LAST_FILED
    room = int((last - first).astype(int))
    start = int(rng.integers(0, max(room - span, 1)))
    span = min(span, room)
    return working_day(first + days(start + rng.integers(0, span + 1, size)))


def turns(rng: Rng, members: Ints, size: int) -> Ints:
    """Members one after the other in random order: nobody much oftener than others."""
    rounds = -(-size // len(members))
    return np.concatenate([rng.permutation(members) for _ in range(rounds)])[:size]


def mostly(rng: Rng, usual: int, otherwise: Ints, rate: float) -> Ints:
    """One fixed choice at a rate, the ordinary draw in the rest."""
    return np.where(chance(rng, len(otherwise), rate), usual, otherwise)
