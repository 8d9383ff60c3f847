"""How planted groups are sized, drawn and marked; shared by fraud and honest cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation.sampling import Bools, Ints, Rng, chance, days, uneven_sizes
from training.simulation.vehicle_claims import accident_times, at_hours, column
from training.simulation.vehicle_world import FIRST_DAY, WINDOW_DAYS, World

Draw = Callable[[Rng, World, int], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of planted group: how much of it, in groups of what size."""

    name: str
    share: float  # of all claims
    group_size: int  # mean claims per group; 0 = claims stand alone
    minimum: int  # claims planted even in the smallest simulation
    draw: Draw
    fraud: bool = False
    honest: bool = False  # a hard negative


def group_sizes(rng: Rng, planted: Planted, claims: int) -> list[int]:
    """Sizes of the groups, uneven by about a third."""
    total = max(planted.minimum, round(planted.share * claims))
    if not planted.group_size:
        return [total]
    count = max(1, round(total / planted.group_size))
    return uneven_sizes(rng, total, count, 0.3, 1)


def plant(
    rng: Rng, world: World, kinds: Sequence[Planted], claims: int
) -> pd.DataFrame:
    """Draw all groups of all kinds, marked with what they are."""
    parts: list[pd.DataFrame] = []
    for planted in kinds:
        for size in group_sizes(rng, planted, claims):
            part = planted.draw(rng, world, size)
            parts.append(_marked(part, planted, len(parts)))
    return pd.concat(parts, ignore_index=True)


def _marked(rows: pd.DataFrame, planted: Planted, group: int) -> pd.DataFrame:
    return rows.assign(
        fraud=int(planted.fraud),
        typology="" if planted.honest else planted.name,
        hard_negative=planted.name if planted.honest else "",
        group=group if planted.group_size and not planted.honest else -1,
    )


def set_claimant(rows: pd.DataFrame, people: Ints) -> pd.DataFrame:
    """Change who claims; phone and account follow where they were the claimant's."""
    old = column(rows, "claimant")
    phone, payee = column(rows, "phone_of"), column(rows, "payee")
    return rows.assign(
        claimant=people,
        phone_of=np.where(phone == old, people, phone),
        payee=np.where(payee == old, people, payee),
    )


def in_period(rng: Rng, rows: pd.DataFrame, span: int) -> np.ndarray:
    """Accident times inside one random stretch, at ordinary hours."""
    start = int(rng.integers(0, WINDOW_DAYS - span + 1))
    day = FIRST_DAY + days(rng.integers(start, start + span, len(rows)))
    clock = accident_times(rng, len(rows))
    hour = (clock - clock.astype("datetime64[D]")).astype("timedelta64[h]")
    return at_hours(rng, day, hour.astype(np.int64))


def mostly(rng: Rng, usual: int, otherwise: Ints, rate: float) -> Ints:
    """One fixed choice at a rate, the ordinary draw in the rest."""
    return np.where(chance(rng, len(otherwise), rate), usual, otherwise)


def turns(rng: Rng, members: Ints, size: int) -> Ints:
    """Members one after the other in random order: nobody much oftener than others."""
    rounds = -(-size // len(members))
    order = [rng.permutation(members) for _ in range(rounds)]
    return np.concatenate(order)[:size]


def property_only(rows: pd.DataFrame) -> pd.DataFrame:
    """Damage to cars, nobody hurt."""
    collides = rows["kind"].isin(("two_car", "single")).to_numpy()
    return rows.assign(
        injury=False,
        graded=False,
        rider=False,
        kind=np.where(collides, rows["kind"], "single"),
        resp=np.where(collides, rows["resp"], "full"),
    )


def flag(rng: Rng, size: int, rate: float) -> Bools:
    """True at a rate (shorter to read in long overrides)."""
    return chance(rng, size, rate)


def keepers_of(world: World, vehicles: Ints) -> Ints:
    """Who keeps each car."""
    keepers = world.vehicles["keeper"].to_numpy(dtype=np.int64)
    return keepers[vehicles]


def vehicles_of_kind(world: World, kind: int) -> Ints:
    """Cars of one class."""
    return np.flatnonzero(world.vehicles["kind"].to_numpy() == kind)
