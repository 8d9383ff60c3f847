"""What carries a lead's place: the fused evidence, taken apart by who says it.

The parts of a unit add up to what the fused order goes by, before it is put on a rank
scale: log-odds, or sd of the population once reviews have taught the order. A unit whose
detectors find it as odd as the median unit has nothing from them.
"""

from typing import Any

import numpy as np
import pandas as pd

from training.ensemble import Ensemble
from training.fusion import RuleEvidence, counted, own_evidence
from training.model import LeadScorer
from training.preprocess import Matrix, Vector

DETECTOR, RULE = "detector:", "rule:"
NEIGHBOURS, REVIEWS = "neighbours", "reviews"
NOTHING = 1e-9  # a smaller part is left out
TAUGHT = 3


def parts(scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame) -> pd.DataFrame:
    """PARTS rows of the units in X and H (same index), without the texts.

    Largest first, by size; a negative contribution holds the unit back.
    """
    columns = contributions(scorer, X, H)
    sizes = columns.to_numpy()
    order = np.argsort(-np.abs(sizes), axis=1, kind="stable")
    names = np.asarray(columns.columns, dtype=object)[order]
    sizes = np.take_along_axis(sizes, order, axis=1)
    units = np.repeat(np.asarray(columns.index, dtype=object), sizes.shape[1])
    table = pd.DataFrame(
        {
            "unit_id": units,
            "position": np.tile(np.arange(1, sizes.shape[1] + 1), len(columns)),
            "part": names.ravel(),
            "contribution": sizes.ravel(),
        }
    )
    told = table["contribution"].abs() > NOTHING
    return table[told].reset_index(drop=True)


def contributions(scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame) -> pd.DataFrame:
    """Units x parts: what each detector, each rule, the neighbours and the reviews bring."""
    matrix = scorer.preprocessor_.transform(X)
    members = detector_parts(scorer.ensemble_, matrix)
    rules = _rule_parts(scorer.evidence_, H)
    own = _sum(members | rules)
    share, around = _mixed(scorer, matrix, own)
    named: dict[str, Any] = {k: share * v for k, v in (members | rules).items()}
    table = pd.DataFrame(named | {NEIGHBOURS: around}, index=X.index)
    ranker = scorer.ranker_
    if ranker is None:
        return table
    for name, moved in _moved(scorer, H, rules).items():
        table[name] += moved
    # The order without labels goes on at its own weight, from its mean and in its sd.
    table[NEIGHBOURS] -= ranker.base_centre_
    table *= (1.0 - ranker.weight_) / ranker.base_span_
    told = scorer.tell(X, H)
    table[REVIEWS] = ranker.score(told.inputs, told.base) - table.sum(axis=1)
    return table


def taught(
    scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame, top: int = TAUGHT
) -> pd.DataFrame:
    """What the reviews hold for or against each unit: its `top` inputs by size.

    Columns unit_id, input (a feature, 'detector:<name>' or 'rule:<code>'), contribution
    (sd); against the usual unit. No rows while the model has learnt nothing.
    """
    if scorer.ranker_ is None:
        return pd.DataFrame(columns=["unit_id", "input", "contribution"])
    brought = scorer.ranker_.contributions(scorer.tell(X, H).inputs)
    order = np.argsort(-np.abs(brought), axis=1, kind="stable")[:, :top]
    sizes = np.take_along_axis(brought, order, axis=1)
    names = np.asarray(scorer.input_names(), dtype=object)[order]
    units = np.repeat(np.asarray(X.index, dtype=object), order.shape[1])
    columns = {"unit_id": units, "input": names.ravel(), "contribution": sizes.ravel()}
    return pd.DataFrame(columns)


def detector_parts(ensemble: Ensemble, matrix: Matrix) -> dict[str, Vector]:
    """Each member's share of the log-odds of the score's rank, from the median unit on.

    Along the straight way from a unit whose members all give the median score
    (Aumann-Shapley): in proportion to how far each member is above it.
    """
    scores = ensemble.member_scores(matrix)
    ranks = ensemble.rank_
    middle = float(np.interp(0.5, ranks.ranks_, ranks.knots_))
    above = {name: values - middle for name, values in scores.items()}
    log_odds = own_evidence(np.zeros(len(matrix)), ensemble.ranked(scores)["score"])
    total = _sum(above)
    slope = log_odds / np.where(np.abs(total) > NOTHING, total, np.inf)
    named = {f"{DETECTOR}{name}": values * slope for name, values in above.items()}
    # At the median itself no member can be told from another.
    rest = (log_odds - _sum(named)) / len(named)
    return {name: values + rest for name, values in named.items()}


def _rule_parts(evidence: RuleEvidence, H: pd.DataFrame) -> dict[str, Vector]:
    """Each fired rule's evidence, damped as the fused order damps it."""
    fired = evidence.fired(H)
    order = np.argsort(-fired, axis=1, kind="stable")
    place = np.argsort(order, axis=1, kind="stable")
    damped = fired * counted(place)
    return {f"{RULE}{code}": damped[:, j] for j, code in enumerate(evidence.evidence_)}


def _moved(
    scorer: LeadScorer, H: pd.DataFrame, before: dict[str, Vector]
) -> dict[str, Vector]:
    """By how much reviews have moved what each fired rule is worth."""
    if scorer.taught_ is None:
        return {}
    after = _rule_parts(scorer.taught_, H)
    return {name: after[name] - values for name, values in before.items()}


def _mixed(scorer: LeadScorer, matrix: Matrix, own: Vector) -> tuple[Vector, Vector]:
    """How much of a unit's own evidence is left beside its neighbours', and theirs.

    Read off what the mixing does to one more unit of own evidence, so that it is right
    however the two are mixed.
    """
    mixed = scorer.neighbours_.transform(matrix, own)
    share = scorer.neighbours_.transform(matrix, own + 1.0) - mixed
    return share, mixed - share * own


def _sum(vectors: dict[str, Vector]) -> Vector:
    return np.asarray(np.sum(list(vectors.values()), axis=0))
