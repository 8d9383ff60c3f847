"""What the rules say, and how the detectors' score joins them, without labels.

Both are monotone: a rule that fires or a higher detector score never lowers a unit's
own evidence. Stated precision and log-odds rank as well as a learned label model when there are
no reviews (measured on ten ADBench tables with three planted rules each).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from training.preprocess import Vector, check_columns
from training.sums import row_sums, weighted_sums

# Assumptions until reviews replace them. One lead in fifty of those in scope; published
# conversion of screening leads runs from 5 % to about 35 %, and a confirmation from
# another department's table is worth more than a trait.
BASE_RATE = 0.02
DEFAULT_PRECISION = {2: 0.06, 3: 0.12, 4: 0.30}
MAX_PRECISION = 0.95
SCOPE_LAYER = 1
# Chosen, with the neighbours' share, on six simulated populations that no reported
# figure uses.
DAMPING = 0.7
# What the strongest fired rule counts for beside the detectors. Of 0.4, 0.5, 0.6, 0.75
# and 1, on two simulated deliveries of each of seven models that no reported figure uses
# (seeds 611 and 612), the one that shows most planted fraud in the first 200 among those
# that lose none of a delivery's first 40: 79.4 % against 77.8 % of 1, and 15 honest
# look-alikes in the first 40 against 19. 0.5 shows 80.2 % and loses in two of fourteen.
RULE_WEIGHT = 0.75
SCORE_FLOOR = 1e-9  # keeps the log-odds of a rank finite


@dataclass(frozen=True, slots=True)
class Rule:
    """What the ranking has to know of a screening rule."""

    code: str
    layer: int
    precision: float | None = None  # share of hits that were confirmed, where stated


class RuleEvidence(BaseEstimator):  # type: ignore[misc]
    """Log-odds that the fired rules of layers 2-4 add to a base rate."""

    def __init__(self, rules: tuple[Rule, ...] = (), base_rate: float = BASE_RATE):
        self.rules = rules
        self.base_rate = base_rate

    def fit(
        self,
        H: pd.DataFrame,
        pridit: Mapping[str, float] | None = None,
        reviewed: Mapping[str, float] | None = None,
    ) -> Self:
        """Freeze each rule's evidence; H (units x flags) gives the hit rates.

        `pridit` are agreement weights by code, used where no precision is stated.
        `reviewed` are precisions by code that reviews have taught
        (`training.rule_evidence`); a rule without one keeps its prior. No rule's
        evidence is ever negative: one that is right less often than the base rate
        says nothing.
        """
        evident = [rule for rule in self.rules if rule.layer > SCOPE_LAYER]
        check_columns("rule flag", [rule.code for rule in evident], H.columns)
        hits = {rule.code: H[rule.code].fillna(False) for rule in evident}
        fired = [rule for rule in evident if hits[rule.code].any()]
        tilt = _tilts(fired, pridit or {})
        # What a rule is trusted with before any review.
        self.priors_: dict[str, float] = {
            rule.code: self._prior(rule, hits[rule.code], tilt.get(rule.code, 1.0))
            for rule in evident
        }
        taught = self.priors_ | {
            code: float(p) for code, p in (reviewed or {}).items() if code in hits
        }
        self.evidence_: dict[str, float] = {
            code: self._evidence(precision) for code, precision in taught.items()
        }
        return self

    def log_odds(self, H: pd.DataFrame) -> Vector:
        """Evidence of each unit's fired rules, added up; 0 when none fired."""
        return row_sums(self.fired(H))

    def damped(self, H: pd.DataFrame) -> Vector:
        """Evidence of each unit's fired rules together, as the fused order takes it."""
        return damped_sum(self.fired(H))

    def score(self, H: pd.DataFrame) -> Vector:
        """In [0, 1): 0 when no rule of layers 2-4 fired, else rising with evidence."""
        evidence = self.log_odds(H)
        raised = _sigmoid(_logit(self.base_rate) + evidence)
        share = (raised - self.base_rate) / (1 - self.base_rate)
        return np.where(evidence > 0, share, 0.0)  # exactly 0, not a rounding of it

    def fired(self, H: pd.DataFrame) -> Vector:
        """Units x rules of layers 2-4: the evidence of each rule that fired, else 0."""
        check_columns("rule flag", self.evidence_, H.columns)
        codes = list(self.evidence_)
        fired = H[codes].fillna(False).to_numpy(dtype=np.float64)
        return np.asarray(fired * [self.evidence_[code] for code in codes])

    def _evidence(self, precision: float) -> float:
        """Log-odds above the base rate of a rule that is right this often."""
        bounded = min(precision, MAX_PRECISION)
        if bounded <= self.base_rate:
            return 0.0
        return _logit(bounded) - _logit(self.base_rate)

    def _prior(self, rule: Rule, hits: pd.Series, tilt: float) -> float:
        """Stated precision, else that of the layer with its evidence tilted."""
        if rule.precision is not None:
            return rule.precision
        evidence = tilt * self._evidence(self._default_precision(rule.layer, hits))
        if evidence == 0:
            return self.base_rate  # exactly, not a rounding of it
        return float(_sigmoid(np.asarray(_logit(self.base_rate) + evidence)))

    def _default_precision(self, layer: int, hits: pd.Series) -> float:
        """By layer; a rule that hits a share h cannot be right above base rate / h."""
        share = float(hits.mean()) if len(hits) else 0.0
        stated = DEFAULT_PRECISION.get(layer, max(DEFAULT_PRECISION.values()))
        return min(stated, self.base_rate / share) if share > 0 else stated


def damped_sum(fired: Vector) -> Vector:
    """The strongest fired rule at RULE_WEIGHT, each further one at 0.7 of that before.

    Rules that fire together see the same side of a case: added up they would claim
    more than they know. Never more than 3.3 times what the strongest counts. `fired` is
    units x rules, evidence or 0.
    """
    falling = -np.sort(-fired, axis=1)
    return weighted_sums(falling, counted(np.arange(falling.shape[1])), order="F")


def counted(place: npt.NDArray[np.intp]) -> Vector:
    """What the fused order counts of a fired rule's evidence; place 0 is the strongest."""
    return np.asarray(RULE_WEIGHT * np.power(DAMPING, place))


def own_evidence(damped: Vector, score: Vector) -> Vector:
    """Log-odds of a unit by itself: of its rank among the detectors' scores, plus the rules'.

    Rising in both arguments.
    """
    bounded = np.clip(score, SCORE_FLOOR, 1.0 - SCORE_FLOOR)
    return np.asarray(np.log(bounded) - np.log1p(-bounded) + damped)


def ranks(scores: Vector, unit_ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """1 = highest score; ties go to the lower unit_id, never to chance."""
    order = np.lexsort((np.asarray(unit_ids, dtype=str), -np.asarray(scores)))
    result = np.empty(len(order), dtype=np.int64)
    result[order] = np.arange(1, len(order) + 1)
    return result


def _tilts(rules: Sequence[Rule], pridit: Mapping[str, float]) -> dict[str, float]:
    """PRIDIT weight over its mean, held within 0.5 to 1.5: agreement tilts, no more."""
    weights = {rule.code: pridit.get(rule.code, 0.0) for rule in rules}
    mean = float(np.mean(list(weights.values()))) if weights else 0.0
    if mean <= 0:
        return dict.fromkeys(weights, 1.0)
    return {c: float(np.clip(w / mean, 0.5, 1.5)) for c, w in weights.items()}


def _logit(p: float) -> float:
    return float(np.log(p) - np.log1p(-p))


def _sigmoid(x: Vector) -> Vector:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
