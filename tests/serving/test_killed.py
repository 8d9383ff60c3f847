"""Real processes that are killed while publishing, or publish at once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from configs.settings import Settings
from serving import queries
from serving.leads.models import Evidence, Lead
from serving.publish import publish
from serving.verify import verify
from tests.serving.publications import make_publication

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNITS = 5_000
Child = subprocess.Popen[str]
Start = Callable[[str, Settings], Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that are ready to publish; none outlives the test."""
    children: list[Child] = []

    def started(point: str, settings: Settings) -> Child:
        command = [sys.executable, "-m", "tests.serving.child", point]
        command += [str(settings.home), settings.store_url, str(UNITS)]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        children.append(child)
        return child

    yield started
    for child in children:
        child.kill()
        child.communicate()


def said(child: Child) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def release(child: Child) -> None:
    assert child.stdin
    child.stdin.write("\n")
    child.stdin.flush()


@pytest.mark.parametrize("point", ["copy", "transaction", "commit"])
def test_publisher_killed_at_any_point_leaves_nothing_and_a_rerun_completes(
    point: str, store: Settings, start: Start
) -> None:
    child = start(point, store)
    assert said(child) == "ready"
    release(child)
    assert said(child) == "blocked"
    child.kill()
    child.wait()

    left = verify(store)
    assert [f for f in left if not f.harmless] == []
    assert left  # unfinished copies, or files renamed before the commit
    assert queries.runs() == []
    assert Lead.objects.count() == Evidence.objects.count() == 0

    assert publish(make_publication(store.home, UNITS), store).new
    assert len(queries.leads(queries.latest_run("vehicle_insurance").id, 9999)) == UNITS
    assert [f for f in verify(store) if not f.harmless] == []


def test_two_publishers_of_the_same_inputs_at_once_publish_one_run(
    settings: Settings, start: Start
) -> None:
    # The store is not there yet: they also create it at once.
    children = [start("none", settings), start("none", settings)]
    assert [said(child) for child in children] == ["ready", "ready"]
    for child in children:
        release(child)

    results = sorted(said(child).rpartition(" ")[2] for child in children)

    assert results == ["False", "True"]
    assert verify(settings) == []
    assert Lead.objects.count() == UNITS
    assert len(queries.runs()) == 1
