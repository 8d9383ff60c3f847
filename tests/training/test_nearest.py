"""Nearest rows against scikit-learn as oracle; copies; the same alone and in a batch."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from training.nearest import NearestRows


def crowd(rows: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 37])
@pytest.mark.parametrize("columns", [1, 7, 40])
def test_neighbours_are_those_of_scikit_learn(rows, columns):
    reference, X = crowd(2500, columns, 0), crowd(rows, columns, 1)
    distances, places = NearestRows(9).fit(reference).find(X)
    oracle = NearestNeighbors(n_neighbors=9, algorithm="brute").fit(reference)
    expected, expected_places = oracle.kneighbors(X)
    np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-4)
    assert (places == expected_places).mean() > 0.99


def test_row_has_bit_for_bit_the_same_distances_alone():
    reference, X = crowd(3000, 12, 0), crowd(50, 12, 1)
    nearest = NearestRows(20).fit(reference)
    whole, _ = nearest.find(X)
    for i in range(0, 50, 7):
        np.testing.assert_array_equal(nearest.find(X[i : i + 1])[0][0], whole[i])


@pytest.mark.parametrize("columns", [1, 2, 7, 40])
def test_a_distance_is_bit_for_bit_the_sum_of_its_columns_in_their_order(columns):
    reference, X = crowd(600, columns, 0), crowd(9, columns, 1)
    squares = np.zeros((len(X), len(reference)), np.float32)
    for column in range(columns):
        apart = X[:, column, None] - reference[:, column]
        squares += apart * apart
    nearest = NearestRows(5).fit(reference)
    expected = np.sqrt(np.sort(squares, axis=1)[:, :5])
    np.testing.assert_array_equal(nearest.find(X)[0], expected)


@pytest.mark.parametrize("count", [1, 31, 32, 100, 300])
@pytest.mark.parametrize("rows", [3, 99, 1500, 4096])
def test_distances_alone_are_bit_for_bit_those_of_find(count, rows):
    # Rounded, so that many reference rows are equally far or copies of each other.
    reference = crowd(rows, 3, 0).round(1)
    X = np.concatenate([reference[:20], crowd(35, 3, 1).round(1), crowd(10, 3, 2)])
    nearest = NearestRows(count).fit(reference)
    found, _ = nearest.find(X)
    np.testing.assert_array_equal(nearest.distances(X), found)
    np.testing.assert_array_equal(nearest.distances(X[5:6]), found[5:6])


def test_row_of_the_reference_leaves_itself_out_but_not_its_copies():
    reference = np.float32([[0], [0], [1], [5]])
    distances, places = NearestRows(3).fit(reference).find(reference[:1])
    assert distances.tolist() == [[0, 1, 5]]
    assert places.tolist() == [[1, 2, 3]]


def test_missing_neighbours_are_infinitely_far():
    distances, places = (
        NearestRows(3).fit(np.float32([[0], [2]])).find(np.float32([[0]]))
    )
    assert distances.tolist() == [[2, np.inf, np.inf]]
    assert places.tolist() == [[1, -1, -1]]


def test_equally_near_rows_come_by_their_position():
    reference = np.float32([[3], [1], [-1], [1], [9]] * 80)
    distances, places = NearestRows(5).fit(reference).find(np.float32([[0]]))
    assert distances.tolist() == [[1] * 5]
    assert places.tolist() == [[1, 2, 3, 6, 7]]


def test_an_empty_reference_has_no_neighbours():
    distances, places = NearestRows(2).fit(crowd(0, 3, 0)).find(crowd(4, 3, 1))
    assert np.isinf(distances).all()
    assert (places == -1).all()
