"""Every supervision model works on its simulated records, from tables to a ranking.

One run of a model serves all that needs the whole pipeline: it is the dear part.
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from configs.loading import load_model
from configs.settings import PACKAGE_MODELS, Settings
from flows.check import check_cases, has_cases
from flows.evaluate import read_labels
from flows.frames import flags_frame, matrix_frame
from flows.job import new_job
from flows.pipeline import prepare
from training.fusion import Rule
from training.model import LeadScorer
from training.simulation import SIMULATIONS, simulator
from training.simulation.benefit_honest import DOCUMENTED_VICTIMS

UNITS, SEED = 1_200, 77


@pytest.mark.parametrize("model", SIMULATIONS)
def test_golden_cases_hold_for_every_rule(model: str) -> None:
    loaded = load_model(model, PACKAGE_MODELS)
    assert has_cases(loaded)
    assert check_cases(loaded) == []


@pytest.mark.parametrize("model", SIMULATIONS)
def test_guide_speaks_both_languages_under_all_heads(model: str) -> None:
    text = (PACKAGE_MODELS / model / "GUIDE.md").read_text("utf-8")
    for head in (
        "Purpose",
        "目的",
        "Rule out first",
        "先排除",
        "Fetch next",
        "下一步调取",
    ):
        assert head in text, head


# Half a minute each: `make test` runs one of the models, `make test-all` the others.
LONGER = set(SIMULATIONS) - {"vehicle_insurance"}
PIPELINES = [
    pytest.param(m, marks=[pytest.mark.longer] if m in LONGER else [])
    for m in SIMULATIONS
]


@pytest.mark.slow
@pytest.mark.parametrize("model", PIPELINES)
def test_model_ranks_planted_units_before_honest_ones(
    model: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    simulator(model)(units=UNITS, seed=SEED, out=data)
    job = new_job(model, str(data), Settings(home=tmp_path / "home"))
    prepare(job)
    with job.opened() as catalog:
        X, H = matrix_frame(catalog, job.model), flags_frame(catalog)
    labels = read_labels(job.model, data / "truth" / "units.csv", "")
    truth = labels.set_index("unit_id").reindex(X.index.astype(str))
    assert truth["label"].notna().mean() > 0.97  # few rows are lost to dirt

    layers = {rule.code: rule.layer for rule in job.model.rules}
    evident = [code for code, layer in layers.items() if layer > 1]
    fired = H[evident].fillna(False).any(axis=1).to_numpy(dtype=bool)
    module = import_module(f"training.simulation.{model}")
    caught = (truth["typology"] == module.CAUGHT_BY_RULES).to_numpy()
    evading = (truth["typology"] == module.CAUGHT_BY_NO_RULE).to_numpy()
    assert caught.any()
    assert fired[caught].mean() > 0.95
    assert evading.any()
    rules = tuple(Rule(r.code, r.layer, r.precision) for r in job.model.rules)
    scores = LeadScorer(rules, seed=0).fit(X, H).score(X, H)
    known = scores.merge(labels, on="unit_id")
    assert rules_miss(known, module.CAUGHT_BY_NO_RULE)
    first = known.nsmallest(40, "rank_fused")["label"].mean()
    assert first > 3 * known["label"].mean()
    assert_orders_are_whole(scores)
    if model == "benefit_crosscheck":
        documented_victims_end_as_fix_the_register(known.set_index("unit_id"), H)


def documented_victims_end_as_fix_the_register(
    known: pd.DataFrame, H: pd.DataFrame
) -> None:
    """Stolen identity, dead on paper: no accusation, and never near the head."""
    victims = known.index[known["hard_negative"].isin(DOCUMENTED_VICTIMS)]
    assert len(victims)
    flags, ranked = H.loc[victims], known.loc[victims]
    assert (flags["B3"] | flags["B16"]).all()
    assert not flags[["B2", "B7", "B14"]].to_numpy().any()
    first = 0.05 * len(known)
    assert (ranked[["rank_rules", "rank_fused"]] > first).to_numpy().all()


def rules_miss(known: pd.DataFrame, typology: str) -> bool:
    """Do the rules place these units hardly otherwise than honest ones?"""
    asked = known[(known["typology"] == typology) | (known["label"] == 0)]
    return bool(roc_auc_score(asked["label"] == 1, asked["rules"]) < 0.75)


def assert_orders_are_whole(scores: pd.DataFrame) -> None:
    for order in ("rank_fused", "rank_score", "rank_rules"):
        assert sorted(scores[order]) == list(np.arange(1, len(scores) + 1))
