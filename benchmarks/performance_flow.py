"""The section on the whole flow: `leadline score` on one machine, stage by stage.

A champion is trained on a small delivery first, once; then the flow scores the delivery
in a process of its own, under a memory limit of the engine. Its stages are the lines that
it writes to standard error; a thread reads what the process and its children use.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks import pages
from benchmarks.processes import memory

CHAMPION_UNITS = 20_000
EVERY = 0.2  # seconds between two looks at the process
_LINE = re.compile(r"^\s*([\d.]+) s  (.*?)\s*$")
_TICKS = os.sysconf("SC_CLK_TCK")
# What the flow says by its first word, and the stage that a page names.
STAGES = {
    "start": "start",
    "reading": "reading",
    "linking": "linking",
    "building": "features",
    "applying": "rules",
    "loading": "scoring",
    "scoring": "scoring",
    "scored": "scoring",
    "explaining": "explaining",
    "looking": "groups",
    "publishing": "publishing",
    "writing": "publishing",
    # Stages that an earlier run had finished, see `flows.steps`.
    "link": "linking",
    "features": "features",
    "rules": "rules",
    "score": "scoring",
    "groups": "groups",
}
MOST_GROWTH, GROWTH_OVER = 11.0, (1_000_000, 10_000_000)
MOST_GIB = 16.0
PICTURE = "performance.png"


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Stages of one scoring: name, wall and CPU seconds, peak GiB while it ran.

    Raises:
        SystemExit: no delivery was named.
        subprocess.CalledProcessError: the flow failed.
    """
    delivery = named(given)
    return {"memory": given.memory, **run(given, trained(given), delivery)}


def named(given: argparse.Namespace) -> Path:
    """The delivery that is measured.

    Raises:
        SystemExit: none was named.
    """
    if given.data is None:
        raise SystemExit(
            f"--section {given.section} measures a delivery: give --data DIR"
        )
    data: Path = given.data
    return data


def run(
    given: argparse.Namespace, home: Path, delivery: Path, *options: str, **further: str
) -> dict[str, Any]:
    """One scoring by a home's champion: its stages, and what it took as a whole.

    Args:
        options: of the command.
        further: of its environment.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    settings = {"LEADLINE_HOME": str(home), **further}
    if given.memory:
        settings["LEADLINE_MEMORY"] = given.memory
    command = [leadline(), "score", given.model, "--data", str(delivery), *options]
    stages, whole = watched(command, os.environ | settings)
    return {"stages": stages, **whole}


def written(home: Path, model: str, table: str) -> list[Path]:
    """A table of every run whose work folder is there, by the time of the run."""
    runs = (home / "var" / "work" / model).glob(f"[0-9]*/{table}.parquet")
    return sorted(runs, key=lambda path: path.parent.name)


def trained(given: argparse.Namespace) -> Path:
    """A home with a champion, trained once on a small delivery, and nothing kept."""
    home: Path = (given.scratch / f"flow-{given.model}").resolve()
    if not (home / "champion").exists():
        _train(given, home, os.environ | {"LEADLINE_HOME": str(home)})
    shutil.rmtree(home / "var" / "work", ignore_errors=True)
    return home


def copied(home: Path, name: str) -> Path:
    """The same home beside it, with nothing kept of any stage."""
    other = home.with_name(f"{home.name}-{name}")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(home, other, ignore=shutil.ignore_patterns("work"))
    return other


def leadline() -> str:
    return str(Path(sys.executable).with_name("leadline"))


def _train(given: argparse.Namespace, home: Path, environment: dict[str, str]) -> None:
    """A champion from another delivery of the same kind."""
    delivery = home / "champion.part"
    units = ["--units", str(CHAMPION_UNITS), "--seed", str(given.seed + 1)]
    simulate = ["simulate", given.model, *units, "--out", str(delivery)]
    train = ["train", given.model, "--data", str(delivery), "--promote"]
    for command in (simulate, train):
        subprocess.run([leadline(), *command], check=True, env=environment)  # noqa: S603
    delivery.rename(home / "champion")


def watched(
    command: list[str], environment: dict[str, str]
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The stages of a command that it names on standard error, and its whole cost."""
    process = subprocess.Popen(  # noqa: S603
        command, env=environment, stderr=subprocess.PIPE, text=True
    )
    watch = Watch(process.pid)
    watch.start()
    stages: list[dict[str, Any]] = [{"stage": "start", **watch.now()}]
    assert process.stderr is not None  # noqa: S101
    for line in process.stderr:
        found = _LINE.match(line)
        if found:
            stages.append({"stage": found[2], **watch.now()})
        else:
            sys.stderr.write(line)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    end = watch.stop()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    whole = {
        "wall s": end["at"],
        # A server of Java is nobody's child when it ends: it counts as it was last seen.
        "cpu s": max(used.ru_utime + used.ru_stime, end["cpu"]),
        "peak GiB": max(one["peak"] for one in (*stages, end)),
    }
    return list(spans(stages, end)), whole


def spans(
    stages: list[dict[str, Any]], end: dict[str, float]
) -> Iterator[dict[str, Any]]:
    """Of each stage what passed until the next began; equal names are added up.

    Raises:
        KeyError: a step that STAGES does not know.
    """
    found: dict[str, dict[str, Any]] = {}
    for begun, after in zip(stages, [*stages[1:], end], strict=True):
        name = STAGES[begun["stage"].split()[0].rstrip(":")]
        one = found.setdefault(
            name, {"stage": name, "wall s": 0.0, "cpu s": 0.0, "peak GiB": 0.0}
        )
        one["wall s"] += after["at"] - begun["at"]
        one["cpu s"] += after["cpu"] - begun["cpu"]
        one["peak GiB"] = max(one["peak GiB"], after["peak"])
    yield from found.values()


class Watch(threading.Thread):
    """What a process and its children use, looked at every fifth of a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._began = pid, time.perf_counter()
        self._peak = self._cpu = 0.0
        self._lock, self._ended = threading.Lock(), threading.Event()

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            self._look()

    def now(self) -> dict[str, float]:
        """Seconds since the start, CPU seconds so far, peak GiB since the last call."""
        self._look()
        with self._lock:
            peak, self._peak = self._peak, 0.0
            at = time.perf_counter() - self._began
            return {"at": at, "cpu": self._cpu, "peak": peak}

    def stop(self) -> dict[str, float]:
        self._ended.set()
        return self.now()

    def _look(self) -> None:
        seen = [found for pid in _family(self._pid) if (found := usage(pid))]
        if not seen:
            return
        with self._lock:
            # A child that has ended is counted by its parent from then on.
            self._cpu = max(self._cpu, sum(cpu for cpu, _ in seen))
            self._peak = max(self._peak, sum(gib for _, gib in seen))


def usage(pid: int) -> tuple[float, float] | None:
    """CPU seconds, with those of ended children, and resident GiB; None if it ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        gib = memory(pid, "VmRSS")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold blanks; user, system and the children's times follow.
    times = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, times)) / _TICKS, gib


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [(task / "children").read_text(encoding="utf-8") for task in tasks]
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in " ".join(children).split():
        yield from _family(int(child))


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "## The whole flow\n"
    yield (
        "`leadline score` in a process of its own, scored by a champion that was trained on "
        f"{CHAMPION_UNITS:,} other units. `peak` is the resident memory of the process and "
        "its children, looked at every fifth of a second."
    )
    yield f"\n![CPU minutes and peak memory against units]({PICTURE})\n"
    yield "### By the number of units\n"
    yield from pages.table(pd.DataFrame([_whole(one) for one in found]))
    targets = pd.DataFrame(_targets(found), columns=["target", "reached", "figure"])
    if len(targets):
        yield ""
        yield from pages.table(targets)
    for one in found:
        yield f"\n### {one['model']}, {one['units']:,} units\n"
        yield how(one)
        yield from pages.table(pd.DataFrame([_shown(s) for s in one["stages"]]))


def how(one: dict[str, Any]) -> str:
    """When, where and by which command something was measured, and what is to be known."""
    limit = f", DuckDB limited to {one['memory']}" if one["memory"] else ""
    said = f"{one['date']}, {one['machine']}, `{one['command']}`{limit}."
    return f"{said} {one.get('note', '')}".rstrip() + "\n"


def cpu_by_stage(runs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """CPU seconds by stage, a column a run; `all` in the end, 0 where a run names none."""
    columns = {
        name: {stage["stage"]: stage["cpu s"] for stage in run["stages"]}
        | {"all": run["cpu s"]}
        for name, run in runs.items()
    }
    return pd.DataFrame(columns).fillna(0.0).rename_axis("CPU seconds")


def _targets(found: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Growth and memory of each model that was measured at both sizes."""
    by_size = {(one["model"], one["units"]): one for one in found}
    small, large = GROWTH_OVER
    for model in sorted({one["model"] for one in found}):
        few, many = by_size.get((model, small)), by_size.get((model, large))
        if many is None:
            continue
        peak = many["peak GiB"]
        target = f"{model}: peak at {large:,} at most {MOST_GIB:.0f} GiB"
        yield target, "yes" if peak <= MOST_GIB else "no", f"{peak:.1f}"
        if few is not None:
            # Wall seconds of a shared machine would compare its other work.
            ratio = many["cpu s"] / few["cpu s"]
            target = f"{model}: cpu s from {small:,} to {large:,}"
            target += f" at most {MOST_GROWTH:.0f} times"
            yield target, "yes" if ratio <= MOST_GROWTH else "no", f"{ratio:.1f}"


def plot(found: list[dict[str, Any]], path: Path) -> None:
    """CPU minutes and peak memory against units, both on logarithmic axes."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    cost, peak = figure.subplots(1, 2)
    for model in sorted({one["model"] for one in found}):
        own = [one for one in found if one["model"] == model]
        units = [one["units"] for one in own]
        cost.loglog(units, [one["cpu s"] / 60 for one in own], "o-", label=model)
        peak.loglog(units, [one["peak GiB"] for one in own], "o-", label=model)
    for axes, title in ((cost, "CPU minutes"), (peak, "peak GiB")):
        axes.set(title=title, xlabel="units")
        axes.grid(visible=True, which="major", linewidth=0.4)
    peak.axhline(MOST_GIB, color="grey", linestyle="--", linewidth=0.8)
    cost.legend(frameon=False)
    figure.savefig(path, dpi=120)


def _whole(one: dict[str, Any]) -> dict[str, str]:
    per_million = one["cpu s"] / one["units"] * 1e6 / 60
    return {
        "model": one["model"],
        "units": f"{one['units']:,}",
        "memory limit": one["memory"] or "none",
        **_figures(one),
        "cpu minutes a million units": f"{per_million:,.1f}",
    }


def _shown(stage: dict[str, Any]) -> dict[str, str]:
    return {"stage": stage["stage"], **_figures(stage)}


def _figures(one: dict[str, Any]) -> dict[str, str]:
    return {
        "cpu s": f"{one['cpu s']:,.1f}",
        "wall s": f"{one['wall s']:,.1f}",
        "peak GiB": f"{one['peak GiB']:.2f}",
    }
