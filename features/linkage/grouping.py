"""Records that agree, and the pairs of them, as arrays of numbers.

Sorting numbers costs a third of what an engine's grouping and joining of them does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from configs.errors import LeadlineError
from features.linkage.clusters import Bools, Ints

Numbers = npt.NDArray[np.int32]  # of records: the pairs of them are many
NONE = 0  # the code of no value
LARGEST = 2**63 - 1  # number of 64 bits
DIGIT = 11  # bits that are sorted by at once
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
    packed = _in_order((value << bits | numbers)[known])
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
    ends = np.repeat(np.cumsum(used.sizes), used.sizes)
    told = used.numbers, ends, keys[used.numbers], unique[used.numbers]
    count = _count(*told)
    lower, higher = (np.empty(count, np.int32) for _ in range(2))
    _fill(*told, lower, higher)
    return [lower, higher]


def once(
    ends: Sequence[tuple[pa.ChunkedArray, pa.ChunkedArray]], most: int
) -> tuple[Numbers, Numbers, npt.NDArray[np.int16]]:
    """Each pair of several rules once, in order, with the first rule that brings it.

    A pair and its rule are one number, which is sorted: at most 27 bytes a pair beside
    what is given.

    Args:
        ends: of each rule the lower and the higher numbers of the records.
        most: rules there may be.

    Raises:
        LeadlineError: these numbers have more than 63 bits.
    """
    size = 1 + max((pc.max(higher).as_py() or 0 for _, higher in ends), default=0)
    if size**2 * most > LARGEST:
        raise LeadlineError(
            f"linking: {size:,} records of one entity and {most} blocking rules are too "
            f"many to number their pairs; with so many rules at most "
            f"{math.isqrt(LARGEST // most):,} records are allowed: link each area by itself"
        )
    packed = _in_order(_packed(ends, size, most))
    pair = packed // most
    first = np.ones(len(pair), np.bool_)
    np.not_equal(pair[1:], pair[:-1], out=first[1:])
    # One after the other, and in place: only one further array at a time.
    packed = packed[first]
    pair = pair[first]
    packed -= pair * most
    rules = packed.astype(np.int16)
    np.floor_divide(pair, size, out=packed)
    lefts = packed.astype(np.int32)
    packed *= size
    pair -= packed
    return lefts, pair.astype(np.int32), rules


def _packed(
    ends: Sequence[tuple[pa.ChunkedArray, pa.ChunkedArray]], size: int, most: int
) -> Ints:
    packed = np.empty(sum(len(lower) for lower, _ in ends), np.int64)
    start = 0
    for rule, (lower, higher) in enumerate(ends):
        part = packed[start : start + len(lower)]
        part[:] = lower.to_numpy()
        part *= size
        part += higher.to_numpy()
        part *= most
        part += rule
        start += len(lower)
    return packed


def _in_order(values: Ints) -> Ints:
    """Sorted, as numbers without a sign."""
    found: Ints = _by_digits(values.view(np.uint64)).view(np.int64)
    return found


# Digit by digit, the last one first, takes half of what NumPy's sort does (two thirds of
# it for 34 million numbers).
@njit(cache=True)
def _by_digits(values: Any) -> Any:
    places = -(-64 // DIGIT)
    starts = np.zeros((places, 1 << DIGIT), np.int64)
    last = np.uint64((1 << DIGIT) - 1)
    for value in values:
        for place in range(places):
            starts[place, (value >> np.uint64(place * DIGIT)) & last] += 1
    free = np.empty_like(values)
    for place in range(places):
        shift, start = np.uint64(place * DIGIT), starts[place]
        start[:] = np.cumsum(start) - start
        for value in values:
            digit = (value >> shift) & last
            free[start[digit]] = value
            start[digit] += 1
        values, free = free, values
    return values


# Compiled: step by step through arrays takes ten times as long where groups are large.
@njit(cache=True)
def _count(numbers: Any, ends: Any, keys: Any, unique: Any) -> int:
    """How many pairs there are of places in one group that can be one."""
    count = 0
    for left in range(len(numbers)):
        for right in range(left + 1, ends[left]):
            count += not _apart(keys, unique, left, right)
    return count


@njit(cache=True)
def _fill(
    numbers: Any, ends: Any, keys: Any, unique: Any, lower: Any, higher: Any
) -> None:
    free = 0
    for left in range(len(numbers)):
        for right in range(left + 1, ends[left]):
            if not _apart(keys, unique, left, right):
                lower[free], higher[free] = numbers[left], numbers[right]
                free += 1


@njit(cache=True, inline="always")
def _apart(keys: Any, unique: Any, left: int, right: int) -> bool:
    """Whether two are not one: other keys, or two rows of one register."""
    key, register = keys[left], unique[left]
    other = key != keys[right] and key != NONE and keys[right] != NONE
    return bool(other or (register == unique[right] and register != NONE))


def _bits(numbers: Ints) -> int:
    return int(numbers.max(initial=0)).bit_length()
