"""How a scored population would be ordered under other rules, its detectors unchanged.

What a rule's evidence does to the fused order goes through the units most alike, so
who is like whom is found once and every set of rules is then a few sums away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.fusion import SCOPE_LAYER, Rule, RuleEvidence, own_evidence
from training.neighbours import SHARE, NeighbourEvidence
from training.preprocess import Matrix, Vector
from training.pridit import Pridit

Positions = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The reference units most like each unit: positions in the population, weights.

    Units x neighbours; weights of a unit add up to 1, or to 0 where all are its copies.
    """

    rows: Positions
    weights: Vector


@dataclass(frozen=True, slots=True)
class Population:
    """Units of one run with what no rule changes: detectors' score, and who is alike."""

    unit_ids: list[str]
    score: Vector  # SCORES' `score`, in [0, 1]
    nearest: Nearest

    def fused(self, damped: Vector) -> Vector:
        """Evidence that orders the fused list, given each unit's evidence of rules."""
        own = own_evidence(damped, self.score)
        rows, weights = self.nearest.rows, self.nearest.weights
        around = (own[rows] * weights).sum(axis=1)
        mixed = (1.0 - SHARE) * own + SHARE * around
        return np.where(weights.any(axis=1), mixed, own)

    def first(self, values: Vector, count: int) -> Mask:
        """Which units stand in the first `count`, ties by unit_id as in every list."""
        if count >= len(values):
            return np.ones(len(values), dtype=np.bool_)
        last = -np.partition(-values, count - 1)[count - 1]
        chosen = values > last
        tied = np.flatnonzero(values == last)
        names = np.asarray(self.unit_ids, dtype=str)[tied]
        chosen[tied[np.argsort(names)[: count - chosen.sum()]]] = True
        return np.asarray(chosen)


def population(
    scores: pd.DataFrame, matrix: Matrix, damped: Vector, seed: int = 0
) -> Population:
    """Find once who is like whom, in a reference of the population itself.

    Args:
        scores: SCORES columns `unit_id` and `score`, in the order of the rows of
        matrix: units x columns, as the detectors see them, and of
        damped: each unit's evidence of rules, by which the reference is chosen where
            not all units fit in it: of several sets of rules the largest.
        seed: of the reference's random half, where not all units fit in it.
    """
    score = scores["score"].to_numpy(dtype=np.float64)
    own = own_evidence(damped, score)
    return Population(scores["unit_id"].tolist(), score, _nearest(matrix, own, seed))


def evidence_of(rules: Sequence[Rule], H: pd.DataFrame) -> RuleEvidence:
    """Evidence of rules as training without reviews would freeze it on these flags."""
    return RuleEvidence(tuple(rules)).fit(H, pridit_weights(rules, H))


def pridit_weights(rules: Sequence[Rule], H: pd.DataFrame) -> Mapping[str, float]:
    """Agreement weight of each rule above the scope layer."""
    codes = [rule.code for rule in rules if rule.layer > SCOPE_LAYER]
    return Pridit().fit(H[codes]).weight_by_code_


def _nearest(matrix: Matrix, own: Vector, seed: int) -> Nearest:
    """As `NeighbourEvidence` weighs the neighbours, kept as positions."""
    fitted = NeighbourEvidence(seed=seed).fit(matrix, own)
    kept = fitted._reference_rows(own)
    distances, rows = fitted.nearest_.find(fitted._place(matrix))
    others = (rows >= 0) & (distances > 0.0)
    weights = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    return Nearest(kept[rows], weights)
