"""Folds that keep a ring together: one ring is one example."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def group_folds(
    groups: Sequence[object] | npt.NDArray[np.object_], folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """The fold of each row; rows of one group share theirs. Fixed by the seed."""
    _, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    total = int(group.max()) + 1 if len(group) else 0
    dealt = np.random.default_rng(seed).permutation(total) % folds
    return np.asarray(dealt[group], dtype=np.int64)
