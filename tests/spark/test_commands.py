"""A champion trained and a list published by the command line, on a cluster."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.settings import PACKAGE_MODELS
from tests.flows.homes import Home, copied
from tests.spark import CLUSTER
from tests.spark.compared import differences, unlike
from tests.spark.conftest import submitted
from training.simulation import simulated

MODEL = "vehicle_insurance"
UNITS, SEED = 1000, 7
# Of both installations, and from the environment alone: workers must be told it.
KEY = {"LEADLINE_TOKEN_KEY": "one key of two installations"}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, spark: Path) -> tuple[Home, Home]:
    """Two installations with one champion, which Spark trained: DuckDB's, and Spark's."""
    folder = tmp_path_factory.mktemp("commands")
    data = folder / "data"
    simulated(MODEL, units=UNITS, seed=SEED, out=data)
    there = Home(folder / "spark", PACKAGE_MODELS)
    cluster = {
        "LEADLINE_SPARK": CLUSTER,
        "PYSPARK_SUBMIT_ARGS": submitted(spark, "--executor-memory", "1g"),
    }
    ran(there, "train", "--data", data, "--engine", "spark", **cluster)
    here = copied(there, folder / "duckdb", published=False)
    ran(there, "score", "--data", data, "--engine", "spark", **cluster)
    ran(here, "score", "--data", data)
    return here, there


def ran(home: Home, command: str, *arguments: Any, **environment: str) -> None:
    done = home.run(command, MODEL, *arguments, **KEY, **environment)
    assert done.returncode == 0, done.stderr


def test_the_published_lists_are_the_same(homes: tuple[Home, Home]):
    here, there = (listed(home) for home in homes)
    assert len(here["leads"]) > 100
    assert list(unlike(here, there)) == []


def test_the_published_files_are_the_same(homes: tuple[Home, Home]):
    folders = [home.path / "var/published" for home in homes]
    here, there = ({p.relative_to(f): p for p in f.rglob("*.parquet")} for f in folders)
    assert {path.name for path in here} >= {"scores.parquet", "feature_matrix.parquet"}
    assert set(here) == set(there)
    assert [
        said for name in here for said in differences(here[name], there[name])
    ] == []


def test_both_installations_are_sound(homes: tuple[Home, Home]):
    assert all(home.is_sound() for home in homes)


def listed(home: Home) -> Any:
    done = home.run("leads", MODEL, "--top", 100_000, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
