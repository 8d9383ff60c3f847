"""The compiled forest: exact walks, cuts where they belong, no surprise at the edges."""

import numpy as np
import pytest

from training.forest import IsolationTrees
from training.forest_kernels import expected_depth


def crowd(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("guided", [True, False])
def test_far_row_is_isolated_early_and_lies_in_a_thin_leaf(width, guided):
    X = crowd(500, 5)
    X[3] = 12
    trees = IsolationTrees(trees=50, width=width, guided=guided).fit(X)
    assert np.argmax(trees.isolation(X)) == 3
    assert np.argmax(trees.thinness(X)) == 3


def test_every_training_row_of_a_tree_reaches_a_leaf_that_holds_it():
    X = crowd(64, 3)
    trees = IsolationTrees(trees=1, sample=64).fit(X)
    columns, weights, cuts, child, depth, _ = trees.nodes_
    rows = trees.scale_.transform(X)
    leaf = child == np.arange(len(child))
    expected = []
    for row in rows:
        node = 0
        while not leaf[node]:
            place = np.float32((weights[node] * row[columns[node]]).sum())
            node = child[node] + (place > cuts[node])
        expected.append(depth[node])
    unit = expected_depth(64)
    np.testing.assert_allclose(
        trees.isolation(X), np.exp2(-np.array(expected) / unit), rtol=1e-6
    )


def test_guided_cut_parts_two_crowds_at_once():
    X = np.r_[crowd(100, 1), crowd(100, 1) + 50]
    trees = IsolationTrees(trees=20, sample=200, width=1).fit(X)
    cuts = trees.nodes_[2][trees.roots_] / trees.nodes_[1][trees.roots_, 0]
    place = cuts * trees.scale_.span_[0] + trees.scale_.centre_[0]
    assert ((place > 4) & (place < 46)).all()


@pytest.mark.parametrize("shape", [(2, 1), (3, 2), (50, 1555)])
def test_smallest_and_widest_tables_give_finite_numbers(shape):
    trees = IsolationTrees(trees=10).fit(crowd(*shape))
    for scores in (trees.isolation(crowd(*shape)), trees.thinness(crowd(*shape))):
        assert np.isfinite(scores).all()


def test_equal_rows_stay_together():
    X = np.ones((60, 4), np.float32)
    assert np.unique(IsolationTrees(trees=5).fit(X).isolation(X)).size == 1


def test_expected_depth_is_that_of_the_paper():
    # Liu, Ting, Zhou 2008: c(256) = 10.244
    assert expected_depth(256) == pytest.approx(10.244, abs=1e-3)
    assert [expected_depth(n) for n in (1, 2)] == [0.0, 1.0]
