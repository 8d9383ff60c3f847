"""Real processes that are killed while they score: nothing half-done is ever seen."""

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.flows.homes import Home

pytestmark = pytest.mark.slow


def check_rerun(home: Home, template: Home, delivered: Path) -> None:
    """All is sound, and scoring again gives the undisturbed list."""
    assert home.is_sound()
    home.ok("score", "tiny", "--data", delivered)
    assert home.run_ids() == template.run_ids()
    assert home.leads() == template.leads()
    assert home.is_sound()


# The tiny model links no records and ties nothing; stages of one run in their order.
STAGES = ("features", "publishing")
LONGER = ("reading", "sources", "rules", "scoring", "list")
# What a rerun finds of the stages before the one that was killed.
FOUND = {
    "rules": ["features"],
    "scoring": ["features", "rules"],
    "list": ["features", "rules", "score"],
    "publishing": ["features", "rules", "score"],
}


@pytest.mark.parametrize(
    "point", [*STAGES, *(pytest.param(p, marks=pytest.mark.longer) for p in LONGER)]
)
def test_a_run_killed_in_any_stage_leaves_nothing_and_a_rerun_goes_on(
    point: str, unpublished: Home, template: Home, delivered: Path
) -> None:
    child = unpublished.start(point, delivered, module="tests.flows.child")
    assert child.stdout.readline() == "blocked\n", child.stderr.read()
    child.kill()
    child.communicate()

    assert unpublished.inside("leads", "tiny").returncode != 0
    again = unpublished.inside("score", "tiny", "--data", delivered)
    told = again.stderr
    for stage in ("features", "rules", "score"):
        assert (f"{stage}: as in an earlier run" in told) == (
            stage in FOUND.get(point, [])
        ), told
    check_rerun(unpublished, template, delivered)


def test_a_list_stands_while_a_later_run_is_killed_as_it_publishes(
    home: Home, template: Home, delivery: Any, tmp_path: Path
) -> None:
    delivery.payments = delivery.payments[:250]
    folder = delivery.write(tmp_path / "later")
    child = home.start("publishing", folder, module="tests.flows.child")
    assert child.stdout.readline() == "blocked\n", child.stderr.read()
    child.kill()
    child.communicate()

    assert (home.leads(), home.run_ids()) == (template.leads(), template.run_ids())
    assert home.is_sound()
    home.ok("score", "tiny", "--data", folder)
    assert len(home.run_ids()) == 2
    assert home.is_sound()


def test_a_run_ended_at_some_moment_leaves_nothing_half_done(
    unpublished: Home, template: Home, delivered: Path
) -> None:
    child = unpublished.start("score", "tiny", "--data", delivered)
    time.sleep(random.uniform(1, 7))  # noqa: S311
    child.send_signal(signal.SIGTERM)
    child.communicate()

    check_rerun(unpublished, template, delivered)


def test_a_rerun_says_so_and_adds_nothing(home: Home, delivered: Path) -> None:
    before = home.run_ids()

    said = home.ok("score", "tiny", "--data", delivered)

    assert "was published before from the same inputs" in said
    assert before[0] in said
    assert home.run_ids() == before
