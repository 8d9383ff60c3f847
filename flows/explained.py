"""The explanation of the first leads: reasons, parts and counterfactuals as tables."""

import numpy as np
import pandas as pd

from configs.loading import LoadedModel
from configs.privacy import sensitive_columns
from flows.catalog import Catalog
from flows.inputs import Inputs, Part, Rows
from flows.peer_groups import compared_columns, peer_groups
from flows.place_words import counterfactuals_in_words, parts_in_words
from flows.reasons import Wording, in_words
from flows.scored import Scored
from training.counterfactual import Standing, counterfactuals
from training.explain import explain
from training.model import RANKED, LeadScorer
from training.parts import parts, taught
from training.percentiles import shares_below
from training.preprocess import to_float


def explained(
    catalog: Catalog,
    model: LoadedModel,
    scorer: LeadScorer,
    inputs: Inputs,
    scores: Scored,
    threads: int = 0,
) -> dict[str, pd.DataFrame]:
    """`reasons`, `parts` and `counterfactuals` of the first leads.

    The features of the whole scored population are read twice, in parts: for the leads'
    own rows, and for the share of units with a smaller value.
    """
    ranks = first_ranks(scores, model.spec.review.explain)
    X, H = _rows_at(inputs, scores.places_of(ranks))
    kept = scorer.preprocessor_.kept_
    everyone = (to_float(part[kept]) for part, _ in inputs.parts())
    shares = shares_below(everyone, to_float(X[kept]), threads)
    reasons = explain(scorer, X, shares, flags=H)
    words = wording(model)
    fused = np.asarray(scores.columns["fused"], dtype=np.float64)[scores.order]
    standing = Standing(fused, scores.order, ranks)
    changed = counterfactuals(scorer, X, H, standing, reasons)
    return {
        "reasons": in_words(reasons, words, peer_groups(catalog, model, reasons)),
        "parts": parts_in_words(parts(scorer, X, H), taught(scorer, X, H), words),
        "counterfactuals": counterfactuals_in_words(changed, words),
    }


def first_ranks(scores: Scored, count: int) -> Rows:
    """Fused ranks of the units near the head of any of the three orders, ascending."""
    ranks = [np.asarray(scores.columns[name]) for name in RANKED.values()]
    best = np.minimum.reduce(ranks)
    fused = np.asarray(scores.columns["rank_fused"])
    return np.sort(fused[(fused <= count) | (best <= count // 4)])


def _rows_at(inputs: Inputs, places: Rows) -> Part:
    """Features and flags of the units at these places, in their order."""
    X, H = inputs.rows(np.sort(places))
    back = np.argsort(np.argsort(places))
    return X.iloc[back], H.iloc[back]


def wording(model: LoadedModel) -> Wording:
    """What the texts need to know of the model."""
    spec = model.spec
    within = {name: step.within for name, (step, _) in compared_columns(model).items()}
    hidden = sensitive_columns(spec, spec.unit.source)
    return Wording(model.known.columns, within, hidden)
