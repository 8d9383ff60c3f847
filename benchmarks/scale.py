"""Cost of detectors and ranker on a large list, each measurement in a process of its own.

`python -m benchmarks.scale` writes docs/evaluation/scale.md: fitting, scoring and learning
on 1,000,000 x 30 simulated rows; the forest alone beside scikit-learn's; and refitting the
ranker for lists of 10,000 and 1,000,000 units. One thread; seconds of the processor.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks import pages
from training.preprocess import Vector

ROWS, COLUMNS, SMALL, RULES = 1_000_000, 30, 10_000, 5
REVIEWED = (100, 300)
FOREST_ROWS, TREES, SAMPLE = 200_000, 200, 256
KIB_PER_GIB = 1024**2
CPU_MINUTES, PEAK_GIB, ROWS_PER_SECOND = 12.0, 6.0, 10_000
REFIT = {SMALL: 1.0, ROWS: 60.0}  # seconds allowed, by units of the list

Stages = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--child", nargs="+", help="one measurement, as JSON")
    given = parser.parse_args()
    if given.child:
        with threadpool_limits(1):
            name, rows = given.child
            print(json.dumps(CHILDREN[name](int(rows))))  # noqa: T201
        return
    _measured("lists", SMALL // 10)  # compiled code is kept for the runs that count
    lists = [_measured("lists", rows) for rows in (SMALL, given.rows)]
    forests = [_measured(name, min(FOREST_ROWS, given.rows)) for name in FORESTS]
    lines = _page(given.rows, lists, [stage for found in forests for stage in found])
    if given.rows == ROWS:
        pages.write("scale", lines)
    else:
        print("\n".join(lines))  # noqa: T201


def simulated(rows: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, Vector]:
    """Features (money, counts, shares, flags; 2 % unknown), rule flags, planted truth.

    One row in a hundred is odd in three of its columns.
    """
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(rows, 5))
    values = common[:, rng.integers(5, size=COLUMNS)] * 0.6
    values += rng.normal(scale=0.8, size=(rows, COLUMNS))
    truth = rng.random(rows) < 0.01
    odd = np.flatnonzero(truth)
    for _ in range(3):
        values[odd, rng.integers(COLUMNS, size=len(odd))] += rng.normal(4, 1, len(odd))
    values[:, :10] = np.exp(values[:, :10])
    values[:, 10:18] = np.floor(np.exp(values[:, 10:18]))
    values[:, 26:] = values[:, 26:] > 1.5
    values[rng.random((rows, COLUMNS)) < 0.02] = np.nan
    units = pd.Index([f"u{i:07d}" for i in range(rows)], name="unit_id")
    features = pd.DataFrame(values, units, [f"x{i}" for i in range(COLUMNS)])
    chance = np.where(truth, 0.2, 0.02)
    fired = rng.random((rows, RULES)) < chance[:, None]
    flags = pd.DataFrame(fired, units, [f"R{i}" for i in range(RULES)])
    return features, flags, truth.astype(np.float64)


def _lists(rows: int) -> Stages:
    """The product's scorer: fit, score, learn from reviews of the head, score again."""
    from training.fusion import Rule
    from training.model import LeadScorer

    compiled, *_ = simulated(500)
    _warm(compiled)
    features, flags, truth = simulated(rows)
    rules = tuple(Rule(code, 2, 0.1) for code in flags)
    clock = _Clock(rows)
    scorer = LeadScorer(rules).fit(features, flags)
    clock.stage("fit detectors, rules and neighbours")
    scores = scorer.score(features, flags)
    clock.stage("score, before any review")
    for reviewed in REVIEWED:
        y = _reviews(scores, features.index, truth, reviewed)
        clock.skip()
        told = scorer.tell(features, flags, scores)
        learnt = scorer.learn(features, flags, y, told=told)
        clock.stage(f"refit the ranker on {reviewed} reviews")
    learnt.score(features, flags)
    clock.stage("score, after the reviews")
    return clock.stages


def _reviews(
    scores: pd.DataFrame, units: pd.Index, truth: Vector, reviewed: int
) -> Vector:
    """Outcomes of the head of the list; NaN for the others."""
    head = units.get_indexer(scores["unit_id"].head(reviewed))
    y = np.full(len(units), np.nan)
    y[head] = truth[head]
    return y


def _forest(make: Callable[[], Any], score: str, name: str) -> Callable[[int], Stages]:
    def measure(rows: int) -> Stages:
        from training.preprocess import Preprocessor

        features, *_ = simulated(rows)
        matrix = Preprocessor().fit(features).transform(features)
        getattr(make().fit(matrix[:2_000]), score)(matrix[:2_000])  # compiled by now
        clock = _Clock(rows)
        forest = make().fit(matrix)
        clock.stage(f"{name}: fit")
        getattr(forest, score)(matrix)
        clock.stage(f"{name}: score")
        return clock.stages

    return measure


def _cut_forest() -> Any:
    from training.detectors import CutForest

    return CutForest(trees=TREES, sample=SAMPLE)


def _leaf_density() -> Any:
    from training.detectors import LeafDensity

    return LeafDensity(trees=TREES, sample=SAMPLE)


def _sklearn_forest() -> Any:
    from sklearn.ensemble import IsolationForest

    return IsolationForest(n_estimators=TREES, max_samples=SAMPLE, random_state=0)


FORESTS: dict[str, Callable[[int], Stages]] = {
    "sklearn": _forest(_sklearn_forest, "score_samples", "scikit-learn"),
    "cuts": _forest(_cut_forest, "score", "Leadline, forest of cuts"),
    "density": _forest(_leaf_density, "score", "Leadline, density of leaves"),
}
CHILDREN: dict[str, Callable[[int], Stages]] = {"lists": _lists, **FORESTS}


def _warm(features: pd.DataFrame) -> None:
    """Let the compiled parts be compiled or loaded; that is paid once an installation."""
    from training.ensemble import Ensemble
    from training.preprocess import Preprocessor

    matrix = Preprocessor().fit(features).transform(features)
    Ensemble().fit(matrix).member_scores(matrix)


class _Clock:
    """Stages with their seconds of processor and wall, and the peak memory so far."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.stages: Stages = []
        self.skip()

    def skip(self) -> None:
        """What was done since the last stage is not counted."""
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def stage(self, name: str) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GIB
        cpu = time.process_time() - self.cpu
        wall = time.perf_counter() - self.wall
        self.stages.append(
            {
                "stage": name,
                "rows": self.rows,
                "cpu s": cpu,
                "wall s": wall,
                "rows a cpu s": self.rows / cpu,
                "peak GiB": peak,
            }
        )
        self.skip()


def _measured(child: str, rows: int) -> Stages:
    """What a process of its own says of one measurement."""
    command = [sys.executable, "-m", "benchmarks.scale", "--child", child, str(rows)]
    single = {f"{n}_NUM_THREADS": "1" for n in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    said = subprocess.run(  # noqa: S603
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | single
    )
    found: Stages = json.loads(said.stdout.splitlines()[-1])
    return found


def _page(rows: int, lists: list[Stages], forests: Stages) -> Iterator[str]:
    yield "# Cost\n"
    yield (
        f"Generated by `python -m benchmarks.scale` on {date.today()}, {pages.machine()} shared "
        f"with other work; one thread. Simulated rows, {COLUMNS} columns of money, counts, "
        f"shares and flags, 2 % unknown; {RULES} rules; the ranker learns from reviews of the "
        "head of the list. `peak` is of the whole process, with the data.\n"
    )
    yield "## Targets\n"
    yield from pages.table(_targets(rows, lists, forests))
    yield "\n## Stages\n"
    yield from pages.table(_shown([stage for found in lists for stage in found]))
    yield f"\n## The forest alone, {TREES} trees of {SAMPLE} rows\n"
    yield from pages.table(_shown(forests))


def _targets(rows: int, lists: list[Stages], forests: Stages) -> pd.DataFrame:
    """Target, reached, figure."""
    small, large = lists
    minutes = sum(stage["cpu s"] for stage in large) / 60
    peak = max(stage["peak GiB"] for stage in large)
    speed = min(s["rows a cpu s"] for s in large if s["stage"].startswith("score"))
    scored = {
        s["stage"].partition(":")[0]: s["rows a cpu s"]
        for s in forests
        if s["stage"].endswith("score")
    }
    ours, theirs = scored["Leadline, forest of cuts"], scored["scikit-learn"]
    lines = [
        (
            f"ensemble and ranker, fit and score {rows:,} x {COLUMNS}: at most "
            f"{CPU_MINUTES:.0f} CPU-minutes",
            minutes <= CPU_MINUTES,
            f"{minutes:.1f}",
        ),
        (f"peak at most {PEAK_GIB:.0f} GiB", peak <= PEAK_GIB, f"{peak:.1f}"),
        (
            f"scoring alone at least {ROWS_PER_SECOND:,} rows a CPU-second",
            speed >= ROWS_PER_SECOND,
            f"{speed:,.0f}",
        ),
        (
            "the forest scores at least as many rows a CPU-second as scikit-learn's",
            ours >= theirs,
            f"{ours:,.0f} against {theirs:,.0f}",
        ),
    ]
    for stage in (*small, *large):
        if stage["stage"].startswith("refit"):
            most = REFIT[SMALL if stage["rows"] == SMALL else ROWS]
            target = f"{stage['stage']}, {stage['rows']:,} units, in {most:.0f} s"
            lines.append((target, stage["cpu s"] <= most, f"{stage['cpu s']:.2f} s"))
    rows_ = [(target, "yes" if ok else "no", figure) for target, ok, figure in lines]
    return pd.DataFrame(rows_, columns=["target", "reached", "figure"])


def _shown(stages: Stages) -> pd.DataFrame:
    frame = pd.DataFrame(stages)
    for column, digits in (("cpu s", 1), ("wall s", 1), ("rows a cpu s", 0)):
        frame[column] = frame[column].map(lambda v, d=digits: f"{v:,.{d}f}")
    frame["rows"] = frame["rows"].map("{:,}".format)
    return frame.assign(**{"peak GiB": frame["peak GiB"].map("{:.2f}".format)})


if __name__ == "__main__":
    main()
