"""How far a feature has moved since the champion was trained."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import pandas as pd

from training.preprocess import Vector, to_float

BINS = 10
EMPTY_SHARE = 1e-4  # stands for an empty bin, so that the logarithm stays finite


class FeatureStats(TypedDict):
    """Distribution of one feature: inner bin edges, shares by bin, share unknown."""

    edges: list[float]
    shares: list[float]  # one more than edges; of all units, the unknown left out
    unknown: float
    median: float


def feature_stats(X: pd.DataFrame) -> dict[str, FeatureStats]:
    """By feature, the decile bins of X (units x features, NaN = unknown)."""
    values = to_float(X)
    return {str(name): _stats(values[:, i]) for i, name in enumerate(X.columns)}


def stability_index(stats: Mapping[str, FeatureStats], X: pd.DataFrame) -> pd.Series:
    """Population stability index of each feature of X that `stats` knows, largest first.

    Sum over bins of (now - then) * ln(now / then), 'unknown' being a bin. By the usage
    of credit scoring (Siddiqi 2006) below 0.1 is stable, above 0.25 has shifted.
    """
    values = {name: to_float(X[[name]])[:, 0] for name in X.columns if name in stats}
    index = {name: _index(stats[name], column) for name, column in values.items()}
    return pd.Series(index, dtype="float64", name="psi").sort_values(ascending=False)


def _stats(column: Vector) -> FeatureStats:
    known = column[~np.isnan(column)]
    edges: Vector = (
        np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
        if len(known)
        else np.empty(0)
    )
    return {
        "edges": [float(e) for e in edges],
        "shares": _shares(known, np.asarray(edges), len(column)),
        "unknown": 1.0 - len(known) / max(len(column), 1),
        "median": float(np.median(known)) if len(known) else float("nan"),
    }


def _shares(known: Vector, edges: Vector, total: int) -> list[float]:
    """Share of all units in each bin; a value on an edge belongs to the lower bin."""
    bins = np.searchsorted(edges, known, side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return [float(share) for share in counts / max(total, 1)]


def _index(then: FeatureStats, column: Vector) -> float:
    known = column[~np.isnan(column)]
    now = _shares(known, np.asarray(then["edges"]), len(column))
    unknown = 1.0 - len(known) / max(len(column), 1)
    old = np.maximum([*then["shares"], then["unknown"]], EMPTY_SHARE)
    new = np.maximum([*now, unknown], EMPTY_SHARE)
    return float(((new - old) * np.log(new / old)).sum())
