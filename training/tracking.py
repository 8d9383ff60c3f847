"""Runs, versions and their aliases in MLflow's SQLite store.

With `tracking_files` and `tracking_run` the only modules that know it. A run is written
first, the model registered next and an alias moved last, so a failed training never
changes what is served.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from configs.errors import StoreError
from training.drift import FeatureStats, stability_index
from training.model import LeadScorer
from training.records import TrainingRun
from training.tracking_files import (
    changed_code,
    files_digest,
    local_folder,
    log_model,
    opened_scorer,
    read_json,
)
from training.tracking_run import log_inputs, log_results

# Its notes about creating tables are no news to a user.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST_TAG, VERDICT_TAG = "model_sha256", "verdict"
_MISSING = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version, as the registry tells it."""

    model: str
    version: int
    run_id: str
    trained_at: datetime  # when it was registered, UTC; nothing later taught it
    config_hash: str
    digest: str  # of its files, at registration
    verdict: str  # of its last comparison with a champion
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A registered model, verified and ready to score."""

    version: int
    run_id: str
    trained_at: datetime
    scorer: LeadScorer
    config_hash: str
    digest: str  # SHA-256 over all its files
    stats: dict[str, FeatureStats]  # of the training population
    linkage: dict[str, Any]  # how records were linked: learnt parameters by entity
    declaration: dict[str, str]  # the files of its supervision model


class Tracking:
    """One office's MLflow store under the folder `mlruns`."""

    def __init__(self, mlruns: Path) -> None:
        self.mlruns = mlruns.absolute()
        self.mlruns.mkdir(parents=True, exist_ok=True)
        self.uri = f"sqlite:///{self.mlruns / 'mlflow.db'}"
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        self.client = mlflow.MlflowClient(self.uri, self.uri)

    def train_run(self, run: TrainingRun) -> Version:
        """Record the run and register its model, the new challenger.

        The digest of the model's files is kept twice: with the run and with the version.
        """
        drift = self._drift(run)
        with (
            mlflow.start_run(experiment_id=self._experiment(run.model)),
            tempfile.TemporaryDirectory() as folder,
        ):
            log_inputs(run)
            log_results(run, drift, Path(folder))
            uri = log_model(run, Path(folder) / "model")
            taken = files_digest(local_folder(uri))
            mlflow.set_tag(DIGEST_TAG, taken)
        tags = {DIGEST_TAG: taken, "config_hash": run.config_hash}
        # MLflow announces each registration on standard error.
        with contextlib.redirect_stderr(io.StringIO()):
            entry = mlflow.register_model(uri, run.model, tags=tags)
        self.set_alias(run.model, CHALLENGER, int(entry.version))
        return self.version(run.model, int(entry.version))

    def promote(self, model: str, version: int, reason: str) -> None:
        """Make a version the champion; the version says why and since when.

        Who may do so is decided before, see `serving.releases`.
        """
        self.version(model, version)
        tags = {
            "promoted_reason": reason,
            "promoted_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        for key, value in tags.items():
            self.client.set_model_version_tag(model, str(version), key, value)
        self.set_alias(model, CHAMPION, version)

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Point an alias at a version."""
        self.client.set_registered_model_alias(model, alias, str(version))

    def has(self, model: str, alias: str) -> bool:
        """Is there a version behind this alias?"""
        return self._behind(model, alias) is not None

    def versions(self, model: str) -> list[Version]:
        """All registered versions, oldest first; none when nothing was trained."""
        with _explained(self.uri):
            found = self.client.search_model_versions(f"name='{model}'")
            if not found:
                return []
            aliases = self.client.get_registered_model(model).aliases
        versions = (_version(entry, aliases) for entry in found)
        return sorted(versions, key=lambda version: version.version)

    def version(self, model: str, version: int) -> Version:
        """One version; StoreError names those there are when there is no such one."""
        known = {v.version: v for v in self.versions(model)}
        if version not in known:
            there = ", ".join(map(str, known)) or "none; nothing was trained"
            raise StoreError(
                f"model {model!r} has no version {version}; known: {there}"
            )
        return known[version]

    def behind(self, model: str, alias: str) -> Version:
        """The version that an alias points to; StoreError when there is none."""
        entry = self._behind(model, alias)
        if entry is None:
            raise StoreError(
                f"model {model!r} has no {alias}; "
                f"train one with: leadline train {model} --data DIR"
            )
        return self.version(model, int(entry.version))

    def champion(self, model: str) -> LoadedModel:
        """The champion, verified.

        Raises StoreError when there is none or when a file was changed since.
        """
        return self.load(model, CHAMPION)

    def load(self, model: str, alias: str) -> LoadedModel:
        """The version an alias points to, verified like the champion."""
        return self.open(self.behind(model, alias))

    def open(self, version: Version) -> LoadedModel:
        """A version ready to score, after `verify`."""
        folder = self.verify(version)
        return LoadedModel(
            version=version.version,
            run_id=version.run_id,
            trained_at=version.trained_at,
            scorer=opened_scorer(folder),
            config_hash=version.config_hash,
            digest=version.digest,
            stats=read_json(folder, "feature_stats"),
            linkage=read_json(folder, "linkage"),
            declaration=read_json(folder, "declaration"),
        )

    def verify(self, version: Version) -> Path:
        """The folder of the version's files, if they are those that were registered.

        Raises:
            StoreError: the files have another digest than the registry says, or the
                registry says another than the run that trained it.
        """
        name = f"model {version.model!r} version {version.version}"
        folder = local_folder(f"models:/{version.model}/{version.version}")
        if (found := files_digest(folder)) != version.digest:
            registered = f"{version.digest[:12]}..." if version.digest else "none"
            raise StoreError(
                f"{name}: the files in {folder} changed since they were registered "
                f"(SHA-256 {found[:12]}..., registered {registered}); train again or "
                "restore them"
            )
        with _explained(self.uri):
            recorded = self.client.get_run(version.run_id).data.tags.get(DIGEST_TAG)
        if recorded != found:
            raise StoreError(
                f"{name}: the registry says SHA-256 {found[:12]}..., the run that trained "
                f"it, {version.run_id}, says {str(recorded)[:12]}...; one of them was "
                "changed: train again or restore MLflow's store"
            )
        return folder

    def changed_code(self, version: Version) -> list[str]:
        """Files of Leadline that changed since the version was logged with them."""
        return changed_code(self.verify(version))

    def record_comparison(
        self,
        version: Version,
        verdict: str,
        metrics: Mapping[str, float],
        texts: Mapping[str, str],
    ) -> None:
        """Add a comparison to the version and to the run that trained it.

        Args:
            texts: file name -> content, kept with the run.
        """
        with _explained(self.uri):
            for name, value in metrics.items():
                self.client.log_metric(version.run_id, name, value)
            for file, text in texts.items():
                self.client.log_text(version.run_id, text, file)
            self.client.set_model_version_tag(
                version.model, str(version.version), VERDICT_TAG, verdict
            )

    def record_evaluation(
        self,
        version: Version,
        metrics: Mapping[str, float],
        texts: Mapping[str, str],
        pictures: Sequence[Path],
    ) -> None:
        """Keep an evaluation with the run that trained the version.

        Args:
            texts: file name -> content.
        """
        with _explained(self.uri):
            for name, value in metrics.items():
                self.client.log_metric(version.run_id, name, value)
            for file, text in texts.items():
                self.client.log_text(version.run_id, text, file)
            for picture in pictures:
                self.client.log_artifact(version.run_id, str(picture), "plots")

    def _drift(self, run: TrainingRun) -> pd.Series | None:
        """How far the features moved since the champion's training."""
        try:
            former = self.champion(run.model).stats
        except StoreError:
            # None yet, or a changed one: which is mended by training again.
            return None
        return stability_index(former, run.features)

    def _experiment(self, model: str) -> str:
        name = f"leadline/{model}"
        known = self.client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        place = (self.mlruns / "artifacts" / model).as_uri()
        return str(self.client.create_experiment(name, artifact_location=place))

    def _behind(self, model: str, alias: str) -> Any:
        """The registry's entry behind an alias, or None."""
        try:
            return self.client.get_model_version_by_alias(model, alias)
        except MlflowException as error:
            if error.error_code in _MISSING:
                return None
            raise StoreError(f"{self.uri}: {error}") from error


def _version(entry: Any, aliases: Mapping[str, str]) -> Version:
    """The registry's entry in our words; `aliases` are those of its model."""
    return Version(
        model=entry.name,
        version=int(entry.version),
        run_id=entry.run_id,
        trained_at=datetime.fromtimestamp(entry.creation_timestamp / 1000, UTC),
        config_hash=entry.tags.get("config_hash", ""),
        digest=entry.tags.get(DIGEST_TAG, ""),
        verdict=entry.tags.get(VERDICT_TAG, ""),
        aliases=tuple(
            alias
            for alias, version in sorted(aliases.items())
            if int(version) == int(entry.version)
        ),
    )


@contextlib.contextmanager
def _explained(uri: str) -> Iterator[None]:
    """What MLflow refuses, as a StoreError that names its store."""
    try:
        yield
    except MlflowException as error:
        raise StoreError(f"{uri}: {error}") from error
