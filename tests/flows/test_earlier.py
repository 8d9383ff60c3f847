"""A night that scores only new rows: the same list, and nothing taken that may not be."""

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.settings import Settings
from flows.catalog import opened
from flows.earlier import earlier, row_digests, write_digests
from flows.inputs import Inputs
from flows.job import Job, new_job
from flows.kept import kept
from flows.scored import Scored, scored
from tests.flows.wide import CODES, quick_scorer, write_inputs
from training.model import LeadScorer

UNITS, FEATURES = 1_000, 8
AS_OF = datetime(2026, 3, 1)
MODEL = "elder_care"


class Counting:
    """A scorer that notes which units it was asked for."""

    def __init__(self, scorer: LeadScorer) -> None:
        self._scorer, self.asked = scorer, set()

    def columns(self, X: pd.DataFrame, H: pd.DataFrame) -> dict[str, np.ndarray]:
        self.asked |= set(X.index)
        return self._scorer.columns(X, H)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return write_inputs(tmp_path_factory.mktemp("before"), UNITS, FEATURES)


@pytest.fixture(scope="module")
def scorer(before: Inputs) -> LeadScorer:
    return quick_scorer(before)


@pytest.fixture(scope="module")
def taught(scorer: LeadScorer, before: Inputs) -> LeadScorer:
    """After reviews: its order has a ranker, and some of its bands are not known."""
    X, H = next(before.parts(600))
    verdicts = np.full(len(X), np.nan)
    verdicts[::3] = (X["x0"] + X["x1"]).fillna(0.0)[::3] > 0.8
    return scorer.learn(X, H, verdicts)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def job(settings: Settings) -> Job:
    return new_job(MODEL, "nowhere", settings)


def run(job: Job, scorer: LeadScorer, inputs: Inputs, digest: str = "m1") -> Scored:
    """The stage as `flows.score` does it: scored with what is kept, written, kept."""
    found = []

    def work() -> None:
        known = earlier(job, digest, "scores", inputs.unit_ids())
        found.append(scored(scorer, inputs, threads=2, earlier=known))
        with opened(job.folder) as catalog:
            catalog.write_batches(found[0].reader(AS_OF), "scores")
            write_digests(catalog, digest, found[0].digests[found[0].order])

    kept(job, "score", job.folder.name, work)
    return found[0]


@pytest.fixture
def night(before: Inputs, tmp_path: Path) -> Inputs:
    """Two units gone, three new, two with another value, one with another flag."""
    matrix = pd.read_parquet(before.matrix)
    flags = pd.read_parquet(before.flags)
    new = matrix.iloc[:3].assign(unit_id=["n1", "n2", "n3"])
    flags = pd.concat([flags, flags.iloc[:3].assign(unit_id=new["unit_id"])])
    matrix = pd.concat([matrix, new])
    matrix.loc[matrix["unit_id"] == "u000000010", "x1"] += 0.01
    matrix.loc[matrix["unit_id"] == "u000000020", "x2"] = np.nan
    matrix.loc[matrix["unit_id"] == "u000000021", "x2"] = 0.5
    flags.loc[flags["unit_id"] == "u000000030", "V2"] ^= True
    gone = ["u000000005", "u000000999"]
    later = replace(before, matrix=tmp_path / "m.parquet", flags=tmp_path / "f.parquet")
    for table, place in ((matrix, later.matrix), (flags, later.flags)):
        left = table[~table["unit_id"].isin(gone)].sort_values("unit_id")
        left.to_parquet(place, index=False)
    return later


CHANGED = {"n1", "n2", "n3", *(f"u0000000{n}" for n in (10, 20, 21, 30))}


@pytest.mark.parametrize("kind", ["scorer", "taught"])
def test_a_night_scores_the_new_rows_and_has_the_list_of_a_whole_run(
    settings, kind, before, night, tmp_path, request
):
    scorer = request.getfixturevalue(kind)
    run(job(settings), scorer, before)
    counting = Counting(scorer)
    run(later := job(settings), counting, night)
    assert counting.asked == CHANGED
    run(fresh := job(Settings(home=tmp_path / "fresh")), scorer, night)
    lists = [(one.folder / "scores.parquet").read_bytes() for one in (later, fresh)]
    assert lists[0] == lists[1]


def test_the_night_after_goes_by_the_night_and_not_by_what_was_before(
    settings, scorer, before, night
):
    run(job(settings), scorer, before)
    run(job(settings), scorer, night)
    counting = Counting(scorer)
    run(job(settings), counting, night)
    assert not counting.asked


def test_a_small_run_in_between_does_not_make_the_night_dear(
    settings, scorer, before, tmp_path
):
    run(job(settings), scorer, before)
    (tmp_path / "few").mkdir()
    run(job(settings), scorer, write_inputs(tmp_path / "few", 20, FEATURES, seed=1))
    counting = Counting(scorer)
    run(job(settings), counting, before)
    assert not counting.asked


@pytest.mark.parametrize(
    "why", ["another version", "made again", "cut", "damaged", "nothing"]
)
def test_what_may_not_be_taken_is_scored_again(settings, scorer, before, why):
    first, second = job(settings), job(settings)
    run(first, scorer, before)
    shelf = settings.work / MODEL / "kept"
    scores = next(shelf.glob("*/scores.parquet"))
    whole = scores.read_bytes()
    if why in ("cut", "damaged"):
        scores.unlink()
    if why == "cut":
        scores.write_bytes(whole[:-10])
    if why == "damaged":
        scores.write_bytes(bytes(len(whole)))
    if why == "nothing":
        shutil.rmtree(shelf)
    if why == "made again":
        second = replace(second, version=1)
    counting = Counting(scorer)
    run(second, counting, before, "m2" if why == "another version" else "m1")
    assert len(counting.asked) == UNITS


def test_what_another_run_removes_meanwhile_is_not_missed(
    settings, scorer, before, monkeypatch
):
    run(job(settings), scorer, before)
    next((settings.work / MODEL / "kept").glob("*/scores.parquet")).unlink()
    monkeypatch.setattr("flows.shelf.is_whole", lambda place: True)
    assert earlier(job(settings), "m1", "scores", before.unit_ids()) is None
    shutil.rmtree(settings.work / MODEL / "kept")
    assert earlier(job(settings), "m1", "scores", before.unit_ids()) is None


def test_work_that_is_being_put_away_is_not_finished(settings, scorer, before):
    run(job(settings), scorer, before)
    (place,) = (settings.work / MODEL / "kept").iterdir()
    place.rename(place.with_name(f"{place.name}.part-1"))
    assert earlier(job(settings), "m1", "scores", before.unit_ids()) is None


def test_another_program_takes_nothing(settings, scorer, before, monkeypatch):
    run(job(settings), scorer, before)
    monkeypatch.setattr("flows.earlier.program", lambda: "another")
    counting = Counting(scorer)
    run(job(settings), counting, before)
    assert len(counting.asked) == UNITS


def test_a_run_that_had_none_of_the_units_gives_nothing(settings, scorer, before):
    run(job(settings), scorer, before)
    other = pq.read_table(before.matrix, columns=["unit_id"])["unit_id"].slice(0, 0)
    assert earlier(job(settings), "m1", "scores", other) is None


def test_any_other_value_or_flag_is_another_row(before):
    X, H = next(before.parts(300))
    own = row_digests(X, H)
    assert len(np.unique(own)) == len(X)
    for name in before.features:
        X_other = X.assign(**{name: X[name].fillna(0.0) + 0.001})
        assert (row_digests(X_other, H) != own).all()
    for code in CODES:
        assert (row_digests(X, H.assign(**{code: ~H[code]})) != own).all()
    assert (row_digests(X.iloc[100:], H.iloc[100:]) == own[100:]).all()
