"""What analysts concluded reorders the lists to come: a new version, learnt in seconds.

The rows are those of the newest published list, as they were frozen with it, and of the
older lists in which a unit was reviewed: a label goes with what was known when it was
given.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.errors import StoreError
from configs.loading import LoadedModel, load_model
from configs.settings import Settings
from flows.archive import archived
from flows.frames import dictionary
from flows.job import Progress
from flows.judge import judging
from flows.labels import labels
from flows.releases import Registered, release_trained
from flows.served import check_recorded
from flows.train import declaration
from serving import queries
from serving.connect import open_store
from serving.records import RunRecord
from training.model import LeadScorer
from training.records import TrainingRun
from training.tracking import LoadedModel as LoadedVersion
from training.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Lessons:
    """Units with their features, and what people concluded about some of them."""

    features: pd.DataFrame
    flags: pd.DataFrame
    y: npt.NDArray[np.float64]  # 1 confirmed, 0 excluded, NaN not known
    rings: npt.NDArray[np.object_]
    earlier: npt.NDArray[np.bool_]  # rows of older lists, as these were frozen
    left_out: int  # labelled units whose features of that time are gone or others


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a version has learnt, and what that does to the newest list."""

    registered: Registered
    run: RunRecord
    base_version: int
    confirmed: int
    excluded: int
    left_out: int
    cases: int  # confirmed, a ring counting once
    weight: float  # of the ranker, beside the order without labels
    explore_share: float
    bands: list[dict[str, Any]]
    entering: list[dict[str, Any]]  # the first week's units that the list did not show
    refit_seconds: float


def learn(
    name: str, settings: Settings, progress: Progress, *, promote: bool = False
) -> Learnt:
    """Learn from all dispositions and register the result as a version.

    Raises:
        StoreError: no list was published, or its version or frozen files changed.
        LeadlineError: nothing was concluded yet.
    """
    judging(settings)  # found out before the work: releases bear a name
    model = load_model(name, settings.models)
    open_store(settings)
    run = queries.latest_run(name)
    progress("reading the newest list and the dispositions")
    base = version_of(run, model, settings)
    lessons = read_lessons(name, settings, run, base.scorer)
    scores = pd.read_parquet(archived(run, settings, "scores"))
    progress(f"learning from {int((~np.isnan(lessons.y)).sum()):,} reviewed units")
    begun = time.perf_counter()
    learnt = refitted(base.scorer, lessons, scores)
    seconds = time.perf_counter() - begun
    after = learnt.score(lessons.features, lessons.flags, as_of=run.as_of)
    progress("recording the run in MLflow")
    trained = Tracking(settings.mlruns).train_run(
        _training_run(model, run, base, learnt, lessons, after)
    )
    approvals = model.spec.review.approvals
    registered = release_trained(
        name, settings, trained, promote=promote, approvals=approvals
    )
    capacity = model.spec.review.weekly_capacity
    return Learnt(
        registered=registered,
        run=run,
        base_version=base.version,
        confirmed=int((lessons.y == 1).sum()),
        excluded=int((lessons.y == 0).sum()),
        left_out=lessons.left_out,
        cases=int(learnt.ranker_.cases_) if learnt.ranker_ else 0,
        weight=learnt.ranker_.weight_ if learnt.ranker_ else 0.0,
        explore_share=learnt.explore_share_,
        bands=_bands(learnt),
        entering=_entering(lessons, scores, after, capacity),
        refit_seconds=seconds,
    )


def read_lessons(
    name: str, settings: Settings, run: RunRecord, scorer: LeadScorer
) -> Lessons:
    """The newest list's rows; a unit reviewed under an older list has its row of then."""
    known = labels(name, settings)
    features, flags = _frozen(run, settings)
    older = known[known["run_id"] != run.id]
    parts = [
        _rows_of(queries.run(str(of)), settings, rows["unit_id"], scorer)
        for of, rows in older.groupby("run_id")
    ]
    gone = features.index.isin(older["unit_id"])
    features, flags = features[~gone], flags[~gone]
    features = pd.concat([features, *(f for f, _ in parts)])
    flags = pd.concat([flags, *(h for _, h in parts)])
    by_unit = known.set_index("unit_id").reindex(features.index)
    ring = by_unit["run_id"] + " " + by_unit["group_id"]
    return Lessons(
        features[scorer.features],
        flags[scorer.rule_codes],
        by_unit["label"].to_numpy(dtype=np.float64),
        ring.astype(object).where(ring.notna(), None).to_numpy(),
        earlier=np.arange(len(features)) >= (~gone).sum(),
        left_out=len(known) - int(by_unit["label"].notna().sum()),
    )


def refitted(base: LeadScorer, lessons: Lessons, scores: pd.DataFrame) -> LeadScorer:
    """Distances that the published list has measured already are not measured again."""
    X, H, earlier = lessons.features, lessons.flags, lessons.earlier
    if earlier.any():
        # What the newest list measured of these units is of their features of today.
        then = base.score(X[earlier], H[earlier])
        scores = pd.concat([scores, then]).drop_duplicates("unit_id", keep="last")
    told = base.tell(X, H, scores)
    return base.learn(X, H, lessons.y, lessons.rings, told=told)


def version_of(run: RunRecord, model: LoadedModel, settings: Settings) -> LoadedVersion:
    """The version that scored the list, found to be the registered one."""
    tracking = Tracking(settings.mlruns)
    version = tracking.version(run.model_id, int(run.model_version))
    check_recorded(version)
    if version.config_hash != model.config_hash:
        raise StoreError(
            f"{run.model_id}: the declaration in {model.folder} changed since the newest "
            f"list was scored by version {version.version}; train, release and score first"
        )
    return tracking.open(version)


def _frozen(run: RunRecord, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features as floats, and rule flags, of every unit of a list; indexed by unit_id."""
    tables = [
        pd.read_parquet(archived(run, settings, name))
        .drop(columns="as_of")
        .set_index("unit_id")
        for name in ("feature_matrix", "rule_flags")
    ]
    return tables[0].astype("float64"), tables[1]


def _rows_of(
    run: RunRecord, settings: Settings, units: pd.Series, scorer: LeadScorer
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of an older list; none where it was frozen under other features or rules."""
    features, flags = _frozen(run, settings)
    same = set(scorer.features) <= set(features) and set(scorer.rule_codes) <= set(
        flags
    )
    wanted = features.index.isin(units) & same
    return features[wanted], flags[wanted]


def _training_run(
    model: LoadedModel,
    run: RunRecord,
    base: LoadedVersion,
    learnt: LeadScorer,
    lessons: Lessons,
    after: pd.DataFrame,
) -> TrainingRun:
    ranker = learnt.ranker_
    return TrainingRun(
        model=run.model_id,
        scorer=learnt,
        features=lessons.features,
        scores=after,
        config=model.spec.model_dump(mode="json", by_alias=True),
        config_hash=model.config_hash,
        fingerprints=run.fingerprints,
        dictionary=dictionary(model),
        rule_hits={c: int(lessons.flags[c].sum()) for c in learnt.rule_codes},
        metrics={
            "learnt_confirmed": float((lessons.y == 1).sum()),
            "learnt_excluded": float((lessons.y == 0).sum()),
            "learnt_weight": ranker.weight_ if ranker else 0.0,
        },
        linkage=base.linkage,
        tags={
            "as_of": run.as_of.isoformat(),
            "learnt_from_run": run.id,
            "learnt_from_version": str(base.version),
        },
        declaration=declaration(model),
    )


def _bands(learnt: LeadScorer) -> list[dict[str, Any]]:
    """Highest first; none until enough was reviewed."""
    bands = learnt.bands_
    if bands is None:
        return []
    rows = zip(bands.low_, bands.high_, bands.tried_, strict=True)
    return [
        {"band": i, "reviewed": round(float(n)), "low": float(low), "high": float(high)}
        for i, (low, high, n) in enumerate(list(rows)[::-1], 1)
    ]


def _entering(
    lessons: Lessons, before: pd.DataFrame, after: pd.DataFrame, capacity: int
) -> list[dict[str, Any]]:
    """Open units among the first `capacity` of the new order, with their old ranks."""
    opened = lessons.features.index[np.isnan(lessons.y)]
    first = after[after["unit_id"].isin(opened)].head(capacity)
    old = before.set_index("unit_id")["rank_fused"]
    rows = zip(first["unit_id"], first["rank_fused"], strict=True)
    return [
        {"unit": unit, "rank": int(rank), "before": int(old[unit])}
        for unit, rank in rows
        if old[unit] > capacity
    ]
