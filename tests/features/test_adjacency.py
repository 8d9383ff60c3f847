"""Sparse ties: built in any order, cut, summed up and numbered like plain matrices."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.adjacency import (
    by_first,
    core_numbers,
    edges,
    index_type,
    kept,
    neighbour_sums,
    structure,
    ties_of,
)

SIZE = 8
PAIRS = st.sets(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
)


def table(pairs) -> pa.Table:
    left, right = ([pair[end] for pair in pairs] for end in (0, 1))
    sure = [1 / (1 + a + SIZE * b) for a, b in pairs]
    columns = {"left": left, "right": right}
    ends = {name: pa.array(ends, pa.int32()) for name, ends in columns.items()}
    return pa.table({**ends, "probability": pa.array(sure, pa.float64())})


def dense(pairs) -> np.ndarray:
    found = np.zeros((SIZE, SIZE))
    for a, b in pairs:
        found[a, b] = found[b, a] = 1 / (1 + a + SIZE * b)
    return found


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_pairs_give_one_matrix_in_whatever_order_and_parts_they_come(pairs, random):
    mixed = list(pairs)
    random.shuffle(mixed)
    parts = pa.concat_tables([table(mixed[:3]), table(mixed[3:])])
    for rows in (table(sorted(pairs)), parts):
        found = ties_of(rows, SIZE)
        np.testing.assert_array_equal(found.toarray(), dense(pairs))
        assert found.indices.dtype == found.indptr.dtype == np.int32
        inside = [found.indices[a:b] for a, b in pairwise(found.indptr)]
        assert all((np.diff(row) > 0).all() for row in inside)


@given(PAIRS, st.lists(st.booleans(), min_size=SIZE, max_size=SIZE))
@settings(max_examples=30, deadline=None)
def test_what_is_cut_or_summed_is_what_a_mask_leaves(pairs, flags):
    chosen, whole = np.array(flags), dense(pairs)
    ties = ties_of(table(sorted(pairs)), SIZE)
    rows, columns = kept(ties, chosen, None), kept(structure(ties), None, chosen)
    np.testing.assert_array_equal(rows.toarray(), whole * chosen[:, None])
    np.testing.assert_array_equal(columns.toarray(), (whole > 0) & chosen)
    counted = neighbour_sums(ties, chosen)
    np.testing.assert_array_equal(counted, ((whole > 0) & chosen).sum(axis=1))
    ends, sure = edges(ties)
    assert [tuple(pair) for pair in ends] == sorted(pairs)
    np.testing.assert_array_equal(sure, [whole[a, b] for a, b in sorted(pairs)])


def test_groups_are_numbered_by_their_first_members():
    assert by_first(np.array([4, 1, 4, 0, 1], np.int32)).tolist() == [0, 1, 0, 2, 1]
    assert by_first(np.array([], np.int32)).tolist() == []


@pytest.mark.parametrize(
    ("largest", "kind"), [(2**31 - 2, np.int32), (2**31, np.int64)]
)
def test_numbers_take_four_bytes_where_they_fit(largest, kind):
    assert index_type(largest) is kind


def test_a_graph_without_nodes_has_no_core_numbers():
    assert len(core_numbers(ties_of(table([]), 0))) == 0
