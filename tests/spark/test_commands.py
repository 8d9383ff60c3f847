"""A champion trained and a list published by the command line, on a cluster."""

from pathlib import Path

import pytest

from configs.settings import PACKAGE_MODELS
from tests.flows.homes import Home, copied
from tests.spark import CLUSTER
from tests.spark.compared import unlike
from tests.spark.conftest import submitted
from tests.spark.installed import MODEL, SEED, listed, ran, unlike_files
from training.simulation import simulated

UNITS = 1000


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


def test_the_published_lists_are_the_same(homes: tuple[Home, Home]):
    here, there = (listed(home) for home in homes)
    assert len(here["leads"]) > 100
    assert list(unlike(here, there)) == []


def test_the_published_files_are_the_same(homes: tuple[Home, Home]):
    assert unlike_files(homes) == []


def test_both_installations_are_sound(homes: tuple[Home, Home]):
    assert all(home.is_sound() for home in homes)
