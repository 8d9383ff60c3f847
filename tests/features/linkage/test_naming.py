"""What an entity is called: the identifier of most of its rows, never that of another."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.linkage.clusters import Records
from features.linkage.naming import UNKNOWN, bearers


def named(
    labels: Sequence[int], keys: Sequence[str | None], rows: Sequence[int] | None = None
) -> list[str]:
    """Records are called r0, r1, ... in the order given."""
    size = len(labels)
    codes = {key: code for code, key in enumerate(dict.fromkeys(keys)) if key}
    known = np.array([codes.get(key, -1) for key in keys], np.int64)  # type: ignore[call-overload]
    register = Records(known, np.full(size, -1, np.int64))
    bearer, borne = bearers(
        register, np.array(rows or [1] * size), np.array(labels, np.int64)
    )
    return [
        str(keys[n]) if by_key else f"{UNKNOWN}r{n}"
        for n, by_key in zip(bearer.tolist(), borne.tolist(), strict=True)
    ]


def test_the_identifier_of_most_rows_names_the_entity():
    assert named([0, 0, 0], ["a", "b", None], [1, 3, 9]) == ["b"] * 3
    assert named([0, 0, 0], ["a", "b", "a"], [2, 3, 2]) == ["a"] * 3


def test_among_equally_frequent_identifiers_the_first_record_decides():
    assert named([0, 0], ["b", "a"]) == ["b", "b"]
    assert named([0, 0, 0], [None, "a", "b"]) == ["a"] * 3


def test_without_identifier_the_first_record_names_the_entity():
    assert named([1, 0, 1], [None, None, None]) == ["~r0", "~r1", "~r0"]


def test_of_two_entities_with_one_identifier_that_with_most_rows_has_the_name():
    """The rows of all its records count, not those of its first one alone."""
    labels, keys = [0, 1, 1], ["a", "a", "a"]
    assert named(labels, keys, [3, 2, 2]) == ["~r0", "a", "a"]
    assert named(labels, keys, [5, 2, 2]) == ["a", "~r1", "~r1"]
    assert named(labels, keys, [4, 2, 2]) == ["a", "~r1", "~r1"]


def test_no_records_have_no_names():
    assert named([], []) == []


LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=9)


@given(labels=LABELS, data=st.data())
@settings(max_examples=200, deadline=None)
def test_two_entities_never_share_a_name_and_numbers_of_entities_do_not_matter(
    labels, data
):
    size = len(labels)
    key = st.sampled_from([None, "a", "b", "c"])
    keys = data.draw(st.lists(key, min_size=size, max_size=size))
    rows = data.draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    _, codes = np.unique(labels, return_inverse=True)
    names = named(codes.tolist(), keys, rows)
    assert len(set(zip(codes.tolist(), names, strict=True))) == len(set(names))
    assert len(set(names)) == len(set(labels))
    for name in set(names):
        members = [n for n in range(size) if names[n] == name]
        first = f"{UNKNOWN}r{members[0]}"
        assert name == first or name in {keys[n] for n in members}
    other = data.draw(st.permutations(range(int(codes.max()) + 1)))
    assert named([other[code] for code in codes], keys, rows) == names
