"""Detection on the shared sets under ADBench's protocol, beside its competitors.

`python -m benchmarks.detection` runs what is missing and writes docs/evaluation/detection.md.
Results are kept in var/bench/detection.tsv, one row a method, set, mode, seed and share, with
a hash of the method's source: a stopped run goes on where it stood, and a changed method is
measured again. Several runs may write at the same time.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks import pages
from benchmarks.detection_harness import (
    MODES,
    SHARES,
    Sample,
    Task,
    eligible,
    failed,
    figures,
    load,
    sets,
    time_limit,
)
from benchmarks.detection_methods import METHODS, Method
from benchmarks.detection_page import page

STORE = Path(__file__).parent.parent / "var" / "bench" / "detection.tsv"
KEY = ["method", "code", "dataset", "mode", "seed", "share"]
COLUMNS = [
    *KEY,
    *("n", "d", "anomalies", "labelled", "auc", "ap", "pk", "found60"),
    *("cpu", "wall", "first_seconds", "round_seconds", "status", "note", "at"),
]


def main() -> None:
    given = _arguments()
    methods = [METHODS[name] for name in given.methods]
    if not given.report:
        with threadpool_limits(1):
            for method in methods:
                _run_method(method, given)
    if not given.no_page:
        codes = {m.name: m.code() for m in METHODS.values() if m.missing is None}
        pages.write("detection", page(current(stored(), codes), given.seeds))


def stored() -> pd.DataFrame:
    """Every result so far; empty before the first run."""
    if not STORE.exists():
        return pd.DataFrame(columns=COLUMNS)
    return pd.read_csv(STORE, sep="\t", dtype={"code": str, "note": str})


def current(results: pd.DataFrame, codes: dict[str, str]) -> pd.DataFrame:
    """The newest result of each task, of the methods as they are now."""
    kept = results[results["code"] == results["method"].map(codes)]
    return kept.drop_duplicates(KEY, keep="last")


def tasks(method: Method, given: argparse.Namespace) -> Iterator[Task]:
    """The wanted tasks of one method, modes first, sets in ADBench's order."""
    for mode in given.modes:
        if mode in method.modes:
            shares = given.shares if mode == "semi" else [0.0]
            for dataset in given.sets or sets():
                for seed in given.seeds:
                    yield from (Task(mode, dataset, seed, share) for share in shares)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--modes", type=_words, default=list(MODES))
    parser.add_argument("--methods", type=_words, default=list(METHODS))
    parser.add_argument("--seeds", type=_integers, default=[1, 2, 3])
    parser.add_argument("--shares", type=_floats, default=list(SHARES))
    parser.add_argument("--sets", type=_words, help="short names; default: all")
    parser.add_argument("--report", action="store_true", help="write the page alone")
    parser.add_argument("--no-page", action="store_true", help="measure alone")
    given = parser.parse_args()
    unknown = set(given.methods) - set(METHODS) or set(given.modes) - set(MODES)
    if unknown:
        parser.error(f"unknown {sorted(unknown)}; known: {[*METHODS, *MODES]}")
    return given


def _run_method(method: Method, given: argparse.Namespace) -> None:
    """Measure what is not stored yet of one method."""
    wanted = list(tasks(method, given))
    if not wanted:
        return
    if method.missing:
        _say(f"{method.name}: skipped, {method.missing}")
        return
    code, done = method.code(), stored()
    keys = {tuple(k) for k in done[KEY].itertuples(index=False)}
    for task in wanted:
        key = (method.name, code, task.dataset, task.mode, task.seed, task.share)
        if key not in keys:
            row = dict(zip(KEY, key, strict=True)) | measured(method, task)
            _keep(row)
            shown = f"{row['auc']:.4f} {row['ap']:.4f} {row['wall']:.1f} s"
            _say(f"{'  '.join(map(str, key))}  {shown}  {row['status']}")


def measured(method: Method, task: Task) -> dict[str, Any]:
    """One method on one task; what fails, is cut off or left out scores as chance."""
    sample = load(task)
    wall, cpu = time.perf_counter(), time.process_time()
    status, note, found = _attempt(method, task, sample)
    return {
        **sample.facts,
        **found,
        "cpu": round(time.process_time() - cpu, 3),
        "wall": round(time.perf_counter() - wall, 3),
        "status": status,
        "note": " ".join(note.split())[:200],
        "at": f"{datetime.now():%Y-%m-%d %H:%M}",
    }


def _attempt(
    method: Method, task: Task, sample: Sample
) -> tuple[str, str, dict[str, Any]]:
    """Status, note and figures: done, or why not, with chance in their place."""
    chance = failed(task, sample)
    if not eligible(task, sample):
        return "ineligible", "", chance
    if method.max_columns and sample.train.shape[1] > method.max_columns:
        return "skipped", f"more than {method.max_columns} columns", chance
    try:
        with time_limit(method.limit):
            return "done", "", figures(method.scorer(), task, sample, method.per)
    except TimeoutError as error:
        return "capped", str(error), chance
    # A method of others may raise anything; the page lists what and where.
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}", chance


def _keep(row: dict[str, Any]) -> None:
    """Append one row in one write, so that runs side by side do not mix lines."""
    STORE.parent.mkdir(parents=True, exist_ok=True)
    head = "" if STORE.exists() else "\t".join(COLUMNS) + "\n"
    values = (row.get(column, "") for column in COLUMNS)
    line = "\t".join(str(v).replace("\t", " ") for v in values)
    with STORE.open("a", encoding="utf-8") as file:
        file.write(f"{head}{line}\n")


def _words(text: str) -> list[str]:
    return text.split(",")


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _floats(text: str) -> Sequence[float]:
    return [float(part) for part in text.split(",")]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
