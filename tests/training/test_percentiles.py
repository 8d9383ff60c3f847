import numpy as np
import pytest

from training.percentiles import shares_below


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [1, 13, 500])
def test_shares_are_those_of_the_sorted_population(size, threads):
    rng = np.random.default_rng(0)
    population = rng.integers(-3, 4, size=(500, 3)).astype(float)
    population[rng.random(population.shape) < 0.2] = np.nan
    values = np.vstack([population[:40], [[-9.0, 9.0, 0.5]]])
    parts = [population[i : i + size] for i in range(0, 500, size)]
    shares = shares_below(parts, values, threads)
    for column in range(3):
        known = population[~np.isnan(population[:, column]), column]
        for value, share in zip(values[:, column], shares[:, column], strict=True):
            if np.isnan(value):
                assert np.isnan(share)
            else:
                assert share == (known < value).sum() / len(known)


def test_an_unknown_population_and_no_values_are_no_errors():
    unknown = np.full((5, 1), np.nan)
    assert shares_below([unknown], np.array([[1.0]])).tolist() == [[0.0]]
    assert shares_below([unknown], np.empty((0, 1))).shape == (0, 1)


def test_values_apart_by_rounding_alone_stand_at_one_place():
    ratios = np.log1p([3.0, 7.0, 1.0]) - np.log1p([1.0, 3.0, 0.0])  # all log 2
    assert len(set(ratios)) > 1
    population = np.concatenate([ratios, [0.1, 5.0], 1e-16 * np.arange(-2, 3)])
    asked = np.array([*ratios, 0.0, -1e-16])[:, None]
    shares = shares_below([population[:, None]], asked)[:, 0]
    assert shares.tolist() == [0.6, 0.6, 0.6, 0.0, 0.0]
