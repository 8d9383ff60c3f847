"""What a class of confirmed leads has more often than the whole population.

Each case counts once, however many leads its ring has. A trait is over-represented when
so many of the cases would hardly have it by chance (hypergeometric tail), after
Benjamini and Hochberg (1995) over all classes and traits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control, hypergeom

from configs.column import Column
from training.conditions import (
    Condition,
    Facts,
    Mask,
    numbers,
    rounded_down,
    rounded_up,
)

FALSE_DISCOVERIES = 0.05
# A number is high or low beyond these shares of the population: marks that do not depend
# on the class, or the test would be of what it was chosen by.
TAILS = (0.10, 0.01)
MOST_LEVELS = 30  # of a category; one with more is an identifier
COMMON = 0.5  # a name is of what at least half of the cases have
SAME_UNITS = 0.5  # of two traits with so large a common share one names a class
NAMED = 3
SAMPLE_ROWS = 200_000  # for the marks; shares are counted on all units

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Members:
    """Leads of one class: their rows in the population, and the case of each."""

    rows: Positions
    cases: Positions

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Of each lead, one over the leads of its case: a case counts once."""
        return case_weights(self.cases)

    @property
    def case_count(self) -> int:
        return len(np.unique(self.cases))


@dataclass(frozen=True, slots=True)
class Trait:
    """How often a condition holds in a class and in the population.

    Attributes:
        cases: of the class, in at least half of whose leads it holds.
        ratio: of the two shares, each shrunk by half a unit with and half without.
        p: the adjusted probability of so many cases by chance.
    """

    condition: Condition
    cases: int
    share: float
    population: float
    ratio: float
    p: float

    @property
    def telling(self) -> float:
        """Share of the cases times the logarithm of the ratio."""
        return float(self.share * np.log(self.ratio))


def case_weights(cases: Positions) -> npt.NDArray[np.float64]:
    """Of each lead, one over the number of leads of its case."""
    _, place, sizes = np.unique(cases, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / sizes[place])


def usual_traits(facts: Facts, columns: Mapping[str, Column]) -> list[Condition]:
    """The conditions that traits are looked for among, free of any class.

    Args:
        columns: those of the facts, by name; of a flag nothing is asked.
    """
    found = [Condition(str(code), "fires") for code in facts.flags.columns]
    for name in facts.columns.columns:
        found += _of_column(facts.columns[name], columns[name])
    return found


def over_represented(
    classes: Sequence[Members], facts: Facts, conditions: Sequence[Condition]
) -> list[list[Trait]]:
    """Per class its significant traits, the most telling first."""
    counts = [one for c in conditions for one in _counts(c, classes, facts)]
    found: list[list[Trait]] = [[] for _ in classes]
    for one, p in zip(counts, _adjusted(counts, len(facts)), strict=True):
        trait = _trait(one, len(facts), p)
        if trait.p <= FALSE_DISCOVERIES and trait.ratio > 1:
            found[one.place].append(trait)
    for traits in found:
        traits.sort(key=lambda t: (-t.telling, t.condition.name, t.condition.op))
    return found


def naming(traits: Sequence[Trait], facts: Facts, most: int = NAMED) -> list[Trait]:
    """The few most telling traits of different things, for the name of a class."""
    named: list[Trait] = []
    masks: list[Mask] = []
    for trait in traits:
        if len(named) == most:
            break
        if trait.share < COMMON or _is_said(trait, named):
            continue
        mask = facts.holds(trait.condition)
        if all(_common(mask, other) <= SAME_UNITS for other in masks):
            named.append(trait)
            masks.append(mask)
    return named


def _of_column(values: pd.Series, column: Column) -> list[Condition]:
    if column.kind == "boolean":
        return [Condition(column.name, "is"), Condition(column.name, "is not")]
    if column.kind == "text":
        levels = sorted(map(str, values.dropna().unique()))
        few = levels if len(levels) <= MOST_LEVELS else []
        return [Condition(column.name, "=", level) for level in few]
    return list(_marks(values, column))


def _marks(values: pd.Series, column: Column) -> Iterator[Condition]:
    """High and low, where the rounded mark is met by some units and not by most."""
    evenly = np.linspace(0, len(values) - 1, min(len(values), SAMPLE_ROWS))
    sample = numbers(values.iloc[evenly.astype(np.intp)])
    known = sample[~np.isnan(sample)]
    if not len(known) or known.min() == known.max():
        return
    middle, seen = float(np.median(known)), set()
    for tail in TAILS:
        low, high = (float(v) for v in np.quantile(known, [tail, 1 - tail]))
        marks = (
            Condition(column.name, ">=", rounded_up(high, column.unit)),
            Condition(column.name, "<=", rounded_down(low, column.unit)),
        )
        for mark in marks:
            beyond = float(mark.value) != middle and _meets(known, mark).any()
            if beyond and mark not in seen:
                seen.add(mark)
                yield mark


def _meets(known: npt.NDArray[np.float64], mark: Condition) -> Mask:
    value = float(mark.value)
    return np.asarray(known >= value if mark.op == ">=" else known <= value)


@dataclass(frozen=True, slots=True)
class _Count:
    """Where a condition holds: cases of one class, of how many, and units in all."""

    condition: Condition
    place: int  # of the class
    cases: int
    of: int
    everywhere: int


def _counts(
    condition: Condition, classes: Sequence[Members], facts: Facts
) -> Iterator[_Count]:
    mask = facts.holds(condition)
    everywhere = int(mask.sum())
    for place, members in enumerate(classes):
        share = pd.Series(mask[members.rows]).groupby(members.cases).mean()
        cases = int((share >= 0.5).sum())
        yield _Count(condition, place, cases, len(share), everywhere)


def _adjusted(counts: Sequence[_Count], units: int) -> npt.NDArray[np.float64]:
    if not counts:
        return np.zeros(0)
    cases, of, everywhere = np.array([(c.cases, c.of, c.everywhere) for c in counts]).T
    chance = hypergeom.sf(cases - 1, units, everywhere, of)
    return np.asarray(false_discovery_control(np.clip(chance, 0.0, 1.0)))


def _trait(count: _Count, units: int, p: float) -> Trait:
    inside = (count.cases + 0.5) / (count.of + 1)
    return Trait(
        condition=count.condition,
        cases=count.cases,
        share=count.cases / count.of,
        population=count.everywhere / units,
        ratio=inside / ((count.everywhere + 0.5) / (units + 1)),
        p=float(p),
    )


def _is_said(trait: Trait, named: Sequence[Trait]) -> bool:
    return any(trait.condition.name == other.condition.name for other in named)


def _common(one: Mask, other: Mask) -> float:
    """Units on which both hold, of those on which either does."""
    return float((one & other).sum() / max(int((one | other).sum()), 1))
