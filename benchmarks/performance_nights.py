"""The section on nights: a delivery with 1 % that is new or changed, after a full run.

The night is scored twice: where the last night's finished stages are kept, and in a home
that has nothing but the champion. Both publish; the lists have to be the same. Which units
the night gave other features, and how many it had to score, stands beside it.
"""

import argparse
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import pages
from benchmarks.performance_flow import (
    copied,
    cpu_by_stage,
    leadline,
    run,
    trained,
    written,
)

PARTS = 10
SHOWN = 7  # features that moved


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """What the first run, the night after it and the same night from nothing cost.

    Raises:
        SystemExit: both ways did not give the same scores.
        subprocess.CalledProcessError: a run failed.
    """
    home = trained(given)
    delivery = given.scratch.resolve() / f"nights-{given.model}-{given.rows}"
    if not delivery.exists():
        _simulate(given, delivery)
    night = delivery.with_name(delivery.name + "-night1")
    fresh = copied(home, "fresh")
    runs = {
        "the delivery, nothing kept": run(given, home, delivery),
        "the night after it": run(given, home, night),
        "the same night, nothing kept": run(given, fresh, night),
    }
    same = _scores(home, given.model) == _scores(fresh, given.model)
    if not same:
        raise SystemExit("the night's list differs from that of a run from nothing")
    before, after = written(home, given.model, "feature_matrix")[-2:]
    found = moved(before, after) | {"scored": scored(before.parent, after.parent)}
    return {"memory": given.memory, "runs": runs, "moved": found}


def moved(before: Path, after: Path) -> dict[str, Any]:
    """Of the units of both matrices, the share whose features are not what they were.

    Returns:
        `units` of both; `any`, the share with a feature that moved; `features`, the share
        by feature, of those that moved, the largest first; `columns`, how many there are.
    """
    one, other = (
        pd.read_parquet(path).set_index("unit_id") for path in (before, after)
    )
    units = one.index.intersection(other.index)
    left, right = (
        m.loc[units].drop(columns="as_of").astype(float) for m in (one, other)
    )
    differ = (left != right) & ~(left.isna() & right.isna())
    shares = differ.mean().sort_values(ascending=False, kind="stable")
    shares = shares[shares > 0]
    return {
        "units": len(units),
        "any": float(differ.any(axis=1).mean()),
        "features": {str(name): float(share) for name, share in shares.items()},
        "columns": differ.shape[1],
    }


def scored(before: Path, after: Path) -> float:
    """The share of a night's units whose row is not that of the run before.

    Args:
        before, after: the work folders of both.
    """
    then, now = _rows(before), _rows(after)
    return float((then.reindex(now.index) != now).mean())


def _rows(folder: Path) -> "pd.Series[int]":
    """The digest of each unit's row, by unit_id."""
    (digests,) = folder.glob("row_digests-*.parquet")
    units = pd.read_parquet(folder / "scores.parquet", columns=["unit_id"])["unit_id"]
    # As Python's integers: a float, which a missing one makes of them, would round them.
    rows = pd.read_parquet(digests)["digest"].astype(object)
    return rows.set_axis(pd.Index(units))


def _simulate(given: argparse.Namespace, out: Path) -> None:
    form = f"parquet,excerpt,parts={PARTS},nights=1"
    asked = ["--units", str(given.rows), "--seed", str(given.seed), "--format", form]
    command = [leadline(), "simulate", given.model, *asked, "--out", str(out)]
    subprocess.run(command, check=True)  # noqa: S603


def _scores(home: Path, model: str) -> bytes:
    """The scores of the newest run, as they lie in its work folder."""
    return written(home, model, "scores")[-1].read_bytes()


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "## A night with 1 % that is new or changed\n"
    yield (
        f"Each table comes in {PARTS} part files. The night brings one new part of each "
        "table (0.5 % of the units) and one corrected part (another 0.5 %). Scores after "
        "it are those of a run from nothing, byte for byte; the benchmark ends with an "
        "error where they are not."
    )
    for one in found:
        yield f"\n### {one['model']}, {one['units']:,} units\n"
        yield f"{one['date']}, {one['machine']}, `{one['command']}`.\n"
        yield from pages.table(_table(one["runs"]))
        yield from _what_moved(one["moved"])


def _what_moved(found: dict[str, Any]) -> Iterator[str]:
    first = list(found["features"].items())[:SHOWN]
    shown = ", ".join(f"`{name}` {share:.1%}" for name, share in first)
    yield (
        f"\nOf the {found['units']:,} units that were there before, {found['any']:.1%} have "
        f"another value than before in one of {found['columns']} features, most of them "
        f"in {shown}. The night scored {found['scored']:.1%} of its units; the others kept "
        "their scores."
    )


def _table(runs: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """CPU seconds by stage, and the share of a full run."""
    table = cpu_by_stage(runs)
    _, night, full = table.columns
    share = table[night] / table[full].where(table[full] > 0)
    shown = table.map("{:,.1f}".format)
    shown["night of full"] = share.map("{:.2f}".format)
    return shown.reset_index()
