"""The order as reviews have taught it: leaf weights at once, a ranker when there is enough.

Leaf weights learn from what was cleared as well, in hundredths of a second, and hold
where reviews are few and chosen by the order itself. The ranker needs cases: with fewer
it did worse than they on simulated claims, and costs more than a review round may.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from configs.errors import LeadlineError
from training.detectors import in_chunks
from training.folds import group_folds
from training.leaves import THRESHOLD, LeafWeights
from training.preprocess import Matrix, Vector
from training.ranker import FOLDS, Ranker, rings_of

RANKED_CASES = 20  # confirmed cases from which a ranker is mixed in


class TaughtOrder(Ranker):
    """A ranker whose order leaf weights move on; without enough cases they alone."""

    def fit(
        self,
        inputs: Matrix,
        base: Vector,
        y: Vector,
        groups: npt.NDArray[np.object_] | None = None,
    ) -> Self:
        """As `Ranker.fit`; that something was excluded is enough.

        Raises:
            LeadlineError: nothing was reviewed, or lengths differ.
        """
        if np.isnan(y).all():
            raise LeadlineError("nothing was reviewed yet: there is nothing to learn")
        rings = rings_of(y, groups)
        if len(np.unique(rings[y == 1])) >= RANKED_CASES:
            super().fit(inputs, base, y, groups)
        else:
            self._without_ranker(inputs, base, y, rings)
        with threadpool_limits(1):
            self._fit_leaves(inputs, base, y)
        return self

    def score(self, inputs: Matrix, base: Vector) -> Vector:
        """In sd of the order without labels; a row needs no batch."""
        return super().score(inputs, base) + self.leaf_shift(inputs)

    def leaf_shift(self, inputs: Matrix) -> Vector:
        """What the leaf weights add to the score of each row."""
        return in_chunks(lambda part: self.leaves_.shift(self._standard(part)), inputs)

    def margin(self, inputs: Matrix) -> Vector:
        """Of the ranker; 0 where there is none."""
        return super().margin(inputs) if self.learners_ else np.zeros(len(inputs))

    def contributions(self, inputs: Matrix) -> Vector:
        """Of the ranker, by input; leaf weights belong to no single input."""
        if self.learners_:
            return super().contributions(inputs)
        return np.zeros(inputs.shape)

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

    def _fit_leaves(self, inputs: Matrix, base: Vector, y: Vector) -> None:
        """On the order as it is so far; and, for the bands, once for each fold."""
        rows, rings = self.reviewed_rows_, self.reviewed_rings_
        order = super().score(inputs, base)
        above = order[rows] - np.quantile(order, THRESHOLD)
        self.leaves_ = LeafWeights(self.seed).grow(self._standard(inputs))
        F, truth = self._standard(inputs[rows]), y[rows]
        _, ring, size = np.unique(rings, return_inverse=True, return_counts=True)
        once = 1.0 / size[ring]
        folds = group_folds(rings, FOLDS, self.seed)
        self.held_out_shift_: Vector = np.zeros(len(rows))
        for fold in range(FOLDS):
            used, out = folds != fold, folds == fold
            if used.any() and out.any():
                self.leaves_.fit(F[used], above[used], truth[used], once[used])
                self.held_out_shift_[out] = self.leaves_.shift(F[out])
        self.leaves_.fit(F, above, truth, once)
