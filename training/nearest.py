"""The nearest rows of a fixed reference: exact, compiled, the same alone and in a batch.

Compiled loops let go of Python's lock, so that several threads score at once.

A library's matrix product would be as fast, but rounds a row's distances differently in
batches of different sizes, and cannot tell a copy from a near neighbour.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit
from sklearn.base import BaseEstimator

from training.preprocess import Matrix

BLOCK = 1_024  # reference rows whose running sums stay in the processor's first cache
TOGETHER = 4  # rows that are compared with a block at once
MANY = 32  # neighbours, from which on a bound found first is faster than a heap
GROUPS = 256  # of a row's sums; their minima give that bound


class NearestRows(BaseEstimator):  # type: ignore[misc]
    """For each row the `count` nearest of a reference, in Euclidean distance.

    One exact copy of the row is left out: a row of the reference meets itself.
    """

    def __init__(self, count: int = 10) -> None:
        self.count = count

    def fit(self, reference: Matrix) -> Self:
        """Keep the reference (rows x columns, no NaN)."""
        self.columns_: Matrix = np.ascontiguousarray(reference.T, dtype=np.float32)
        return self

    def find(self, X: Matrix) -> tuple[Matrix, npt.NDArray[np.int32]]:
        """Distances and positions in the reference, each rows x count, nearest first.

        Where the reference has fewer others, the last columns are infinite and -1.
        """
        squares, places = _nearest(*self._in_pairs(X), self.count)
        return np.sqrt(squares), places

    def distances(self, X: Matrix) -> Matrix:
        """The distances of `find` alone; of many neighbours in half its time."""
        if self.count < MANY:
            found, _ = self.find(X)
            return found
        squares = np.sort(_candidates(*self._in_pairs(X), self.count), axis=1)
        others = squares[:, : self.count]
        itself = squares[:, :1] == 0.0
        np.copyto(others, squares[:, 1 : self.count + 1].copy(), where=itself)
        return np.asarray(np.sqrt(others))

    def _in_pairs(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Rows x columns and the reference's columns x rows, of an even number of columns.

        One of zeros beside the others changes no distance.
        """
        odd = X.shape[1] % 2
        rows = np.pad(X, ((0, 0), (0, odd))) if odd else X
        columns = np.pad(self.columns_, ((0, odd), (0, 0))) if odd else self.columns_
        return np.ascontiguousarray(rows, dtype=np.float32), columns


@njit(cache=True, nogil=True)
def _nearest(X: Matrix, reference: Matrix, count: int) -> Any:
    """Squared distances (rows x count) and positions, ascending.

    Args:
        reference: columns x rows, so that a column of many rows is read in a run.
    """
    squares = np.full((len(X), count), np.inf, np.float32)
    places = np.full((len(X), count), -1, np.int32)
    sums = np.empty((TOGETHER, BLOCK), np.float32)
    for first in range(0, len(X), TOGETHER):
        rows = X[first : first + TOGETHER]
        met = np.zeros(TOGETHER, np.bool_)
        for start in range(0, reference.shape[1], BLOCK):
            size = min(BLOCK, reference.shape[1] - start)
            _distances(rows, reference, start, size, sums)
            for i in range(len(rows)):
                near, where = squares[first + i], places[first + i]
                met[i] = _keep_smallest(sums[i, :size], start, near, where, met[i])
        for row in range(first, first + len(rows)):
            order = np.argsort(squares[row], kind="mergesort")
            squares[row], places[row] = squares[row][order], places[row][order]
    return squares, places


@njit(cache=True, nogil=True)
def _candidates(X: Matrix, reference: Matrix, count: int) -> Any:
    """Rows x 2 (count + 1): the smallest squared distances, in no order, and others.

    Where the reference has fewer rows, the rest is infinite.
    """
    size, width = reference.shape[1], 2 * (count + 1)
    squares = np.full((len(X), width), np.inf, np.float32)
    sums = np.empty((TOGETHER, BLOCK), np.float32)
    every, kept = np.empty((TOGETHER, size), np.float32), np.empty(size, np.float32)
    for first in range(0, len(X), TOGETHER):
        rows = X[first : first + TOGETHER]
        for start in range(0, size, BLOCK):
            part = min(BLOCK, size - start)
            _distances(rows, reference, start, part, sums)
            every[:, start : start + part] = sums[:, :part]
        for i in range(len(rows)):
            found = _keep_up_to(every[i], _bound(every[i], count + 1), kept)
            if found > width:  # many are equally far
                kept[:found] = np.sort(kept[:found])
                found = width
            squares[first + i, :found] = kept[:found]
    return squares


@njit(cache=True)
def _bound(values: Any, count: int) -> float:
    """At least the `count`-th smallest of the values, and seldom much more.

    So many groups of values have a minimum up to it; infinite where groups are fewer.
    """
    if count > GROUPS:
        return np.inf
    least = np.full(GROUPS, np.inf, np.float32)
    for start in range(0, len(values), GROUPS):
        part = values[start : start + GROUPS]
        for i in range(len(part)):
            least[i] = part[i] if part[i] < least[i] else least[i]
    return float(np.partition(least, count - 1)[count - 1])


@njit(cache=True)
def _keep_up_to(values: Any, bound: float, kept: Any) -> int:
    """Put the values up to a bound first in `kept`; how many they are."""
    found = 0
    for value in values:
        kept[found] = value  # without asking: a branch would be foreseen wrongly
        found += value <= bound
    return found


@njit(cache=True)
def _distances(
    rows: Matrix, reference: Matrix, start: int, size: int, sums: Matrix
) -> None:
    """Squared distances of up to four rows from a block of the reference.

    A reference value is read once for all four, and a sum is written once for two columns,
    of which there is an even number.
    Each row's sum runs column by column, so that it is the same whoever stands beside it.
    """
    last = len(rows) - 1
    a, b, c, d = rows[0], rows[min(1, last)], rows[min(2, last)], rows[last]
    sums_a, sums_b, sums_c, sums_d = sums[0], sums[1], sums[2], sums[3]
    sums[:] = 0.0
    for column in range(0, rows.shape[1], 2):
        values = reference[column, start : start + size]
        others = reference[column + 1, start : start + size]
        (a_0, a_1), (b_0, b_1) = a[column : column + 2], b[column : column + 2]
        (c_0, c_1), (d_0, d_1) = c[column : column + 2], d[column : column + 2]
        for i in range(len(values)):
            value, other = values[i], others[i]
            sums_a[i] = _further(sums_a[i], a_0 - value, a_1 - other)
            sums_b[i] = _further(sums_b[i], b_0 - value, b_1 - other)
            sums_c[i] = _further(sums_c[i], c_0 - value, c_1 - other)
            sums_d[i] = _further(sums_d[i], d_0 - value, d_1 - other)


@njit(cache=True)
def _further(square: float, first: float, second: float) -> float:
    """A squared distance with two more columns, one after the other."""
    square += first * first
    square += second * second
    return square


@njit(cache=True)
def _keep_smallest(
    sums: Any, start: int, squares: Any, places: Any, met_itself: bool
) -> bool:
    """Put what is nearer into the heap whose root is the farthest neighbour so far."""
    for i in range(len(sums)):
        square = sums[i]
        if square >= squares[0]:
            continue
        if square == 0.0 and not met_itself:
            met_itself = True
            continue
        _replace_root(squares, places, square, start + i)
    return met_itself


@njit(cache=True)
def _replace_root(squares: Any, places: Any, square: float, place: int) -> None:
    """Replace the root of a max-heap and let the new value sink."""
    hole, count = 0, len(squares)
    while True:
        child = 2 * hole + 1
        if child >= count:
            break
        if child + 1 < count and squares[child + 1] > squares[child]:
            child += 1
        if squares[child] <= square:
            break
        squares[hole], places[hole] = squares[child], places[child]
        hole = child
    squares[hole], places[hole] = square, place
