"""The section on sizes: what a province and a nation need, from what one machine took.

Nothing here is measured: it is arithmetic on the largest measured flow of a model, with
its assumptions beside it.
"""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks import pages, performance_spark

MODEL = "vehicle_insurance"
SIZES = {"a county": 1e6, "a province": 300e6, "the nation": 10e9}
HOURS = 6  # a night's window
BUSY = 0.6  # of the cores' time, on average over stages
# CPU of a distributed engine over that of DuckDB for the same rows, until it is measured.
ASSUMED = 2.0
BYTES_A_PAIR, PAIRS_A_UNIT = 40, 12.7  # features/graph.py; measured on simulated claims
BYTES_A_UNIT = 150  # flows/scored.py
CORES_A_MACHINE = 32


def lines(flows: list[dict[str, Any]], spark: list[dict[str, Any]]) -> Iterator[str]:
    """The page's last part, from the largest flow of MODEL and the largest on Spark."""
    own = [one for one in flows if one["model"] == MODEL]
    if not own:
        return
    largest = max(own, key=lambda one: one["units"])
    times, known = _distributed([one for one in spark if one["model"] == MODEL])
    yield "## Sizes\n"
    yield (
        f"From the flow of {largest['units']:,} units above. A row is a unit; each stands "
        "with 5.5 source rows that are read and joined. Below the line all is arithmetic: "
        f"a night of {HOURS} hours, cores busy {BUSY:.0%} of it, a distributed engine "
        f"taken to need {times:.1f} times DuckDB's CPU for the same rows ({known}), "
        f"machines of {CORES_A_MACHINE} cores.\n"
    )
    yield from pages.table(pd.DataFrame(_stages(largest)))
    yield ""
    yield from pages.table(pd.DataFrame(_sized(largest, times)))
    yield from _breaks(largest, times)


def _distributed(spark: list[dict[str, Any]]) -> tuple[float, str]:
    """How many times DuckDB's CPU a cluster needs, and whence that is known."""
    if not spark:
        return ASSUMED, "an assumption"
    largest = max(spark, key=lambda one: one["units"])
    # Rounded as it is shown: the arithmetic is to be followed with what stands there.
    times = round(performance_spark.ratio(largest), 1)
    return times, f"measured at {largest['units']:,} units above"


def _stages(flow: dict[str, Any]) -> Iterator[dict[str, str]]:
    millions = flow["units"] / 1e6
    for stage in flow["stages"]:
        yield {
            "stage": stage["stage"],
            "CPU s a million units": f"{stage['cpu s'] / millions:,.1f}",
            "peak GiB at this size": f"{stage['peak GiB']:.1f}",
        }
    yield {
        "stage": "all",
        "CPU s a million units": f"{flow['cpu s'] / millions:,.1f}",
        "peak GiB at this size": f"{flow['peak GiB']:.1f}",
    }


def _sized(flow: dict[str, Any], times: float) -> Iterator[dict[str, str]]:
    each = flow["cpu s"] / flow["units"]
    for name, units in SIZES.items():
        alone = units * each
        cores = units * each * times / (HOURS * 3600 * BUSY)
        yield {
            "": f"{name}, {units:,.0f} units a night",
            "CPU hours, one machine's engine": f"{alone / 3600:,.1f}",
            "cores of a cluster": f"{math.ceil(cores):,}",
            "machines": f"{math.ceil(cores / CORES_A_MACHINE):,}",
            "graph in one task": f"{units * PAIRS_A_UNIT * BYTES_A_PAIR / 2**30:,.0f} GiB",
            "ranks in one task": f"{units * BYTES_A_UNIT / 2**30:,.1f} GiB",
        }


def _breaks(flow: dict[str, Any], times: float) -> Iterator[str]:
    most = max(flow["stages"], key=lambda stage: stage["peak GiB"])
    yield (
        "\nCPU hours = units x CPU seconds a unit / 3600. Cores = units x CPU seconds a "
        f"unit x {times:.1f} / ({HOURS} x 3600 x {BUSY}). Graph = units x {PAIRS_A_UNIT} "
        f"pairs x {BYTES_A_PAIR} bytes. Ranks = units x {BYTES_A_UNIT} bytes.\n\n"
        f"What breaks first on one machine is {most['stage']}, which took most memory "
        f"({most['peak GiB']:.1f} GiB). On a cluster it is what one task holds as a whole: "
        "the graph of associations, the pairs of records that linking compares, then the "
        "ranks among all units. At a province's size the graph needs a worker with that "
        "much memory. At the nation's no worker has it: each province has to be scored by "
        "itself, and ties between provinces are not seen."
    )
