"""Weighted sums of each row, the same bits alone and in any batch.

A matrix product rounds the last rows of a call otherwise than those before them, and
parts a long call among threads where it likes: a unit's evidence would hang, in its last
digit, by who is scored with it.
"""

from functools import reduce
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from training.preprocess import Vector

# So few rows are never parted among threads, and full calls have no last rows.
BLOCK_ROWS = 64


def weighted_sums(
    values: npt.NDArray[Any], weights: Vector, order: Literal["C", "F"]
) -> Vector:
    """`values @ weights` of rows x columns, in full blocks of rows.

    Args:
        order: how the values lie in memory, by rows or by columns; rounding hangs by it.
    """
    rows, columns = values.shape
    blocks = -(-rows // BLOCK_ROWS)
    padded = np.zeros((blocks * BLOCK_ROWS, columns), order=order)
    padded[:rows] = values
    if order == "F":
        by_block = padded.T.reshape(columns, blocks, BLOCK_ROWS).transpose(1, 2, 0)
    else:
        by_block = padded.reshape(blocks, BLOCK_ROWS, columns)
    return np.asarray((by_block @ weights).reshape(-1)[:rows])


def row_sums(values: Vector) -> Vector:
    """Sum of each row (rows x columns), column by column."""
    return np.asarray(reduce(np.add, values.T, np.zeros(len(values))))
