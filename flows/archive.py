"""What is frozen with a published run, and how it is found again."""

from pathlib import Path
from typing import Literal

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

    The units come without sensitive columns, and without what was copied from these;
    association points of sensitive kinds are masked.
    """
    units = catalog.read(UNITS)
    kept = open_columns(job.model.spec, job.model.known.columns)
    open_units = units.select("unit_id", "as_of", *kept).order_by("unit_id")
    catalog.write(open_units, _OPEN_UNITS)
    files = {MATRIX: MATRIX, FLAGS: FLAGS, UNITS: _OPEN_UNITS}
    if catalog.path(POINTS).exists():
        files[POINTS] = POINTS
    return {name: catalog.path(table) for name, table in files.items()}


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
