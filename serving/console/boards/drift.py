"""How far scores and features have moved since an earlier list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.console.boards.board import Board, RunLine
from serving.leads.models import Run

STABLE, SHIFTED = 0.1, 0.25  # the usual bounds of the index
SCORES = ("fused", "rules", "score")
# Shares that are read off deciles are known to about a tenth, so less than a fifth of one
# counts as that; shares that were counted are known exactly.
_READ, _COUNTED = 0.02, 0.001

Numbers = npt.NDArray[np.float64]


def stability_index(then: Numbers, now: Numbers, least: npt.ArrayLike) -> float:
    """Population stability index between two distributions over the same bins.

    PSI = sum over bins of (now - then) * ln(now / then), the symmetrised divergence of
    Kullback and Leibler. Below 0.1 a distribution is called stable, above 0.25 shifted
    (Siddiqi 2006, Credit Risk Scorecards, Wiley; Lewis 1994, An Introduction to Credit
    Scoring; what chance alone gives: Yurdakul, Naranjo 2020, J. Risk Model Validation 14).

    Args:
        then, now: shares by bin.
        least: a smaller share counts as this, so that the logarithm stays finite.
    """
    old, new = np.maximum(then, least), np.maximum(now, least)
    return float(((new - old) * np.log(new / old)).sum())


def decile_index(
    then: Sequence[float] | None,
    now: Sequence[float] | None,
    missing: tuple[float, float],
) -> float:
    """The index of a feature of which the deciles and the share missing are known.

    Bins are the deciles of then; what lies in them now is read off the deciles of now.
    Values are taken to be evenly spread between two of them. Missing values are a bin of
    their own, and the only one of a feature without deciles.
    """
    lost, gone = missing
    if then is None or now is None or lost >= 1 or gone >= 1:
        old, new = np.array([1 - lost, lost]), np.array([1 - gone, gone])
        return stability_index(old, new, _COUNTED)
    edges = _edges(np.asarray(then, dtype=np.float64))
    old = np.append(_shares(then, edges) * (1 - lost), lost)
    new = np.append(_shares(now, edges) * (1 - gone), gone)
    least = np.append(np.full(len(old) - 1, _READ), _COUNTED)
    return stability_index(old, new, least)


def _edges(deciles: Numbers) -> Numbers:
    """Where bins end, each with its upper edge: the deciles but for the two ends.

    An end is an edge where many values are equal to it, such as the zeros of a count.
    """
    values, counts = np.unique(deciles, return_counts=True)
    inner = np.ones(len(values), dtype=bool)
    inner[[0, -1]] = counts[[0, -1]] > 1
    edges: Numbers = values[inner]
    return edges


def _shares(deciles: Sequence[float], edges: Numbers) -> Numbers:
    """Share of the values up to the first edge, between edges, and above the last."""
    below = _share_up_to(np.asarray(deciles, dtype=np.float64), edges)
    shares: Numbers = np.diff(np.concatenate([[0.0], below, [1.0]]))
    return shares


def _share_up_to(deciles: Numbers, at: Numbers) -> Numbers:
    """Share of the values that are not greater than each of `at`."""
    values, first, count = np.unique(deciles, return_index=True, return_counts=True)
    share = (first + count - 1) / (len(deciles) - 1)
    # A value at several deciles ends somewhere before the next one: half-way there.
    share = np.where(count > 1, np.minimum(share + 0.5 / (len(deciles) - 1), 1), share)
    share[-1] = 1.0
    found: Numbers = np.interp(at, values, share, left=0.0, right=1.0)
    return _with_tails(found, deciles, at)


def _with_tails(found: Numbers, deciles: Numbers, at: Numbers) -> Numbers:
    """The same, but for the first and last tenth, whose ends may lie far out.

    There values thin out exponentially, from the density of the tenth beside.
    """
    tenth = 1 / (len(deciles) - 1)
    (least, low, above), (below, high, most) = deciles[:3], deciles[-3:]
    if least < low < above:
        inside = (least <= at) & (at < low)
        found = np.where(inside, tenth * np.exp((at - low) / (above - low)), found)
    if below < high < most:
        inside = (high < at) & (at < most)
        found = np.where(
            inside, 1 - tenth * np.exp((high - at) / (high - below)), found
        )
    return found


@dataclass(frozen=True, slots=True)
class Histogram:
    order: str  # fused, rules or score
    now: tuple[int, ...]  # units in equal bins of [0, 1]
    then: tuple[int, ...] | None
    index: float | None


@dataclass(frozen=True, slots=True)
class ScoreDrift:
    histograms: tuple[Histogram, ...]  # empty where they were not kept
    before: RunLine | None


def score_drift(board: Board) -> ScoreDrift:
    """The scores of the chosen list beside those of the one before."""
    before = board.earlier[0]
    now, then = board.chosen.about.get("scores", {}), _about(before).get("scores", {})
    found = [
        _histogram(order, now[order], then.get(order))
        for order in SCORES
        if order in now
    ]
    return ScoreDrift(tuple(found), before)


def _histogram(order: str, now: list[int], then: list[int] | None) -> Histogram:
    if then is None or len(then) != len(now) or not sum(then) or not sum(now):
        return Histogram(order, tuple(now), None, None)
    old, new = (np.asarray(n, dtype=np.float64) / sum(n) for n in (then, now))
    index = stability_index(old, new, _COUNTED)
    return Histogram(order, tuple(now), tuple(then), index)


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    feature: str
    en: str
    zh: str
    family: str
    missing: float  # share of the units, now
    by_deciles: bool  # otherwise only the share missing could be compared
    before: float | None  # index against the list before
    first: float | None  # index against the first list of the same version

    @property
    def index(self) -> float | None:
        known = [i for i in (self.before, self.first) if i is not None]
        return max(known) if known else None


@dataclass(frozen=True, slots=True)
class FeatureDrifts:
    rows: tuple[FeatureDrift, ...]  # largest index first; empty where nothing was kept
    before: RunLine | None
    first: RunLine | None


def feature_drift(board: Board) -> FeatureDrifts:
    """The index of each feature against the list before and the version's first list."""
    before, first = board.earlier
    now = board.chosen.about.get("features", {})
    old, oldest = (_about(run).get("features", {}) for run in (before, first))
    rows = [
        FeatureDrift(
            *(name, about["en"], about["zh"], about["family"], about["missing"]),
            by_deciles=about["deciles"] is not None,
            before=_index(old.get(name), about),
            first=_index(oldest.get(name), about),
        )
        for name, about in now.items()
    ]
    rows.sort(
        key=lambda row: (-(row.index if row.index is not None else -1), row.feature)
    )
    return FeatureDrifts(tuple(rows), before, first)


def _index(then: dict[str, Any] | None, now: dict[str, Any]) -> float | None:
    if then is None:
        return None
    missing = (then["missing"], now["missing"])
    return decile_index(then["deciles"], now["deciles"], missing)


def _about(run: RunLine | None) -> dict[str, Any]:
    """What an earlier list says of itself; nothing where there is none."""
    if run is None:
        return {}
    kept: Any = Run.objects.values_list("about", flat=True).get(id=run.id)
    return dict(kept)
