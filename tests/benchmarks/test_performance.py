"""Watching a flow from outside, and the page from results that were kept."""

import sys

from benchmarks import performance, performance_flow

SLEEPS = (
    "import sys, time, subprocess\n"
    "print('    0.0 s  first', file=sys.stderr, flush=True)\n"
    "held = bytearray(200_000_000)\n"
    "sum(i * i for i in range(3_000_000))\n"
    "print('    0.9 s  second', file=sys.stderr, flush=True)\n"
    "time.sleep(0.5)\n"
)


def test_stages_of_a_process_have_their_own_cost():
    stages, whole = performance_flow._watched([sys.executable, "-c", SLEEPS], {})
    named = {one["stage"]: one for one in stages}
    assert list(named) == ["start", "first", "second"]
    assert named["first"]["cpu s"] > named["second"]["cpu s"]
    assert named["second"]["wall s"] >= 0.4
    assert max(one["peak GiB"] for one in stages) > 0.18
    assert whole["peak GiB"] > 0.18


def test_a_stage_that_comes_twice_is_added_up():
    begun = [
        {"stage": "a", "at": 0.0, "cpu": 0.0, "peak": 0.0},
        {"stage": "b", "at": 1.0, "cpu": 1.0, "peak": 2.0},
        {"stage": "a", "at": 4.0, "cpu": 2.0, "peak": 1.0},
    ]
    first, second = performance_flow.spans(begun, {"at": 5.0, "cpu": 4.0, "peak": 3.0})
    assert (first["wall s"], first["cpu s"], first["peak GiB"]) == (2.0, 3.0, 3.0)
    assert (second["wall s"], second["cpu s"], second["peak GiB"]) == (3.0, 1.0, 1.0)


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
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| vehicle_insurance | 10 | 8GB |" in page
    assert "/secret/place" not in page
