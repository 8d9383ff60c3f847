"""Watching a flow from outside, and the page from results that were kept."""

import sys

import pandas as pd
import pytest

from benchmarks import (
    performance,
    performance_flow,
    performance_nights,
    performance_sizing,
    performance_spark,
)
from flows.pace import AGAIN
from flows.steps import FEATURES, GROUP, LINK, RULES, SCORE

SLEEPS = (
    "import sys, time, subprocess\n"
    "print('    0.0 s  reading claims', file=sys.stderr, flush=True)\n"
    "held = bytearray(200_000_000)\n"
    "sum(i * i for i in range(3_000_000))\n"
    "print('    0.9 s  linking records', file=sys.stderr, flush=True)\n"
    "time.sleep(0.5)\n"
)


def test_stages_of_a_process_have_their_own_cost():
    stages, whole = performance_flow.watched([sys.executable, "-c", SLEEPS], {})
    named = {one["stage"]: one for one in stages}
    assert list(named) == ["start", "reading", "linking"]
    assert named["reading"]["cpu s"] > named["linking"]["cpu s"]
    assert named["linking"]["wall s"] >= 0.4
    assert max(one["peak GiB"] for one in stages) > 0.18
    assert whole["peak GiB"] > 0.18


def test_a_stage_that_comes_twice_is_added_up():
    begun = [
        {"stage": "scoring 9 units", "at": 0.0, "cpu": 0.0, "peak": 0.0},
        {"stage": "explaining the first leads", "at": 1.0, "cpu": 1.0, "peak": 2.0},
        {"stage": "scored 4 of 9 units", "at": 4.0, "cpu": 2.0, "peak": 1.0},
    ]
    first, second = performance_flow.spans(begun, {"at": 5.0, "cpu": 4.0, "peak": 3.0})
    assert (first["wall s"], first["cpu s"], first["peak GiB"]) == (2.0, 3.0, 3.0)
    assert (second["wall s"], second["cpu s"], second["peak GiB"]) == (3.0, 1.0, 1.0)


def test_a_stage_that_an_earlier_run_had_finished_is_known_by_its_name():
    at = {"at": 0.0, "cpu": 0.0, "peak": 0.0}
    stages = (LINK, FEATURES, RULES, SCORE, GROUP)
    begun = [{"stage": f"{stage}{AGAIN}", **at} for stage in stages]
    found = [one["stage"] for one in performance_flow.spans(begun, at)]
    assert found == ["linking", "features", "rules", "scoring", "groups"]


def test_a_page_is_written_of_what_was_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(performance, "KEPT", tmp_path)
    asked = [
        "performance",
        "--section",
        "flow",
        "--rows",
        "10",
        "--data",
        "/secret/place",
    ]
    monkeypatch.setattr(sys, "argv", asked)
    figures = {"cpu s": 6.0, "wall s": 7.0, "peak GiB": 0.5}
    found = {"memory": "8GB", "stages": [{"stage": "first", **figures}], **figures}
    monkeypatch.setitem(
        performance.SECTIONS,
        "flow",
        (lambda _: found, performance_flow.lines),
    )
    monkeypatch.setattr(performance, "PAGE", tmp_path / "performance.md")
    performance.main()
    assert (tmp_path / "performance.png").stat().st_size > 1000
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| vehicle_insurance | 10 | 8GB |" in page
    assert "/secret/place" not in page


def test_sizes_are_the_arithmetic_that_is_shown():
    flow = {
        "model": "vehicle_insurance",
        "units": 1_000_000,
        "stages": [{"stage": "reading", "cpu s": 60.0, "peak GiB": 1.0}],
        "cpu s": 600.0,
        "peak GiB": 2.0,
    }
    flows = [flow | {"units": 10, "cpu s": 9}, flow]
    # 300 million units of 0.6 ms: 50 hours; 360,000 s in 12,960 s of a core and night.
    assert "| 50.0 | 28 | 1 | 142 GiB |" in _province(flows, [])
    runs = {"DuckDB": {"cpu s": 10.0}, "Spark": {"cpu s": 41.2}}
    spark = [{"model": "vehicle_insurance", "units": 1000, "runs": runs}]
    # 4.1 times 180,000 s.
    assert "| 50.0 | 57 | 2 | 142 GiB |" in _province(flows, spark)


def _province(flows, spark):
    page = "\n".join(performance_sizing.lines(flows, spark))
    assert ("(measured at 1,000 units above)" in page) == bool(spark)
    return next(line for line in page.splitlines() if "a province" in line)


def test_the_same_list_on_spark_stands_beside_that_of_one_machine():
    def run(cpu):
        stages = [{"stage": "reading", "cpu s": cpu, "peak GiB": 1.0, "wall s": 2.0}]
        return {"stages": stages, "cpu s": cpu, "wall s": 3.0, "peak GiB": 1.5}

    one = {"model": "m", "units": 5, "date": "d", "machine": "x", "command": "c"}
    one |= {"memory": "8GB", "runs": {"Spark": run(30.0), "DuckDB": run(10.0)}}
    one |= {"delivered": {"rows": 7, "bytes": 2**29, "in memory": 2**31}}
    one |= {"different": {"numbers": 90, "different": 0}}
    page = list(performance_spark.lines([one]))
    assert "| reading | 10.0 | 30.0 | 3.0 |" in page
    assert "0.50 GiB of Parquet, 2.00 GiB as Arrow" in page[-1]
    assert "Of 90 scores and ranks of the two lists 0 differ" in page[-1]


def test_scores_of_two_engines_differ_where_more_than_the_arithmetic_does():
    ours = {"unit_id": ["b", "a"], "score": [0.5, float("nan")], "rank": [1, 2]}
    theirs = {
        "unit_id": ["a", "b"],
        "score": [float("nan"), 0.5 + 1e-9],
        "rank": [2, 1],
    }
    found = performance_spark.different(pd.DataFrame(ours), pd.DataFrame(theirs))
    assert found == {"numbers": 4, "different": 0}
    theirs |= {"score": [0.0, 0.5], "rank": [2, 3]}
    found = performance_spark.different(pd.DataFrame(ours), pd.DataFrame(theirs))
    assert found == {"numbers": 4, "different": 2}
    other = pd.DataFrame(theirs | {"unit_id": ["a", "c"]})
    with pytest.raises(ValueError, match="other units"):
        performance_spark.different(pd.DataFrame(ours), other)


def test_a_night_stands_beside_the_same_night_from_nothing():
    def run(reading, linking):
        stages = [("reading", reading), ("linking", linking)]
        named = [{"stage": name, "cpu s": cpu} for name, cpu in stages if cpu]
        return {"stages": named, "cpu s": reading + linking}

    runs = {"full": run(9.0, 8.0), "night": run(1.0, 0.0), "fresh": run(10.0, 8.0)}
    about = {"model": "m", "units": 5, "date": "d", "machine": "x", "command": "c"}
    moved = {"units": 4, "any": 1.0, "features": {"peers": 1.0, "ratio": 0.25}}
    moved |= {"scored": 0.75, "columns": 3}
    page = list(performance_nights.lines([{**about, "runs": runs, "moved": moved}]))
    assert "| reading | 9.0 | 1.0 | 10.0 | 0.10 |" in page
    assert "| linking | 8.0 | 0.0 | 8.0 | 0.00 |" in page
    assert "| all | 17.0 | 1.0 | 18.0 | 0.06 |" in page
    assert "in `peers` 100.0%, `ratio` 25.0%. The night scored 75.0% of its" in page[-1]


def test_features_that_a_night_moved_are_counted_among_the_units_of_both(tmp_path):
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    same = {"flag": [True, None, False, True], "as_of": ["one"] * 4}
    ours = {"unit_id": list("abcd"), "peers": [0.1, 0.2, 0.3, None], **same}
    pd.DataFrame({**ours, "ratio": [1.0, 2.0, None, 4.0]}).to_parquet(before)
    theirs = {name: [*values, None] for name, values in ours.items()}
    theirs |= {"unit_id": list("dcbae"), "flag": [True, False, None, True, None]}
    theirs["peers"] = [None, 0.4, 0.3, 0.2, 0.1]
    pd.DataFrame({**theirs, "ratio": [4.0, 3.0, 2.0, 1.0, 5.0]}).to_parquet(after)

    found = performance_nights.moved(before, after)

    assert found["units"] == 4
    assert found["features"] == {"peers": 0.75, "ratio": 0.25}
    assert (found["any"], found["columns"]) == (0.75, 3)


def test_of_a_night_those_units_count_as_scored_whose_row_is_new(tmp_path):
    large = 2**63  # digests have 64 bits, a float 53
    rows = {"before": {"a": large, "b": 2, "c": 3}, "after": {"c": 3, "a": large + 1}}
    rows["after"] |= {"d": 2, "b": 2}
    for folder, digests in rows.items():
        (tmp_path / folder).mkdir()
        units = pd.DataFrame({"unit_id": list(digests)})
        units.to_parquet(tmp_path / folder / "scores.parquet")
        found = pd.DataFrame({"digest": pd.Series(digests.values(), dtype="uint64")})
        found.to_parquet(tmp_path / folder / "row_digests-1.parquet")
    assert performance_nights.scored(tmp_path / "before", tmp_path / "after") == 0.5
