"""Counted pairs against listing them all."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.linkage_metrics import (
    Quality,
    cluster_quality,
    counted_pairs,
    curve,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["a", "b"])),
    min_size=2,
    max_size=12,
)
SCORED = st.lists(
    st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.9, 1.0]), st.booleans()),
    min_size=1,
    max_size=15,
)


def listed(rows, *, across):
    """Each pair of rows: whether it was put together, and whether it should be."""
    return [
        (left[0] == right[0], left[1] == right[1])
        for left, right in combinations(rows, 2)
        if not across or left[2] != right[2]
    ]


@pytest.mark.parametrize("across", [False, True], ids=["all", "across"])
@given(rows=ROWS)
def test_clusters_are_judged_as_if_every_pair_were_listed(across, rows):
    cluster, entity, source = (np.array(column) for column in zip(*rows, strict=True))
    pairs = listed(rows, across=across)
    found = sum(together for together, _ in pairs)
    wanted = sum(one for _, one in pairs)
    right = sum(together and one for together, one in pairs)
    quality = cluster_quality(cluster, entity, source if across else None)
    assert counted_pairs(entity, source=source if across else None) == wanted
    assert quality.precision == pytest.approx(
        right / found if found else np.nan, nan_ok=True
    )
    assert quality.recall == pytest.approx(
        right / wanted if wanted else np.nan, nan_ok=True
    )


@given(scored=SCORED, threshold=st.sampled_from([0.0, 0.1, 0.3, 0.4, 0.95, 1.0]))
def test_a_curve_says_at_each_threshold_what_counting_says(scored, threshold):
    wanted = 20
    points = curve(
        np.array([score for score, _ in scored]),
        np.array([right for _, right in scored]),
        wanted,
    )
    taken = [right for score, right in scored if score >= threshold]
    quality = points.at(threshold)
    assert quality.recall == sum(taken) / wanted
    assert quality.precision == pytest.approx(
        np.mean(taken) if taken else np.nan, nan_ok=True
    )


@given(scored=SCORED, precision=st.sampled_from([0.3, 0.5, 0.95, 1.0]))
def test_recall_at_a_precision_is_the_best_of_all_thresholds(scored, precision):
    points = curve(
        np.array([score for score, _ in scored]),
        np.array([right for _, right in scored]),
        20,
    )
    qualities = [points.at(score) for score, _ in scored]
    kept = [q.recall for q in qualities if q.precision >= precision]
    assert points.recall_at(precision) == max(kept, default=0.0)
    best = max(0.0 if np.isnan(q.f1) else q.f1 for q in qualities)
    assert np.nan_to_num(points.best().f1) == pytest.approx(best)


def test_equal_scores_stand_or_fall_together():
    points = curve(np.array([0.5, 0.5, 0.5]), np.array([True, False, False]), 1)
    assert points.recall_at(0.5) == 0.0
    assert points.at(0.5) == Quality(pytest.approx(1 / 3), 1.0)


def test_no_pairs_are_no_recall():
    points = curve(np.array([]), np.array([], bool), 3)
    assert points.at(0.5).recall == points.recall_at(0.9) == points.best().recall == 0
