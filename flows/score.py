"""Stage 5: score every unit with the champion; scores and reasons become tables."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from flows.catalog import Catalog
from flows.earlier import earlier, write_digests
from flows.engineer import FUNNEL
from flows.explained import explained
from flows.inputs import Inputs, inputs_in
from flows.intake import fingerprints, load_reports
from flows.job import Job, digest_of
from flows.link import judged
from flows.scored import Scored, at_times, scored
from flows.served import scoring_model
from training.model import LeadScorer
from training.tracking import LoadedModel

SCORES, REASONS, SCORED_BY = "scores", "reasons", "scored_by"


@dataclass(frozen=True, slots=True)
class ScoredBy:
    """Which model scored what: enough to identify a run."""

    model_version: int
    mlflow_run: str
    model_digest: str
    as_of: str
    inputs: str
    explore_share: float  # of the list, at least; by what reviews taught the model


def score(job: Job) -> ScoredBy:
    """Write `scores`, `reasons`, `parts`, `counterfactuals` and `scored_by`.

    And `row_digests-...`, by which a later run knows whose row is the same.

    Units are read, scored and written in parts, over all cores. A million units x 30
    features take 75 seconds of one core, 90 where reviews have taught the model; those
    whose row an earlier run has scored are not scored again. Some 200 bytes a unit stay in
    memory.

    Raises:
        StoreError: there is no champion, or the declaration changed since its training.
    """
    job.progress("loading the champion")
    champion = scoring_model(job)
    with job.opened() as catalog:
        inputs = inputs_in(catalog, champion.scorer)
        as_of = datetime.fromisoformat(catalog.load_json(FUNNEL)["as_of"])
        job.progress(f"scoring {len(inputs):,} units")
        if job.engine == "spark":
            from flows.spark_score import Logged, on_cluster  # noqa: PLC0415 (an extra)

            logged = Logged(job.settings.mlruns, job.model_id, champion.version)
            write = partial(_write_list, job.quiet(), inputs, as_of)
            on_cluster(catalog, logged, inputs, write)
        else:
            scores = _scored(job, champion, inputs)
            _write_list(job, inputs, as_of, catalog, champion.scorer, scores)
            write_digests(catalog, champion.digest, scores.digests[scores.order])
        by = ScoredBy(
            champion.version,
            champion.run_id,
            champion.digest,
            as_of.isoformat(),
            _inputs(job, catalog, champion, as_of),
            champion.scorer.explore_share_,
        )
        catalog.save_json(SCORED_BY, asdict(by))
    return by


def _scored(job: Job, champion: LoadedModel, inputs: Inputs) -> Scored:
    """All units' scores; those of units whose row is not new are an earlier run's."""
    before = earlier(job, champion.digest, SCORES, inputs.unit_ids())
    threads, told = job.settings.threads, at_times(job.progress)
    scores = scored(champion.scorer, inputs, threads, told, before)
    if before is not None:
        new = len(before.new(0, scores.digests))
        job.progress(f"scored {new:,} units; the rows of the others are not new")
    return scores


def _write_list(
    job: Job,
    inputs: Inputs,
    as_of: datetime,
    catalog: Catalog,
    scorer: LeadScorer,
    scores: Scored,
) -> None:
    catalog.write_batches(scores.reader(as_of), SCORES)
    job.progress("explaining the first leads")
    threads = job.settings.threads
    told = explained(catalog, job.model, scorer, inputs, scores, threads)
    for name, table in told.items():
        catalog.write(_as_table(catalog, name, table), name)


def champion_linkage(job: Job) -> dict[str, Any]:
    """How the champion's training linked records; a list must not shift with each night.

    Raises:
        StoreError: as `score`; found out before anything is read.
    """
    return scoring_model(job).linkage


def _as_table(catalog: Catalog, name: str, frame: pd.DataFrame) -> Any:
    return catalog.register(
        f"_{name}", pa.Table.from_pandas(frame, preserve_index=False)
    )


def _inputs(job: Job, catalog: Catalog, champion: LoadedModel, as_of: datetime) -> str:
    batches = fingerprints(load_reports(catalog))
    return inputs_of(job, batches, as_of, champion.run_id, champion.version)


def inputs_of(
    job: Job, batches: Any, as_of: datetime, run_id: str, version: int
) -> str:
    """One hash of what determines a list: data, date, declaration, model, judgements."""
    declared = job.model.config_hash
    return digest_of([batches, as_of, declared, run_id, version, judged(job)])
