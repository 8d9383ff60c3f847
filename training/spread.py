"""Which units to review next, so that one wrong neighbourhood does not take the whole day.

Each unit of a round is chosen as if those before it would come back cleared. Where the
order is right that costs little, for confirmed cases hold their likes up; where it is
wrong the next unit comes from elsewhere. A pessimistic answer in place of the unknown one
is what Jiang et al. 2018 ('Efficient nonmyopic batch active search') found best for rounds
of reviews.
"""

import copy

import numpy as np
import numpy.typing as npt

from training.detectors import in_chunks
from training.preprocess import Matrix, Vector
from training.review_shift import ReviewShift

# Weight of a foreseen exclusion while reviews bear nothing out; it falls with the share
# that was confirmed. In ten rounds of ten reviews on 23 ADBench tables, seeds 1-3, 0.1 to
# 0.5 found alike (area 0.714 to 0.719) and more than 0.05 and 0. On six simulated
# populations of claims, whose order is good from the start, 80 reviews found 67 cases
# with 0.15, 63 with 0.5 and 75 with 0.02; 320 found 289, 284 and 285.
DOUBT = 0.15
CANDIDATES = 20_000  # the first of the order, among which a round is looked for
LOOKS = 50  # of a larger round several units are chosen at a time


def next_rows(
    shift: ReviewShift, F: Matrix, above: Vector, number: int
) -> npt.NDArray[np.intp]:
    """Positions of the rows to review next, in that order; `number` or all.

    Args:
        shift: what reviews so far have taught.
        F: rows that are open x inputs, as `shift` takes them.
        above: where they stand without it, in sd above the threshold.
    """
    order = above + in_chunks(shift.shift, F)
    candidates = np.argsort(-order, kind="stable")[:CANDIDATES]
    places, plain = shift.place(F[candidates]), above[candidates]
    known, doubt = shift.evidence(), _doubt(shift.y_)
    foreseen, shares = copy.copy(shift), shift.shares_
    number = min(number, len(candidates))
    step = -(-number // LOOKS)
    chosen = np.zeros(0, dtype=np.intp)
    while True:
        order = plain + foreseen.at(places)
        order[chosen] = -np.inf
        missing = min(step, number - len(chosen))
        best = np.argsort(-order, kind="stable")[:missing]
        chosen = np.concatenate([chosen, best])
        if len(chosen) == number:
            return candidates[chosen]
        none = np.zeros(len(best))
        known = known.joined(places.of(best), plain[best], none, none + doubt)
        shares = known.solved(shares)
        foreseen.moved_by(known.places, shares)


def _doubt(y: Vector) -> float:
    """Weight of an exclusion that is only foreseen: by the share that was cleared."""
    return DOUBT * (float((y == 0).sum()) + 1.0) / (len(y) + 1.0)
