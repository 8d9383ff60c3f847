"""The places of all units of a run, listed or not, as its scores file has them."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import StoreError
from configs.settings import Settings
from serving.records import RunRecord, ScoredRecord

PLACE = [field.name for field in fields(ScoredRecord)]
_COLUMNS = PLACE[1:]  # all but the run


def unlisted(run: RunRecord, unit_id: str) -> ScoredRecord | None:
    """A unit that was scored but is not listed; None where the run did not score it.

    Takes a second for ten million units: the file is in the order of ranks.

    Raises:
        StoreError: the scores file is gone.
    """
    if run.listed == run.units:
        return None
    rows = _rows(Settings().published / run.scores_path, [unit_id], _COLUMNS)
    return ScoredRecord(run_id=run.id, **rows[0]) if rows else None


def ranks_of(scores: Path, unit_ids: Iterable[str]) -> dict[str, int]:
    """rank_fused of those of the units that are in a scores file."""
    rows = _rows(scores, unit_ids, ["unit_id", "rank_fused"])
    return {row["unit_id"]: int(row["rank_fused"]) for row in rows}


def _rows(
    scores: Path, unit_ids: Iterable[str], columns: list[str]
) -> list[Mapping[str, Any]]:
    """Rows of some units; row group after row group, the file is not held in memory."""
    wanted = pa.array(sorted(set(unit_ids)), pa.string())
    if not scores.is_file():
        raise StoreError(f"scores file {scores} is gone; restore it from a backup")
    found: list[Mapping[str, Any]] = []
    with pq.ParquetFile(scores) as file:
        for part in file.iter_batches(columns=columns):
            mine = pc.is_in(part["unit_id"].cast(pa.string()), value_set=wanted)
            found += part.filter(mine).to_pylist()
    return found
