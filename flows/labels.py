"""What the store's dispositions teach, as training reads it."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pandas as pd

from configs.settings import Settings
from configs.tables import DISPOSITIONS, SLOTS
from serving import queries
from serving.connect import open_store
from serving.dispositions import dispositions, groups_among
from serving.records import DispositionRecord
from training.labels import standing_labels


def labels(
    model: str, settings: Settings, until: datetime | None = None
) -> pd.DataFrame:
    """The LABELS that hold for a model; no row where nothing was reviewed.

    `decided_at` is in UTC, without a zone like every time of the tables. With `until`
    (with its zone) those that held then.
    """
    open_store(settings)
    said = [r for r in dispositions(model) if until is None or r.at <= until]
    frame = _frame(map(asdict, said), DISPOSITIONS)
    times = pd.to_datetime(frame["at"], utc=True).dt.tz_localize(None)
    frame["at"] = times.astype("datetime64[us]")
    runs = sorted(frame["run_id"].unique())
    return standing_labels(frame, slots_of_runs(runs), _groups(said))


labels_of = labels  # where `labels` is the name of a table


def slots_of_runs(runs: Iterable[str]) -> pd.DataFrame:
    """The SLOTS of these runs, and `run_id`."""
    rows = [{"run_id": run, **asdict(s)} for run in runs for s in queries.slots(run)]
    return _frame(rows, {"run_id": "", **SLOTS})


def _groups(said: Iterable[DispositionRecord]) -> pd.DataFrame:
    """The group of each unit in each run that it was reviewed in."""
    units: dict[str, set[str]] = {}
    for record in said:
        units.setdefault(record.run_id, set()).add(record.unit_id)
    rows = [
        (run, unit, group)
        for run, reviewed in units.items()
        for unit, group in groups_among(run, reviewed).items()
    ]
    return pd.DataFrame(rows, columns=["run_id", "unit_id", "group_id"], dtype="object")


def _frame(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))
