"""What the reviews so far say of the newest list and of what stands below it."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import pandas as pd

from configs.settings import Settings
from flows.archive import archived
from flows.frames import as_rows
from flows.labels import labels, slots_of_runs
from serving import queries
from serving.connect import open_store
from serving.records import RunRecord
from serving.scored import ranks_of
from training.selection import (
    MIN_EXPLORED,
    MIN_STRATUM,
    MIN_TOP,
    selection_estimates,
)

# Draws of earlier lists speak for the newest one as long as little has changed: a quarter,
# after which offices look at their rules anew (domain.md, 10.3).
DAYS = 90
FIGURE_WORDS = {
    "precision_at_capacity": ("confirmed in the top", "前列查实率"),
    "prevalence_below": ("true cases below the top, share", "前列之外的问题占比"),
    "cases_below": ("true cases below the top, number", "前列之外的问题数量"),
    "recall_at_capacity": ("share of all cases in the top", "前列覆盖全部问题的比例"),
}
TOO_FEW = {
    "en": f"too few reviews: it takes {MIN_TOP} of the top for the precision, and "
    f"{MIN_EXPLORED} drawn units ({MIN_STRATUM} of each stratum) for what lies below",
    "zh": f"复核数量不足：查实率需前列至少{MIN_TOP}件，前列之外的估计需抽查至少"
    f"{MIN_EXPLORED}件（每层至少{MIN_STRATUM}件）",
}


@dataclass(frozen=True, slots=True)
class Estimates:
    """Figures of the newest list; a value is null where too few were reviewed."""

    run: RunRecord
    lists: list[str]  # whose reviewed draws were used, the newest first
    figures: list[dict[str, Any]]
    note: dict[str, str]  # why values are null; empty when none is


def estimates(name: str, settings: Settings, days: int = DAYS) -> Estimates:
    """Precision and recall at capacity, corrected for selection, beside the naive ones.

    Args:
        days: draws of lists published up to so many days before the newest are used.

    Raises:
        StoreError: the model has published nothing.
    """
    open_store(settings)
    runs = queries.runs(name)
    newest = runs[0]
    since = newest.published_at - timedelta(days=days)
    used = [r.id for r in runs if since <= r.published_at <= newest.published_at]
    known = labels(name, settings)
    table = selection_estimates(
        known,
        slots_of_runs(used),
        _ranks(newest, settings, known["unit_id"]),
        newest=newest.id,
        published=newest.published_at.astimezone(UTC).replace(tzinfo=None),
    )
    words = table["figure"].map(FIGURE_WORDS)
    table.insert(1, "meaning_en", words.str[0])
    table.insert(2, "meaning_zh", words.str[1])
    enough = bool(table.pop("enough").all())
    rows = [_plain(row) for row in as_rows(table)]
    return Estimates(newest, used, rows, {} if enough else TOO_FEW)


def _ranks(run: RunRecord, settings: Settings, units: pd.Series) -> pd.Series:
    """rank_fused of these units, as far as they are in the run, listed or not."""
    found = ranks_of(archived(run, settings, "scores"), units)
    return pd.Series(found, dtype="float64").reindex(units)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """NaN is no JSON."""
    return {name: None if pd.isna(value) else value for name, value in row.items()}
