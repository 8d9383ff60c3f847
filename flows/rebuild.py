"""A past list is made again from the same delivery, and compared with what was published.

What a list depends on is checked before anything is built: the declaration, the version
that scored, the delivery, and the judgements as they stood then. Dispositions are no
input of a list: what reviews have taught is in the version's own files.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from configs.errors import DeclarationError, DeliveryError, StoreError
from configs.loading import load_model
from configs.settings import Settings
from flows.archive import archived
from flows.intake import SourceReport, fingerprints, intake, stop_on_problems
from flows.job import Job, Progress, new_job
from flows.pipeline import build, make_list
from flows.publish import publication_of
from flows.score import champion_linkage, inputs_of
from serving import queries
from serving.connect import open_store
from serving.judgements import judged_between
from serving.publication import Publication
from serving.rebuilt import differences
from serving.records import RunRecord
from serving.run_files import SCORES
from training.tracking import Tracking

# Judgements added while the run was under way may or may not have been seen by it.
_LONGEST_RUN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A run made again; `differs` names what is not as published, files first."""

    run: RunRecord
    differs: tuple[str, ...]
    note: str = ""

    @property
    def identical(self) -> bool:
        return not self.differs

    @property
    def checked(self) -> str:
        """What was compared, in a few words."""
        files = ", ".join([SCORES, *self.run.files])
        rows = sum(self.run.counts.values())
        return f"{files} byte for byte, {rows:,} rows of {len(self.run.counts)} tables"


def rebuild(run_id: str, data: str, settings: Settings, progress: Progress) -> Rebuilt:
    """Make a published run again in a work folder and compare; nothing is published.

    Raises:
        StoreError: no such run, or its version or declaration is not there any more.
        DeliveryError: the delivery is not the one that the run was made from.
    """
    open_store(settings)
    run = queries.run(run_id)
    with _as_declared(run, settings) as declared:
        job = new_job(run.model_id, data, declared, progress=progress)
        # Not `--as-of`, for which a day counts whole: the very moment.
        job = replace(job, as_of=run.as_of, version=int(run.model_version))
        learnt = champion_linkage(job)
        reports = intake(job)
        stop_on_problems(reports)
        _check_delivery(run, reports)
        job = _as_judged(job, run, reports)
        with _explained(run, settings):
            build(job, learnt)
            make_list(job)
            progress("comparing with the published list")
            made = publication_of(job)
    differs = tuple(differences(made, settings))
    return Rebuilt(run, differs, _note(run, settings, made) if differs else "")


@contextmanager
def _as_declared(run: RunRecord, settings: Settings) -> Iterator[Settings]:
    """Settings by which the run's model is declared as it was then.

    Today's declaration serves where it is the same; else the one kept with the version.
    """
    if _hash(run.model_id, settings.models) == run.config_hash:
        yield settings
        return
    tracking = Tracking(settings.mlruns)
    version = tracking.version(run.model_id, int(run.model_version))
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), run.model_id, tracking.open(version).declaration)
        found = _hash(run.model_id, Path(folder))
        if found != run.config_hash:
            raise StoreError(
                f"run {run.id} was made by a declaration with the hash "
                f"{run.config_hash[:12]}...; neither {settings.models / run.model_id} nor "
                f"the one kept with version {run.model_version} has it (this Leadline reads "
                f"that one as {found[:12] or 'invalid'}): use the Leadline of its time, or "
                "give the old folder in LEADLINE_MODELS"
            )
        yield settings.model_copy(update={"models": Path(folder)})


def _hash(model: str, models: Path) -> str:
    try:
        return load_model(model, models).config_hash
    except DeclarationError:
        return ""  # gone, or not valid any more: not the one that is sought


def _write(models: Path, model: str, declaration: Mapping[str, str]) -> None:
    for name, text in declaration.items():
        path = models / model / name
        if not path.resolve().is_relative_to(models.resolve()):
            raise StoreError(
                f"the declaration kept with {model!r} names {name!r}, outside its folder; "
                "give the old folder in LEADLINE_MODELS"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _check_delivery(run: RunRecord, reports: list[SourceReport]) -> None:
    """The delivery's fingerprints are those of the run."""
    known = {source["source"]: source for source in run.fingerprints}
    found = {source["source"]: source for source in fingerprints(reports)}
    other = [
        f"{name}: {_told(found.get(name))}; the run was made from {_told(known.get(name))}"
        for name in sorted(known | found)
        if _sum(known.get(name)) != _sum(found.get(name))
    ]
    if other:
        raise DeliveryError(
            f"run {run.id} was made from another delivery:\n"
            + "\n".join(f"- {line}" for line in other)
            + "\nGive the folder or database as it was delivered then."
        )


def _sum(source: Mapping[str, Any] | None) -> Any:
    return source and source["hash"]


def _told(source: Mapping[str, Any] | None) -> str:
    if source is None:
        return "nothing"
    return f"{source['rows']:,} rows, hash {source['hash'][:12]}..."


def _as_judged(job: Job, run: RunRecord, reports: list[SourceReport]) -> Job:
    """The job with the judgements that its run saw, which its inputs' hash tells.

    Raises:
        StoreError: no moment around the run has these judgements.
    """
    begun = run.published_at - _LONGEST_RUN
    moments = judged_between(run.model_id, begun, run.published_at)
    # Up to each of them, and up to the moment before the first.
    for moment in (run.published_at, *moments, begun):
        tried = replace(job, judged_until=moment)
        version = int(run.model_version)
        batches = fingerprints(reports)
        if inputs_of(tried, batches, run.as_of, run.mlflow_run, version) == run.inputs:
            return tried
    raise StoreError(
        f"run {run.id}: delivery, declaration and version {run.model_version} are those of "
        "the run, yet its inputs have another hash: judgements on linked records were "
        "changed or are gone; restore the store from a backup"
    )


@contextmanager
def _explained(run: RunRecord, settings: Settings) -> Iterator[None]:
    """A version of an earlier Leadline may lack what today's code asks of it."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        changed = _changed_code(run, settings)
        if not changed:
            raise
        raise StoreError(
            f"run {run.id} cannot be made again by this Leadline ({error}): {changed}; use "
            "the Leadline of its time"
        ) from error


def _changed_code(run: RunRecord, settings: Settings) -> str:
    tracking = Tracking(settings.mlruns)
    version = tracking.version(run.model_id, int(run.model_version))
    changed = tracking.changed_code(version)
    if not changed:
        return ""
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return (
        f"its code changed since version {version.version} was trained ({changed[0]}{more}; "
        "the code of then is kept with the version in MLflow)"
    )


def _note(run: RunRecord, settings: Settings, made: Publication) -> str:
    """Why the list may differ though its inputs do not: other code, or another writer."""
    changed = _changed_code(run, settings)
    notes = [f"this is not the Leadline of then: {changed}"] if changed else []
    then, now = archived(run, settings, "scores"), made.scores_file
    writers = [pq.ParquetFile(path).metadata.created_by for path in (then, now)]
    if writers[0] != writers[1] and pq.read_table(then).equals(pq.read_table(now)):
        notes.append(
            f"the scores are the same; {writers[0]} wrote them then, {writers[1]} now"
        )
    return "; ".join(notes)
