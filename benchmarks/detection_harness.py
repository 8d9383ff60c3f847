"""ADBench's protocol on the shared sets: tasks, and what one method makes of one task.

The protocol itself (splits, labelled subsets, metrics, review rounds) is the shared
harness's; it lies beside the project and is imported from there.
"""

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Scorer = Callable[..., Array]

DATA = Path(os.environ.get("LEADLINE_SHARED_DATA", "../shared/data")).absolute()
TOOLS = DATA.parent / "tools" / "adbench"
MODES = ("split", "trans", "semi", "active")
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5)
# Feedback needs something to find: as in the harness, but small sets are kept, and are
# left out of the headline by the page.
MIN_ANOMALIES = 15
REVIEWS, CHECKPOINT = 100, 60


@dataclass(frozen=True, slots=True)
class Task:
    """One set, under one seed, in one mode; `share` of the anomalies is labelled."""

    mode: str
    dataset: str
    seed: int
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What a method is given (`train`, `rows`, `partial`), and the truth of `rows`."""

    train: Array
    rows: Array
    partial: npt.NDArray[np.int_] | None
    truth: npt.NDArray[np.int_]

    @property
    def facts(self) -> dict[str, int]:
        labelled = 0 if self.partial is None else int((self.partial == 1).sum())
        rows, columns = self.train.shape
        anomalies = int(self.truth.sum())
        return {"n": rows, "d": columns, "anomalies": anomalies, "labelled": labelled}


@cache
def harness() -> tuple[ModuleType, ModuleType]:
    """The shared modules `protocol` and `bench`, imported from where they lie."""
    os.environ.setdefault("ADBENCH_DIR", str(DATA / "adbench"))
    return _imported("protocol"), _imported("bench")


def sets() -> list[str]:
    """Short names of the shared sets, in ADBench's order."""
    protocol, _ = harness()
    return [protocol.short(name) for name in protocol.datasets()]


def load(task: Task) -> Sample:
    """The arrays of a task, by the harness's own calls in its own order."""
    protocol, _ = harness()
    name = next(n for n in protocol.datasets() if protocol.short(n) == task.dataset)
    if task.mode in ("trans", "active"):
        rows, truth = protocol.load_trans(name, task.seed)
        return Sample(rows, rows, None, truth)
    share = task.share or None
    train, _, partial, rows, truth = protocol.load_split(name, task.seed, share)
    return Sample(train, rows, partial if task.mode == "semi" else None, truth)


def figures(scorer: Scorer, task: Task, sample: Sample, per: int) -> dict[str, Any]:
    """AUC, AP, precision at k; in active mode area under the discovery curve, found, best."""
    if task.mode == "active":
        return _feedback(scorer, task, sample, per)
    protocol, _ = harness()
    extra = {} if sample.partial is None else {"y_partial": sample.partial}
    scores = scorer(sample.train, sample.rows, seed=task.seed, **extra)
    return dict(protocol.metrics(sample.truth, scores))


def failed(task: Task, sample: Sample) -> dict[str, float]:
    """What a method gets for a set on which it failed: chance, or nothing found."""
    if task.mode == "active":
        return {"auc": 0.0, "ap": 0.0, "pk": 0.0, "found60": 0.0}
    prevalence = float(sample.truth.mean())
    return {"auc": 0.5, "ap": prevalence, "pk": prevalence}


def eligible(task: Task, sample: Sample) -> bool:
    """Is there anything to measure: an anomaly at all, enough of them for feedback."""
    needed = MIN_ANOMALIES if task.mode == "active" else 1
    return int(sample.truth.sum()) >= needed


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after `seconds` of the processor, once compiled code returns."""

    def over(*_: object) -> None:
        raise TimeoutError(f"over {seconds} s of the processor")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _feedback(scorer: Scorer, task: Task, sample: Sample, per: int) -> dict[str, Any]:
    """Rounds of `per` reviews; the harness draws, a wrapper looks on."""
    _, bench = harness()
    watched = _Watched(scorer)
    found = bench.active(
        watched, sample.rows, sample.truth, task.seed, REVIEWS // per, per
    )
    later = watched.seconds[1:] or watched.seconds
    return {
        **found,
        "found60": watched.found60 if watched.found60 is not None else found["ap"],
        "first_seconds": watched.seconds[0],
        "round_seconds": float(np.median(later)),
    }


class _Watched:
    """Passes a scorer through; notes seconds a call and hits after 60 reviews."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.seconds: list[float] = []
        self.found60: int | None = None

    def __call__(self, train: Array, rows: Array, **given: Any) -> Array:
        reviewed = given["y_partial"]
        if self.found60 is None and (reviewed >= 0).sum() >= CHECKPOINT:
            self.found60 = int((reviewed == 1).sum())
        started = time.perf_counter()
        scores = self.scorer(train, rows, **given)
        self.seconds.append(time.perf_counter() - started)
        return scores


def _imported(name: str) -> ModuleType:
    place = TOOLS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None or not place.exists():
        raise FileNotFoundError(f"{place}: set LEADLINE_SHARED_DATA to the shared data")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # bench.py imports protocol by this name
    spec.loader.exec_module(module)
    return module
