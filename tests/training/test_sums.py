import numpy as np
import pytest

from training.sums import row_sums, weighted_sums


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [0, 1, 5, 12, 40])
def test_sums_of_a_row_are_bit_for_bit_the_same_in_any_batch(columns, order):
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(1000, columns)), rng.normal(size=columns)
    whole = weighted_sums(values, weights, order)
    np.testing.assert_allclose(whole, values @ weights, atol=1e-12)
    for size in (1, 3, 64, 65, 999):
        parts = [values[i : i + size] for i in range(0, 1000, size)]
        weighted = [weighted_sums(part, weights, order) for part in parts]
        np.testing.assert_array_equal(np.concatenate(weighted), whole)
        plain = np.concatenate([row_sums(part) for part in parts])
        np.testing.assert_array_equal(plain, row_sums(values))
    assert weighted_sums(values[:0], weights, order).shape == (0,)


def test_memory_layout_of_the_values_changes_nothing():
    values = np.random.default_rng(1).normal(size=(130, 9))
    weights = np.arange(9.0)
    for order in ("C", "F"):
        laid = [weighted_sums(np.array(values, order=o), weights, order) for o in "CF"]
        np.testing.assert_array_equal(*laid)
