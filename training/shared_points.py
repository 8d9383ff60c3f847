"""Which units share association points with others, and how closely that ties them.

A point says 1 / log(1 + its units) (domain.md section 2), as in the groups of a run.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Numbers = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

# As close as one point that ten units share: from there on two units are of one node.
SAME_NODE = float(1.0 / np.log1p(10))
# Whoever shares a node but not the method is no look-alike: a mate's ordinary claim. From
# this likeness on the lead's own ring is reached sooner (0.74 to 0.84 of the first ten on
# simulated claims of seeds 7 to 9), and hardly anybody else's claims (0.937 to 0.931).
NODE_ALIKE = 0.5


def closeness(
    asked: Numbers, unit: Numbers, point: Numbers, size: Numbers, units: int
) -> Any:
    """Of each unit, the summed rarity of the points that it shares with an asked one.

    Returns:
        A sparse array of asked units x all units; nothing stands for 0, and a unit is 0
        to itself.

    Args:
        asked: rows of units.
        unit, point, size: one row per unit and point of it: its row, the point's
            number, and how many units the point ties.
        units: how many units there are.
    """
    numbers, column = np.unique(point, return_inverse=True)
    shape = (units, len(numbers))
    rarity = 1.0 / np.log1p(np.maximum(size, 1))
    rare = sparse.csr_array((rarity, (unit, column)), shape=shape)
    has = sparse.csr_array((np.ones(len(unit)), (unit, column)), shape=shape)
    found = (rare[asked] @ has.T).tocoo()
    row, other = found.coords
    others = other != asked[row]
    ends = (row[others], other[others])
    return sparse.csr_array((found.data[others], ends), shape=(len(asked), units))


def same_node(close: Weights, overall: Weights) -> npt.NDArray[np.bool_]:
    """Units as close as one point that ten units share, and alike enough by method."""
    return np.asarray((close >= SAME_NODE * (1 - 1e-9)) & (overall >= NODE_ALIKE))
