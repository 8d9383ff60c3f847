"""Which model a job is scored by, found to be the one that was released."""

from configs.errors import StoreError
from flows.job import Job
from serving.connect import open_store
from serving.queries import model_digests
from training.tracking import CHAMPION, LoadedModel, Tracking, Version


def scoring_model(job: Job) -> LoadedModel:
    """The job's version, or the champion when it names none.

    Raises:
        StoreError: there is no such version, its files are not those that were registered
            or that earlier runs were scored by, or the declaration changed since its
            training.
    """
    tracking = Tracking(job.settings.mlruns)
    if job.version is None:
        version = tracking.behind(job.model_id, CHAMPION)
    else:
        version = tracking.version(job.model_id, job.version)
    if version.config_hash != job.model.config_hash:
        raise StoreError(
            f"{job.model_id}: the declaration in {job.model.folder} changed since version "
            f"{version.version} was trained; train and release the new one: leadline train "
            f"{job.model_id} --data DIR --promote, then, by a second person: leadline "
            f"approve {job.model_id} VERSION --reason ..."
        )
    open_store(job.settings)
    check_recorded(version)
    return tracking.open(version)


def check_recorded(version: Version) -> None:
    """A version has one digest for ever: also where MLflow's store was changed as a whole.

    Raises:
        StoreError: a published run was scored by the version with other files.
    """
    other = model_digests(version.run_id) - {version.digest}
    if other:
        raise StoreError(
            f"model {version.model!r} version {version.version}: its files have SHA-256 "
            f"{version.digest[:12]}..., but a published run was scored by this version with "
            f"{min(other)[:12]}...; MLflow's store was changed: restore it from a backup or "
            "train again"
        )
