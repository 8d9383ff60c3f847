"""What is frozen with a published run, and how it is found again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from configs.column import open_columns
from configs.errors import StoreError, nearest
from configs.settings import Settings
from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX, UNITS
from flows.group import POINTS
from flows.job import Job
from serving.records import RunRecord
from serving.run_files import SCORES, file_sha256

Archived = Literal["feature_matrix", "rule_flags", "units", "points", "scores"]

_OPEN_UNITS = "open_units"


def frozen_inputs(job: Job, catalog: Catalog) -> dict[str, Path]:
    """The files that are kept with the list: name -> file of the work folder.

    The units come without sensitive columns, without what was copied from these, and
    without features, which stand in their matrix; association points of sensitive kinds
    are masked.
    """
    units, columns = catalog.read(UNITS), job.model.known.columns
    kept = open_columns(job.model.spec, columns)
    others = [name for name in kept if not columns[name].is_feature]
    open_units = units.select("unit_id", "as_of", *others).order_by("unit_id")
    catalog.write(open_units, _OPEN_UNITS)
    files = {MATRIX: MATRIX, FLAGS: FLAGS, UNITS: _OPEN_UNITS}
    if catalog.path(POINTS).exists():
        files[POINTS] = POINTS
    return {name: catalog.path(table) for name, table in files.items()}


@dataclass(frozen=True, slots=True)
class FrozenUnits:
    """The units of a published run, from two files with the same units by `unit_id`.

    Attributes:
        matrix: features, as they were scored.
        units: the other columns; a run of an earlier Leadline has features there, too.
    """

    matrix: Path
    units: Path

    @property
    def columns(self) -> frozenset[str]:
        return self._features | set(pq.read_schema(self.units).names)

    def read(self, names: Sequence[str]) -> pa.Table:
        """`unit_id` and these columns; features are floats, or yes and no.

        Raises:
            StoreError: the files hold other units, or in another order.
        """
        there = self._features
        features = [name for name in names if name in there]
        others = [name for name in names if name not in there]
        table = pq.read_table(self.units, columns=["unit_id", *others])
        found = pq.read_table(self.matrix, columns=["unit_id", *features])
        if not found["unit_id"].equals(table["unit_id"]):
            raise StoreError(
                f"{self.units} and {self.matrix} hold other units; they were not published "
                "together: restore both from one backup"
            )
        for name in features:
            table = table.append_column(name, found[name])
        return table.select(["unit_id", *names])

    @property
    def _features(self) -> frozenset[str]:
        return frozenset(pq.read_schema(self.matrix).names)


def frozen_units(run: RunRecord, settings: Settings) -> FrozenUnits:
    """The units of a published run, from files found to be as published.

    Raises:
        StoreError: as for `archived`.
    """
    return FrozenUnits(
        archived(run, settings, "feature_matrix"), archived(run, settings, "units")
    )


def archived(run: RunRecord, settings: Settings, name: Archived) -> Path:
    """The file kept with a published run, found to be the one that was published.

    Raises:
        StoreError: the run froze no such file, or it is gone or changed.
    """
    scores = {"path": run.scores_path, "sha256": run.scores_sha256}
    files = {SCORES: scores, **run.files}
    if name not in files:
        raise StoreError(
            f"run {run.id} froze no {name!r}{nearest(name, files)}; runs published by an "
            f"earlier Leadline have none: score again with `leadline score {run.model_id} "
            "--data DIR`"
        )
    path = settings.published / files[name]["path"]
    if not path.is_file():
        raise StoreError(
            f"run {run.id}: its {name} file is gone: {path}; restore it from a backup"
        )
    found = file_sha256(path)
    if found != files[name]["sha256"]:
        raise StoreError(
            f"run {run.id}: its {name} file was changed: {path} has SHA-256 {found}, "
            f"{files[name]['sha256']} was published; restore it from a backup"
        )
    return path
