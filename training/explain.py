"""Which features made a unit stand out, asked of the very model that scored it.

One value at a time is replaced by the population's median and the row scored again; the
fall of the detectors' score is that feature's contribution. The fall is measured on the
log scale of the ensemble (sd of the population), because near the top the rank scale
is flat and would show nothing. Rules explain themselves and take no part.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.errors import LeadlineError
from training.model import LeadScorer
from training.preprocess import Matrix, Vector, to_float

TOP_FEATURES = 8
BATCH_ROWS = 16_384  # occluded rows scored at once; 80 float32 columns take 5 MB


def explain(
    scorer: LeadScorer,
    X: pd.DataFrame,
    unit_ids: Sequence[str],
    *,
    top: int = TOP_FEATURES,
) -> pd.DataFrame:
    """REASONS rows of the units, strongest first, without the texts.

    X (units x features, indexed by unit_id) is the whole scored population: the
    percentile is the share of its units with a smaller value. `value` and `peer_median`
    are numbers, for the caller to format by the feature's unit. Only features whose
    value raised the score are listed; an unknown value never is.
    """
    _check_known(X, unit_ids)
    kept = scorer.preprocessor_.kept_
    chosen = X.loc[list(unit_ids), scorer.features]
    falls = contributions(scorer, chosen)
    percentiles = _percentiles(to_float(X[kept]), to_float(chosen[kept]))
    table = pd.DataFrame(
        {
            "unit_id": np.repeat(np.asarray(unit_ids, dtype=object), len(kept)),
            "feature": kept * len(unit_ids),
            "value": to_float(chosen[kept]).ravel(),
            "peer_median": np.tile(scorer.preprocessor_.medians_, len(unit_ids)),
            "percentile": percentiles.ravel(),
            "contribution": falls.to_numpy().ravel(),
        }
    )
    return _strongest(table, top)


def contributions(scorer: LeadScorer, X: pd.DataFrame) -> pd.DataFrame:
    """Fall of the ensemble's score, in sd, per unit (rows) and feature kept (columns).

    Negative where the median would have looked odder than the value does.
    """
    rows = scorer.preprocessor_.transform(X)
    medians = scorer.preprocessor_.neutral()[0]
    falls = np.zeros(rows.shape)
    units, features = np.nonzero(rows != medians)
    before = scorer.ensemble_.score(rows)
    for start in range(0, len(units), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        occluded = _occluded(rows, medians, units[part], features[part])
        after = scorer.ensemble_.score(occluded)
        falls[units[part], features[part]] = before[units[part]] - after
    return pd.DataFrame(falls, index=X.index, columns=scorer.preprocessor_.kept_)


def _occluded(
    rows: Matrix,
    medians: Matrix,
    units: npt.NDArray[np.intp],
    features: npt.NDArray[np.intp],
) -> Matrix:
    """One copy of a unit's row per pair, the pair's feature set to the median."""
    copies = rows[units]
    copies[np.arange(len(units)), features] = medians[features]
    return copies


def _percentiles(population: Vector, values: Vector) -> Vector:
    """Per column, the share of known population values below each value."""
    shares = np.zeros(values.shape)
    for column in range(values.shape[1]):
        known = np.sort(population[:, column])  # NaN last
        count = len(known) - int(np.isnan(known).sum())
        below = np.searchsorted(known[:count], values[:, column])
        shares[:, column] = below / max(count, 1)
    return shares


def _strongest(table: pd.DataFrame, top: int) -> pd.DataFrame:
    """Positive contributions, the `top` largest of each unit, numbered from 1."""
    order = pd.Categorical(table["unit_id"], table["unit_id"].unique(), ordered=True)
    raised = (
        table.assign(_order=order)[table["contribution"] > 0]
        .sort_values(["_order", "contribution"], ascending=[True, False], kind="stable")
        .drop(columns="_order")
    )
    raised.insert(1, "position", raised.groupby("unit_id", sort=False).cumcount() + 1)
    return raised[raised["position"] <= top].reset_index(drop=True)


def _check_known(X: pd.DataFrame, unit_ids: Sequence[str]) -> None:
    known = set(X.index)
    unknown = [unit for unit in unit_ids if unit not in known]
    if unknown:
        raise LeadlineError(
            f"unit {unknown[0]!r} ({len(unknown)} in all) is not in the features "
            "of this run and cannot be explained"
        )
