import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from tests.training.conftest import numbers
from training.detectors import DETECTORS, ordinary_distance, sample_rows
from training.ensemble import Ensemble, LogScale, RankScale

ROOT = Path(__file__).parents[2]


def matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return numbers(rows, columns, seed).to_numpy(np.float32, copy=True)


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return Ensemble(seed=1).fit(matrix(800, 6))


def test_row_scores_the_same_alone_and_in_any_batch(ensemble):
    X = matrix(5000, 6, seed=9)  # more than one chunk
    whole = ensemble.rank_scores(X)
    halves = [ensemble.rank_scores(part) for part in (X[:2501], X[2501:])]
    alone = [ensemble.rank_scores(X[i : i + 1]) for i in range(0, 5000, 500)]
    for name, scores in whole.items():
        joined = np.concatenate([half[name] for half in halves])
        np.testing.assert_array_equal(scores, joined)
        single = [one[name][0] for one in alone]
        np.testing.assert_array_equal(scores[::500], single)


@pytest.mark.parametrize("shape", [(50, 1), (50, 8), (2, 2), (120, 1555), (11_000, 3)])
def test_any_shape_is_scored_with_finite_numbers(shape):
    X = (
        matrix(*shape)
        if shape[1] < 1000
        else np.random.default_rng(0).random(shape, dtype=np.float32)
    )
    ranks = Ensemble(seed=0).fit(X).rank_scores(X[:100])
    for scores in ranks.values():
        assert ((scores > 0) & (scores < 1)).all()


def test_identical_rows_are_scored_without_error():
    X = np.ones((60, 2), dtype=np.float32)
    X[0] = 2
    scores = Ensemble().fit(X).score(X)
    assert np.argmax(scores) == 0
    assert np.isfinite(scores).all()


def test_same_seed_gives_the_same_scores_in_another_process(ensemble):
    code = (
        "from tests.training.test_detectors import *;"
        "sys.stdout.write(Ensemble(seed=1).fit(matrix(800, 6))"
        ".score(matrix(50, 6, 9)).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    other = np.frombuffer(bytes.fromhex(done.stdout.decode()))
    np.testing.assert_array_equal(other, ensemble.score(matrix(50, 6, 9)))


def test_another_seed_gives_other_scores(ensemble):
    other = Ensemble(seed=2).fit(matrix(800, 6)).score(matrix(50, 6, 9))
    assert not np.allclose(other, ensemble.score(matrix(50, 6, 9)))


def test_planted_cluster_of_shifted_rows_comes_first():
    X = matrix(1000, 8)
    X[:20, :3] += 6 * X[:, :3].std(axis=0)
    scores = Ensemble().fit(X).score(X)
    assert np.isin(np.argsort(-scores)[:20], np.arange(20)).mean() >= 0.9


def test_planted_break_of_a_correlation_comes_first():
    rng = np.random.default_rng(4)
    base = rng.standard_normal(1000)
    X = np.c_[base, base + 0.1 * rng.standard_normal(1000)].astype(np.float32)
    X[:10] = np.c_[np.full(10, 1.5), np.full(10, -1.5)] + 0.1 * X[:10]
    scores = Ensemble().fit(X).score(X)
    assert np.isin(np.argsort(-scores)[:15], np.arange(10)).sum() >= 8


@pytest.mark.parametrize("name", DETECTORS)
def test_each_member_puts_a_far_row_first_and_can_be_cloned(name):
    X = matrix(300, 4)
    X[7] = 50 * np.abs(X).max(axis=0)
    member = DETECTORS[name](0)
    assert np.argmax(member.fit(X).score(X)) == 7
    assert clone(member).get_params() == member.get_params()


def test_distance_from_the_ordinary_is_not_fooled_by_a_crowd_of_copies():
    X = matrix(400, 4)
    X[:40] = X.max(axis=0) + 3 * X.std(axis=0)  # forty equal rows, far from all others
    ordinary = np.arange(400) >= 40
    scores = ordinary_distance(0).fit(X, ordinary).score(X)
    assert scores[:40].min() > scores[40:].max()


def test_member_scores_average_to_the_score(ensemble):
    X = matrix(50, 6, seed=5)
    members = ensemble.member_scores(X)
    assert list(members) == ["forest", "density", "neighbours", "ordinary"]
    mean = np.mean(list(members.values()), axis=0)
    np.testing.assert_allclose(mean, ensemble.score(X), atol=1e-6)


def test_no_rows_give_no_scores(ensemble):
    assert ensemble.score(matrix(5, 6)[:0]).shape == (0,)


@pytest.mark.parametrize("scale", [LogScale(), RankScale()])
@pytest.mark.parametrize("constant", [False, True])
def test_scales_keep_order_beyond_the_training_maximum(scale, constant):
    train = np.ones(100) if constant else np.random.default_rng(0).random(100)
    scaled = scale.fit(train).transform(np.array([0.5, 0.9, 2.0, 3.0, 1e6, 1e7]))
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled[2:]) > 0).all()
    assert (np.diff(scaled) >= 0).all()


def test_rank_scale_is_the_training_distribution():
    scale = RankScale().fit(np.array([1.0, 2.0, 2.0, 3.0]))
    np.testing.assert_allclose(
        scale.transform(np.array([1.0, 2.0, 3.0])), [1 / 8, 1 / 2, 7 / 8]
    )
    assert 0 < scale.transform(np.array([-1e9]))[0] < 1 / 8


def test_sample_rows_is_fixed_by_the_seed():
    assert (sample_rows(5, 10, 0) == np.arange(5)).all()
    first, again = sample_rows(100, 10, 0), sample_rows(100, 10, 0)
    assert (first == again).all()
    assert len(set(first)) == 10
