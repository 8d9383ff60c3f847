"""Which features made a unit stand out, asked of the very model that scored it.

Two questions are put to each value of a lead. What would the detectors' score be with the
population's median in its place (or, where a relation is broken, with what the other
values let expect)? That fall is the contribution, in sd of the population: on the log
scale of the ensemble, because near the top the rank scale is flat. And how much less
would the row disagree with itself (`training.relations`)? The first question alone names the
culprit of a broken correlation in 25-64 % of planted rows, both together in 75-100 %
(nine sets apart from those that docs/evaluation/explanations.md reports).
Rules explain themselves and take no part.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.marginals import Mask
from training.model import LeadScorer
from training.preprocess import Matrix, Vector, to_float
from training.relations import Fit, Relations

TOP_FEATURES = 8
BATCH_ROWS = 16_384  # occluded rows scored at once; 80 float32 columns take 5 MB
ASKED = 200  # values of a lead that the detectors are asked about: the oddest
PARTNERS = 2
# A gain up to NOTABLE (a residual of 2.8) is met in any row of some width and orders
# nothing; of a value that no detector minds, one up to UNSEEN (4.8). Beyond that, a
# reason's place is what is left of its gain plus FALLS times its share of all falls of
# the lead. Chosen on twelve sets that no page reports.
NOTABLE, UNSEEN, FALLS = 0.2, 0.5, 0.5
LEAST_FALL = 1e-9
EXTREME = 2.5  # a value further out (one in 80 is) is odd by itself, relations or not


@dataclass(frozen=True, slots=True)
class Questioned:
    """What was found out about each value of some units; all units x kept features."""

    known: Mask
    fit: Fit
    broken: Mask  # a relation is broken rather than the value odd by itself
    contributions: Vector  # fall of the score, in sd
    strengths: Vector  # what orders the reasons


def explain(
    scorer: LeadScorer,
    X: pd.DataFrame,
    percentiles: Vector,
    *,
    top: int = TOP_FEATURES,
    flags: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """REASONS rows of the units, the first place to look first, without the texts.

    X are the units x features, indexed by unit_id, and `percentiles` (units x kept
    features) says what share of the scored population has a smaller value
    (`training.percentiles`). `kind` is 'value' or 'relation'. Numbers are for the caller
    to format by the feature's unit: `value`, `peer_median`, `expected` and, in columns
    `partner_<n>` and `partner_<n>_value`, the features that the expectation leans on. An
    unknown value is never a reason.
    With `flags` (the same units x rule flags) a model that has learnt from reviews orders the
    reasons by what reviews made of each feature, too.
    """
    kept = scorer.preprocessor_.kept_
    found = questioned(scorer, X[scorer.features], scorer.relations_, flags)
    values = to_float(X[kept])
    units, features = _strongest(found, top)
    at = units, features
    columns = {
        "unit_id": np.asarray(X.index, dtype=object)[units],
        "position": _positions(units),
        "kind": np.where(found.broken[at], "relation", "value").astype(object),
        "feature": np.asarray(kept, dtype=object)[features],
        "value": values[at],
        "peer_median": scorer.preprocessor_.medians_[features],
        "percentile": percentiles[at],
        "contribution": found.contributions[at],
        "strength": found.strengths[at],
        "expected": scorer.preprocessor_.restored(found.fit.expected)[at],
    }
    partners = scorer.relations_.partners(features, found.known[units], PARTNERS)
    return pd.DataFrame(columns | _partners(partners, kept, values[units]))


def questioned(
    scorer: LeadScorer,
    X: pd.DataFrame,
    relations: Relations,
    H: pd.DataFrame | None = None,
) -> Questioned:
    """Put both questions to every value of the units in X."""
    preprocessor = scorer.preprocessor_
    rows, known = preprocessor.transform(X), preprocessor.known(X)
    fit = relations.examine(rows, known)
    residuals, scores = np.abs(fit.residuals), np.abs(fit.scores)
    notable = fit.gains >= NOTABLE
    broken = notable & (residuals > scores) & (scores < EXTREME)
    usual = np.broadcast_to(preprocessor.neutral(), rows.shape)
    targets = np.where(broken, fit.expected, usual)
    oddest = np.maximum(scores, residuals)
    falls = _falls(scorer, rows, np.where(_first(oddest, ASKED), targets, rows))
    share = _shares(falls, known)
    if scorer.ranker_ is not None and H is not None:
        told = scorer.tell(X, H)
        brought = scorer.ranker_.contributions(told.inputs)[:, : rows.shape[1]]
        plain = np.abs(scorer.ranker_.plain(told.base))[:, None]
        learnt = np.abs(brought).sum(axis=1, keepdims=True)
        weight = learnt / np.maximum(learnt + plain, LEAST_FALL)
        share = (1.0 - weight) * share + weight * _shares(brought, known)
    left = fit.gains - np.where(falls > 0, NOTABLE, UNSEEN)
    strengths = np.maximum(left, 0.0) + FALLS * share
    strengths = np.where(known & (strengths > 0), strengths, -np.inf)
    return Questioned(known, fit, broken, falls, strengths)


def _first(sizes: Vector, count: int) -> Mask:
    """The `count` largest of each row."""
    chosen = np.ones(sizes.shape, dtype=np.bool_)
    if sizes.shape[1] > count:
        order = np.argsort(-sizes, axis=1, kind="stable")
        np.put_along_axis(chosen, order[:, count:], False, axis=1)
    return chosen


def _shares(falls: Vector, known: Mask) -> Vector:
    """Each known value's share of all that raise the unit."""
    raising = np.where(known, np.maximum(falls, 0.0), 0.0)
    total = raising.sum(axis=1, keepdims=True)
    return np.asarray(raising / np.maximum(total, LEAST_FALL))


def contributions(scorer: LeadScorer, X: pd.DataFrame) -> pd.DataFrame:
    """Fall of the ensemble's score, in sd, per unit (rows) and feature kept (columns).

    Every value by itself set to the population's median; negative where the median
    would have looked odder than the value does.
    """
    rows = scorer.preprocessor_.transform(X)
    usual = np.broadcast_to(scorer.preprocessor_.neutral(), rows.shape)
    falls = _falls(scorer, rows, usual)
    return pd.DataFrame(falls, index=X.index, columns=scorer.preprocessor_.kept_)


def _falls(scorer: LeadScorer, rows: Matrix, targets: Matrix) -> Vector:
    """Fall of the score when one value at a time is set to its target."""
    falls = np.zeros(rows.shape)
    units, features = np.nonzero(rows != targets)
    before = scorer.ensemble_.score(rows)
    for start in range(0, len(units), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        at = units[part], features[part]
        after = scorer.ensemble_.score(_occluded(rows, targets, *at))
        falls[at] = before[units[part]] - after
    return falls


def _occluded(
    rows: Matrix,
    targets: Matrix,
    units: npt.NDArray[np.intp],
    features: npt.NDArray[np.intp],
) -> Matrix:
    """One copy of a unit's row per pair, the pair's feature set to its target."""
    copies = rows[units]
    copies[np.arange(len(units)), features] = targets[units, features]
    return copies


def _strongest(
    found: Questioned, top: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Unit and feature of the `top` strongest values of each unit, unit by unit."""
    order = np.argsort(-found.strengths, axis=1, kind="stable")[:, :top]
    units = np.repeat(np.arange(len(order)), order.shape[1])
    features = order.ravel()
    told = np.isfinite(found.strengths[units, features])
    return units[told], features[told]


def _positions(units: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """1, 2, 3, ... within each unit; equal units stand together."""
    _, first, counts = np.unique(units, return_index=True, return_counts=True)
    return np.arange(len(units)) - np.repeat(first, counts) + 1


def _partners(
    partners: npt.NDArray[np.int64], kept: list[str], values: Vector
) -> dict[str, npt.NDArray[np.object_] | Vector]:
    """Names and values of the features that an expectation leans on; None, NaN for none."""
    names = np.asarray([*kept, None], dtype=object)  # -1 names nothing
    columns: dict[str, npt.NDArray[np.object_] | Vector] = {}
    for number, found in enumerate(partners.T, 1):
        own = values[np.arange(len(found)), np.maximum(found, 0)]
        columns[f"partner_{number}"] = names[found]
        columns[f"partner_{number}_value"] = np.where(found >= 0, own, np.nan)
    return columns
