"""Which version scores: two persons, one after the other; and the way back."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.flows.homes import Home, copied
from tests.flows.office import MODELS
from training.tracking import Tracking

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def proposed(
    template: Home, delivered: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """An office of two: li has trained and proposed version 2. Tests copy it."""
    folder = tmp_path_factory.mktemp("proposed")
    shutil.copytree(MODELS, folder / "models")
    declared = folder / "models" / "tiny" / "model.yaml"
    text = declared.read_text("utf-8")
    assert "approvals: 1" in text
    declared.write_text(text.replace("approvals: 1", "approvals: 2"), "utf-8")
    home = replace(copied(template, folder / "home"), models=folder / "models")
    said = home.ok("train", "tiny", "--data", delivered, "--promote")
    assert "version 2 is proposed as champion; another person approves it" in said
    return home


@pytest.fixture
def two(proposed: Home, tmp_path: Path) -> Home:
    return copied(proposed, tmp_path / "home")


def by(home: Home, user: str) -> Home:
    return replace(home, user=user)


def champion(home: Home) -> int:
    (found,) = [v for v in known(home)["versions"] if "champion" in v["alias"]]
    return int(found["version"])


def known(home: Home) -> Any:
    return home.json("versions", "tiny")


def test_two_persons_release_and_one_rolls_back(two: Home) -> None:
    assert champion(two) == 1
    own = two.inside("approve", "tiny", 2, "--reason", "mine")
    assert own.returncode == 4
    assert "li proposed it, so li cannot approve it; another person" in own.stderr
    assert champion(two) == 1

    two.ok("promote", "tiny", 2, "--reason", "又一次")
    said = by(two, "wang").ok("approve", "tiny", 2, "--reason", "查过 [红色]")
    assert "tiny version 2 is now champion" in said
    assert champion(two) == 2
    by(two, "zhao").ok("rollback", "tiny", "--reason", "list of Monday is odd")
    assert champion(two) == 1

    steps = [(r["version"], r["action"], r["user"]) for r in known(two)["releases"]]
    assert steps == [
        ("1", "promoted", "li"),
        ("2", "proposed", "li"),
        ("2", "proposed", "li"),
        ("2", "approved", "wang"),
        ("2", "promoted", "wang"),
        ("1", "rolled_back", "zhao"),
    ]
    reasons = [r["reason"] for r in known(two)["releases"]]
    assert reasons[:3] == ["first model", "asked for at training", "又一次"]
    shown = two.ok("versions", "tiny")
    assert "查过 [红色]" in shown
    assert "list of Monday is odd" in shown
    assert two.inside("rollback", "tiny", "--reason", "x").returncode == 4
    assert two.is_sound()


@pytest.mark.parametrize("step", ["approve", "rollback"])
def test_a_kill_between_record_and_alias_is_seen_and_completed(
    step: str, two: Home
) -> None:
    wang = by(two, "wang")
    if step == "rollback":
        wang.ok("approve", "tiny", 2, "--reason", "checked")
    words = ("approve", "tiny", 2) if step == "approve" else ("rollback", "tiny")
    before = champion(two)
    killed = mock.patch.object(Tracking, "promote", side_effect=KeyboardInterrupt)

    with killed:
        assert wang.inside(*words, "--reason", "killed").returncode != 0

    assert champion(two) == before
    wanted = 3 - before
    assert f"version {wanted} was released, but the alias" in known(two)["unfinished"]
    assert f"version {wanted} was released" in two.ok("versions", "tiny")
    recorded = known(two)["releases"]
    assert f"version {wanted} is now champion" in wang.ok(*words, "--reason", "again")
    assert champion(two) == wanted
    assert known(two)["unfinished"] == ""
    assert known(two)["releases"] == recorded


def test_a_version_whose_files_were_changed_is_not_released(two: Home) -> None:
    (file, *_) = sorted(
        (two.path / "mlruns").rglob("linkage.json"), key=lambda p: p.stat().st_mtime
    )[::-1]
    file.write_text("{} ")

    done = by(two, "wang").inside("approve", "tiny", 2, "--reason", "checked")

    assert done.returncode == 4
    assert "version 2: the files in" in done.stderr
    assert champion(two) == 1
    assert [r["action"] for r in known(two)["releases"]] == ["promoted", "proposed"]
