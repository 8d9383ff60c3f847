"""The explanation of the first leads: reasons, parts and counterfactuals as tables."""

import pandas as pd

from configs.loading import LoadedModel
from configs.privacy import sensitive_columns
from flows.catalog import Catalog
from flows.peer_groups import compared_columns, peer_groups
from flows.place_words import counterfactuals_in_words, parts_in_words
from flows.reasons import Wording, in_words
from training.counterfactual import counterfactuals
from training.explain import explain
from training.model import LeadScorer
from training.parts import parts, taught


def explained(
    catalog: Catalog,
    model: LoadedModel,
    scorer: LeadScorer,
    inputs: tuple[pd.DataFrame, pd.DataFrame],
    scores: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """`reasons`, `parts` and `counterfactuals` of the first leads.

    `inputs` are the features and the rule flags of the whole scored population.
    """
    features, flags = inputs
    unit_ids = first_units(scores, model.spec.review.explain)
    reasons = explain(scorer, features, unit_ids, flags=flags)
    X, H = features.loc[unit_ids], flags.loc[unit_ids]
    words = wording(model)
    changed = counterfactuals(scorer, X, H, scores, reasons)
    return {
        "reasons": in_words(reasons, words, peer_groups(catalog, model, reasons)),
        "parts": parts_in_words(parts(scorer, X, H), taught(scorer, X, H), words),
        "counterfactuals": counterfactuals_in_words(changed, words),
    }


def first_units(scores: pd.DataFrame, count: int) -> list[str]:
    """The units that stand near the head of any of the three orders."""
    ranks = scores[["rank_fused", "rank_score", "rank_rules"]]
    first = scores[(ranks["rank_fused"] <= count) | (ranks.min(axis=1) <= count // 4)]
    return first.sort_values("rank_fused")["unit_id"].tolist()


def wording(model: LoadedModel) -> Wording:
    """What the texts need to know of the model."""
    spec = model.spec
    within = {name: step.within for name, (step, _) in compared_columns(model).items()}
    hidden = sensitive_columns(spec, spec.unit.source)
    return Wording(model.known.columns, within, hidden)
