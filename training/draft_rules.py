"""A draft rule for a class: a conjunction of one to three readable conditions.

Beam search over conditions on which half of the cases agree. What is kept has the best
lower bound of lift, weighed by the cases that it surely covers and by how often its
reviewed hits were confirmed, less a fee for each further condition. Rules that there are
already are no conditions: a draft made of one could hit nothing new.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from configs.column import Column
from training.conditions import (
    Condition,
    Facts,
    Mask,
    numbers,
    rounded_down,
    rounded_up,
)
from training.preprocess import Vector
from training.rule_evidence import share_interval
from training.traits import MOST_LEVELS, Members, Positions

# Below that no draft is made. Five of five confirmed leave a 95 % Jeffreys bound of 0.62
# (two of two 0.33): with fewer nothing says that a rule is right more often than not. Of
# one case nothing tells the method from the one ring; two can each be held out once.
FEWEST_LEADS, FEWEST_CASES = 5, 2
LEAST_SUPPORT = 0.5  # of the cases
LEAST_LIFT = (
    2.0  # of each condition alone: one that many honest units meet says nothing
)
MOST_CONDITIONS = 3
BEAM = 20
CONDITIONS = 150  # the best single ones are combined
QUANTILES = (0.0, 0.05, 0.1, 0.25, 0.5)  # of the class, where thresholds are tried
FEE = 0.3  # in logarithms of lift, for each further condition

Packed = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Judged:
    """Leads that people have judged: rows in the population, label (1 or 0), case."""

    rows: Positions
    labels: npt.NDArray[np.float64]
    cases: Positions

    def where(self, chosen: Mask) -> "Judged":
        """Some of them."""
        return Judged(self.rows[chosen], self.labels[chosen], self.cases[chosen])

    def counted(self, hits: npt.NDArray[np.bool_]) -> tuple[Vector, Vector]:
        """Confirmed and judged cases among the hits, a ring being one case in parts.

        Args:
            hits: conjunctions x judged leads.
        """
        if not len(self.rows):
            return np.zeros(len(hits)), np.zeros(len(hits))
        order = np.argsort(self.cases, kind="stable")
        starts = np.flatnonzero(np.diff(self.cases[order], prepend=-1))
        inside = hits[:, order].astype(np.float64)
        size = np.add.reduceat(inside, starts, axis=1)
        right = np.add.reduceat(inside * self.labels[order], starts, axis=1)
        shares = np.divide(right, size, out=np.zeros_like(right), where=size > 0)
        return shares.sum(axis=1), (size > 0).sum(axis=1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Conjunctions:
    """Conjunctions of conditions, and where each is true."""

    parts: tuple[tuple[Condition, ...], ...]
    units: Packed  # conjunctions x units inside the scope, eight to a byte
    members: Mask  # conjunctions x members of the class
    judged: Mask  # conjunctions x judged leads

    def __len__(self) -> int:
        return len(self.parts)

    def take(self, chosen: Positions) -> "Conjunctions":
        parts = tuple(self.parts[i] for i in chosen)
        return Conjunctions(
            parts, self.units[chosen], self.members[chosen], self.judged[chosen]
        )


@dataclass(frozen=True, slots=True)
class Class:
    """What a draft is to describe, and among whom."""

    facts: Facts
    columns: Mapping[str, Column]  # of the facts; those a draft may use
    members: Members
    judged: Judged
    inside: Mask  # units that the scope rules let in

    @property
    def is_enough(self) -> bool:
        """Are there enough leads and cases for a draft to be made of?"""
        members = self.members
        return len(members.rows) >= FEWEST_LEADS and members.case_count >= FEWEST_CASES


def draft_rule(of: Class) -> tuple[Condition, ...] | None:
    """The best conjunction; None with too few leads, or where none stands out."""
    return search(of) if of.is_enough else None


def search(of: Class) -> tuple[Condition, ...] | None:
    """The best conjunction, however few the leads are; None where none stands out."""
    single = _telling(of, _evaluated(of, candidates(of)))
    beam = best = single.take(np.arange(min(BEAM, len(single))))
    for _ in range(1, MOST_CONDITIONS):
        longer = _longer(of, beam, single)
        if not len(longer):
            break
        beam = longer
        best = _joined(best, beam)
    values = value(of, best)
    first = _first(best, values)
    return best.parts[first] if first is not None else None


def candidates(of: Class) -> list[Condition]:
    """Conditions that at least half of the class meets, thresholds from its quantiles."""
    found: dict[Condition, None] = {}
    for name, column in of.columns.items():
        values = of.facts.columns[name].iloc[of.members.rows]
        if column.kind == "boolean":
            some = [Condition(name, "is"), Condition(name, "is not")]
        elif column.kind == "text":
            few = of.facts.columns[name].nunique() <= MOST_LEVELS
            usual = values.mode(dropna=True).astype(str).tolist()[:1]
            some = [Condition(name, "=", level) for level in usual if few]
        else:
            some = list(_thresholds(numbers(values), column))
        found |= dict.fromkeys(some)
    return list(found)


def value(of: Class, some: Conjunctions) -> Vector:
    """What the search maximises, see the module; 0 where the support is too small."""
    weights, cases = of.members.weights, float(of.members.case_count)
    support = some.members @ weights
    surely = share_interval(support, np.full(len(some), cases))[0]
    lift = surely / _rate(of, some)
    confirmed, judged = of.judged.counted(some.judged)
    right = (confirmed + 0.5) / (judged + 1.0)
    fee = FEE * np.array([len(parts) - 1 for parts in some.parts])
    gain = right * surely * (np.log(np.maximum(lift, 1.0)) - fee)
    return np.where(support >= LEAST_SUPPORT * cases - 1e-9, gain, 0.0)


def _telling(of: Class, single: Conjunctions) -> Conjunctions:
    """The best conditions among those that say something by themselves."""
    share = single.members @ of.members.weights / of.members.case_count
    values = value(of, single) * (share >= LEAST_LIFT * _rate(of, single))
    return single.take(_best(values, CONDITIONS))


def _rate(of: Class, some: Conjunctions) -> Vector:
    """Hits per unit outside the class; one more than counted, for want of knowledge."""
    everywhere = np.bitwise_count(some.units).sum(axis=1, dtype=np.int64)
    inside = of.inside[of.members.rows]
    own = (some.members & inside).sum(axis=1)
    outside = int(of.inside.sum()) - int(inside.sum())
    return np.asarray((everywhere - own + 1.0) / (outside + 2.0))


def _thresholds(values: npt.NDArray[np.float64], column: Column) -> Iterator[Condition]:
    known = values[~np.isnan(values)]
    if len(known) < LEAST_SUPPORT * len(values):
        return
    # Where some are unknown the threshold may be met by fewer of the known ones.
    for share in QUANTILES:
        low, high = (float(v) for v in np.quantile(known, [share, 1.0 - share]))
        yield Condition(column.name, ">=", rounded_down(low, column.unit))
        yield Condition(column.name, "<=", rounded_up(high, column.unit))


def _evaluated(of: Class, conditions: Sequence[Condition]) -> Conjunctions:
    units = np.zeros((len(conditions), -(-int(of.inside.sum()) // 8)), dtype=np.uint8)
    members = np.zeros((len(conditions), len(of.members.rows)), dtype=bool)
    judged = np.zeros((len(conditions), len(of.judged.rows)), dtype=bool)
    for place, condition in enumerate(conditions):
        mask = of.facts.holds(condition)
        units[place] = np.packbits(mask[of.inside])
        members[place], judged[place] = mask[of.members.rows], mask[of.judged.rows]
    parts = tuple((condition,) for condition in conditions)
    return Conjunctions(parts, units, members, judged)


def _longer(of: Class, beam: Conjunctions, single: Conjunctions) -> Conjunctions:
    """The best of the beam's conjunctions with one condition more."""
    found = [_extended(beam, place, single) for place in range(len(beam))]
    found = [some for some in found if len(some)]
    kept = [some.take(_best(value(of, some), BEAM)) for some in found]
    if not kept:
        return beam.take(np.zeros(0, dtype=np.intp))
    joined = kept[0]
    for some in kept[1:]:
        joined = _joined(joined, some)
    return joined.take(_best(value(of, joined), BEAM))


def _extended(beam: Conjunctions, place: int, single: Conjunctions) -> Conjunctions:
    """One conjunction with each condition on a column that it does not speak of."""
    parts = beam.parts[place]
    spoken = {condition.name for condition in parts}
    free = np.flatnonzero([c.name not in spoken for (c,) in single.parts])
    some = single.take(free)
    return replace(
        some,
        parts=tuple((*parts, condition) for (condition,) in some.parts),
        units=some.units & beam.units[place],
        members=some.members & beam.members[place],
        judged=some.judged & beam.judged[place],
    )


def _joined(one: Conjunctions, other: Conjunctions) -> Conjunctions:
    """Both, each set of conditions once."""
    known = {frozenset(parts) for parts in one.parts}
    new: list[int] = []
    for place, parts in enumerate(other.parts):
        if frozenset(parts) not in known:
            known.add(frozenset(parts))
            new.append(place)
    some = other.take(np.array(new, dtype=np.intp))
    return Conjunctions(
        (*one.parts, *some.parts),
        np.vstack([one.units, some.units]),
        np.vstack([one.members, some.members]),
        np.vstack([one.judged, some.judged]),
    )


def _best(values: Vector, most: int) -> Positions:
    """The places of the highest values above 0, ties in their order."""
    order = np.argsort(-values, kind="stable")
    return np.array(list(islice((i for i in order if values[i] > 0), most)), np.intp)


def _first(some: Conjunctions, values: Vector) -> int | None:
    """The place of the best; of equal ones the shortest, then by its text."""
    if not len(values) or values.max() <= 0:
        return None
    tied = np.flatnonzero(values >= values.max() * (1 - 1e-9))
    return int(
        min(
            tied,
            key=lambda i: (
                len(some.parts[i]),
                [c.expression for c in some.parts[i]],
            ),
        )
    )
