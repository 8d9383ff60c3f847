"""The steps of `vehicle_insurance` that the feature benchmark takes, and their tables.

Taken is what a person can write by hand in SQL, Polars and pandas: lookups, coverage,
derived columns, history windows and peers. Left out are the steps on graphs and texts,
and what builds upon them or on steps that add no new kind of work.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from configs.loading import LoadedModel, load_model
from configs.settings import PACKAGE_MODELS
from features.known import Known, counted
from flows.catalog import Catalog

MODEL = "vehicle_insurance"
_FAMILIES = frozenset({"text", "path", "network"})
_SOURCES = frozenset({"medical", "persons"})  # of lookups
_NAMED = frozenset(
    {
        "dx_peers",
        "driver_same_impact",
        "agent_claims",
        "agent_expert",
        "expert_claims",
        "shop_phone",
        "shop_address",
        "household_claims",
        "claimant_disputed",
        "payee_account_disputed",
        "household_disputed",
        "shop_disputed",
        "vehicle_borrowed",
        "driver_borrowed",
    }
)
_DERIVED = frozenset(
    {
        "is_claimant_tied",
        "is_in_line",
        "is_disputed",
        "is_borrowed",
        "is_borrowed_and_hit",
        "disability",
        "agent_pair",
        "tied_suit",
        "paid_suit",
        "claimant_other_disputed",
        "payee_account_other_disputed",
        "household_other_disputed",
        "shop_disputed_share",
        "graver_grade",
        "agent_graver_grade",
        "expert_graver_grade",
        "in_turns",
        "hit_in_turns",
    }
)
_OF_OTHER_STAGES = ("rules", "detectors", "associations", "groups", "labels", "review")


def write_model(models: Path) -> LoadedModel:
    """The declaration cut to the steps taken, in a folder of models of its own."""
    folder = models / MODEL
    folder.mkdir(parents=True, exist_ok=True)
    text = (PACKAGE_MODELS / MODEL / "model.yaml").read_text(encoding="utf-8")
    declared = yaml.safe_load(text)
    for section in _OF_OTHER_STAGES:
        declared.pop(section)
    declared["features"] = [s for s in map(_cut, declared["features"]) if s]
    (folder / "rules.yaml").write_text("[]", encoding="utf-8")
    said = yaml.safe_dump(declared, allow_unicode=True, sort_keys=False)
    (folder / "model.yaml").write_text(said, encoding="utf-8")
    return load_model(MODEL, models)


def _cut(step: dict[str, Any]) -> dict[str, Any] | None:
    """The step, or what is taken of it."""
    family, said = next(iter(step.items()))
    if family == "derive":
        kept = {name: one for name, one in said.items() if name not in _DERIVED}
        return {family: kept} if kept else None
    if family in _FAMILIES or (isinstance(said, dict) and said.get("named") in _NAMED):
        return None
    if family == "lookup":
        ties = said["of"] in _SOURCES or said["by"] == "shop_code"
        return None if ties or "disability" in said.get("where", "") else step
    return step


def kinds(model: LoadedModel) -> dict[str, str]:
    """The features in the dictionary's order, each with its kind."""
    return {column.name: column.kind for column in model.known.features}


def known(catalog: Catalog, model: LoadedModel, as_of: datetime) -> Known:
    """The core tables of a work folder, as the feature stage is given them."""
    cores = {name: catalog.read(f"core_{name}") for name in model.spec.sources}
    return counted(Known(model, cores, as_of), catalog)
