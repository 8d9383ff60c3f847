"""Reasons of some units of a whole table, and where they stand in its list."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from training.counterfactual import Standing
from training.explain import explain
from training.model import LeadScorer
from training.percentiles import shares_below
from training.preprocess import to_float


def reasons_among(
    scorer: LeadScorer,
    X: pd.DataFrame,
    units: Sequence[str],
    flags: pd.DataFrame | None = None,
    **asked: Any,
) -> pd.DataFrame:
    """X (units x features) is the whole population, `flags` are theirs."""
    rows, kept = X.loc[list(units)], scorer.preprocessor_.kept_
    shares = shares_below([to_float(X[kept])], to_float(rows[kept]))
    own = None if flags is None else flags.loc[list(units)]
    return explain(scorer, rows, shares, flags=own, **asked)


def standing(scores: pd.DataFrame, units: Sequence[str]) -> Standing:
    """Some units in a list of SCORES."""
    listed = scores.sort_values("rank_fused")
    order = np.argsort(np.argsort(listed["unit_id"].to_numpy(dtype=str)))
    ranks = listed.set_index("unit_id")["rank_fused"].loc[list(units)].to_numpy()
    return Standing(listed["fused"].to_numpy(), order, ranks)
