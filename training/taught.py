"""The order as reviews have taught it: likeness at once, a ranker when there is enough.

A shift by likeness learns from what was cleared as well, in hundredths of a second, and
holds where reviews are few and chosen by the order itself. The ranker needs cases: with
fewer it did worse on simulated claims, and costs more than a review round may.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from training.detectors import in_chunks
from training.folds import group_folds
from training.preprocess import Matrix, Vector
from training.ranker import FOLDS, Ranker, rings_of
from training.review_shift import THRESHOLD, ReviewShift
from training.spread import next_rows

RANKED_CASES = 60  # confirmed cases from which a ranker is mixed in


class TaughtOrder(Ranker):
    """A ranker whose order likeness moves on; without enough cases likeness alone."""

    def fit(
        self,
        inputs: Matrix,
        base: Vector,
        y: Vector,
        groups: npt.NDArray[np.object_] | None = None,
    ) -> Self:
        """As `Ranker.fit`, of any number of reviews; after none the order stays."""
        rings = rings_of(y, groups)
        if len(np.unique(rings[y == 1])) >= RANKED_CASES:
            super().fit(inputs, base, y, groups)
        else:
            self._without_ranker(inputs, base, y, rings)
        with threadpool_limits(1):
            self._fit_shift(inputs, base, y)
        return self

    def score(self, inputs: Matrix, base: Vector) -> Vector:
        """In sd of the order without labels; a row needs no batch."""
        return super().score(inputs, base) + self.shift(inputs)

    def shift(self, inputs: Matrix) -> Vector:
        """What likeness to the reviewed adds to the score of each row."""
        return in_chunks(lambda part: self.shift_.shift(self._standard(part)), inputs)

    def next_reviews(
        self, inputs: Matrix, base: Vector, y: Vector, number: int
    ) -> npt.NDArray[np.intp]:
        """Positions of the open rows (y NaN) to review next, spread out; see `spread`.

        Args:
            inputs, base, y: as in `fit`, of the same rows.
        """
        opened = np.flatnonzero(np.isnan(y))
        above = super().score(inputs, base) - self.threshold_
        with threadpool_limits(1):
            found = next_rows(
                self.shift_, self._standard(inputs[opened]), above[opened], number
            )
        return np.asarray(opened[found])

    def margin(self, inputs: Matrix) -> Vector:
        """Of the ranker; 0 where there is none."""
        return super().margin(inputs) if self.learners_ else np.zeros(len(inputs))

    def contributions(self, inputs: Matrix) -> Vector:
        """Of the ranker and of the linear part, by input; leaves belong to no single one."""
        straight = self.shift_.along(self._standard(inputs))
        if self.learners_:
            return super().contributions(inputs) + straight
        return straight

    def held_out_scores(self, base: Vector) -> Vector:
        """Scores of `reviewed_rows_` by what has seen none of their ring."""
        return super().held_out_scores(base) + self.held_out_shift_

    def _without_ranker(
        self,
        inputs: Matrix,
        base: Vector,
        y: Vector,
        rings: npt.NDArray[np.object_],
    ) -> None:
        self._fit_scales(inputs, base)
        self._count(y, rings)
        self.learners_, self.moments_, self.weight_ = [], [], 0.0
        self.reviewed_rows_ = np.flatnonzero(~np.isnan(y))
        self.reviewed_rings_ = rings[self.reviewed_rows_].astype(str)
        self.held_out_ = np.zeros(len(self.reviewed_rows_))

    def _fit_shift(self, inputs: Matrix, base: Vector, y: Vector) -> None:
        """On the order as it is so far; and, for the bands, once for each fold."""
        rows, rings = self.reviewed_rows_, self.reviewed_rings_
        order = super().score(inputs, base)
        self.threshold_ = float(np.quantile(order, THRESHOLD))
        above = order[rows] - self.threshold_
        shift = ReviewShift(self.seed).grow(self._standard(inputs))
        F, truth = self._standard(inputs[rows]), y[rows]
        _, ring, size = np.unique(rings, return_inverse=True, return_counts=True)
        once = 1.0 / size[ring]
        folds = group_folds(rings, FOLDS, self.seed)
        self.held_out_shift_: Vector = np.zeros(len(rows))
        for fold in range(FOLDS):
            used, out = folds != fold, folds == fold
            if used.any() and out.any():
                shift.fit(F[used], above[used], truth[used], once[used])
                self.held_out_shift_[out] = shift.shift(F[out])
        self.shift_ = shift.fit(F, above, truth, once)
