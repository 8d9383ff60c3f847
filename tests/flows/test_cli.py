"""The command line: quick, quiet, helpful, and readable by machines."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import app
from tests.flows.homes import ROOT, Home

HEAVY = ("pandas", "ibis", "duckdb", "mlflow", "prefect", "sklearn", "django")
COMMANDS = [str(c.callback.__name__) for c in app.registered_commands if c.callback]


def test_help_is_quick_and_loads_nothing_heavy(empty: Home) -> None:
    """In seconds of the processor: other processes may be working beside it."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "verify" in empty.run("--help").stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        )
    command = [sys.executable, "-X", "importtime", "-m", "flows.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
    }

    assert loaded.isdisjoint(HEAVY)
    assert "typer" in loaded
    assert min(seconds) < 0.5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, empty: Home) -> None:
    said = empty.ok(command.replace("_", "-"), "--help")

    assert "Usage" in said
    assert len(said.splitlines()) > 3


def test_an_unknown_model_is_answered_with_the_nearest(empty: Home) -> None:
    done = empty.inside("score", "tinny", "--data", "x")

    assert done.returncode == 2
    assert "did you mean 'tiny'?" in done.stderr


@pytest.mark.parametrize("data", ["nowhere", ""])
def test_a_missing_folder_is_answered_once(data: str, empty: Home) -> None:
    done = empty.inside("check", "tiny", "--data", data or " ")

    assert done.returncode == 3
    assert done.stderr.count("no such folder") == 1


def test_an_empty_store_says_which_command_to_run(empty: Home) -> None:
    done = empty.inside("leads", "tiny")

    assert done.returncode == 4
    assert "leadline score" in done.stderr
    assert empty.json("runs") == []


def test_scoring_without_a_champion_says_which_command_to_run(
    empty: Home, delivered: Path
) -> None:
    done = empty.inside("score", "tiny", "--data", delivered)

    assert done.returncode == 4
    assert "leadline train tiny --data DIR" in done.stderr


def test_declarations_without_a_delivery(empty: Home) -> None:
    assert [row["model"] for row in empty.json("models")] == ["tiny"]
    assert len(empty.json("dictionary", "tiny")) > 10
    assert empty.json("check", "tiny")["model"] == "tiny"
    assert "all golden cases" in empty.ok("check", "tiny")


@pytest.mark.slow
def test_outputs_for_machines_parse(home: Home, delivered: Path) -> None:
    newest = home.json("runs", "tiny")[0]
    found = home.json("leads", "tiny", "--top", 3, "--order", "rules")
    unit = found["leads"][0]["unit_id"]

    assert found["run"]["id"] == newest["run"]
    assert [lead["rank_rules"] for lead in found["leads"]] == [1, 2, 3]
    assert home.json("show", "tiny", unit)["lead"]["unit_id"] == unit
    assert set(home.json("check", "tiny", "--data", delivered)) == {
        "sources",
        "coverage",
    }


@pytest.mark.slow
def test_a_lead_explains_itself(home: Home) -> None:
    unit = home.json("leads", "tiny", "--order", "rules")["leads"][0]["unit_id"]

    said = home.ok("show", "tiny", unit)

    assert "within a month" in said or "after the register says" in said
    assert "一个月内" in said or "户籍登记死亡后仍发放" in said
    assert "rule out first" in said
    assert "先排除" in said
    assert "payments.csv@" in said
    assert "civil affairs 民政部门" in said
    assert "未覆盖的数据源" in said


@pytest.mark.slow
def test_an_unknown_unit_is_answered_with_the_nearest(home: Home) -> None:
    done = home.inside("show", "tiny", "P0007")

    assert done.returncode == 4
    assert "did you mean 'P000" in done.stderr


@pytest.mark.slow
def test_a_closed_pipe_is_quiet(home: Home) -> None:
    leads = home.start("leads", "tiny", "--top", 300, "--json")
    leads.stdout.close()
    said = leads.stderr.read()
    leads.wait()

    assert said == ""


@pytest.mark.slow
def test_features_and_promotion(home: Home, delivered: Path, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"

    assert "features per unit" in home.ok(
        "features", "tiny", "--data", delivered, "--out", out
    )
    assert out.is_file()
    assert "version 1 is champion already" in home.ok(
        "promote", "tiny", 1, "--reason", "tested"
    )
    assert home.inside("promote", "tiny", 9, "--reason", "none").returncode == 4
