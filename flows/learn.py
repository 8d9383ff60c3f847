"""What analysts concluded reorders the lists to come: a new version, learnt in seconds.

The rows are those of the newest published list, as they were frozen with it, and of the
older lists in which a unit was reviewed: a label goes with what was known when it was
given. Of a list of more units than train a model, all that were reviewed take part and a
sample of the others.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import StoreError
from configs.loading import LoadedModel, load_model
from configs.settings import Settings
from flows.archive import archived
from flows.frames import dictionary
from flows.inputs import Inputs
from flows.job import Progress
from flows.judge import judging
from flows.labels import labels
from flows.past_run import frozen_inputs
from flows.releases import Registered, release_trained
from flows.scored import at_times, scored
from flows.served import check_recorded
from flows.train import declaration, training_places
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
    lessons = read_lessons(model, settings, run, base.scorer)
    scores = scores_of(run, settings, lessons.features.index)
    progress(f"learning from {int((~np.isnan(lessons.y)).sum()):,} reviewed units")
    begun = time.perf_counter()
    learnt = refitted(base.scorer, lessons, scores)
    seconds = time.perf_counter() - begun
    newest = frozen_inputs(run, settings, learnt.features, learnt.rule_codes)
    after = scored(learnt, newest, settings.threads, at_times(progress)).all_columns()
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
        entering=_entering(lessons, after, capacity, run, settings),
        refit_seconds=seconds,
    )


def read_lessons(
    model: LoadedModel,
    settings: Settings,
    run: RunRecord,
    scorer: LeadScorer,
    wanted: Collection[str] = (),
) -> Lessons:
    """The newest list's rows; a unit reviewed under an older list has its row of then.

    Args:
        wanted: units that must be among them, besides the reviewed ones.
    """
    known = labels(model.spec.id, settings)
    newest = frozen_inputs(run, settings, scorer.features, scorer.rule_codes)
    drawn = training_places(newest, model)
    named = newest.places({*known["unit_id"], *wanted})
    features, flags = newest.rows(np.union1d(drawn, named))
    older = known[known["run_id"] != run.id]
    parts = [
        then.rows(then.places(rows["unit_id"]))
        for of, rows in older.groupby("run_id")
        if (then := _asked_of(queries.run(str(of)), settings, scorer)) is not None
    ]
    gone = features.index.isin(older["unit_id"])
    features, flags = features[~gone], flags[~gone]
    features = pd.concat([features, *(f for f, _ in parts)])
    flags = pd.concat([flags, *(h for _, h in parts)])
    by_unit = known.set_index("unit_id").reindex(features.index)
    ring = by_unit["run_id"] + " " + by_unit["group_id"]
    return Lessons(
        features,
        flags,
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


def scores_of(run: RunRecord, settings: Settings, units: pd.Index) -> pd.DataFrame:
    """SCORES of some units of a published list, in its order."""
    with pq.ParquetFile(archived(run, settings, "scores")) as file:
        wanted = pa.array(units.tolist(), file.schema_arrow.field("unit_id").type)
        kept = [
            batch.filter(pc.is_in(batch["unit_id"], value_set=wanted))
            for batch in file.iter_batches()
        ]
        found: pd.DataFrame = pa.Table.from_batches(kept, file.schema_arrow).to_pandas()
    return found


def _asked_of(run: RunRecord, settings: Settings, scorer: LeadScorer) -> Inputs | None:
    """An older list; None where it was frozen under other features or rules."""
    then = frozen_inputs(run, settings, scorer.features, scorer.rule_codes)
    same = set(scorer.features) <= set(pq.read_schema(then.matrix).names)
    same &= set(scorer.rule_codes) <= set(pq.read_schema(then.flags).names)
    return then if same else None


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
    lessons: Lessons,
    after: pd.DataFrame,
    capacity: int,
    run: RunRecord,
    settings: Settings,
) -> list[dict[str, Any]]:
    """Open units among the first `capacity` of the new order, with their old ranks."""
    judged = lessons.features.index[~np.isnan(lessons.y)]
    first = after[~after["unit_id"].isin(judged)].head(capacity)
    before = scores_of(run, settings, pd.Index(first["unit_id"]))
    old = before.set_index("unit_id")["rank_fused"]
    rows = zip(first["unit_id"], first["rank_fused"], strict=True)
    return [
        {"unit": unit, "rank": int(rank), "before": int(old[unit])}
        for unit, rank in rows
        if old[unit] > capacity
    ]
