"""Rows of real tables in which one value was made odd, so that the culprit is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

PER_KIND = 100
DEVIATIONS = 8.0  # of a single odd value from the column's median
DISTINCT, PREVAILING = 10, 0.5  # a column that can carry either kind has more, less
# A column can break a correlation when the others tell it, and still do without the one
# that tells most: of a mere pair nobody can say which of the two is wrong.
TOLD, TOLD_WITHOUT_BEST = 0.8, 0.6
YARDSTICK_ROWS, YARDSTICK_INPUTS, YARDSTICK_COLUMNS = 2_000, 12, 30
BROKEN = 5.0  # residual deviations of the yardstick that a value is moved by
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Planted:
    """A table with planted rows: kind -> {unit: the culprits that are right}."""

    X: pd.DataFrame
    culprits: dict[str, dict[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Told:
    """A column that the others tell, and how closely (normal scores)."""

    column: int
    deviation: float
    partner: int


def planted(
    X: pd.DataFrame, ordinary: npt.NDArray[np.bool_], able: Sequence[Told], seed: int
) -> Planted:
    """Single odd values, and values of other rows that break a correlation.

    Each planted row is another one of the `ordinary` rows, drawn whatever its score.
    """
    rng = np.random.default_rng(seed)
    rows = iter(rng.permutation(np.flatnonzero(ordinary)))
    table, count = X.copy(), min(PER_KIND, len(X) // 20)
    single = _single(table, X, [next(rows) for _ in range(count)], rng)
    broken = _broken(table, X, rows, able, rng, count) if able else {}
    return Planted(table, {"single column": single, "correlation": broken})


def told_columns(X: pd.DataFrame) -> list[Told]:
    """The columns that can break a correlation, by a yardstick of its own.

    Cross-validated R2 of ridge regression and of gradient boosting on normal scores,
    the better of the two, with all other columns and without the strongest of them.
    """
    scores = np.column_stack([_normal(X[name].to_numpy()) for name in X])
    near = np.abs(np.nan_to_num(np.corrcoef(scores.T)))
    np.fill_diagonal(near, -1.0)
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(X))[:YARDSTICK_ROWS]
    found = []
    for j in _carriers(X, rng):
        known = rows[X.iloc[rows, j].notna().to_numpy()]
        order = np.argsort(-near[j])
        order = order[order != j]
        if len(known) < 100:
            continue
        share, deviation = _told(scores, known, j, order)
        if share >= TOLD and _told(scores, known, j, order[1:])[0] >= TOLD_WITHOUT_BEST:
            found.append(Told(j, deviation, int(order[0])))
    return found


def _carriers(X: pd.DataFrame, rng: np.random.Generator) -> list[int]:
    """Columns with many values, none of which prevails; at most 30 of them."""
    columns = [j for j in range(X.shape[1]) if _carries(X.iloc[:, j].dropna())]
    if len(columns) > YARDSTICK_COLUMNS:
        columns = sorted(rng.choice(columns, YARDSTICK_COLUMNS, replace=False))
    return [int(j) for j in columns]


def _carries(column: pd.Series) -> bool:
    counts = column.value_counts()
    return len(counts) > DISTINCT and counts.iloc[0] < PREVAILING * len(column)


def _told(
    scores: Floats, rows: npt.NDArray[np.int64], j: int, inputs: npt.NDArray[np.intp]
) -> tuple[float, float]:
    """R2 and robust residual deviation of the better of two cross-validated models."""
    best = (-np.inf, np.inf)
    few = inputs[:YARDSTICK_INPUTS]
    models = (
        (RidgeCV(np.logspace(-2, 3, 6)), inputs),
        (HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=15), few),
    )
    target = scores[rows, j]
    for model, columns in models:
        missed, F = np.empty(len(rows)), scores[np.ix_(rows, columns)]
        for fit, rest in KFold(2, shuffle=True, random_state=0).split(rows):
            missed[rest] = target[rest] - model.fit(F[fit], target[fit]).predict(
                F[rest]
            )
        share = 1.0 - float(np.mean(missed**2) / max(target.var(), 1e-9))
        best = max(best, (share, 1.4826 * float(np.median(np.abs(missed)))))
    return best


def _single(
    table: pd.DataFrame, X: pd.DataFrame, rows: list[int], rng: np.random.Generator
) -> dict[str, frozenset[str]]:
    columns = [j for j in range(X.shape[1]) if X.iloc[:, j].nunique() > DISTINCT]
    median, deviation = X.median().to_numpy(), X.std().to_numpy()
    found = {}
    for row in rows:
        j = int(rng.choice(columns))
        table.iat[row, j] = median[j] + DEVIATIONS * deviation[j] * rng.choice([-1, 1])
        found[str(X.index[row])] = frozenset({str(X.columns[j])})
    return found


def _broken(
    table: pd.DataFrame,
    X: pd.DataFrame,
    rows: Iterator[int],
    able: Sequence[Told],
    rng: np.random.Generator,
    count: int,
) -> dict[str, frozenset[str]]:
    """Values of other rows, between the 1st and 99th percentile, that do not fit."""
    found: dict[str, frozenset[str]] = {}
    values = X.to_numpy()
    scores = {told.column: _normal(values[:, told.column]) for told in able}
    inside = norm.ppf(0.99)
    for row in rows:
        if len(found) == count:
            break
        told = able[rng.integers(len(able))]
        j, own = told.column, scores[told.column]
        if np.isnan(values[row, j]) or np.isnan(values[row, told.partner]):
            continue
        moved = np.abs(own - own[row]) >= max(BROKEN * told.deviation, 1.0)
        donors = np.flatnonzero(
            moved & (np.abs(own) < inside) & ~np.isnan(values[:, j])
        )
        if len(donors):
            table.iat[row, j] = values[rng.choice(donors), j]
            found[str(X.index[row])] = frozenset({str(X.columns[j])})
    return found


def _normal(column: Floats) -> Floats:
    """Normal scores of a column; 0 where it is unknown."""
    known, scores = ~np.isnan(column), np.zeros(len(column))
    scores[known] = norm.ppf((rankdata(column[known]) - 0.5) / max(known.sum(), 1))
    return scores
