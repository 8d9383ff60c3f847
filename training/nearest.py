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
# A processor takes a load for that of a value being stored, and waits, where the last
# twelve bits of their addresses agree. Left to chance the same loops took up to 1.8 times as
# long, so sums and reference start at fixed places of a page, and rows of sums lie apart.
PAGE, APART = 4_096, 512  # bytes
STRIDE = BLOCK + PAGE // TOGETHER // 4  # of a row of sums, in float32
MANY = 32  # neighbours, from which on they are sorted by a library
GROUPS = 256  # of a row's sums, whose minima tell which few may be among the smallest
HALVINGS = 12  # of the span in which a bound is looked for


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

        Equally near ones come by position. Where the reference has fewer others, the last
        columns are infinite and -1.
        """
        squares, places = _nearest(*self._in_pairs(X), self.count + 1)
        itself = squares[:, :1] == 0.0
        return np.sqrt(_others(squares, itself)), _others(places, itself)

    def distances(self, X: Matrix) -> Matrix:
        """The distances of `find` alone; of a hundred in two thirds of its time."""
        if self.count < MANY:
            found, _ = self.find(X)
            return found
        squares = np.sort(_candidates(*self._in_pairs(X), self.count + 1), axis=1)
        squares = squares[:, : self.count + 1]
        return np.asarray(np.sqrt(_others(squares, squares[:, :1] == 0.0)))

    def _in_pairs(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Rows x columns and the reference's columns x rows, of an even number of columns.

        One of zeros beside the others changes no distance.
        """
        odd = X.shape[1] % 2
        rows = np.pad(X, ((0, 0), (0, odd))) if odd else X
        width, size = self.columns_.shape
        columns = _of_a_page((width + odd) * size, APART).reshape(width + odd, size)
        columns[:width], columns[width:] = self.columns_, 0.0
        return np.ascontiguousarray(rows, dtype=np.float32), columns


@njit(cache=True)
def _of_a_page(size: int, start: int) -> Any:
    """Room for so many float32, from this byte of a page of memory on."""
    room = np.empty(size + PAGE // 4, np.float32)
    first = (start - room.ctypes.data) % PAGE // 4
    return room[first : first + size]


def _others(found: Any, itself: npt.NDArray[np.bool_]) -> Any:
    """All columns but the last; but the first, of the rows that met themselves there."""
    return np.where(itself, found[:, 1:], found[:, :-1])


@njit(cache=True, nogil=True)
def _nearest(X: Matrix, reference: Matrix, count: int) -> Any:
    """Squared distances (rows x count) and positions, ascending.

    Args:
        reference: columns x rows, so that a column of many rows is read in a run.
    """
    squares = np.full((len(X), count), np.inf, np.float32)
    places = np.full((len(X), count), -1, np.int32)
    every = np.empty((TOGETHER, reference.shape[1]), np.float32)
    near = np.empty(reference.shape[1], np.int32)
    for first in range(0, len(X), TOGETHER):
        rows = X[first : first + TOGETHER]
        _all_distances(rows, reference, every)
        for i in range(len(rows)):
            found = _small_ones(every[i], count, near)
            for place in near[:found]:
                _insert(every[i][place], place, squares[first + i], places[first + i])
    return squares, places


@njit(cache=True, nogil=True)
def _candidates(X: Matrix, reference: Matrix, count: int) -> Any:
    """Rows x 2 count: the smallest squared distances, in no order, and others.

    Where the reference has fewer rows, the rest is infinite.
    """
    squares = np.full((len(X), 2 * count), np.inf, np.float32)
    every = np.empty((TOGETHER, reference.shape[1]), np.float32)
    near = np.empty(reference.shape[1], np.int32)
    for first in range(0, len(X), TOGETHER):
        rows = X[first : first + TOGETHER]
        _all_distances(rows, reference, every)
        for i in range(len(rows)):
            kept, found = squares[first + i], _small_ones(every[i], count, near)
            values = every[i][near[:found]]
            if found > len(kept):  # many are equally far
                values = np.sort(values)[: len(kept)]
            kept[: len(values)] = values
    return squares


@njit(cache=True)
def _small_ones(values: Any, count: int, near: Any) -> int:
    """Put the positions of the `count` smallest first in `near`, and of few others.

    Returns how many they are. As many groups of values have a minimum up to a bound, so
    many values at least are below it, and all that are stand in such groups.
    """
    least = np.full(GROUPS, np.inf, np.float32)
    for start in range(0, len(values), GROUPS):
        part = values[start : start + GROUPS]
        for i in range(len(part)):
            least[i] = part[i] if part[i] < least[i] else least[i]
    bound, found = _bound(least, count), 0
    for group in range(GROUPS):
        if least[group] <= bound:
            for place in range(group, len(values), GROUPS):
                # Without asking first: a branch would be foreseen wrongly.
                near[found] = place
                found += values[place] <= bound
    return found


@njit(cache=True)
def _bound(values: Any, count: int) -> float:
    """At least the `count`-th smallest of the values, and seldom much more.

    Infinite where fewer are finite.
    """
    low, high, finite = np.float32(np.inf), np.float32(-np.inf), np.int32(0)
    for i in range(len(values)):
        known = values[i] < np.inf
        low = values[i] if values[i] < low else low
        high = values[i] if known and values[i] > high else high
        finite += np.int32(known)
    if finite < count:
        return np.inf
    for _ in range(HALVINGS):
        middle = low + (high - low) / np.float32(2)
        below = np.int32(0)
        for i in range(len(values)):
            below += np.int32(values[i] <= middle)
        low, high = (low, middle) if below >= count else (middle, high)
        if below == count:
            break
    return float(high)


@njit(cache=True)
def _all_distances(rows: Matrix, reference: Matrix, every: Matrix) -> None:
    """Squared distances of up to four rows from the whole reference, block by block."""
    sums = _of_a_page(TOGETHER * STRIDE, 0).reshape((TOGETHER, STRIDE))
    for start in range(0, reference.shape[1], BLOCK):
        size = min(BLOCK, reference.shape[1] - start)
        _distances(rows, reference, start, size, sums)
        every[:, start : start + size] = sums[:, :size]


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
def _insert(square: float, place: int, squares: Any, places: Any) -> None:
    """Put a value among sorted ones, if it is nearer than the last; ties by position."""
    hole = len(squares)
    while hole > 0 and (
        square < squares[hole - 1]
        or (square == squares[hole - 1] and place < places[hole - 1])
    ):
        if hole < len(squares):
            squares[hole], places[hole] = squares[hole - 1], places[hole - 1]
        hole -= 1
    if hole < len(squares):
        squares[hole], places[hole] = square, place
