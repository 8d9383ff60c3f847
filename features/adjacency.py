"""Symmetric sparse matrices of ties, built and cut without copies of all entries.

Compiled, since a sparse product with a diagonal, or a sum over a mask, would hold several
times the matrix for a moment.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from scipy import sparse

Numbers = np.ndarray[tuple[int], np.dtype[np.signedinteger[Any]]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Weights = np.ndarray[tuple[int], np.dtype[np.float64]]
_LARGEST = 2**31 - 1


def index_type(largest: int) -> Any:
    """The shortest type of node numbers and places up to `largest`."""
    return np.int32 if largest < _LARGEST else np.int64


def ties_of(pairs: pa.Table, size: int) -> Any:
    """Nodes x nodes with each pair once, and once the other way round.

    Holds 12 bytes for each entry, two entries a pair; rows that come by left and right
    number are not sorted again.

    Args:
        pairs: `left`, `right` (numbers below `size`, never equal, each pair once) and
            `probability`.
    """
    kind = index_type(max(size, 2 * pairs.num_rows))
    starts = np.zeros(size + 1, dtype=kind)
    parts = [_columns(batch) for batch in pairs.to_batches()]
    for left, right, _ in parts:
        _count(left, right, starts)
    np.cumsum(starts, out=starts)
    indices = np.empty(starts[-1], dtype=kind)
    sure = np.empty(starts[-1], dtype=np.float64)
    free = starts[:-1].copy()
    for left, right, probability in parts:
        _fill(left, right, probability, free, indices, sure)
    ties = sparse.csr_array((sure, indices, starts), shape=(size, size))
    ties.sort_indices()
    return ties


def _columns(batch: pa.RecordBatch) -> Any:
    names = ("left", "right", "probability")
    return tuple(batch[name].to_numpy(zero_copy_only=False) for name in names)


def structure(ties: Any) -> Any:
    """The same entries as true; numbers and places are shared, not copied."""
    parts = np.ones(len(ties.indices), dtype=np.bool_), ties.indices, ties.indptr
    return sparse.csr_array(parts, shape=ties.shape)


def kept(matrix: Any, rows: Flags | None, columns: Flags | None) -> Any:
    """The matrix with the entries of these rows and columns alone; the numbers stay."""
    rows = np.ones(matrix.shape[0], np.bool_) if rows is None else rows
    columns = np.ones(matrix.shape[1], np.bool_) if columns is None else columns
    starts = np.zeros(len(matrix.indptr), dtype=matrix.indptr.dtype)
    _count_kept(matrix.indptr, matrix.indices, rows, columns, starts)
    np.cumsum(starts, out=starts)
    indices = np.empty(starts[-1], dtype=matrix.indices.dtype)
    data = np.empty(starts[-1], dtype=matrix.data.dtype)
    _keep(
        (matrix.indptr, matrix.indices, matrix.data),
        rows,
        columns,
        starts,
        indices,
        data,
    )
    return sparse.csr_array((data, indices, starts), shape=matrix.shape)


def neighbour_sums(matrix: Any, values: Any) -> Any:
    """For each row the sum of a value over its columns; of flags, how many are set."""
    flags = values.dtype == np.bool_
    sums = np.zeros(matrix.shape[0], dtype=np.int32 if flags else np.float64)
    _sum(matrix.indptr, matrix.indices, values, sums)
    return sums


def edges(ties: Any) -> tuple[Any, Weights]:
    """Each tie once, by its ends: an array of two columns, and its probability."""
    count = len(ties.indices) // 2
    ends = np.empty((count, 2), dtype=np.int64)
    sure = np.empty(count, dtype=np.float64)
    _upper(ties.indptr, ties.indices, ties.data, ends, sure)
    return ends, sure


def by_first(labels: Numbers) -> Numbers:
    """The same groups, numbered from 0 in the order of their first members.

    Args:
        labels: from 0, few of them unused.
    """
    first = np.full(labels.max(initial=-1) + 1, len(labels), dtype=np.int64)
    first[labels[::-1]] = np.arange(len(labels) - 1, -1, -1)
    rank: Numbers = np.empty(len(first), dtype=labels.dtype)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[labels]


def core_numbers(ties: Any) -> Numbers:
    """Of each node the largest k such that k of its neighbours have k such each.

    Nodes are peeled off by their degree (Batagelj and Zaversnik 2003): linear in the
    ties, 16 bytes a node.
    """
    degree: Numbers = np.diff(ties.indptr)
    order = np.argsort(degree, kind="stable").astype(ties.indptr.dtype)
    starts = np.zeros(degree.max(initial=0) + 2, dtype=ties.indptr.dtype)
    np.cumsum(np.bincount(degree, minlength=len(starts) - 1), out=starts[1:])
    _peel(ties.indptr, ties.indices, degree, order, starts)
    return degree


@njit(cache=True)
def _count(left: Any, right: Any, starts: Any) -> None:
    """The degree of each node, one place further on."""
    for pair in range(len(left)):
        starts[left[pair] + 1] += 1
        starts[right[pair] + 1] += 1


@njit(cache=True)
def _fill(left: Any, right: Any, sure: Any, free: Any, indices: Any, data: Any) -> None:
    """Append each end to the other's row.

    Of pairs that come by left and right number all rows are filled in ascending order:
    the smaller neighbours of a node come before its own pairs.
    """
    for pair in range(len(left)):
        for one, other in ((left[pair], right[pair]), (right[pair], left[pair])):
            indices[free[one]] = other
            data[free[one]] = sure[pair]
            free[one] += 1


@njit(cache=True)
def _count_kept(
    indptr: Any, indices: Any, rows: Any, columns: Any, starts: Any
) -> None:
    for row in range(len(rows)):
        if rows[row]:
            for at in range(indptr[row], indptr[row + 1]):
                starts[row + 1] += columns[indices[at]]


@njit(cache=True)
def _keep(
    matrix: Any, rows: Any, columns: Any, starts: Any, indices: Any, data: Any
) -> None:
    indptr, every, values = matrix
    for row in range(len(rows)):
        if rows[row]:
            free = starts[row]
            for at in range(indptr[row], indptr[row + 1]):
                if columns[every[at]]:
                    indices[free] = every[at]
                    data[free] = values[at]
                    free += 1


@njit(cache=True)
def _sum(indptr: Any, indices: Any, values: Any, sums: Any) -> None:
    for row in range(len(sums)):
        for at in range(indptr[row], indptr[row + 1]):
            sums[row] += values[indices[at]]


@njit(cache=True)
def _upper(indptr: Any, indices: Any, data: Any, ends: Any, sure: Any) -> None:
    free = 0
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            if indices[at] > row:
                ends[free, 0], ends[free, 1] = row, indices[at]
                sure[free] = data[at]
                free += 1


@njit(cache=True)
def _peel(indptr: Any, indices: Any, degree: Any, order: Any, starts: Any) -> None:
    """Turn degrees into core numbers.

    Args:
        order: the nodes by degree.
        starts: of each degree its first place in `order`.
    """
    place = np.empty_like(order)
    for at in range(len(order)):
        place[order[at]] = at
    for at in range(len(order)):
        node = order[at]
        for beside in range(indptr[node], indptr[node + 1]):
            other = indices[beside]
            if degree[other] > degree[node]:
                # To the front of its degree, and so to the end of the one below.
                first = starts[degree[other]]
                swapped = order[first]
                order[place[other]], order[first] = swapped, other
                place[swapped], place[other] = place[other], first
                starts[degree[other]] += 1
                degree[other] -= 1
