"""Records that agree, and the pairs of them, as arrays of numbers.

Sorting numbers costs a third of what an engine's grouping and joining of them does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from features.linkage.clusters import Bools, Ints

Numbers = npt.NDArray[np.int32]  # of records: the pairs of them are many
NONE = 0  # the code of no value
# Knuth's multiplicative hashing, to draw values without regard to their size.
SCATTER, SCATTERED = 2_654_435_761, 2**32


@dataclass(frozen=True)
class Groups:
    """Records in the order of a value that they know, and how many share each value.

    numbers: of the records, ascending inside a group; sizes: of the groups, in order;
    most: a larger group compares none of its records.
    """

    numbers: Ints
    sizes: Ints
    most: int

    @property
    def pairs(self) -> int:
        """How many pairs are compared."""
        sizes = self.sizes[self.sizes <= self.most]
        return int((sizes * (sizes - 1) // 2).sum())

    @property
    def left_out(self) -> int:
        """How many records share their value with too many."""
        return int(self.sizes[self.sizes > self.most].sum())

    @cached_property
    def used(self) -> "Groups":
        """The groups that compare their records."""
        wanted = (self.sizes > 1) & (self.sizes <= self.most)
        numbers = self.numbers[np.repeat(wanted, self.sizes)]
        return Groups(numbers, self.sizes[wanted], self.most)

    @property
    def first(self) -> Ints:
        """The lowest number of each record's group, which is one for each value."""
        starts = np.cumsum(self.sizes) - self.sizes
        return np.repeat(self.numbers[starts], self.sizes)

    def drawn(self, share: float) -> Bools:
        """Which records are of a share of the values, the same ones on any engine."""
        return self.first * SCATTER % SCATTERED < round(share * SCATTERED)

    def places(self) -> Iterator[tuple[Ints, Ints]]:
        """Each two places of `numbers` in one group, in parts, the lower number first."""
        end = np.repeat(np.cumsum(self.sizes), self.sizes)
        left = np.arange(len(self.numbers))
        for step in range(1, int(self.sizes.max(initial=1))):
            left = left[left + step < end[left]]
            yield left, left + step


def grouped(numbers: Ints, parts: Sequence[Ints], most: int) -> Groups:
    """The records by the value that some parts make together.

    Args:
        numbers: of the records, from 0 on.
        parts: codes of each record, NONE where one knows no value; with several parts a
            record must know all. Of the codes as many bits count as the numbers leave.
    """
    bits = _bits(numbers)
    value = reduce(lambda a, b: a * SCATTER + b, parts)
    known = np.logical_and.reduce([part != NONE for part in parts])
    packed = (value << bits | numbers)[known]
    packed.sort()
    new = np.flatnonzero((packed[1:] ^ packed[:-1]) >> bits) + 1
    sizes = (
        np.diff(np.r_[0, new, len(packed)]) if len(packed) else np.zeros(0, np.int64)
    )
    return Groups(packed & ((1 << bits) - 1), sizes, most)


def compared(groups: Groups, keys: Ints, unique: Ints) -> list[Numbers]:
    """Each two records of a group, once: the lower numbers and the higher ones.

    Two records with different keys, or of one register, are left out.

    Args:
        keys, unique: codes of the records, by their numbers.
    """
    used = groups.used
    key, register = keys[used.numbers], unique[used.numbers]
    lower, higher = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for left, right in used.places():
        apart = (key[left] != key[right]) & (key[left] != NONE) & (key[right] != NONE)
        apart |= (register[left] == register[right]) & (register[left] != NONE)
        lower.append(used.numbers[left[~apart]].astype(np.int32))
        higher.append(used.numbers[right[~apart]].astype(np.int32))
    return [np.concatenate(lower), np.concatenate(higher)]


def _bits(numbers: Ints) -> int:
    return int(numbers.max(initial=0)).bit_length()
