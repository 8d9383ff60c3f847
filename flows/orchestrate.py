"""The Prefect flows `train`, `score`, `daily` and `learn`; tasks are the stages, one call each.

Import this module only after `configs.settings.silence_telemetry`: Prefect reads its
settings from the environment as it is imported.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from configs.errors import DeclarationError, DeliveryError, LeadlineError
from configs.settings import Settings
from flows import intake as intake_stage
from flows import learn as learn_stage
from flows import publish as publish_stage
from flows import score as score_stage
from flows import steps
from flows import train as train_stage
from flows.job import Job, Progress, new_job
from flows.progress import shown_stage
from flows.releases import Registered
from serving import queries
from serving.publication import PublishedRun
from training.tracking import CHAMPION, Tracking

TOP = 20
_RETRY_DELAYS: list[float] = [5, 30]


def _without_traceback(record: logging.LogRecord) -> bool:
    """An error that explains itself is logged in its own words alone."""
    if record.exc_info and isinstance(record.exc_info[1], LeadlineError):
        record.exc_info = None
    return True


for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(_without_traceback)


def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what another moment may mend: a lock, a share that is away; not bad data."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, DeliveryError | DeclarationError)


@task(
    name="read the delivery",
    retries=2,
    retry_delay_seconds=_RETRY_DELAYS,
    retry_condition_fn=_may_pass,
    cache_policy=NO_CACHE,
)
def read_delivery(job: Job) -> list[intake_stage.SourceReport]:
    reports = intake_stage.intake(job)
    intake_stage.stop_on_problems(reports)
    return reports


@task(name="link records", cache_policy=NO_CACHE)
def link_records(job: Job, by_champion: bool) -> None:
    """With the champion's parameters, or with ones learnt from this delivery."""
    steps.link_records(job, score_stage.champion_linkage(job) if by_champion else None)


@task(name="build features and apply rules", cache_policy=NO_CACHE)
def build_features(job: Job) -> None:
    steps.build_features(job)
    steps.apply_rules(job)


@task(name="train and register", cache_policy=NO_CACHE)
def fit_model(job: Job, promote: bool) -> Registered:
    return train_stage.train(job, promote=promote)


@task(name="learn from dispositions", cache_policy=NO_CACHE)
def learn_from_reviews(model: str, promote: bool) -> Registered:
    learnt = learn_stage.learn(model, Settings(), _progress(), promote=promote)
    return learnt.registered


@task(name="score with the champion", cache_policy=NO_CACHE)
def score_units(job: Job) -> None:
    steps.score_units(job)


@task(name="look for groups", cache_policy=NO_CACHE)
def find_groups(job: Job) -> None:
    steps.find_groups(job)


@task(
    name="publish the list",
    retries=2,
    retry_delay_seconds=_RETRY_DELAYS,
    retry_condition_fn=_may_pass,
    cache_policy=NO_CACHE,
)
def publish_list(job: Job) -> PublishedRun:
    return publish_stage.publish_list(job)


@task(name="report the first leads", cache_policy=NO_CACHE)
def report(job: Job, published: PublishedRun) -> None:
    """The artifacts that a person sees on the flow run's page; unit ids, no names."""
    run = queries.run(published.run_id)
    key = job.model_id.replace("_", "-")
    create_table_artifact(
        key=f"{key}-leads", table=_lead_rows(run.id), description="First leads"
    )
    create_markdown_artifact(
        key=f"{key}-list", markdown=_summary(job, run, published.new)
    )


@flow(name="train", flow_run_name="train {model}")
def train(
    model: str, data: str, as_of: datetime | None = None, promote: bool = False
) -> int:
    """Read, build features, train, register; returns the new version."""
    job = _job(model, data, as_of)
    read_delivery(job)
    link_records(job, by_champion=False)
    build_features(job)
    return fit_model(job, promote).version


@flow(name="score", flow_run_name="score {model}")
def score(model: str, data: str, as_of: datetime | None = None) -> str:
    """Read, build features, score with the champion, publish; returns the run's id."""
    job = _job(model, data, as_of)
    read_delivery(job)
    link_records(job, by_champion=True)
    build_features(job)
    return _scored_and_published(job)


@flow(name="daily", flow_run_name="daily {model}")
def daily(model: str, data: str, as_of: datetime | None = None) -> str:
    """The nightly job: like `score`, but trains first when there is no champion yet."""
    job = _job(model, data, as_of)
    read_delivery(job)
    trained = Tracking(job.settings.mlruns).has(model, CHAMPION)
    link_records(job, by_champion=trained)
    build_features(job)
    if not trained:
        fit_model(job, promote=True)
    return _scored_and_published(job)


@flow(name="learn", flow_run_name="learn {model}")
def learn(model: str, promote: bool = False) -> int:
    """Learn from all dispositions on the newest list; returns the new version."""
    return learn_from_reviews(model, promote).version


# By what they need: a delivery, or what was published and concluded before.
FLOWS: dict[str, Callable[..., Any]] = {"train": train, "score": score, "daily": daily}
FLOWS_WITHOUT_DATA: dict[str, Callable[..., Any]] = {"learn": learn}


def _scored_and_published(job: Job) -> str:
    score_units(job)
    find_groups(job)
    published = publish_list(job)
    report(job, published)
    return published.run_id


def _job(model: str, data: str, as_of: datetime | None) -> Job:
    return new_job(model, data, Settings(), as_of, _progress())


def _progress() -> Progress:
    """Stages appear in Prefect's log and, run by hand, on the terminal."""
    logger = get_run_logger()

    def progress(stage: str) -> None:
        logger.info(stage)
        shown_stage(stage)

    return progress


def _lead_rows(run_id: str) -> list[dict[str, Any]]:
    return [
        {
            "rank": lead.rank_fused,
            "unit": lead.unit_id,
            "fused": round(lead.fused, 4),
            "score": round(lead.score, 4),
            "rules": ", ".join(lead.codes),
            "found by": lead.found_by,
        }
        for lead in queries.leads(run_id, TOP)
    ]


def _summary(job: Job, run: Any, new: bool) -> str:
    funnel = "\n".join(
        f"| {step} | {n:,} |"
        for step, n in train_stage.funnel_steps(run.funnel).items()
    )
    coverage = "\n".join(
        f"| {name} | {c['rows']:,} | {c['rejects']:,} | {c['last_known'] or ''} |"
        for name, c in run.coverage.items()
    )
    state = (
        "published" if new else "published before with the same inputs; nothing changed"
    )
    return (
        f"# {run.title_en} · {run.title_zh}\n\n"
        f"Run `{run.id}` as of {run.as_of:%Y-%m-%d}, {run.units:,} units, model version "
        f"{run.model_version}: {state}. A score is no evidence; a person decides.\n\n"
        f"## Funnel\n\n| step | units left |\n|---|---|\n{funnel}\n\n"
        "## Sources\n\n| source | rows | rejected | last known |\n|---|---|---|---|\n"
        f"{coverage}\n\n"
        f"Read a lead with `leadline show {job.model_id} UNIT`."
    )
