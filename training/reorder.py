"""How a scored population would be ordered under other rules, its detectors unchanged.

What a rule's evidence does to the fused order goes through the units most alike, so
who is like whom is found once and every set of rules is then a few sums away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.detectors import in_chunks
from training.fusion import SCOPE_LAYER, Rule, RuleEvidence, own_evidence
from training.model import LeadScorer
from training.neighbours import SHARE, NeighbourEvidence
from training.preprocess import Matrix, Vector
from training.pridit import Pridit
from training.rule_evidence import flags_of
from training.taught import TaughtOrder

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
class Learnt:
    """What reviews made of the order: a ranker, and what it was told of each unit."""

    ranker: TaughtOrder
    inputs: Matrix  # units x inputs
    places: dict[str, int]  # code -> the input that is the rule's flag
    margins: Vector  # the ranker's, of these inputs
    likeness: Vector  # what likeness to the reviewed adds to these inputs
    shift: Callable[[pd.DataFrame], Vector]  # what reviews make of the rules' evidence

    def order(self, base: Vector, H: pd.DataFrame) -> Vector:
        """The learnt order, had the rules flagged H and the evidence been `base`.

        A rule that the ranker never met adds to the evidence alone; one that is gone
        flags nobody.
        """
        places = list(self.places.values())
        met = H.reindex(columns=list(self.places), fill_value=False)
        flags = flags_of(met)
        changed = (self.inputs[:, places] != flags).any(axis=1)
        margins, likeness = self.margins.copy(), self.likeness.copy()
        if changed.any():
            inputs = self.inputs[changed]
            inputs[:, places] = flags[changed]
            margins[changed] = self.ranker.margin(inputs)
            likeness[changed] = self.ranker.shift(inputs)
        plain = base + self.shift(met) - self.ranker.base_centre_
        plain = plain / self.ranker.base_span_
        weight = self.ranker.weight_
        return np.asarray(weight * margins + (1.0 - weight) * plain + likeness)


@dataclass(frozen=True, slots=True)
class Population:
    """Units of one run with what no rule changes: detectors' score, and who is alike."""

    unit_ids: list[str]
    score: Vector  # SCORES' `score`, in [0, 1]
    nearest: Nearest
    learnt: Learnt | None = None  # None: the model learnt from no review

    def fused(self, damped: Vector, H: pd.DataFrame) -> Vector:
        """What orders the fused list, had rules flagged H with this evidence of each unit."""
        base = self._smoothed(own_evidence(damped, self.score))
        return base if self.learnt is None else self.learnt.order(base, H)

    def _smoothed(self, own: Vector) -> Vector:
        """Own evidence, mixed with that of the units most alike."""
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
    scorer: LeadScorer,
    X: pd.DataFrame,
    H: pd.DataFrame,
    scores: pd.DataFrame,
    damped: Vector,
) -> Population:
    """Find once who is like whom, in a reference of the population itself.

    Args:
        scorer: the model that scored the units.
        X: units x features, and H: units x flags, as they were scored.
        scores: its SCORES of the same units, in any order.
        damped: each unit's evidence of rules, by which the reference is chosen where
            not all units fit in it: of several sets of rules the largest.
    """
    ids = X.index.astype(str)
    score = scores.set_index("unit_id")["score"].loc[ids].to_numpy(dtype=np.float64)
    own, matrix = own_evidence(damped, score), scorer.preprocessor_.transform(X)
    nearest = _nearest(matrix, own, scorer.seed)
    return Population(ids.tolist(), score, nearest, _learnt(scorer, X, H, scores))


def _learnt(
    scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame, scores: pd.DataFrame
) -> Learnt | None:
    """What reviews taught the scorer; None where they taught nothing."""
    if scorer.ranker_ is None:
        return None
    inputs, names = scorer.tell(X, H, scores).inputs, scorer.input_names()
    places = {code: names.index(f"rule:{code}") for code in scorer.evidence_.evidence_}
    margins = in_chunks(scorer.ranker_.margin, inputs)
    likeness = scorer.ranker_.shift(inputs)
    return Learnt(scorer.ranker_, inputs, places, margins, likeness, scorer.shift)


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
