"""Which units of a large population train a model: a plain draw, and enough rare hits."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

# Of each rule so many hits are wanted in a sample, or all that there are: of 25 rules
# at most 1.3 % of 200,000 units, too few to move a percentile.
HITS = 100
MOST_ADDED = 4  # further hits take at most one in so many places of a small sample


def sampled(units: int, hits: Iterable[Mask], most: int, seed: int) -> Positions:
    """Positions of a seeded sample, ascending; all of the units when they fit.

    A plain draw without replacement. Where it holds fewer than `HITS` hits of a rule,
    further hits take the places of drawn units that no rule marks: what a rare rule finds
    must be known to training, which a plain draw of a large population would miss.

    Args:
        hits: of each rule above the scope layer, which units it fired on; one is held
            at a time.
        most: units in the sample at most.
    """
    if units <= most:
        return np.arange(units)
    rng = np.random.default_rng(seed)
    chosen = np.zeros(units, dtype=np.bool_)
    chosen[rng.choice(units, most, replace=False)] = True
    wanted, marked = np.zeros_like(chosen), np.zeros_like(chosen)
    left = most // MOST_ADDED  # places for further hits
    for fired in hits:
        marked |= fired
        there = np.flatnonzero(fired & (chosen | wanted))
        others = np.flatnonzero(fired & ~(chosen | wanted))
        missing = min(max(HITS - len(there), 0), len(others), left)
        wanted[rng.choice(others, missing, replace=False)] = True
        left -= missing
    plain = np.flatnonzero(chosen & ~marked)
    places = min(int(wanted.sum()), len(plain))
    chosen[rng.choice(plain, places, replace=False)] = False
    added = np.flatnonzero(wanted)
    chosen[rng.choice(added, places, replace=False)] = True
    return np.flatnonzero(chosen)
