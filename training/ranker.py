"""Learns from dispositions, and never trusts itself further than the reviews carry.

Positive and unlabelled: what nobody reviewed counts as a weak negative, the weaker the
odder it looks (Elkan and Noto 2008; Bekker and Davis 2020 on selected labels). Confirmed
rows weigh together as much as all others. The learners' margins are averaged and mixed
with the order without labels by a weight that grows with the confirmed cases.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from configs.errors import LeadlineError
from training.detectors import in_chunks, sample_rows
from training.folds import group_folds
from training.learners import BoostedLearner, Learner, LinearLearner, TreesLearner
from training.preprocess import Matrix, Vector

UNLABELLED_ROWS = 8_000  # that take part in a training
FEW_LABELS = 400  # up to here smaller forests and fewer unlabelled rows do
PRIOR_CASES = 1.0  # confirmed cases that weigh as much as the order without labels
LIMIT = 5.0  # of a standardised input
PRESSED = 3.0  # sd of a learner's margins
FOLDS = 3
# Below these numbers a comparison by folds would be chance.
GUARDED_CASES, GUARDED_CLEARED = 5, 5
SHARES = (1.0, 0.75, 0.5, 0.25)  # of the weight, of which the folds choose
# Mass of reviewed negatives against that of the unlabelled: equal at so many reviews.
CLEARED_HALF = 20.0
SMALLEST = 0.02  # weight of the oddest unlabelled row


class Ranker(BaseEstimator):  # type: ignore[misc]
    """From inputs, the order without labels and dispositions to a better order."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(
        self,
        inputs: Matrix,
        base: Vector,
        y: Vector,
        groups: npt.NDArray[np.object_] | None = None,
    ) -> Self:
        """Learn from all rows.

        Args:
            inputs: rows x inputs without NaN: features, detector scores, rule flags.
            base: the order without labels, higher = sooner.
            y: 1 confirmed, 0 excluded, NaN not known.
            groups: rows of one ring share a value; one ring is one example.

        Raises:
            LeadlineError: nothing was confirmed, or lengths differ.
        """
        _check(inputs, base, y)
        # Small products: more threads only wait for each other.
        with threadpool_limits(1):
            return self._fit(inputs, base, y, groups)

    def _fit(
        self,
        inputs: Matrix,
        base: Vector,
        y: Vector,
        groups: npt.NDArray[np.object_] | None,
    ) -> Self:
        self._fit_scales(inputs, base)
        rings = rings_of(y, groups)
        self._count(y, rings)
        rows = self._training_rows(y)
        F, odd = self._standard(inputs[rows]), _percentiles(base)[rows]
        y, rings, base = y[rows], rings[rows], base[rows]
        everything = np.ones(len(y), dtype=bool)
        self.learners_ = self._learnt(F, y, odd, rings, everything)
        margins = [learner.margin(F) for learner in self.learners_]
        usual = _unlabelled(y)
        self.moments_ = [_moments(m[usual]) for m in margins]
        self.reviewed_rows_ = rows[~np.isnan(y)]
        self.reviewed_rings_ = rings[~np.isnan(y)].astype(str)
        held_out = self._held_out(F, y, odd, rings)
        self.weight_ = self._guarded(held_out, base, y)
        self.held_out_: Vector = held_out[~np.isnan(y)]
        return self

    def _fit_scales(self, inputs: Matrix, base: Vector) -> None:
        """Freeze the scale of each input, and of the order without labels."""
        self.centre_: Vector = inputs.mean(axis=0, dtype=np.float64)
        deviation = inputs.std(axis=0, dtype=np.float64)
        self.span_: Vector = np.where(deviation > 0, deviation, 1.0)
        self.base_centre_, self.base_span_ = _moments(base)

    def _count(self, y: Vector, rings: npt.NDArray[np.object_]) -> None:
        """How many were confirmed and how many cleared, a ring counting once."""
        self.cases_ = float(len(np.unique(rings[y == 1])))
        self.cleared_ = float(len(np.unique(rings[y == 0])))

    def score(self, inputs: Matrix, base: Vector) -> Vector:
        """Learnt margin and order without labels mixed, in sd; a row needs no batch."""
        learnt = in_chunks(self.margin, inputs)
        return self._mixed(learnt, base, self.weight_)

    def margin(self, inputs: Matrix) -> Vector:
        """Mean of the learners' margins, each in sd of the unlabelled rows."""
        F = self._standard(inputs)
        return _together(
            [learner.margin(F) for learner in self.learners_], self.moments_
        )

    def contributions(self, inputs: Matrix) -> Vector:
        """Rows x inputs: what each input adds to the score, against the usual row."""
        F = self._standard(inputs)
        parts = []
        for learner, (mean, span) in zip(self.learners_, self.moments_, strict=True):
            scaled = (learner.margin(F) - mean) / span
            # What is pressed is pressed in all its parts alike.
            held = _pressed(scaled) / np.where(scaled == 0.0, 1.0, scaled)
            parts.append(learner.contributions(F) * (held / span)[:, None])
        return np.asarray(self.weight_ * np.mean(parts, axis=0))

    def held_out_scores(self, base: Vector) -> Vector:
        """Scores of `reviewed_rows_` by learners that saw none of their ring.

        Args:
            base: of the same rows.
        """
        return self._mixed(self.held_out_, base, self.weight_)

    def plain(self, base: Vector) -> Vector:
        """What the order without labels brings to the score, in sd."""
        return self._mixed(np.zeros(len(base)), base, self.weight_)

    def _mixed(self, learnt: Vector, base: Vector, weight: float) -> Vector:
        plain = (base - self.base_centre_) / self.base_span_
        return np.asarray(weight * learnt + (1.0 - weight) * plain)

    def _standard(self, inputs: Matrix) -> Matrix:
        scaled = (inputs - self.centre_) / self.span_
        return np.clip(scaled, -LIMIT, LIMIT).astype(np.float32)

    def _training_rows(self, y: Vector) -> npt.NDArray[np.intp]:
        """All reviewed rows, and a sample of the others."""
        unknown = np.flatnonzero(np.isnan(y))
        few = (~np.isnan(y)).sum() <= FEW_LABELS
        limit = UNLABELLED_ROWS // 4 if few else UNLABELLED_ROWS
        sampled = unknown[sample_rows(len(unknown), limit, self.seed)]
        return np.sort(np.concatenate([np.flatnonzero(~np.isnan(y)), sampled]))

    def _learnt(
        self,
        F: Matrix,
        y: Vector,
        odd: Vector,
        rings: npt.NDArray[np.object_],
        used: npt.NDArray[np.bool_],
        share: float = 1.0,
    ) -> list[Learner]:
        """The learners, fitted on the rows `used`; with a share of their trees."""
        y, odd, rings = y[used], odd[used], rings[used]
        hesitant = _weights(y, rings, 1.0 - odd**4)
        plain = _weights(y, rings, np.ones(len(y)))
        few = (~np.isnan(y)).sum() <= FEW_LABELS
        trees = int((60 if few else 120) * share)
        learners: list[tuple[Learner, Vector]] = [
            (LinearLearner(), plain),
            (TreesLearner(trees, seed=self.seed), hesitant),
            (BoostedLearner(trees, 0.1 if few else 0.06, seed=self.seed), hesitant),
        ]
        target = (y == 1).astype(np.float64)
        return [learner.fit(F[used], target, w) for learner, w in learners]

    def _held_out(
        self, F: Matrix, y: Vector, odd: Vector, rings: npt.NDArray[np.object_]
    ) -> Vector:
        """Margins by learners that saw no row of the same ring; of unlabelled rows too."""
        folds = group_folds(rings, FOLDS, self.seed)
        found = np.zeros(len(y))
        for fold in range(FOLDS):
            used, out = folds != fold, folds == fold
            if not (y[used] == 1).any():
                continue
            learners = self._learnt(F, y, odd, rings, used, share=1 / FOLDS)
            margins = [learner.margin(F) for learner in learners]
            usual = _unlabelled(y) & used
            moments = [_moments(m[usual] if usual.any() else m) for m in margins]
            found[out] = _together(margins, moments)[out]
        return found

    def _guarded(self, held_out: Vector, base: Vector, y: Vector) -> float:
        """The weight of what was learnt: at most n / (n + 1), as far as the folds allow.

        Held-out confirmed cases tell how much earlier they come at each share of that
        weight than in the order without labels. Against cleared rows the share with the
        best lower bound (mean less one standard error) is taken, none where no bound is
        above zero: who was reviewed was chosen by an order, so the proof is on the
        learner. Where nobody was cleared the full weight stands unless cases come later
        by more than two standard errors. With fewer than five cases folds say nothing.
        """
        weight = self.cases_ / (self.cases_ + PRIOR_CASES)
        if self.cases_ < GUARDED_CASES:
            return weight
        reviewed = (y == 0).sum() >= GUARDED_CLEARED
        known = (y == 1) | ((y == 0) if reviewed else np.isnan(y))
        truth = y[known] == 1
        if truth.all():
            return weight
        plain = _early(truth, self._mixed(held_out, base, 0.0)[known])

        def bound(share: float, errors: float) -> float:
            mixed = self._mixed(held_out, base, weight * share)[known]
            gains = _early(truth, mixed) - plain
            return float(gains.mean() + errors * gains.std() / np.sqrt(len(gains)))

        if not reviewed and bound(1.0, 2.0) >= 0.0:
            return weight
        best = max(SHARES, key=lambda share: bound(share, -1.0))
        return weight * best if bound(best, -1.0) > 0.0 else 0.0


def _check(inputs: Matrix, base: Vector, y: Vector) -> None:
    if not len(inputs) == len(base) == len(y):
        raise LeadlineError(
            f"inputs have {len(inputs)} rows, the order {len(base)} and the labels "
            f"{len(y)}; give one of each per unit"
        )
    if not (y == 1).any():
        raise LeadlineError(
            "nothing was confirmed yet, so there is nothing to learn from; the order "
            "without labels stays"
        )


def rings_of(
    y: Vector, groups: npt.NDArray[np.object_] | None
) -> npt.NDArray[np.object_]:
    """What each row counts under: its ring, else itself."""
    own = np.array([f"row {i}" for i in range(len(y))], dtype=object)
    if groups is None:
        return own
    alone = pd.isna(pd.Series(groups, dtype=object)).to_numpy()
    return np.where(alone, own, groups)


def _unlabelled(y: Vector) -> npt.NDArray[np.bool_]:
    """The rows that stand for the usual: those without a label, all if there are none."""
    unknown = np.isnan(y)
    return unknown if unknown.any() else np.ones(len(y), dtype=bool)


def _weights(y: Vector, rings: npt.NDArray[np.object_], usual: Vector) -> Vector:
    """How much each row counts: a ring once; confirmed as much as all others together.

    The cleared weigh n / (n + 20) of what the unlabelled do, but never less than one
    row each: they are few, and the only negatives that are known.
    """
    _, ring, size = np.unique(
        rings.astype(str), return_inverse=True, return_counts=True
    )
    weights = np.where(np.isnan(y), np.maximum(usual, SMALLEST), 1.0 / size[ring])
    unknown, cleared, confirmed = np.isnan(y), y == 0, y == 1
    mass, n = weights[unknown].sum(), weights[cleared].sum()
    if n > 0:
        weights[cleared] *= max(1.0, mass / (n + CLEARED_HALF))
    weights[confirmed] *= weights[~confirmed].sum() / weights[confirmed].sum()
    return np.asarray(weights)


def _moments(values: Vector) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


def _together(margins: list[Vector], moments: list[tuple[float, float]]) -> Vector:
    scaled = [
        _pressed((m - mean) / span)
        for m, (mean, span) in zip(margins, moments, strict=True)
    ]
    return np.asarray(np.mean(scaled, axis=0))


def _pressed(scaled: Vector) -> Vector:
    """Beyond three sd only the logarithm counts: no learner outvotes the others."""
    size = np.abs(scaled)
    excess = np.maximum(size - PRESSED, 0.0)
    return np.asarray(np.sign(scaled) * (np.minimum(size, PRESSED) + np.log1p(excess)))


def _percentiles(base: Vector) -> Vector:
    order = np.empty(len(base))
    order[np.argsort(base, kind="stable")] = np.arange(1, len(base) + 1)
    return np.asarray(order / len(base))


def _early(truth: npt.NDArray[np.bool_], scores: Vector) -> Vector:
    """How early each confirmed row comes: minus the log of its rank among the others."""
    others = np.sort(scores[~truth])
    ahead = len(others) - np.searchsorted(others, scores[truth], side="left")
    return np.asarray(-np.log1p(ahead))
