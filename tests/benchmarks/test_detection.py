"""Stored results are taken up again, and the tables say what the results say."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import detection, detection_methods
from benchmarks import detection_tables as tables
from benchmarks.detection_harness import (
    Sample,
    Task,
    eligible,
    failed,
    time_limit,
)
from benchmarks.detection_methods import METHODS, Method


def results(*rows: dict[str, object]) -> pd.DataFrame:
    usual = dict.fromkeys(detection.COLUMNS, 0.0) | {
        "code": "now",
        "mode": "split",
        "seed": 1,
        "share": 0.0,
        "status": "done",
        "note": "",
        "n": 1_000,
    }
    return pd.DataFrame([usual | row for row in rows])


def sample(anomalies: int) -> Sample:
    truth = np.zeros(100, dtype=int)
    truth[:anomalies] = 1
    return Sample(np.zeros((100, 2)), np.zeros((100, 2)), None, truth)


def test_a_comment_is_no_change_of_a_method_and_a_number_is() -> None:
    plain = detection_methods._plain('def f():\n    """Old."""\n    return 1\n')

    assert plain == detection_methods._plain(
        "def f():\n    'New.'\n    return 1  # why\n"
    )
    assert plain != detection_methods._plain('def f():\n    """Old."""\n    return 2\n')


def test_the_code_of_our_methods_follows_what_they_import() -> None:
    sources = detection_methods._reached("benchmarks.adbench")

    assert {"training.ensemble", "training.detectors", "training.forest"} <= sources
    assert not any(name.startswith("configs") for name in sources)


def test_results_of_a_changed_method_count_no_more() -> None:
    rows = results(
        {"method": "knn", "dataset": "wine", "code": "before", "auc": 0.1},
        {"method": "knn", "dataset": "wine", "auc": 0.2},
        {"method": "knn", "dataset": "wine", "auc": 0.3},
    )

    assert detection.current(rows, {"knn": "now"})["auc"].tolist() == [0.3]


def test_a_stopped_run_takes_up_what_was_stored(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "STORE", tmp_path / "results.tsv")  # type: ignore[operator]
    row = results({"method": "knn", "dataset": "wine", "auc": 0.25}).iloc[0]

    detection._keep(row.to_dict() | {"note": "two\twords"})

    stored = detection.stored().iloc[0]
    assert (stored["auc"], stored["dataset"], stored["note"]) == (
        0.25,
        "wine",
        "two words",
    )


def test_what_fails_counts_as_chance_and_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detection, "load", lambda _: sample(20))
    broken = Method("knn", "KNN", "math:nothing", ("split",))

    row = detection.measured(broken, Task("split", "wine", 1))

    assert (row["status"], row["auc"], row["ap"]) == ("failed", 0.5, 0.2)
    listed = tables.troubles(results({"method": "knn", "dataset": "wine"} | row))
    assert listed["dataset"].tolist() == ["wine"]


def test_too_many_columns_are_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detection, "load", lambda _: sample(20))
    narrow = Method("mcd", "MCD", "math:sqrt", ("split",), max_columns=1)

    row = detection.measured(narrow, Task("split", "wine", 1))

    assert (row["status"], row["note"]) == ("skipped", "more than 1 columns")


def test_feedback_needs_fifteen_anomalies() -> None:
    task = Task("active", "wine", 1)

    assert not eligible(task, sample(14))
    assert eligible(task, sample(15))
    assert failed(task, sample(15))["found60"] == 0.0


def test_time_that_runs_out_is_the_processors() -> None:
    with pytest.raises(TimeoutError, match="processor"), time_limit(1):
        _busy_for_ever()


def test_wins_and_losses_leave_ties_out() -> None:
    rows = results(
        {"method": "knn", "dataset": "wine", "auc": 0.9},
        {"method": "knn", "dataset": "WBC", "auc": 0.5},
        {"method": "knn", "dataset": "glass", "auc": 0.4},
        {"method": "iforest", "dataset": "wine", "auc": 0.8},
        {"method": "iforest", "dataset": "WBC", "auc": 0.5},
        {"method": "iforest", "dataset": "glass", "auc": 0.7},
    )

    assert tables.wins(tables.by_set(rows, "split"), "knn", "iforest", "auc") == (1, 1)


def test_a_set_counts_as_fallen_only_with_labels_enough() -> None:
    ours = {"method": "leadline_ranker", "mode": "semi", "share": 0.05, "ap": 0.5}
    rows = results(
        {"method": "leadline", "dataset": "wine", "ap": 0.6},
        {"method": "leadline", "dataset": "WBC", "ap": 0.6},
        ours | {"dataset": "wine", "labelled": 6},
        ours | {"dataset": "WBC", "labelled": 5},
    )

    fallen = tables.falls(rows, 2.0, 5)

    assert fallen["dataset"].tolist() == ["wine"]
    assert fallen["below"].tolist() == [pytest.approx(10.0)]


def test_every_method_says_where_it_is_found() -> None:
    assert all(method.where.count(":") == 1 for method in METHODS.values())


def _busy_for_ever() -> None:
    while True:
        pass
