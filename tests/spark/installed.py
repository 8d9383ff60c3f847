"""Two installations, one on each engine, by the command line: what both published."""

import json
from typing import Any

from tests.flows.homes import Home
from tests.spark.compared import differences

MODEL = "vehicle_insurance"
SEED = 7
# Of both installations, and from the environment alone: workers must be told it.
KEY = {"LEADLINE_TOKEN_KEY": "one key of two installations"}


def ran(home: Home, command: str, *arguments: Any, **environment: str) -> None:
    done = home.run(command, MODEL, *arguments, **KEY, **environment)
    assert done.returncode == 0, done.stderr


def listed(home: Home) -> Any:
    done = home.run("leads", MODEL, "--top", 100_000, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def unlike_files(homes: tuple[Home, Home]) -> list[str]:
    """What differs between the published files of two installations."""
    folders = [home.path / "var/published" for home in homes]
    here, there = ({p.relative_to(f): p for p in f.rglob("*.parquet")} for f in folders)
    assert {path.name for path in here} >= {"scores.parquet", "feature_matrix.parquet"}
    assert set(here) == set(there)
    return [said for name in here for said in differences(here[name], there[name])]
