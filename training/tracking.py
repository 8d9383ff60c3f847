"""Runs, models and their aliases in MLflow's SQLite store; the only module that knows it.

A run is written first, the model registered next and the alias moved last, so a failed
training never changes what is served.
"""

import contextlib
import importlib.metadata
import io
import json
import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Before MLflow is imported: nothing may leave the machine, not even a DNS lookup.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

import configs
import training
from configs.errors import StoreError
from training.drift import FeatureStats, feature_stats, stability_index
from training.model import LeadScorer
from training.plots import plot_drift, plot_funnel, plot_scores
from training.records import TrainingRun, digest, metrics, params

# Its notes about creating tables are no news to a user.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)

Column = ColSpec | TensorSpec  # what an MLflow schema is made of
CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST_TAG = "artifacts_sha256"
REQUIREMENTS = (
    "mlflow",
    "matplotlib",
    "numpy",
    "pandas",
    "pyod",
    "scikit-learn",
    "skops",
)
# MLflow runs this file to build the model; it holds no state and no pickle.
MODEL_CODE = """\
from mlflow.models import set_model

from training.tracking import ScoringModel

set_model(ScoringModel())
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a training ended up."""

    version: int
    run_id: str
    is_champion: bool


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A registered model, verified and ready to score."""

    version: int
    run_id: str
    scorer: LeadScorer
    config_hash: str
    stats: dict[str, FeatureStats]  # of the training population
    linkage: dict[str, Any]  # how records were linked: learnt parameters by entity


class ScoringModel(PythonModel):
    """The model as any MLflow client sees it: a table in, a table of scores out."""

    def load_context(self, context: Any) -> None:
        self.scorer = LeadScorer.load(Path(context.artifacts["scorer"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: Any = None
    ) -> pd.DataFrame:
        """Scores in the order of the input rows (feature columns and rule flags)."""
        # Row numbers stand in for unit ids: a signature carries no index.
        rows = model_input.set_axis(_row_ids(len(model_input)))
        scorer = self.scorer
        scores = scorer.score(rows[scorer.features], rows[scorer.rule_codes])
        ordered = scores.set_index("unit_id").loc[rows.index]
        return ordered.drop(columns="as_of").set_axis(model_input.index)


class Tracking:
    """One office's MLflow store under the folder `mlruns`."""

    def __init__(self, mlruns: Path) -> None:
        self.mlruns = mlruns.absolute()
        self.mlruns.mkdir(parents=True, exist_ok=True)
        self.uri = f"sqlite:///{self.mlruns / 'mlflow.db'}"
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        self.client = mlflow.MlflowClient(self.uri, self.uri)

    def train_run(self, run: TrainingRun, *, promote: bool = False) -> Registered:
        """Record the run, register its model as challenger; champion if it is the first.

        With `promote` it becomes champion even when there is one.
        """
        former = self._version_of(run.model, CHAMPION)
        drift = self._drift(run, former)
        with (
            mlflow.start_run(experiment_id=self._experiment(run.model)) as active,
            tempfile.TemporaryDirectory() as folder,
        ):
            _log_inputs(run)
            _log_results(run, drift, Path(folder))
            info, taken = _log_model(run, Path(folder))
        # MLflow announces each registration on standard error.
        with contextlib.redirect_stderr(io.StringIO()):
            entry = mlflow.register_model(
                info.model_uri,
                run.model,
                tags={DIGEST_TAG: taken, "config_hash": run.config_hash},
            )
        version = int(entry.version)
        self._set_alias(run.model, CHALLENGER, version)
        if former is None or promote:
            reason = "asked for at training" if promote else "first model"
            self.promote(run.model, version, reason)
        return Registered(version, active.info.run_id, former is None or promote)

    def promote(self, model: str, version: int, reason: str) -> None:
        """Make a version the champion and write down why and when."""
        try:
            self.client.get_model_version(model, str(version))
        except MlflowException as error:
            raise StoreError(f"model {model!r} has no version {version}") from error
        tags = {
            "promoted_reason": reason,
            "promoted_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        for key, value in tags.items():
            self.client.set_model_version_tag(model, str(version), key, value)
        self._set_alias(model, CHAMPION, version)

    def has(self, model: str, alias: str) -> bool:
        """Is there a version behind this alias?"""
        return self._version_of(model, alias) is not None

    def champion(self, model: str) -> LoadedModel:
        """The champion, its files compared with the digest taken at registration.

        Raises StoreError when there is none or when a file was changed since.
        """
        return self.load(model, CHAMPION)

    def load(self, model: str, alias: str) -> LoadedModel:
        """The version an alias points to, verified like the champion."""
        entry = self._version_of(model, alias)
        if entry is None:
            raise StoreError(
                f"model {model!r} has no {alias}; "
                f"train one with: leadline train {model} --data DIR"
            )
        folder = _local_folder(f"models:/{model}@{alias}") / "artifacts"
        if (found := digest(folder)) != entry.tags.get(DIGEST_TAG):
            raise StoreError(
                f"model {model!r} version {entry.version}: the files in {folder} changed "
                f"since they were registered (SHA-256 {found[:12]}..., registered "
                f"{str(entry.tags.get(DIGEST_TAG))[:12]}...); train again or restore them"
            )
        return LoadedModel(
            version=int(entry.version),
            run_id=entry.run_id,
            scorer=LeadScorer.load(folder / "scorer.skops"),
            config_hash=entry.tags["config_hash"],
            stats=json.loads((folder / "feature_stats.json").read_text("utf-8")),
            linkage=json.loads((folder / "linkage.json").read_text("utf-8")),
        )

    def _drift(self, run: TrainingRun, former: Any) -> pd.Series | None:
        if former is None:
            return None
        return stability_index(self.champion(run.model).stats, run.features)

    def _experiment(self, model: str) -> str:
        name = f"leadline/{model}"
        known = self.client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        place = (self.mlruns / "artifacts" / model).as_uri()
        return str(self.client.create_experiment(name, artifact_location=place))

    def _version_of(self, model: str, alias: str) -> Any:
        """The registry's entry behind an alias, or None."""
        try:
            return self.client.get_model_version_by_alias(model, alias)
        except MlflowException as error:
            if error.error_code in {
                "RESOURCE_DOES_NOT_EXIST",
                "INVALID_PARAMETER_VALUE",
            }:
                return None
            raise StoreError(f"{self.uri}: {error}") from error

    def _set_alias(self, model: str, alias: str, version: int) -> None:
        self.client.set_registered_model_alias(model, alias, str(version))


def _log_inputs(run: TrainingRun) -> None:
    """Configuration and the data it met: enough to rebuild the run."""
    mlflow.log_params(params(run))
    mlflow.set_tags({"config_hash": run.config_hash, "model": run.model, **run.tags})
    mlflow.log_dict(
        {"sources": [dict(p) for p in run.fingerprints]}, "data_fingerprints.json"
    )
    mlflow.log_dict({"features": run.scorer.features}, "features.json")
    if run.dictionary is not None:
        mlflow.log_text(run.dictionary.to_csv(index=False), "feature_dictionary.csv")


def _log_results(run: TrainingRun, drift: pd.Series | None, folder: Path) -> None:
    """Metrics in one batch, and the pictures."""
    mlflow.log_dict(dict(run.funnel), "funnel.json")
    for entity, learnt in run.linkage.items():
        mlflow.log_dict(dict(learnt), f"linkage/{entity}.json")
    pictures = [plot_scores(run.scores, folder / "scores.png")]
    if run.funnel:
        pictures.append(plot_funnel(run.funnel, folder / "funnel.png"))
    if drift is not None and len(drift):
        mlflow.log_text(drift.to_csv(), "feature_drift.csv")
        pictures.append(plot_drift(drift, folder / "feature_drift.png"))
    mlflow.log_metrics(metrics(run, drift))
    for picture in pictures:
        mlflow.log_artifact(str(picture), "plots")


def _log_model(run: TrainingRun, folder: Path) -> tuple[Any, str]:
    """Log the model with code, signature and files; the digest covers the files."""
    files = folder / "artifacts"
    files.mkdir()
    run.scorer.save(files / "scorer.skops")
    stats = json.dumps(feature_stats(run.features))
    (files / "feature_stats.json").write_text(stats, "utf-8")
    (files / "linkage.json").write_text(json.dumps(dict(run.linkage)), "utf-8")
    code = folder / "model_code.py"
    code.write_text(MODEL_CODE, "utf-8")
    with warnings.catch_warnings():
        # The signature is written by hand; an example row would be a person's record.
        warnings.filterwarnings(
            "ignore", message=".*input example", category=UserWarning
        )
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={
                "scorer": str(files / "scorer.skops"),
                "feature_stats": str(files / "feature_stats.json"),
                "linkage": str(files / "linkage.json"),
            },
            # The packages travel along, so any process can load the model.
            code_paths=[str(Path(str(p.__file__)).parent) for p in (configs, training)],
            signature=_signature(run.scorer, run.scores),
            # Inferring them would start a second interpreter: ten seconds.
            pip_requirements=[
                f"{p}=={importlib.metadata.version(p)}" for p in REQUIREMENTS
            ],
        )
    return info, digest(files)


def _signature(scorer: LeadScorer, scores: pd.DataFrame) -> ModelSignature:
    """Features as doubles, rule flags as booleans; ranks and scores come back."""
    inputs: list[Column] = [ColSpec(DataType.double, name) for name in scorer.features]
    inputs += [ColSpec(DataType.boolean, code) for code in scorer.rule_codes]
    outputs: list[Column] = [
        ColSpec(DataType.long if name.startswith("rank_") else DataType.double, name)
        for name in scores.columns
        if name not in {"unit_id", "as_of"}
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _local_folder(uri: str) -> Path:
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        raise StoreError(f"{uri}: its files cannot be read ({error})") from error


def _row_ids(count: int) -> list[str]:
    width = len(str(count))
    return [f"{i:0{width}d}" for i in range(count)]
