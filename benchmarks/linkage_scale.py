"""Time and memory of linking large registers, each linker in a process of its own."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.linkage_data import DEVELOPMENT_SEEDS, chinese

SIZES = (100_000, 500_000, 1_000_000)  # of each register; the second: 1 M records
KIB_PER_GIB = 1024**2


def scale_rows() -> list[dict[str, Any]]:
    """One row per size and linker; the records are drawn once, outside its process."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            started = time.perf_counter()
            held = Path(folder) / "sample.pickle"
            held.write_bytes(pickle.dumps(chinese(size, DEVELOPMENT_SEEDS[0])))
            drawn = time.perf_counter() - started
            for linker in ("plain", "leadline"):
                rows.append(
                    {"records": _title(size), "linker": linker}
                    | _measured(linker, held)
                    | {"drawn in, s": f"{drawn:.0f}"}
                )
    return rows


def _title(size: int) -> str:
    whole = "Linking 1 M records: " if 2 * size == 1_000_000 else ""
    return f"{whole}{size:,} x {size:,}"


def _measured(linker: str, held: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.linkage_scale", linker, str(held)]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, stdout=output)  # noqa: S603
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if child.returncode:
        return {"wall, s": "failed", "processor, s": "", "peak, GiB": ""}
    said_by_child: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {
        "wall, s": f"{time.perf_counter() - started:.0f}",
        "processor, s": f"{usage.ru_utime + usage.ru_stime:.0f}",
    } | said_by_child


def _child(linker: str, held: Path) -> None:
    from benchmarks import linkage_systems
    from benchmarks.linkage_metrics import cluster_quality
    from benchmarks.linkage_systems import connected

    sample = pickle.loads(held.read_bytes())  # noqa: S301  written by our parent
    if linker == "plain":
        found = linkage_systems.plain(sample)
    else:
        found = linkage_systems.leadline(sample, curve=False)
    sure = found.pairs[found.pairs["probability"] >= 0.95]
    cluster = found.cluster
    if cluster is None:
        cluster = connected(sure, len(sample.entity))
    quality = cluster_quality(cluster, sample.entity, sample.source)
    result = {
        "peak, GiB": f"{_peak() / KIB_PER_GIB:.1f}",
        "precision": quality.precision,
        "recall": quality.recall,
    }
    print(json.dumps(result))  # noqa: T201


def _peak() -> int:
    """KiB; what the system says of a child counts what its parent held at the start."""
    told = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in told if line.startswith("VmHWM:"))
    return int(line.split()[1])


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]))
