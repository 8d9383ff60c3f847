"""Compare a published list with known outcomes; the only reader of labels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import DeliveryError, LeadlineError, nearest
from configs.loading import LoadedModel, load_model
from configs.schema import LabelsSpec
from configs.settings import Settings
from flows.frames import as_rows
from serving import queries
from training.evaluation import (
    breakdown,
    paired_bootstrap,
    precision_at,
    ranking_quality,
)

Tables = dict[str, list[dict[str, Any]]]


def evaluate(
    name: str,
    settings: Settings,
    labels_file: Path | None,
    data: str,
    baselines: bool,
    stage: Callable[[str], None],
) -> Tables:
    """Tables of the newest published run against the labels.

    Raises:
        LeadlineError: the model declares no labels, or the file cannot serve as such.
    """
    model = load_model(name, settings.models)
    run = queries.latest_run(name)
    scores = pd.read_parquet(settings.published / run.scores_path)
    labels = read_labels(model, labels_file, data)
    if baselines:
        stage("fitting the single detectors")
        scores = _with_baselines(scores, settings, model)
    stage("comparing")
    return tables(scores, labels, model)


def tables(scores: pd.DataFrame, labels: pd.DataFrame, model: LoadedModel) -> Tables:
    """Ranking quality, precision at capacity with intervals, lift, breakdowns."""
    capacity = model.spec.review.weekly_capacity
    budgets = (capacity // 2, capacity, 5 * capacity)
    found: dict[str, pd.DataFrame] = {
        "Ranking of the labelled units": ranking_quality(scores, labels),
        "At the review capacity": precision_at(scores, labels, budgets),
    }
    lift = paired_bootstrap(
        scores, labels, k=5 * capacity, arm="fused", base="rules", seed=0
    )
    found[f"Fused minus rules, precision at {5 * capacity}"] = pd.DataFrame([lift])
    declared = model.spec.labels
    for column in declared.breakdown if declared else ():
        if column in labels:
            title = f"Who is in the first {5 * capacity}: {column}"
            found[title] = breakdown(scores, labels, column, (5 * capacity,))
    return {title: as_rows(table) for title, table in found.items()}


def read_labels(model: LoadedModel, file: Path | None, data: str) -> pd.DataFrame:
    """unit_id, label (1, 0, NaN = unknown) and the declared breakdown columns."""
    spec = model.spec.labels
    if spec is None:
        raise LeadlineError(
            f"{model.spec.id}: model.yaml declares no labels to evaluate against"
        )
    path = file or _declared_file(spec, data)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for wanted in (spec.key, spec.value):
        if wanted not in frame:
            hint = nearest(wanted, frame.columns)
            raise DeliveryError(f"{path}: no column {wanted!r}{hint}")
    known = dict.fromkeys(spec.positive, 1.0) | dict.fromkeys(spec.negative, 0.0)
    kept = [column for column in spec.breakdown if column in frame]
    labels = frame[[spec.key, *kept]].rename(columns={spec.key: "unit_id"})
    return labels.assign(label=frame[spec.value].map(known))


def _declared_file(spec: LabelsSpec, data: str) -> Path:
    path = Path(data) / f"{spec.table}.csv"
    if not data or not path.is_file():
        raise LeadlineError(
            f"labels are declared in {spec.table!r}: give --data DIR that holds {spec.table}.csv, "
            "or --labels FILE"
        )
    return path


def _with_baselines(
    scores: pd.DataFrame, settings: Settings, model: LoadedModel
) -> pd.DataFrame:
    """The published scores and, beside them, single detectors on the same matrix."""
    from training.baselines import best_single

    found = sorted(settings.work.glob(f"{model.spec.id}/*/feature_matrix.parquet"))
    if not found:
        raise LeadlineError(
            "--baselines needs the features of the last run; score again first"
        )
    matrix = pd.read_parquet(found[-1]).drop(columns="as_of").set_index("unit_id")
    table, _ = best_single(matrix.astype("float64"))
    table = table.rename(columns=lambda c: c.replace("score_", "score_pyod_"))
    return scores.merge(table, on="unit_id", validate="one_to_one")
