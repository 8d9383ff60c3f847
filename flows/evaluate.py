"""Compare a published list with known outcomes; the only reader of labels."""

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import DeliveryError, LeadlineError, nearest
from configs.loading import LoadedModel, load_model
from configs.schema import LabelsSpec
from configs.settings import Settings
from flows.archive import frozen_units
from flows.engineer import MATRIX
from flows.frames import as_rows
from flows.frozen import FrozenRun, frozen_run
from flows.parts import Part
from flows.reading_csv import text_encoding
from flows.reasons import NETWORK_FAMILIES
from flows.score import SCORED_BY
from serving import queries
from serving.records import RunRecord
from training.arms import money_found, network_arm, ring_coverage, screening_arms
from training.evaluation import (
    arms,
    breakdown,
    paired_bootstrap,
    precision_at,
    ranking_quality,
    summary_metrics,
)
from training.plots import plot_arms
from training.rings import TOPS, ring_quality
from training.tracking import Tracking

RING = "ring"
QUALITY, AT_CAPACITY = "Ranking of the labelled units", "At the review capacity"
# Families of which a feature looks at ties themselves, not at shares of a history.
TIED_FAMILIES = NETWORK_FAMILIES - {"rotation", "concentration"}
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
    labels = _labels_of(run, scores, read_labels(model, labels_file, data))
    if baselines:
        stage("fitting the single detectors")
        scores = with_baselines(scores, settings, run)
    stage("comparing")
    frozen = frozen_run(name, settings, run.id)
    scores = with_arms(scores, labels, frozen)
    found = tables(scores, labels, model, money_of(frozen))
    rows = {title: as_rows(table) for title, table in found.items()}
    stage("recording the evaluation in MLflow")
    _record(run, found, settings)
    return rows | ring_tables(labels, run)


def with_arms(
    scores: pd.DataFrame, labels: pd.DataFrame, frozen: FrozenRun
) -> pd.DataFrame:
    """SCORES beside the simple arms, from what was frozen with the list."""
    capacity = frozen.model.spec.review.weekly_capacity
    parts = [screening_arms(frozen.flags[frozen.evident], labels, capacity)]
    tied = [n for n, c in frozen.features.items() if c.family in TIED_FAMILIES]
    if tied:
        parts.append(network_arm(frozen.whole(tied)))
    for part in parts:
        scores = scores.merge(part, on="unit_id", validate="one_to_one")
    return scores


def money_of(frozen: FrozenRun) -> pd.Series | None:
    """Yuan at stake by unit, where the model says which column holds them."""
    column = frozen.model.spec.unit.money
    if column is None:
        return None
    units = frozen_units(frozen.run, frozen.settings)
    if column not in units.columns:
        return None
    table: pd.DataFrame = units.read([column]).to_pandas()
    return table.set_index("unit_id")[column].astype("float64")


def _record(
    run: RunRecord, found: Mapping[str, pd.DataFrame], settings: Settings
) -> None:
    """Tables, figures and a picture go to the run that trained the list's version."""
    tracking = Tracking(settings.mlruns)
    version = tracking.version(run.model_id, int(run.model_version))
    quality, at = found[QUALITY], found[AT_CAPACITY]
    texts = {
        f"evaluation/{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.csv": (
            table.to_csv(index=False)
        )
        for title, table in found.items()
    }
    capacity = sorted(set(at["k"]))[1]
    with tempfile.TemporaryDirectory() as folder:
        picture = plot_arms(at[at["k"] == capacity], Path(folder) / "precision.png")
        metrics = summary_metrics({"quality": quality, "precision": at})
        tracking.record_evaluation(version, metrics, texts, [picture])


def tables(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    model: LoadedModel,
    money: pd.Series | None = None,
) -> dict[str, pd.DataFrame]:
    """Ranking quality, precision at capacity with intervals, lift, rings, breakdowns."""
    capacity = model.spec.review.weekly_capacity
    budgets = (capacity // 2, capacity, 5 * capacity)
    found: dict[str, pd.DataFrame] = {
        QUALITY: ranking_quality(scores, labels),
        AT_CAPACITY: precision_at(scores, labels, budgets),
    }
    lift = paired_bootstrap(
        scores, labels, k=5 * capacity, arm="fused", base="rules", seed=0
    )
    found[f"Fused minus rules, precision at {5 * capacity}"] = pd.DataFrame([lift])
    orders = arms(scores)
    if RING in labels:
        coverage = ring_coverage(scores, labels, orders, 5 * capacity)
        found[f"Known rings met in the first {5 * capacity}"] = coverage
    if money is not None:
        earned = money_found(scores, labels, money, orders, 5 * capacity)
        found[f"Money at stake found in the first {5 * capacity}"] = earned
    declared = model.spec.labels
    for column in declared.breakdown if declared else ():
        if column in labels:
            title = f"Who is in the first {5 * capacity}: {column}"
            found[title] = breakdown(scores, labels, column, (5 * capacity,))
    return found


def ring_tables(labels: pd.DataFrame, run: RunRecord) -> Tables:
    """Known rings in the published groups, where the labels name rings."""
    members = published_groups(run) if RING in labels else pd.DataFrame()
    if members.empty:
        return {}
    found = ring_quality(members, labels[["unit_id", RING]])
    return {"Known rings in the first groups": as_rows(found)}


def published_groups(run: RunRecord) -> pd.DataFrame:
    """`unit_id` and `rank` of its group, for the groups that rings are looked for in."""
    groups = queries.groups(run.id, max(TOPS))
    rows = [
        {"unit_id": member.unit_id, "rank": group.rank}
        for group in groups
        for member in queries.group(run.id, group.group_id).members
    ]
    return pd.DataFrame(rows, columns=["unit_id", "rank"])


def read_labels(model: LoadedModel, file: Path | None, data: str) -> pd.DataFrame:
    """unit_id, label (1, 0, NaN = unknown), the declared breakdown columns, and ring."""
    spec = model.spec.labels
    if spec is None:
        raise LeadlineError(
            f"{model.spec.id}: model.yaml declares no labels to evaluate against"
        )
    path = file or _declared_file(spec, data)
    frame = _table(path)
    for wanted in filter(None, (spec.key, spec.value, spec.ring)):
        if wanted not in frame:
            hint = nearest(wanted, frame.columns)
            raise DeliveryError(f"{path}: no column {wanted!r}{hint}")
    known = dict.fromkeys(spec.positive, 1.0) | dict.fromkeys(spec.negative, 0.0)
    kept = [column for column in spec.breakdown if column in frame]
    labels = frame[[spec.key, *kept]].rename(columns={spec.key: "unit_id"})
    if spec.ring is not None:
        labels = labels.assign(**{RING: frame[spec.ring]})
    return labels.assign(label=frame[spec.value].map(known))


def _table(path: Path) -> pd.DataFrame:
    """Known outcomes as text, from CSV or Parquet."""
    part = Part("labels", str(path), path.name)
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path).astype(str)
        encoding = text_encoding(part).replace("utf-8", "utf-8-sig")
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DeliveryError(
            f"{path}: known outcomes cannot be read ({reason}); give a CSV or Parquet file"
        ) from error


def _declared_file(spec: LabelsSpec, data: str) -> Path:
    places = [Path(data) / f"{spec.table}{s}" for s in (".csv", ".csv.gz", ".parquet")]
    found = [place for place in places if data and place.is_file()]
    if not found:
        raise LeadlineError(
            f"labels are declared in {spec.table!r}: give --data DIR that holds {spec.table}.csv, "
            "or --labels FILE"
        )
    return found[0]


def _labels_of(
    run: RunRecord, scores: pd.DataFrame, labels: pd.DataFrame
) -> pd.DataFrame:
    """The labels of units that the run scored; others were not known or rejected."""
    repeated = labels["unit_id"][labels["unit_id"].duplicated()]
    if len(repeated):
        raise DeliveryError(f"the labels judge {repeated.iloc[0]!r} more than once")
    found = labels[labels["unit_id"].isin(scores["unit_id"])]
    if found["label"].isna().all():
        raise DeliveryError(
            f"none of the {len(labels):,} labelled units is in run {run.id} with a known "
            "outcome; do the labels belong to another delivery?"
        )
    return found


def with_baselines(
    scores: pd.DataFrame, settings: Settings, run: RunRecord
) -> pd.DataFrame:
    """The published scores and, beside them, single detectors on the same matrix."""
    from training.baselines import best_single

    matrix = pd.read_parquet(_folder_of(run, settings) / f"{MATRIX}.parquet")
    features = matrix.drop(columns="as_of").set_index("unit_id")
    table, _ = best_single(features.astype("float64"))
    table = table.rename(columns=lambda c: c.replace("score_", "score_pyod_"))
    return scores.merge(table, on="unit_id", validate="one_to_one")


def _folder_of(run: RunRecord, settings: Settings) -> Path:
    """The work folder in which the run was made; only the newest few are kept."""
    for record in sorted(settings.work.glob(f"{run.model_id}/*/{SCORED_BY}.json")):
        made = json.loads(record.read_text("utf-8"))
        if made["inputs"] == run.inputs and made["as_of"] == run.as_of.isoformat():
            return record.parent
    raise LeadlineError(
        f"--baselines needs the features of run {run.id}, which are gone; score the same "
        "delivery again first"
    )
