"""How planted beneficiaries are chosen and marked; shared by fraud and honest cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.simulation.benefit_world import MONTHS, World
from training.simulation.sampling import Bools, Ints, Rng

Draw = Callable[[Rng, World, Ints], None]
Fits = Callable[[World], Bools]


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of planted beneficiary: how many, in groups of what size, out of whom."""

    name: str
    share: float  # of all units
    minimum: int  # planted even in the smallest simulation
    fits: Fits
    draw: Draw
    group_size: int = 1  # mean units of a ring
    fraud: bool = False


def plant(rng: Rng, world: World, kinds: Sequence[Planted]) -> None:
    """Draw all groups of all kinds and mark their units with what they are."""
    group = 0
    for kind in kinds:
        for size in _sizes(rng, kind, len(world.rows)):
            units = take(rng, world, kind.fits(world), size, kind.name)
            kind.draw(rng, world, units)
            _mark(world, kind, units, group)
            group += 1


def _sizes(rng: Rng, kind: Planted, total: int) -> list[int]:
    wanted = max(kind.minimum, round(kind.share * total))
    if kind.group_size == 1 and not kind.fraud:
        return [wanted]
    groups = max(1, round(wanted / kind.group_size))
    if kind.group_size == 1:
        return [1] * wanted
    uneven = rng.uniform(0.75, 1.25, groups)
    return [int(size) for size in np.maximum(3, np.round(wanted / groups * uneven))]


def _mark(world: World, kind: Planted, units: Ints, group: int) -> None:
    person = world.ids("person")
    world.used[person[units]] = True
    if kind.fraud:
        world.put(units, fraud=1, typology=kind.name, group=group)
    else:
        world.put(units, hard_negative=kind.name)


def take(rng: Rng, world: World, fits: Bools, size: int, name: str) -> Ints:
    """Units of different people of whom nothing was planted yet."""
    person = world.ids("person")
    free = rng.permutation(np.flatnonzero(fits & ~world.used[person]))
    few = _first_of_each(person, free[: 2 * size + 16])
    free = few if len(few) >= size else _first_of_each(person, free)
    if len(free) < size:
        raise ValueError(
            f"simulate: units={len(world.rows)!r} leave {len(free)} beneficiaries for "
            f"{name}, {size} are needed; ask for more units"
        )
    return free[:size]


def _first_of_each(person: Ints, units: Ints) -> Ints:
    """The first unit of each person, in the order given."""
    _, first = np.unique(person[units], return_index=True)
    return units[np.sort(first)]


def of(*schemes: str) -> Fits:
    """Only benefits of their people in these schemes, paid to the end of the window."""

    def fits(world: World) -> Bools:
        person = world.ids("person")
        alone = np.bincount(person, minlength=len(world.used))[person] == 1
        lasting = world.ids("paid_to") == MONTHS - 1
        undisturbed = world.ids("gap_from") < 0
        return np.asarray(world.of_scheme(*schemes) & lasting & undisturbed & alone)

    return fits


def long_paid(*schemes: str) -> Fits:
    """Units that were paid from the first year of the window on."""

    def fits(world: World) -> Bools:
        early = world.ids("paid_from") <= 4
        return np.asarray(of(*schemes)(world) & early)

    return fits
