"""Scoring from files in parts: the same list bit for bit, within a bounded memory."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import LeadlineError
from flows import scored as scored_module
from flows.catalog import opened
from flows.inputs import Inputs
from flows.scored import at_times, scored
from tests.flows.wide import quick_scorer, write_inputs
from training.model import LeadScorer

UNITS, FEATURES = 2_111, 12
AS_OF = datetime(2026, 3, 1)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return write_inputs(tmp_path_factory.mktemp("wide"), UNITS, FEATURES)


@pytest.fixture(scope="module")
def scorer(inputs: Inputs) -> LeadScorer:
    return quick_scorer(inputs)


@pytest.fixture(scope="module")
def whole(inputs: Inputs, scorer: LeadScorer) -> pd.DataFrame:
    """The list as from frames that are held whole."""
    matrix = pd.read_parquet(inputs.matrix).set_index("unit_id").astype("float64")
    flags = pd.read_parquet(inputs.flags).set_index("unit_id")
    return scorer.score(matrix, flags, as_of=AS_OF)


@pytest.mark.parametrize("size", [(1_000, 1), (77, 3), (2_111, 2), (19, 5)])
def test_a_list_scored_in_parts_is_bit_for_bit_the_whole_one(
    inputs, scorer, whole, size, tmp_path, monkeypatch
):
    rows, threads = size
    monkeypatch.setattr(Inputs.parts, "__defaults__", (rows,))
    monkeypatch.setattr(scored_module, "ROWS_WRITTEN", 2_048)
    found = scored(scorer, inputs, threads)
    with opened(tmp_path) as catalog:
        catalog.write_batches(found.reader(AS_OF), "scores")
        read = pd.read_parquet(catalog.path("scores"))
    pd.testing.assert_frame_equal(read, whole, check_exact=True)
    first = found.frame("fused", "rank_score")
    kept = whole[["unit_id", "fused", "rank_score"]]
    pd.testing.assert_frame_equal(first, kept, check_exact=True)


def test_ties_go_to_the_lower_unit_id(inputs, scorer, tmp_path):
    matrix, flags = pq.read_table(inputs.matrix), pq.read_table(inputs.flags)
    twice = np.sort(np.tile(np.arange(200), 2))
    ids = [f"u{i:04d}" for i in range(len(twice))]
    for path, table in ((inputs.matrix, matrix), (inputs.flags, flags)):
        copies = table.take(twice).set_column(0, "unit_id", [ids])
        pq.write_table(copies, tmp_path / path.name)
    paths = tmp_path / inputs.matrix.name, tmp_path / inputs.flags.name
    doubled = Inputs(*paths, inputs.features, inputs.codes)
    ranks = scored(scorer, doubled, 2).columns
    for name in ("rank_score", "rank_rules", "rank_fused"):
        assert (ranks[name][::2] < ranks[name][1::2]).all()


def test_rows_of_some_units_are_read_in_their_order(inputs):
    places = np.array([0, 5, 1_999, 2_110])
    X, H = inputs.rows(places)
    matrix = pd.read_parquet(inputs.matrix).set_index("unit_id")
    flags = pd.read_parquet(inputs.flags).set_index("unit_id")
    expected = matrix.iloc[places].astype("float64")
    pd.testing.assert_frame_equal(X, expected, check_exact=True)
    pd.testing.assert_frame_equal(H, flags.iloc[places])


@pytest.mark.parametrize(
    ("order", "message"),
    [([1, 0, 2], "'a' follows 'b'"), ([0, 0, 1], "'a' follows 'a'")],
)
def test_units_out_of_order_or_twice_are_refused(inputs, tmp_path, order, message):
    paths = []
    for path in (inputs.matrix, inputs.flags):
        table = pq.read_table(path).slice(0, 3).set_column(0, "unit_id", [list("abc")])
        pq.write_table(table.take(order), tmp_path / path.name)
        paths.append(tmp_path / path.name)
    wrong = Inputs(*paths, inputs.features, inputs.codes)
    for rows in (1, 3):
        with pytest.raises(LeadlineError, match=message):
            list(wrong.parts(rows))


def test_flags_of_other_units_are_refused(inputs, tmp_path):
    flags = pq.read_table(inputs.flags)
    for table, message in (
        (flags.slice(1), "2,111 units"),
        (flags.take(np.arange(UNITS)[::-1]), "same units"),
    ):
        pq.write_table(table, tmp_path / "flags.parquet")
        wrong = Inputs(
            inputs.matrix, tmp_path / "flags.parquet", inputs.features, inputs.codes
        )
        with pytest.raises(LeadlineError, match=message):
            list(wrong.parts())


def test_progress_says_how_much_is_left_and_not_too_often(monkeypatch):
    said, clock = [], iter([0.0, 1.0, 6.0, 7.0, 12.0, 20.0])
    monkeypatch.setattr(scored_module.time, "monotonic", lambda: next(clock))
    advance = at_times(said.append)
    for done in (100, 600, 700, 1_200, 2_000):
        advance(done, 2_000)
    assert said == [
        "scored 600 of 2,000 units, 14 s for the rest",
        "scored 1,200 of 2,000 units, 8 s for the rest",
    ]


def test_time_left_leaves_out_what_came_before_the_first_part(monkeypatch):
    """Once after each installation that is compiled: 12 of 50 seconds of a million."""
    said, clock = [], iter([0.0, 30.0, 30.1, 36.0])
    monkeypatch.setattr(scored_module.time, "monotonic", lambda: next(clock))
    advance = at_times(said.append)
    # The second thread's first part comes right after that of the first.
    for done in (100, 200, 700):
        advance(done, 2_000)
    assert said == ["scored 700 of 2,000 units, 13 s for the rest"]


@pytest.mark.longer
@pytest.mark.slow
def test_memory_stays_far_below_the_matrix(tmp_path: Path):
    units, features = 400_000, 60
    command = [sys.executable, "-m", "tests.flows.wide", str(tmp_path)]
    done = subprocess.run(
        [*command, str(units), str(features)],
        capture_output=True,
        text=True,
        check=True,
    )
    # A matrix of floats and one copy of it would be 384 MB, before any detector.
    assert json.loads(done.stdout)["grown"] < 2 * units * features * 8
