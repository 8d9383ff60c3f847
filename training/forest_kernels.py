"""Compiled loops of the isolation forest: growing one tree, walking rows down all trees.

Nodes are numbered; the children of a node are `child` and `child + 1`, a leaf has -1 as
its first column. A tree cuts along one column, or along a sum of two of them.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from training.preprocess import Matrix

EULER_GAMMA = 0.5772156649015329
LEAF = -1
# Shares of a range below this are cut off: a cut beside a copy of the minimum would
# claim an infinite density.
SMALLEST_SHARE = 1e-6


@njit(cache=True)
def expected_depth(rows: int) -> float:
    """Mean path length of an unsuccessful search among `rows` (Liu et al. 2008, eq. 1)."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (math.log(rows - 1.0) + EULER_GAMMA) - 2.0 * (rows - 1.0) / rows


@njit(cache=True)
def _deviation(X: Matrix, rows: Any, column: int) -> float:
    """Standard deviation of a column over some rows; 0 where all of them agree."""
    first, total = X[rows[0], column], 0.0
    varies = False
    for row in rows:
        total += X[row, column]
        varies = varies or X[row, column] != first
    if not varies:
        return 0.0
    mean, squares = total / len(rows), 0.0
    for row in rows:
        squares += (X[row, column] - mean) ** 2
    return math.sqrt(squares / len(rows))


@njit(cache=True)
def _draw_direction(X: Matrix, rows: Any, columns: Any, weights: Any) -> None:
    """Fill in columns that vary over the rows, and weights: normal, per sd of each.

    Gives up after many draws where hardly a column varies; then LEAF stays in.
    """
    wanted, found = len(columns), 0
    for _ in range(4 * X.shape[1] + 10):
        column = np.random.randint(0, X.shape[1])
        if found == 1 and column == columns[0]:
            continue
        deviation = _deviation(X, rows, column)
        if deviation > 0.0:
            columns[found] = column
            weights[found] = np.random.normal() / deviation
            found += 1
        if found == wanted:
            return


@njit(cache=True)
def _project(X: Matrix, rows: Any, columns: Any, weights: Any) -> Any:
    """Place of each row along the direction; the arithmetic of `walk`."""
    places = np.zeros(len(rows), np.float32)
    for i in range(len(rows)):
        place = weights[0] * X[rows[i], columns[0]]
        if columns[1] != LEAF:
            place += weights[1] * X[rows[i], columns[1]]
        places[i] = place
    return places


@njit(cache=True)
def _guided_cut(places: Any) -> Any:
    """Where the two sides have the smallest pooled standard deviation."""
    ordered = np.sort(places)
    count = len(ordered)
    mean = 0.0
    for place in ordered:
        mean += place / count
    squares = 0.0
    for place in ordered:
        squares += (place - mean) ** 2
    best, cut = np.inf, ordered[0]
    left_sum, left_squares = 0.0, 0.0
    for i in range(count - 1):
        left_sum += ordered[i] - mean
        left_squares += (ordered[i] - mean) ** 2
        if ordered[i + 1] <= ordered[i]:
            continue
        below, above = i + 1, count - i - 1
        pooled = math.sqrt(max(below * left_squares - left_sum**2, 0.0)) + math.sqrt(
            max(above * (squares - left_squares) - left_sum**2, 0.0)
        )
        if pooled < best:
            best, cut = pooled, _between(ordered[i], ordered[i + 1])
    return cut


@njit(cache=True)
def _between(low: Any, high: Any) -> Any:
    """Half way in single precision; `low` where rounding would reach `high`."""
    middle = np.float32(0.5 * (low + high))
    return middle if middle < high else low


@njit(cache=True)
def _random_cut(places: Any) -> Any:
    low, high = places.min(), places.max()
    return _between(low, low + 2.0 * (high - low) * np.random.random())


@njit(cache=True)
def _partition(rows: Any, places: Any, cut: float) -> int:
    """Bring the rows at or below the cut to the front; how many they are."""
    front = rows[places <= cut]
    back = rows[places > cut]
    rows[: len(front)] = front
    rows[len(front) :] = back
    return len(front)


@njit(cache=True)
def _divide(X: Matrix, rows: Any, guided: bool, columns: Any, weights: Any) -> Any:
    """Cut the rows of a node in two; how many are below, the cut, their share of the range.

    None are below where no column varies, so that the node stays a leaf.
    """
    width = 1 if weights[1] == 0.0 else 2
    _draw_direction(X, rows, columns[:width], weights[:width])
    if columns[0] == LEAF:
        return 0, np.float32(0.0), 0.5
    places = _project(X, rows, columns, weights)
    low, high = places.min(), places.max()
    cut = _guided_cut(places) if guided else _random_cut(places)
    share = (cut - low) / max(high - low, 1e-30)
    share = min(max(share, SMALLEST_SHARE), 1.0 - SMALLEST_SHARE)
    below = _partition(rows, places, cut)
    return (below if below < len(rows) else 0), cut, share


@njit(cache=True)
def grow(X: Matrix, width: int, guided: bool, levels: int, seed: int) -> Any:
    """One tree over all rows of X (rows x columns, standardised).

    Args:
        width: columns that a cut combines, 1 or 2.
        guided: cut where the pooled deviation is smallest, else anywhere in the range.
        levels: depth at which a branch ends.

    Returns:
        By node: columns (n x 2), weights (n x 2), cut, child; depth of a leaf, its rows'
        expected depth added; log density of a leaf: share of rows per share of volume.
    """
    np.random.seed(seed)
    most = 2 * len(X)
    columns = np.full((most, 2), LEAF, np.int32)
    weights = np.zeros((most, 2), np.float32)
    weights[:, width - 1] = 1.0  # tells `_divide` the width
    cuts, child = np.zeros(most, np.float32), np.zeros(most, np.int32)
    depth, density = np.zeros(most, np.float64), np.zeros(most, np.float64)
    start, end = np.zeros(most, np.int64), np.zeros(most, np.int64)
    order = np.arange(len(X))
    end[0], count, node = len(X), 1, 0
    while node < count:
        rows, below, share = order[start[node] : end[node]], 0, 0.5
        if len(rows) > 1 and depth[node] < levels:
            below, cuts[node], share = _divide(
                X, rows, guided, columns[node], weights[node]
            )
        if below == 0:
            columns[node] = LEAF
            depth[node] += expected_depth(len(rows))
        else:
            child[node], part = count, below / len(rows)
            start[count], end[count + 1] = start[node], end[node]
            end[count] = start[count + 1] = start[node] + below
            depth[count] = depth[count + 1] = depth[node] + 1.0
            density[count] = density[node] + math.log(part / share)
            density[count + 1] = density[node] + math.log((1 - part) / (1 - share))
            count += 2
        node += 1
    used = slice(0, count)
    return (
        columns[used],
        weights[used],
        cuts[used],
        child[used],
        depth[used],
        density[used],
    )


@njit(cache=True)
def descend(X: Matrix, nodes: Any, root: int, levels: int, at: Any) -> None:
    """Bring all rows from the root of a tree to their leaves; `at` takes the leaves.

    A leaf is its own child, so that all rows take `levels` steps without asking whether
    they have arrived: an unforeseen end would cost more than the steps that it saves.
    """
    columns, weights, cuts, child = nodes
    at[:] = root
    for _ in range(levels):
        for row in range(len(X)):
            node = at[row]
            place = (
                weights[node, 0] * X[row, columns[node, 0]]
                + weights[node, 1] * X[row, columns[node, 1]]
            )
            at[row] = child[node] + np.uint32(place > cuts[node])


@njit(cache=True, nogil=True)
def walk(X: Matrix, nodes: Any, roots: Any, levels: int) -> Any:
    """Sum over all trees of depth and log density of the leaf that each row reaches.

    Args:
        X: rows x columns; a few thousand rows at a time stay in the cache.
        nodes: columns, weights, cut, child, depth, density of the nodes of all trees.
        roots: first node of each tree.

    Returns:
        rows x 2.
    """
    columns, weights, cuts, child, depth, density = nodes
    sums = np.zeros((len(X), 2), np.float64)
    at = np.empty(len(X), np.uint32)
    for root in roots:
        descend(X, (columns, weights, cuts, child), root, levels, at)
        for row in range(len(X)):
            sums[row, 0] += depth[at[row]]
            sums[row, 1] += density[at[row]]
    return sums
