"""The section on Spark: one delivery scored by one champion on both engines.

Driver and executor are Java processes of their own on one machine, so that this compares
what the engines take for the same rows, and shows that the driver holds none of them. It
needs PySpark and Java 17, see `make spark`.
"""

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks import pages
from benchmarks.performance_flow import (
    copied,
    cpu_by_stage,
    how,
    named,
    run,
    trained,
    written,
)

CORES = 2
DRIVER_GIB, EXECUTOR_GIB = 1, 6  # of Java heap
# Small tables are broadcast by way of the driver, up to 10 MB each by Spark's own default.
RESULT_MIB = 64
# As the tests of both engines compare them, see docs/spark.md.
ABSOLUTE, RELATIVE = 1e-8, 1e-9
HERE, THERE = "DuckDB", "Spark"


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """What both engines took, what was delivered, and how many scores differ.

    Raises:
        SystemExit: no delivery was named.
        subprocess.CalledProcessError: a run failed.
    """
    data, here = named(given), trained(given)
    there = copied(here, "spark")
    runs = {
        THERE: run(given, there, data, "--engine", "spark", **_cluster(there)),
        HERE: run(given, here, data),
    }
    lists = (written(home, given.model, "scores")[-1] for home in (here, there))
    return {
        "memory": given.memory,
        "runs": runs,
        "delivered": delivered(data),
        "different": different(*map(pd.read_parquet, lists)),
    }


def delivered(delivery: Path) -> dict[str, int]:
    """Rows of a delivery's Parquet files, their bytes, and those of their rows as Arrow."""
    files = [p for p in delivery.glob("*.parquet") if p.is_file()]
    return {
        "rows": sum(pq.read_metadata(path).num_rows for path in files),
        "bytes": sum(path.stat().st_size for path in files),
        "in memory": sum(pq.read_table(path).nbytes for path in files),
    }


def different(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, int]:
    """How many numbers of two lists there are, and how many differ by more than arithmetic.

    Raises:
        ValueError: the lists hold other units.
    """
    one, other = (table.set_index("unit_id").sort_index() for table in (ours, theirs))
    if not one.index.equals(other.index):
        raise ValueError(f"the lists hold other units: {len(one)} and {len(other)}")
    numbers = one.select_dtypes("number").columns
    left, right = (table[numbers].to_numpy(float) for table in (one, other))
    same = np.isclose(right, left, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    return {"numbers": left.size, "different": int((~same).sum())}


def _cluster(home: Path) -> dict[str, str]:
    local = f"spark.local.dir={home / 'spark'}"
    heaps = [
        "--driver-memory",
        f"{DRIVER_GIB}g",
        "--executor-memory",
        f"{EXECUTOR_GIB}g",
    ]
    limit = f"spark.driver.maxResultSize={RESULT_MIB}m"
    submitted = [*heaps, "--conf", local, "--conf", limit, "pyspark-shell"]
    return {
        "LEADLINE_SPARK": f"local-cluster[1,{CORES},{EXECUTOR_GIB * 1024}]",
        "PYSPARK_SUBMIT_ARGS": shlex.join(submitted),
    }


def ratio(found: Mapping[str, Any]) -> float:
    """Spark's CPU seconds over DuckDB's for the same list."""
    runs = found["runs"]
    return float(runs[THERE]["cpu s"] / runs[HERE]["cpu s"])


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "## The same list on Spark\n"
    yield (
        f"`leadline score --engine spark` with a driver of {DRIVER_GIB} GiB of Java heap, "
        f"which no query may give more than {RESULT_MIB} MiB, and one executor of {CORES} "
        f"cores and {EXECUTOR_GIB} GiB, each a process of its own; then on DuckDB by the same "
        "champion. On one machine Spark can only lose: what is compared is the work for the "
        "same rows, without a network. Spark explains leads while it scores."
    )
    for one in found:
        yield f"\n### {one['model']}, {one['units']:,} units\n"
        yield how(one)
        yield from pages.table(_table(one["runs"]))
        yield from _said(one)


def _table(runs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """CPU seconds by stage and engine, and Spark's over DuckDB's."""
    table = cpu_by_stage({name: runs[name] for name in (HERE, THERE)})
    times = table[THERE] / table[HERE].where(table[HERE] > 0)
    shown = table.map("{:,.1f}".format)
    shown["Spark of DuckDB"] = times.map("{:.1f}".format)
    return shown.reset_index()


def _said(one: Mapping[str, Any]) -> Iterator[str]:
    there, what, cells = one["runs"][THERE], one["delivered"], one["different"]
    here = one["runs"][HERE]
    yield (
        f"\n{what['rows']:,} delivered rows: {what['bytes'] / 2**30:.2f} GiB of Parquet, "
        f"{what['in memory'] / 2**30:.2f} GiB as Arrow, beside a driver's heap of "
        f"{DRIVER_GIB} GiB. By the clock {there['wall s']:,.0f} and {here['wall s']:,.0f} seconds, "
        f"{there['peak GiB']:.1f} and {here['peak GiB']:.1f} GiB of all processes together. "
        f"Of {cells['numbers']:,} scores and ranks of the two lists "
        f"{cells['different']:,} differ (by more than {ABSOLUTE:g} + {RELATIVE:g} of "
        "their size)."
    )
