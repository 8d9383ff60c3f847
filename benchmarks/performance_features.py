"""The section on the feature stage: against SQL, Polars, pandas and Featuretools."""

import argparse
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import pages
from benchmarks.feature_contest import (
    CONTENDERS,
    TOLERANCE,
    contest,
    prepared,
    versus_featuretools,
)
from benchmarks.feature_featuretools import AROUND

MOST = {"sql": 1.2, "polars": 1.0}  # Leadline's CPU seconds over theirs
LEAST = {"pandas": 5.0, "featuretools": 50.0}  # theirs over Leadline's
# More take it too long: so many take minutes.
FEATURETOOLS_UNITS, FEATURETOOLS_REPEATS = 5_000, 1
NAMES = {
    "leadline": "Leadline",
    "alone": "Leadline, without the units",
    "sql": "one SQL script, DuckDB",
    "polars": "Polars, lazy and streaming",
    "pandas": "pandas",
    "featuretools": "Featuretools",
}


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """The contest on one delivery; the core tables are kept for another call."""
    scratch = given.scratch / f"features-{given.rows}"
    cores = _cores(given, scratch)
    if given.memory:
        os.environ["LEADLINE_MEMORY"] = given.memory  # DuckDB's, in Leadline and in SQL
    names = given.contenders.split(",") if given.contenders else CONTENDERS
    found = contest(cores, scratch / "runs", names, given.repeats)
    if given.rows <= FEATURETOOLS_UNITS:
        found["featuretools"] = versus_featuretools(
            cores, scratch / "runs", FEATURETOOLS_REPEATS
        )
    return {**found, "memory": given.memory}


def _cores(given: argparse.Namespace, scratch: Path) -> Path:
    """The core tables of the delivery, read once."""
    made = scratch / "cores"
    if not made.exists():
        delivery = given.data or scratch / "delivery"
        if not delivery.exists():
            from training.simulation import simulated

            simulated(given.model, units=given.rows, seed=given.seed, out=delivery)
        folder = prepared(delivery, scratch / "home")
        part = scratch / "cores.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for path in folder.glob("core_*.parquet"):
            path.replace(part / path.name)
        part.replace(made)
    return made


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    newest = found[-1]
    features = newest["features"]
    yield "## Features\n"
    yield (
        f"{len(features)} features of `vehicle_insurance` from "
        f"{_sources(newest)} sources, made by Leadline from the declaration and by hand in "
        "SQL (`benchmarks/feature_script.sql`), Polars and pandas, from the same core "
        "tables to one Parquet file ordered by unit. As a stage Leadline also writes the "
        "units with all their columns, which later stages read; a line of its own tells "
        "what it takes without them. Left out are the steps on graphs and texts. Seconds "
        "and peak memory are of the whole process, its start included."
    )
    for one in found:
        yield from _one(one)
    yield "\nThe features: " + ", ".join(f"`{name}`" for name in features) + "."


def _sources(found: dict[str, Any]) -> int:
    return len([name for name in found["rows"] if name != "core_medical"])


def _one(found: dict[str, Any]) -> Iterator[str]:
    rows = sum(found["rows"].values())
    repeats = len(found["runs"]["leadline"])
    taken = "one run" if repeats == 1 else f"medians of {repeats} runs in turns"
    limit = f", DuckDB limited to {found['memory']}" if found.get("memory") else ""
    yield f"\n### {found['units']:,} units, {rows:,} rows\n"
    said = (
        f"{found['date']}, {found['machine']}, `{found['command']}`, seed {found['seed']}; "
        f"{taken}{limit}. {found.get('note', '')}"
    )
    yield said.rstrip() + "\n"
    yield from pages.table(_table(found["medians"], found["different"]))
    yield ""
    yield from pages.table(_targets(found))
    if "featuretools" in found:
        other = found["featuretools"]
        runs = len(other["runs"]["featuretools"])
        around = [name for name in other["features"] if name in AROUND]
        yield (
            f"\nAgainst Featuretools, {len(other['features'])} features that it can "
            f"express, {len(around) or 'none'} of them in windows around each claim's date "
            "(by its cutoff times), of claims that are derived already; all of Leadline's "
            f"features are in its time. {'One run' if runs == 1 else f'{runs} runs'}.\n"
        )
        yield from pages.table(_table(other["medians"], other["different"]))


def _table(
    medians: dict[str, dict[str, float]], different: dict[str, int]
) -> pd.DataFrame:
    ours = medians["leadline"]
    return pd.DataFrame(
        [
            {
                "": NAMES[name],
                "cpu s": f"{one['cpu s']:,.1f}",
                "wall s": f"{one['wall s']:,.1f}",
                "peak GiB": f"{one['peak GiB']:.2f}",
                "cpu, of Leadline's": f"{one['cpu s'] / ours['cpu s']:.2f}",
                "wall, of Leadline's": f"{one['wall s'] / ours['wall s']:.2f}",
                f"cells that differ (over {TOLERANCE:g})": different.get(name, ""),
            }
            for name, one in medians.items()
        ]
    )


def _targets(found: dict[str, Any]) -> pd.DataFrame:
    """Target, reached, figure: by CPU seconds."""
    medians = found["medians"]
    ours = medians["leadline"]
    rows = []
    for name, most in MOST.items():
        for own in ("leadline", "alone"):
            if own in medians:
                ratio = medians[own]["cpu s"] / medians[name]["cpu s"]
                without = "" if own == "leadline" else "without the units, "
                target = f"{without}at most {most} times the CPU of {NAMES[name]}"
                rows.append((target, ratio <= most, ratio))
    peaks = ours["peak GiB"], medians["polars"]["peak GiB"]
    rows.append(
        ("less peak memory than Polars", peaks[0] < peaks[1], peaks[0] / peaks[1])
    )
    for name, least in LEAST.items():
        theirs = (
            found["featuretools"]["medians"]
            if name == "featuretools" and ("featuretools" in found)
            else medians
        )
        if name in theirs:
            ratio = theirs[name]["cpu s"] / theirs["leadline"]["cpu s"]
            target = f"at least {least:.0f} times less CPU than {NAMES[name]}"
            rows.append((target, ratio >= least, ratio))
    shown = [
        (target, "yes" if ok else "no", f"{ratio:.2f}") for target, ok, ratio in rows
    ]
    return pd.DataFrame(shown, columns=["target", "reached", "ratio"])
