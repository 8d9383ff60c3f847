"""Challenger against champion: both score the newest list again, later reviews judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from configs.errors import StoreError
from configs.loading import load_model
from configs.settings import Settings
from flows.archive import archived
from flows.frames import as_rows
from flows.inputs import Inputs
from flows.job import Progress
from flows.labels import labels
from flows.past_run import frozen_inputs
from flows.scored import at_times, scored
from flows.served import check_recorded
from serving import queries
from serving.connect import open_store
from serving.dispositions import groups_among
from serving.records import RunRecord
from training.model import LeadScorer
from training.selection_rule import RULE, Comparison, later_reviews
from training.selection_rule import compare as compared
from training.tracking import CHALLENGER, CHAMPION, Tracking, Version

_FIELDS = ("champion", "challenger", "difference", "low", "high")


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and what was compared on which frozen list."""

    run: RunRecord
    champion: Version
    challenger: Version
    found: Comparison


def compare(
    name: str, settings: Settings, version: int | None, progress: Progress
) -> Compared:
    """Compare a version, by default the challenger, with the champion; keep it in MLflow.

    Raises:
        StoreError: nothing to compare, no list was published, its inputs were not kept,
            or one of the versions asks for features that they do not have.
    """
    capacity = load_model(name, settings.models).spec.review.weekly_capacity
    open_store(settings)
    tracking = Tracking(settings.mlruns)
    champion, challenger = _pair(tracking, name, version)
    run = queries.latest_run(name)
    scores: dict[int, pd.DataFrame] = {}
    for each in (champion, challenger):
        progress(f"scoring the list with version {each.version}")
        check_recorded(each)
        scorer = tracking.open(each).scorer
        inputs = _frozen(run, settings, scorer, each)
        again = scored(scorer, inputs, settings.threads, at_times(progress))
        scores[each.version] = again.frame("rank_fused")
    progress("comparing on later reviews")
    later = _later(run, settings, champion, challenger)
    ours, theirs = scores[champion.version], scores[challenger.version]
    found = compared(ours, theirs, later, k=capacity)
    result = Compared(run, champion, challenger, found)
    file = f"comparison/{run.id}-against-{champion.version}.txt"
    verdict = f"{found.verdict.decision} (against {champion.version})"
    tracking.record_comparison(
        challenger, verdict, metrics_of(found), {file: as_text(result)}
    )
    return result


def _pair(
    tracking: Tracking, name: str, version: int | None
) -> tuple[Version, Version]:
    champion = tracking.behind(name, CHAMPION)
    if version is None:
        challenger = tracking.behind(name, CHALLENGER)
    else:
        challenger = tracking.version(name, version)
    if champion == challenger:
        raise StoreError(
            f"{name}: version {champion.version} is the champion itself; train a "
            f"challenger with `leadline train {name} --data DIR`, or name another version "
            "with --challenger"
        )
    return champion, challenger


def _frozen(
    run: RunRecord, settings: Settings, scorer: LeadScorer, version: Version
) -> Inputs:
    """The run's frozen features and rule flags that the version asks for."""
    wanted = {"feature_matrix": scorer.features, "rule_flags": scorer.rule_codes}
    for name, columns in wanted.items():
        path = archived(run, settings, name)  # type: ignore[arg-type]
        missing = sorted(set(columns) - set(pq.read_schema(path).names))
        if missing:
            raise StoreError(
                f"version {version.version} asks for {missing[0]!r} ({len(missing)} in "
                f"all), which the frozen {name} of run {run.id} does not have: its "
                "declaration is another one; versions can be compared on a list of the "
                "same declaration"
            )
    return frozen_inputs(run, settings, scorer.features, scorer.rule_codes)


def _later(
    run: RunRecord, settings: Settings, champion: Version, challenger: Version
) -> pd.DataFrame:
    """LABELS that neither version can have learnt from; rings are those of the list.

    Groups are numbered anew in each run, so a ring is told by the list that is compared.
    """
    trained_at = max(champion.trained_at, challenger.trained_at)
    now = labels(run.model_id, settings)
    seen = labels(run.model_id, settings, trained_at)
    rings = groups_among(run.id, set(now["unit_id"]) | set(seen["unit_id"]))
    now, seen = (
        table.assign(group_id=table["unit_id"].map(rings).astype(object))
        for table in (now, seen)
    )
    return later_reviews(now, trained_at, seen)


def metrics_of(found: Comparison) -> dict[str, float]:
    """A comparison's numbers by the names that MLflow keeps them under."""
    numbers = {
        "compare_k": float(found.k),
        "compare_overlap": found.overlap,
        "compare_rank_correlation": found.rank_correlation,
        "compare_later_reviews": float(found.reviews),
        "compare_later_confirmed": float(found.confirmed),
        "compare_later_excluded": float(found.excluded),
    }
    for row in found.measures.to_dict("records"):
        name = str(row["measure"]).replace(",", "").replace(" ", "_")
        numbers |= {f"compare_{name}_{field}": float(row[field]) for field in _FIELDS}
    return {name: value for name, value in numbers.items() if np.isfinite(value)}


def tables_of(result: Compared) -> dict[str, list[dict[str, Any]]]:
    """A comparison as titled tables of rows, for people and machines."""
    found = result.found
    measures = found.measures.astype(object)
    versions = {
        "champion": result.champion.version,
        "challenger": result.challenger.version,
        "list": result.run.id,
        "units": found.units,
        f"shared of the first {found.k}": found.overlap,
        "rank correlation": found.rank_correlation,
    }
    later = {
        "later reviews": found.reviews,
        "confirmed examples": found.confirmed,
        "excluded examples": found.excluded,
    }
    return {
        "Versions": [versions],
        "Reviews that neither has learnt from": [later],
        "On these reviews": as_rows(measures.where(measures.notna(), None)),
        f"Would enter the first {found.k}": as_rows(found.entering),
        f"Would leave the first {found.k}": as_rows(found.leaving),
    }


def as_text(result: Compared) -> str:
    """All of a comparison as MLflow keeps it: numbers, verdict, and the rule itself."""
    parts = [
        f"{title}\n{pd.DataFrame(rows).to_string(index=False) if rows else 'none'}"
        for title, rows in tables_of(result).items()
    ]
    verdict = result.found.verdict
    return "\n\n".join([*parts, f"{verdict.text_en}\n{verdict.text_zh}", RULE])
