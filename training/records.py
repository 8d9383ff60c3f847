"""What is written down about a training, before any tracker is involved."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from training.model import LeadScorer

MAX_PARAM = 500  # characters; MLflow refuses more than 6,000


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """All that is recorded about one training."""

    model: str  # id of the supervision model
    scorer: LeadScorer
    features: pd.DataFrame  # units x features, as the scorer was fitted on
    scores: pd.DataFrame  # SCORES of the same units
    config: Mapping[str, Any]
    config_hash: str
    fingerprints: Iterable[Mapping[str, Any]] = ()  # source, rows, hash of each table
    dictionary: pd.DataFrame | None = None  # data dictionary of the features
    rule_hits: Mapping[str, int] = field(default_factory=dict)
    funnel: Mapping[str, int] = field(default_factory=dict)  # units left, by step
    metrics: Mapping[str, float] = field(default_factory=dict)
    linkage: Mapping[str, Any] = field(default_factory=dict)  # learnt, by entity
    tags: Mapping[str, str] = field(default_factory=dict)
    declaration: Mapping[str, str] = field(default_factory=dict)  # file -> its text


def params(run: TrainingRun) -> dict[str, str]:
    """The configuration with dotted keys, and rows and hash of every source."""
    flat = _flat(run.config) | {
        f"data.{entry['source']}.{key}": entry[key]
        for entry in run.fingerprints
        for key in ("rows", "hash")
    }
    return {key: str(value)[:MAX_PARAM] for key, value in flat.items()}


def metrics(run: TrainingRun, drift: pd.Series | None) -> dict[str, float]:
    """The run's numbers: its own, score quantiles, rule hits, funnel, largest drift."""
    numbers = _distribution(run.scores) | dict(run.metrics)
    numbers |= {f"rule_hits_{code}": float(n) for code, n in run.rule_hits.items()}
    numbers |= {f"funnel_{step}": float(n) for step, n in run.funnel.items()}
    if drift is not None and len(drift):
        numbers["drift_psi_max"] = float(drift.iloc[0])
    return numbers


def _distribution(scores: pd.DataFrame) -> dict[str, float]:
    """Quantiles of the three scores, and how many units were scored."""
    metrics = {"units": float(len(scores))}
    for column in ("score", "rules", "fused"):
        for share in (0.5, 0.9, 0.99):
            name = f"{column}_p{round(100 * share)}"
            metrics[name] = float(scores[column].quantile(share))
    return metrics


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mapping to dotted keys; lists are kept as JSON text."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            flat[f"{prefix}{key}"] = json.dumps(value, default=str, ensure_ascii=False)
        else:
            flat[f"{prefix}{key}"] = value
    return flat
