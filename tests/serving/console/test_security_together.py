"""Several processes at once on one store: nothing is lost, nothing is written twice."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from configs.settings import Settings
from serving.audit import chain
from serving.audit.models import Entry
from serving.leads.models import Disposition, Run
from serving.publication import Publication
from serving.publish import publish
from serving.review.models import UnitState
from serving.verify import verify
from tests.serving.console.conftest import make_user
from tests.serving.publications import make_publication

ROOT = Path(__file__).parents[3]
DECIDED = 50


def start(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of this Python that waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.serving.{module}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_decide_while_a_list_is_published(store: Settings, tmp_path: Path) -> None:
    older = make_publication(tmp_path / "older", units=60)
    publish(_renamed(older), store)
    run = Run.objects.get()
    place = (str(store.home), store.store_url)
    for name in ("ann", "bob"):
        make_user(name, ("analyst",))
    deciding = [
        start("console.deciding_child", *place, run.id, name, str(DECIDED))
        for name in ("ann", "bob")
    ]
    publishing = start("child", "none", *place, "3000")
    children = [*deciding, publishing]
    try:
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        said = [child.communicate(timeout=120)[0].split() for child in children]
    finally:
        for child in children:
            child.kill()
    assert said[2][1] == "True"
    counts = [tuple(map(int, words)) for words in said[:2]]
    assert sum(done for done, _late in counts) == DECIDED
    assert all(done + late == DECIDED for done, late in counts)
    _check_nothing_lost(store)


def _check_nothing_lost(store: Settings) -> None:
    assert Run.objects.count() == 2
    assert set(Counter(Disposition.objects.values_list("unit_id")).values()) == {1}
    assert Disposition.objects.count() == DECIDED
    states = UnitState.objects.values_list("state", "version")
    assert Counter(states) == {("needs_information", 1): DECIDED}
    told = Entry.objects.filter(action="decided").values_list("unit", "user")
    assert set(told) == set(Disposition.objects.values_list("unit_id", "user"))
    assert not chain.findings()
    assert not chain.unguarded()
    assert not verify(store)


def _renamed(publication: Publication) -> Publication:
    return replace(publication, run_id="vehicle_insurance-older", inputs="7" * 64)
