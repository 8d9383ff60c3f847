"""The page about load says what was measured, and says so when a target is missed."""

import pytest

from benchmarks.load import SECOND, Asked, page

ASKED = Asked(leads=1_000_000, users=50, minutes=2, seed=1, locust="locust")


def row(name, p95=120, errors=0):
    times = {"p50 ms": 60, "p95 ms": p95, "p99 ms": 250, "most ms": 400}
    return {"page": name, "requests": 900, "errors": errors, **times}


def measured(**changed):
    calm = [row("decide"), row("lead"), row("list"), row("list: next page")]
    found = {"store": "sqlite", "alone": calm, "beside": calm, "publish_seconds": 40}
    return {**found, "decided": 31, "lost": 0, "log": [], "second": SECOND, **changed}


def said(**changed):
    lines = list(page(ASKED, [measured(**changed)]))
    return [line.split(" | ")[2] for line in lines if line.startswith("| SQLite |")]


def test_all_targets_are_reached():
    assert said() == ["yes"] * 6


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"alone": [row("lead"), row("list"), row("list: back", p95=301)]}, 0),
        ({"alone": [row("lead", p95=300), row("list")]}, 1),
        ({"beside": [row("lead"), row("list", errors=1)]}, 2),
        ({"lost": 1}, 3),
        ({"decided": 0}, 3),
        ({"log": ["entry 7 or the one before it was changed"]}, 4),
        ({"second": SECOND - 1}, 5),
    ],
)
def test_a_target_that_is_missed_is_named(changed, place):
    assert [n for n, reached in enumerate(said(**changed)) if reached == "no"] == [
        place
    ]
