"""Who stands at the same node."""

import numpy as np
import pytest

from training.shared_points import closeness, same_node

# Units 0 to 3: 0 and 1 share point 7 (two units) and 8 (many), 2 shares 8 alone.
UNIT = np.array([0, 0, 1, 1, 2, 3])
POINT = np.array([7, 8, 7, 8, 8, 9])
SIZE = np.array([2, 300, 2, 300, 300, 2])


def test_a_rare_point_ties_more_than_a_common_one():
    found = closeness(np.array([0]), UNIT, POINT, SIZE, 5).toarray()[0]
    assert found[1] == pytest.approx(1 / np.log(3) + 1 / np.log(301))
    assert found[2] == pytest.approx(1 / np.log(301))
    assert found[0] == 0
    assert found[3:].tolist() == [0, 0]


def test_many_units_are_asked_for_at_once():
    found = closeness(np.array([2, 0]), UNIT, POINT, SIZE, 5).toarray()
    assert found[0].tolist() == pytest.approx([1 / np.log(301)] * 2 + [0, 0, 0])
    assert found[1, 1] == pytest.approx(1 / np.log(3) + 1 / np.log(301))


def test_the_same_node_is_one_that_ten_units_share_or_several_commoner_ones():
    close = np.array([1 / np.log(11), 1 / np.log(12), 2 / np.log(100)])
    assert same_node(close, np.full(3, 0.9)).tolist() == [True, False, True]


def test_who_shares_a_node_but_not_the_method_is_no_look_alike():
    close = np.full(2, 1 / np.log(3))
    assert same_node(close, np.array([0.6, 0.4])).tolist() == [True, False]


def test_a_unit_without_points_is_close_to_nobody():
    assert closeness(np.array([4]), UNIT, POINT, SIZE, 5).nnz == 0
