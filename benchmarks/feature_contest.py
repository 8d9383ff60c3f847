"""The feature stage against scripts by hand: each contender in processes of its own.

`python -m benchmarks.feature_contest NAME CORES OUT AS_OF KINDS` is one such process.
"""

import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from benchmarks import feature_featuretools, feature_sql
from benchmarks.feature_model import MODEL, kinds, write_model
from benchmarks.processes import memory
from configs.settings import Settings

CONTENDERS = ("leadline", "alone", "sql", "polars", "pandas")
AS_OF = datetime(2024, 12, 15)
TOLERANCE = 1e-9  # relative, of floats; everything else must be equal
EVERY = 0.02  # seconds between two looks at a process's memory
Figures = dict[str, float]


def prepared(delivery: Path, home: Path) -> Path:
    """Read a delivery with the stage `intake`; the folder of `core_<source>.parquet`.

    Records stay unlinked: linking is a stage of its own, with a benchmark of its own.
    """
    from flows.intake import intake, stop_on_problems
    from flows.job import new_job

    write_model(home / "models")
    settings = Settings(home=home, models=home / "models")
    job = new_job(MODEL, str(delivery), settings)
    stop_on_problems(intake(job))
    return job.folder


def contest(
    cores: Path, scratch: Path, names: Sequence[str] = CONTENDERS, repeats: int = 3
) -> dict[str, Any]:
    """Medians of repeated runs by contender, and whether the results are the same.

    The order is turned round after each repeat.

    Returns:
        `features` and `sources` by number, `units`, `runs` by contender (wall and CPU
        seconds, peak GiB, as lists), `medians` of them, and `different`: by contender the
        cells that are not those of Leadline's.
    """
    model = write_model(scratch / "models")
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    different: dict[str, int] = {}
    for repeat in range(repeats):
        for name in names if repeat % 2 == 0 else reversed(names):
            runs[name].append(run(name, cores, scratch, kinds(model)))
        if repeat == 0:
            ours = _matrix(scratch, names[0])
            different = {n: cells(ours, _matrix(scratch, n)) for n in names[1:]}
    return {
        "features": list(kinds(model)),
        "units": pq.read_metadata(_matrix(scratch, names[0])).num_rows,
        "rows": {p.stem: pq.read_metadata(p).num_rows for p in cores.glob("core_*")},
        "runs": runs,
        "medians": {name: medians(found) for name, found in runs.items()},
        "different": different,
    }


def run(name: str, cores: Path, scratch: Path, columns: Mapping[str, str]) -> Figures:
    """One process of a contender: wall and CPU seconds and peak GiB, by `wait4`.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    out = _matrix(scratch, name)
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir(parents=True)
    places = str(cores.resolve()), str(out.resolve())
    if name == "featuretools":
        script = feature_featuretools.__file__
        # It warns once or more for each unit.
        quiet = [str(_interpreter(scratch)), "-W", "ignore", script]
        return measured([*quiet, *places])
    own = [sys.executable, "-m", "benchmarks.feature_contest", name, *places]
    return measured([*own, AS_OF.isoformat(), json.dumps(dict(columns))])


def _interpreter(scratch: Path) -> Path:
    """Python with the packages that Featuretools works with, made once."""
    folder = scratch / "featuretools-python"
    python = folder / "bin" / "python"
    if not python.exists():
        uv = [sys.executable, "-m", "uv", "-q"]
        packages = feature_featuretools.PACKAGES
        subprocess.run(  # noqa: S603
            [*uv, "venv", "--python", sys.executable, str(folder)], check=True
        )
        subprocess.run(  # noqa: S603
            [*uv, "pip", "install", "--python", str(python), *packages], check=True
        )
    return python


def measured(command: Sequence[str]) -> Figures:
    """Wall and CPU seconds of a process and its children, and its own peak GiB."""
    began, peak, ended = time.perf_counter(), 0.0, 0
    process = subprocess.Popen(command)  # noqa: S603
    while not ended:
        # `wait4` would tell what this process held when it started the other.
        peak = max(peak, memory(process.pid, "VmHWM"))
        time.sleep(EVERY)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {
        "wall s": time.perf_counter() - began,
        "cpu s": used.ru_utime + used.ru_stime,
        "peak GiB": peak,
    }


def medians(found: list[Figures]) -> Figures:
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def cells(ours: Path, theirs: Path) -> int:
    """How many cells of a matrix differ from ours, of the columns that it has.

    Both are ordered by unit. One column after the other is read, so that ten million
    units can be compared.
    """
    names = pq.read_schema(theirs).names
    different = 0
    for name in names:
        left, right = (
            pq.read_table(path, columns=[name])[name] for path in (ours, theirs)
        )
        if len(left) != len(right):
            raise ValueError(f"{theirs}: {len(right)} rows, not {len(left)}")
        if name in ("unit_id", "as_of"):
            different += int(not left.cast("string").equals(right.cast("string")))
            continue
        x, y = (column.cast("float64").to_numpy() for column in (left, right))
        near = np.abs(x - y) <= TOLERANCE * np.maximum(np.abs(x), np.abs(y))
        different += int(np.sum(~(near | (np.isnan(x) & np.isnan(y)))))
    return different


def versus_featuretools(cores: Path, scratch: Path, repeats: int) -> dict[str, Any]:
    """Featuretools on what it can express, beside the whole stage of Leadline."""
    _write_derived(cores, cores / feature_featuretools.CLAIMS)
    found = contest(cores, scratch, ("leadline", "featuretools"), repeats)
    taken = [*feature_featuretools.WANTED, *feature_featuretools.AROUND]
    return {**found, "features": taken}


def _write_derived(cores: Path, out: Path) -> None:
    """The claims as the SQL script derives them: what Featuretools is given."""
    shown = "claim_no, claimant, driver, vehicle, payee_account, phone, place_grid, shop_code"
    columns = (
        "accident_time, insurer, plate, driver_a, claimant_id, agency, agent_phone"
    )
    flags = ", ".join(
        f"is_{name}::DOUBLE AS {name}" for name in feature_featuretools.NUMBERS
    )
    with duckdb.connect() as con:
        feature_sql.execute(con, cores, AS_OF)
        con.execute(f"COPY (SELECT {shown}, {columns}, {flags} FROM claim) TO '{out}'")


def _matrix(scratch: Path, name: str) -> Path:
    return scratch / name / "feature_matrix.parquet"


def _child(name: str, cores: str, out: str, as_of: str, columns: str) -> None:
    module = importlib.import_module(f"benchmarks.feature_{name}")
    at = datetime.fromisoformat(as_of)
    module.write_features(Path(cores), at, Path(out), json.loads(columns))


if __name__ == "__main__":
    _child(*sys.argv[1:])
