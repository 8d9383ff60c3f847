"""Every model on both engines: all tables of a run, cell by cell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from ibis.expr.types import Table

from configs.loading import load_model
from configs.settings import Settings
from flows.engineer import apply_rules, engineer
from flows.group import group
from flows.intake import intake, load_reports, stop_on_problems
from flows.job import Engine, Job
from flows.link import learnt_in, link
from flows.score import score
from flows.spark_catalog import SparkCatalog
from flows.train import train
from tests.flows.test_real_records import FIRMS
from tests.spark import MASTER
from tests.spark.compared import differences
from training.simulation import simulated

MODELS = (
    *("vehicle_insurance", "bankruptcy_wages", "benefit_crosscheck", "elder_care"),
    *("judicial_auction", "fuel_oil_tax", "false_litigation"),
)
# Of real registry tables, of which there is no simulation.
REGISTRY = "illegal_fundraising"
UNITS, SEED = 1000, 7
# Rows of the longest result that the driver may be given: the links that a person judges,
# `features.linkage.to_judge.MOST`. Every table of rows has more.
FEW = 500
# Written in any order, in which rows have a place of their own.
PLACE = ["_file", "_line"]
KEYS = {
    "core": PLACE,
    "linked": PLACE,
    "rejects": ["source", "file", "line", "column"],
    "units": ["unit_id"],
}
COMPARED = (
    *("core", "linked", "rejects", "entities", "entity_links", "links_to_judge"),
    *("units", "associations", "graph_pairs", "graph_nodes", "hubs"),
    *("feature_matrix", "rule_flags", "rule_hits", "scores", "points"),
    *("reasons", "parts", "counterfactuals"),
    *("groups", "group_members", "group_ties", "paths"),
)


def job_of(model: str, data: Path, home: Path, engine: Engine) -> Job:
    settings = Settings(home=home, user="li", spark=MASTER)
    folder = settings.work / model / engine
    folder.mkdir(parents=True)
    declared = load_model(model, settings.models)
    return Job(declared, str(data), settings, folder, engine=engine)


def prepared(job: Job, learnt: Mapping[str, Any] | None) -> None:
    reports = intake(job)
    stop_on_problems(reports)
    link(job, learnt)
    engineer(job)
    apply_rules(job)


def listed(job: Job) -> None:
    score(job)
    group(job)


@contextmanager
def given_rows() -> Iterator[list[int]]:
    """How many rows the driver was given, by each result."""
    rows: list[int] = []
    fetched = SparkCatalog.arrow

    def counted(catalog: SparkCatalog, table: Table) -> pa.Table:
        found = fetched(catalog, table)
        rows.append(len(found))
        return found

    with mock.patch.object(SparkCatalog, "arrow", counted):
        yield rows


@dataclass(frozen=True)
class Compared:
    """A run on DuckDB, and one on Spark by the model and the links learnt there."""

    here: Job
    there: Job
    rows: list[int]  # of each result that Spark gave the driver


def delivery(model: str, folder: Path) -> Path:
    """Simulated, or the real registry tables as they were delivered."""
    if model == REGISTRY:
        if not FIRMS.is_dir():
            pytest.skip(f"no real records in {FIRMS}; set LEADLINE_SHARED_DATA")
        return FIRMS
    simulated(model, units=UNITS, seed=SEED, out=folder / "data")
    return folder / "data"


@pytest.fixture(scope="module", params=(*MODELS, REGISTRY))
def jobs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Compared:
    folder = tmp_path_factory.mktemp(request.param)
    data = delivery(request.param, folder)
    here = job_of(request.param, data, folder / "home", "duckdb")
    there = job_of(request.param, data, folder / "home", "spark")
    prepared(here, None)
    train(here)
    listed(here)
    with here.opened() as catalog:
        learnt = learnt_in(catalog)
    with given_rows() as rows:
        prepared(there, learnt)
        listed(there)
    return Compared(here, there, rows)


def test_every_cell_of_every_table_is_the_same(jobs: Compared):
    here, there = jobs.here, jobs.there
    ours = {p.name for p in here.folder.glob("*.parquet") if compared(p.stem)}
    assert {"units.parquet", "feature_matrix.parquet", "scores.parquet"} <= ours

    found = [
        said
        for name in sorted(ours)
        for said in differences(here.folder / name, there.folder / name, key_of(name))
    ]
    assert found == []


def test_the_driver_is_given_nothing_that_grows_with_the_rows(jobs: Compared):
    assert jobs.rows
    assert max(jobs.rows) <= FEW


def test_both_tell_the_same_of_the_delivery(jobs: Compared):
    told = []
    for job in (jobs.here, jobs.there):
        with job.opened() as catalog:
            told.append((load_reports(catalog), catalog.load_json("funnel")))
    assert told[0] == told[1]


def compared(name: str) -> bool:
    return any(name == kind or name.startswith(f"{kind}_") for kind in COMPARED)


def key_of(name: str) -> list[str] | None:
    stem = name.removesuffix(".parquet")
    return next(
        (
            key
            for kind, key in KEYS.items()
            if stem == kind or stem.startswith(f"{kind}_")
        ),
        None,
    )
