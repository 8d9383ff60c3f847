"""Intervals of shares."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
_Z = 1.959963984540054  # the normal quantile of (1 + LEVEL) / 2

Numbers = npt.NDArray[np.float64]


class Share(NamedTuple):
    """A share with its 95 % interval, and how many cases it rests on.

    `value`, `low` and `high` lie in [0, 1]; they are None where `of` is 0.
    """

    of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def hits(self) -> int:
        return round((self.value or 0.0) * self.of)


def wilson(hits: npt.ArrayLike, of: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Both ends of Wilson's score interval for `hits` of `of`, cell by cell.

    NaN where `of` is 0. `of` need not be whole: a weighted sample is worth fewer cases
    than it has. (Wilson 1927, JASA 22; recommended for small numbers by Brown, Cai and
    DasGupta 2001, Statistical Science 16.)
    """
    n = np.asarray(of, dtype=np.float64)
    safe = np.where(n > 0, n, np.nan)
    p = np.asarray(hits, dtype=np.float64) / safe
    wide = 1 + _Z**2 / safe
    middle = (p + _Z**2 / (2 * safe)) / wide
    half = _Z / wide * np.sqrt(p * (1 - p) / safe + _Z**2 / (4 * safe**2))
    # Rounding must not push the end beyond a share that is none or all.
    return np.minimum(np.maximum(middle - half, 0), p), np.maximum(middle + half, p)


def share(hits: float, of: float) -> Share:
    """One share with its interval."""
    if of <= 0:
        return Share(0)
    low, high = wilson(hits, of)
    return Share(int(of), hits / of, float(low), min(float(high), 1.0))


def weighted_share(labels: Numbers, chances: Numbers) -> Share:
    """The share of ones among all units that units drawn with these chances stand for.

    Hajek's estimate: each stands for 1 / chance. The interval is Wilson's for as many
    cases as the weighted ones are worth, (sum w)^2 / sum(w^2) (Kish 1965).
    """
    if not len(labels):
        return Share(0)
    weights = 1 / chances
    worth = float(weights.sum() ** 2 / (weights**2).sum())
    value = float((weights * labels).sum() / weights.sum())
    low, high = wilson(value * worth, worth)
    return Share(len(labels), value, float(low), min(float(high), 1.0))
