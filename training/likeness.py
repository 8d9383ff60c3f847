"""How alike two units are, and in what: rules, numbers, text, place in the network.

In each aspect a unit has traits of some strength: a rule that fired, a number far from
the median. Two units are as alike as the traits that they share weigh, of all that either
has (Ruzicka's or weighted Jaccard similarity); what is ordinary in both says nothing.
From domain.md section 12: from one confirmed lead to its nearest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from configs.errors import LeadlineError
from training.preprocess import RobustScale, Vector, check_columns, to_float

ASPECTS = ("rules", "numbers", "text", "network")
# Chosen on simulated claims of seeds 7 to 9 (docs/evaluation/classes.md): better than a
# quarter each, than numbers alone and than rules alone.
MIX = {"rules": 0.25, "numbers": 0.45, "text": 0.15, "network": 0.15}
NETWORK_FAMILIES = frozenset({"network", "path", "concentration", "flows", "rotation"})
# Whether a department delivered is no trait of a person.
NO_TRAIT = frozenset({"coverage"})
# Spans from the median; farther out a number says no more.
FARTHEST = 20.0
# A rule weighs by how rare it is, tilted by its PRIDIT weight over the mean, within this:
# agreement with other rules tilts, no more (as in `training.fusion`).
TILT = (0.5, 1.5)
RAREST = 1e-4
SAMPLE_ROWS = 50_000  # medians and spans are taken from so many units, evenly spread
CHUNK_ROWS = 65_536  # compared at once; 80 float32 columns take 20 MB

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Traits:
    """Units x traits by aspect: signed strengths, 0 = ordinary or unknown."""

    by_aspect: Mapping[str, Float32]

    @cached_property
    def totals(self) -> Mapping[str, Vector]:
        """How strong the traits of each unit are together, by aspect."""
        return {
            a: np.abs(v).sum(axis=1, dtype=np.float64)
            for a, v in self.by_aspect.items()
        }

    def __len__(self) -> int:
        return len(self.by_aspect["rules"])

    def row(self, place: int) -> "Traits":
        """One unit's."""
        return Traits({a: v[place : place + 1] for a, v in self.by_aspect.items()})

    def rows(self, places: npt.ArrayLike) -> "Traits":
        """Some units', in the order asked for."""
        some = np.asarray(places, dtype=np.intp)
        return Traits({a: v[some] for a, v in self.by_aspect.items()})


class Likeness:
    """Frozen on a population: what is ordinary, what each rule weighs.

    Args:
        families: of each feature, the family that declares it (`Column.family`).
        pridit: weights by rule code; rules without one take no part (the scope layer).
    """

    def __init__(
        self, families: Mapping[str, str], pridit: Mapping[str, float]
    ) -> None:
        self.families = families
        self.pridit = pridit

    def fit(self, X: pd.DataFrame, H: pd.DataFrame) -> Self:
        """Learn from X (units x features, NaN = unknown) and H (units x rule flags)."""
        if not len(X) or len(X) != len(H):
            raise LeadlineError(
                f"likeness needs features and flags of the same units, got {len(X)} and "
                f"{len(H)} rows"
            )
        self.columns_ = {a: self._columns(a, X) for a in ASPECTS[1:]}
        self.codes_ = [str(c) for c in H.columns if c in self.pridit]
        evenly = np.linspace(0, len(X) - 1, min(len(X), SAMPLE_ROWS)).astype(np.intp)
        self._freeze_numbers(X.iloc[evenly])
        self.weights_ = _rule_weights(_flags(H[self.codes_]), self.codes_, self.pridit)
        return self

    @property
    def features_(self) -> list[str]:
        """The features that `traits` asks for."""
        return [name for names in self.columns_.values() for name in names]

    def traits(self, X: pd.DataFrame, H: pd.DataFrame) -> Traits:
        """What is out of the ordinary in each unit."""
        check_columns("feature", self.features_, X.columns)
        check_columns("rule flag", self.codes_, H.columns)
        found = {a: self._deviations(a, X) for a in ASPECTS[1:]}
        fired = (_flags(H[self.codes_]) * self.weights_).astype(np.float32)
        return Traits({"rules": fired, **found})

    def compare(self, one: Traits, X: pd.DataFrame, H: pd.DataFrame) -> pd.DataFrame:
        """One unit with many: a column per aspect, and `overall`, in [0, 1].

        An aspect in which the one unit has no trait is NaN. Linear in rows, in chunks.

        Args:
            one: `traits` of a single unit.
        """
        parts = [alike(one, self.traits(X[part], H[part])) for part in _chunks(len(X))]
        empty = pd.DataFrame(columns=[*ASPECTS, "overall"], dtype=np.float64)
        return pd.concat(parts).set_index(X.index) if parts else empty

    def _columns(self, aspect: str, X: pd.DataFrame) -> list[str]:
        return [str(c) for c in X.columns if aspect_of(self.families[str(c)]) == aspect]

    def _freeze_numbers(self, X: pd.DataFrame) -> None:
        self.medians_: dict[str, Vector] = {}
        self.scales_: dict[str, RobustScale] = {}
        for aspect, names in self.columns_.items():
            values = to_float(X[names])
            known = ~np.isnan(values).all(axis=0)
            medians = np.zeros(len(names))
            medians[known] = np.nanmedian(values[:, known], axis=0)
            self.medians_[aspect] = medians
            if names:
                filled = np.where(np.isnan(values), medians, values)
                self.scales_[aspect] = RobustScale().fit(filled.astype(np.float32))

    def _deviations(self, aspect: str, X: pd.DataFrame) -> Float32:
        """sign(u) log(1 + |u|), u in spans from the median; unknown is 0."""
        names = self.columns_[aspect]
        if not names:
            return np.zeros((len(X), 0), dtype=np.float32)
        values, medians = to_float(X[names]), self.medians_[aspect]
        span = self.scales_[aspect].span_
        away = np.where(np.isnan(values), 0.0, (values - medians) / span)
        near = np.clip(away, -FARTHEST, FARTHEST)
        return np.asarray(np.sign(near) * np.log1p(np.abs(near)), dtype=np.float32)


def aspect_of(family: str) -> str:
    """The aspect that a feature of this family belongs to; empty for none."""
    if family in NO_TRAIT:
        return ""
    if family == "text":
        return "text"
    return "network" if family in NETWORK_FAMILIES else "numbers"


def alike(one: Traits, others: Traits) -> pd.DataFrame:
    """One row per other unit: similarity by aspect and `overall`, see `Likeness.compare`."""
    alone = np.ones(1)
    found = {a: _mixed(one, others, {a: alone})[0] for a in ASPECTS}
    for aspect, values in found.items():
        if not one.by_aspect[aspect].any():
            values[:] = np.nan
    return pd.DataFrame({**found, "overall": overall(one, others)[0]})


def overall(ones: Traits, others: Traits) -> Vector:
    """How alike each of some units and each other one are in all aspects (ones x others).

    The mean over the aspects in which the one unit has a trait, weighted by MIX; a unit
    without any trait is like nobody. 300 units and a million others of 114 traits take
    16 CPU-seconds; 4.8 KB for each of the others.
    """
    has = {a: MIX[a] * ones.by_aspect[a].any(axis=1) for a in ASPECTS}
    spoken = np.maximum(np.sum(list(has.values()), axis=0), 1e-12)
    return _mixed(ones, others, {a: one / spoken for a, one in has.items()})


def pairwise(traits: Traits) -> Vector:
    """Similarity of each two of a few units (n x n, 1 on the diagonal), symmetric.

    The smaller of how alike either finds the other.
    """
    table = overall(traits, traits)
    both: Vector = np.minimum(table, table.T)
    np.fill_diagonal(both, 1.0)
    return both


def shared_traits(one: Traits, others: Traits, aspect: str) -> Float32:
    """Others x traits: signed strength that both have in the same direction."""
    mine, theirs = one.by_aspect[aspect][0], others.by_aspect[aspect]
    direction = np.sign(mine)
    common: Float32 = np.clip(theirs * direction, 0, np.abs(mine)) * direction
    return common


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


def _mixed(ones: Traits, others: Traits, weights: Mapping[str, Vector]) -> Vector:
    """Ones x others: over these aspects the sum of weight (one per one) and likeness."""
    found = np.zeros((len(others), len(ones)))
    for aspect, weight in weights.items():
        mine = ones.by_aspect[aspect].T.astype(np.float64)
        sides = np.maximum(np.stack([mine, -mine]), 0)
        theirs, totals = others.by_aspect[aspect], others.totals[aspect]
        _add_ruzicka(found, weight, sides, ones.totals[aspect], theirs, totals)
    return np.ascontiguousarray(found.T)


@njit(cache=True, nogil=True)
def _add_ruzicka(
    found: Vector,
    weights: Vector,
    sides: Vector,
    strengths: Vector,
    others: Float32,
    totals: Vector,
) -> None:
    """Add weight times (sum of what both have) / (sum of the larger of each) to `found`.

    Args:
        found: others x ones.
        sides: 2 x traits x ones: how far above, and how far below, the ordinary.
        strengths, totals: of each one, and of each of the others (others x traits).
    """
    both = np.empty(len(strengths))
    for other in range(len(totals)):
        both[:] = 0
        # One by one: a matrix product may differ in the last digit with the rows.
        for trait in range(others.shape[1]):
            theirs = np.float64(others[other, trait])
            if theirs > 0:
                for one in range(len(both)):
                    both[one] += min(sides[0, trait, one], theirs)
            elif theirs < 0:
                for one in range(len(both)):
                    both[one] += min(sides[1, trait, one], -theirs)
        for one in range(len(both)):
            larger = strengths[one] + totals[other] - both[one]
            if larger > 0:
                # Sums of float32 may differ in the last digit.
                found[other, one] += weights[one] * min(both[one] / larger, 1.0)


def _rule_weights(
    flags: Vector, codes: list[str], pridit: Mapping[str, float]
) -> Vector:
    weights = np.array([pridit[code] for code in codes])
    mean = float(weights.mean()) if len(weights) else 0.0
    tilt = np.clip(weights / mean, *TILT) if mean > 0 else np.ones(len(weights))
    rates = flags.mean(axis=0) if len(flags) else np.ones(len(codes))
    return np.asarray(tilt * -np.log(np.maximum(rates, RAREST)))


def _flags(H: pd.DataFrame) -> Vector:
    """0.0 and 1.0; an unknown flag did not fire."""
    return np.asarray(H.fillna(False).to_numpy(dtype=bool).astype(np.float64))
