"""What MLflow records of a run of training beside its model: inputs, numbers, pictures."""

from pathlib import Path

import mlflow
import pandas as pd

from training.plots import plot_drift, plot_funnel, plot_scores
from training.records import TrainingRun, metrics, params


def log_inputs(run: TrainingRun) -> None:
    """Configuration and the data it met: enough to rebuild the run."""
    mlflow.log_params(params(run))
    mlflow.set_tags({"config_hash": run.config_hash, "model": run.model, **run.tags})
    mlflow.log_dict(
        {"sources": [dict(p) for p in run.fingerprints]}, "data_fingerprints.json"
    )
    mlflow.log_dict({"features": run.scorer.features}, "features.json")
    if run.dictionary is not None:
        mlflow.log_text(run.dictionary.to_csv(index=False), "feature_dictionary.csv")


def log_results(run: TrainingRun, drift: pd.Series | None, folder: Path) -> None:
    """Metrics in one batch, and the pictures, made in `folder`."""
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
