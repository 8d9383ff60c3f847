"""The Prefect flows on a new installation, in a process of their own; all stays at home."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.orchestrate import FLOWS, FLOWS_WITHOUT_DATA
from tests.flows.conftest import alone
from tests.flows.homes import Home, recorded
from tests.flows.office import office

pytestmark = pytest.mark.slow
AT_HOME = re.compile(
    r"^socket\.\w+\t(\('(127\.0\.0\.1|::1|localhost)',.*|'(127\.0\.0\.1|::1|localhost)'"
    r"|b'(127\.0\.0\.1|localhost)'|'[\x00/].*|None|b''|'')$"
)


@dataclass(frozen=True)
class Nights:
    """What came of the flows."""

    home: Home
    errors: str
    results: list[list[int]]
    spoke_to: list[str]

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.home.path / "prefect" / "prefect.db")) as db:
            return db.execute(query).fetchall()


@pytest.fixture(scope="session")
def nights(shared: Path, delivered: Path) -> Nights:
    """Run once for all workers; the processes end with the fixture."""
    folder = shared / "nights"
    home, said = Home(folder / "home"), folder / "said.json"
    with alone(shared / "nights.lock"):
        if not said.exists():
            broken = office().write(folder / "broken")
            (broken / "payments.csv").write_bytes(b"")
            child = "tests.flows.prefect_child"
            done, spoke_to = recorded(home, child, delivered, broken)
            said.write_text(json.dumps([done.stdout, done.stderr, spoke_to]))
    out, errors, spoke_to = json.loads(said.read_text())
    assert out, errors
    return Nights(home, errors, json.loads(out.splitlines()[-1]), spoke_to)


def test_the_first_night_trains_scores_and_publishes(
    nights: Nights, template: Home
) -> None:
    assert nights.results[0] == [0, 1], nights.errors
    ours, theirs = nights.home.leads(), template.leads()
    assert ours["leads"] == theirs["leads"]
    artifacts = nights.rows("SELECT key, type FROM artifact")
    assert {("tiny-leads", "table"), ("tiny-list", "markdown")} <= set(artifacts)


def test_artifacts_name_no_person(nights: Nights) -> None:
    table = office().payments
    held = repr(nights.rows("SELECT data, description FROM artifact"))

    assert [
        v for c in ("姓名", "身份证号", "电话") for v in table[c] if v in held
    ] == []
    assert "P00" in held


def test_a_broken_delivery_fails_the_flow_at_once_and_the_list_stands(
    nights: Nights,
) -> None:
    assert nights.results[1] == [3, 1]
    assert "payments.csv: the file is empty (0 bytes)" in nights.errors
    assert "Traceback" not in nights.errors
    states = dict(nights.rows("SELECT state_type, count(*) FROM flow_run GROUP BY 1"))
    assert states == {"COMPLETED": 3, "FAILED": 1}
    assert len(nights.home.run_ids()) == 1


def test_a_passing_fault_is_tried_again(nights: Nights) -> None:
    assert nights.results[2] == [0, 2]
    assert nights.home.is_sound()


def test_learning_needs_no_delivery_and_takes_none(nights: Nights) -> None:
    assert nights.results[3:] == [[0, 0], [2, 0]], nights.errors
    assert "learn reads no delivery" in nights.errors
    assert len(nights.home.json("versions", "tiny")["versions"]) == 2


def test_flows_and_their_server_speak_to_this_machine_alone(nights: Nights) -> None:
    assert len(nights.spoke_to) > 10
    assert [line for line in nights.spoke_to if not AT_HOME.match(line)] == []


def test_training_and_scoring_speak_to_nobody(template: Home, shared: Path) -> None:
    assert template.run_ids()
    lines = (shared / "template.done").read_text().splitlines()  # both commands' calls

    assert [line for line in lines if not AT_HOME.match(line)] == []


def test_every_flow_has_a_command() -> None:
    assert set(FLOWS) == {"train", "score", "daily"}
    assert set(FLOWS_WITHOUT_DATA) == {"learn"}
