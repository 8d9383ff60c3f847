"""The prior that the pairs themselves show."""

import numpy as np
import pytest

from features.linkage.prior import calibrated

RECORDS, LINKS = 600, 240
POPULATION = RECORDS * (RECORDS - 1) // 2
STRENGTH, SPREAD = 8.0, 2.5


@pytest.fixture(scope="module")
def evidence():
    """Log-odds of evidence of all pairs; the first 240 are true links."""
    rng = np.random.default_rng(3)
    means = np.where(np.arange(POPULATION) < LINKS, STRENGTH, -STRENGTH)
    seen = rng.normal(means, SPREAD)
    return 2 * STRENGTH * seen / SPREAD**2


def scored(evidence, prior: float):
    odds = np.exp(np.clip(evidence, -300, 300)) * prior / (1 - prior)
    return odds / (1 + odds)


@pytest.mark.parametrize("prior", [1e-6, LINKS / POPULATION, 0.02, 0.3])
def test_a_wrong_prior_comes_to_the_right_one(evidence, prior):
    found = calibrated(scored(evidence, prior), prior, RECORDS)
    assert found.sum() == pytest.approx(LINKS, rel=0.02)
    right = scored(evidence, LINKS / POPULATION)
    unsure = (right > 0.01) & (right < 0.99)
    assert unsure.sum() > 20
    assert np.abs(found - right)[unsure].max() < 0.02


def test_the_order_of_the_pairs_by_probability_stays(evidence):
    before = np.sort(scored(evidence, 0.02))
    assert (np.diff(calibrated(before, 0.02, RECORDS)) >= 0).all()


def test_certain_pairs_stay_probabilities():
    found = calibrated(np.array([0.0, 1.0, 1.0]), 0.01, 20)
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0] < 1e-9
    assert found[1] > 1 - 1e-9


@pytest.mark.parametrize("records", [0, 1, 2, 600])
def test_without_pairs_there_is_nothing_to_calibrate(records):
    assert len(calibrated(np.array([]), 0.0, records)) == 0
