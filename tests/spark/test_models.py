"""Every simulated model on both engines: all tables of a run, cell by cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from configs.loading import load_model
from configs.settings import Settings
from flows.engineer import apply_rules, engineer
from flows.group import group
from flows.intake import intake, load_reports, stop_on_problems
from flows.job import Engine, Job
from flows.link import learnt_in, link
from flows.score import score
from flows.train import train
from tests.spark import MASTER
from tests.spark.compared import differences
from training.simulation import simulated

MODELS = (
    *("vehicle_insurance", "bankruptcy_wages", "benefit_crosscheck", "elder_care"),
    *("judicial_auction", "fuel_oil_tax", "false_litigation"),
)
UNITS, SEED = 1000, 7
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


@pytest.fixture(scope="module", params=MODELS)
def jobs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Job, Job]:
    """A run on DuckDB, and one on Spark by the model and the links learnt there."""
    folder = tmp_path_factory.mktemp(request.param)
    simulated(request.param, units=UNITS, seed=SEED, out=folder / "data")
    here = job_of(request.param, folder / "data", folder / "home", "duckdb")
    there = job_of(request.param, folder / "data", folder / "home", "spark")
    prepared(here, None)
    train(here)
    listed(here)
    with here.opened() as catalog:
        learnt = learnt_in(catalog)
    prepared(there, learnt)
    listed(there)
    return here, there


def test_every_cell_of_every_table_is_the_same(jobs: tuple[Job, Job]):
    here, there = jobs
    ours = {p.name for p in here.folder.glob("*.parquet") if compared(p.stem)}
    assert {"units.parquet", "feature_matrix.parquet", "scores.parquet"} <= ours

    found = [
        said
        for name in sorted(ours)
        for said in differences(here.folder / name, there.folder / name, key_of(name))
    ]
    assert found == []


def test_both_tell_the_same_of_the_delivery(jobs: tuple[Job, Job]):
    told = []
    for job in jobs:
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
