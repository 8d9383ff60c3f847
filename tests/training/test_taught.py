"""Few, selected reviews: what is like the cleared falls, what is like a case rises."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from configs.errors import LeadlineError
from training.taught import RANKED_CASES, TaughtOrder


def crowds(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Honest odd rows head the order; the cases are a crowd of their own below them."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(2000, 6)).astype(np.float32)
    honest, cases = np.arange(60), np.arange(60, 160)
    inputs[honest, 0] += 6.0
    inputs[cases, 1] += 4.0
    order = inputs[:, 0] + 0.8 * inputs[:, 1]
    truth = np.zeros(2000, dtype=bool)
    truth[cases] = True
    return inputs, order.astype(np.float64), truth


def rounds(
    inputs: np.ndarray, order: np.ndarray, truth: np.ndarray, number: int
) -> int:
    """Cases found when ten are reviewed a round, from the head of what was learnt."""
    y = np.full(len(order), np.nan)
    for _ in range(number):
        taught = order
        if not np.isnan(y).all():
            taught = TaughtOrder(0).fit(inputs, order, y).score(inputs, order)
        first = np.argsort(-np.where(np.isnan(y), taught, -np.inf))[:10]
        y[first] = truth[first]
    return int((y == 1).sum())


def test_rounds_of_reviews_find_cases_that_the_order_hides():
    inputs, order, truth = crowds()
    fixed = truth[np.argsort(-order)[:80]].sum()
    assert rounds(inputs, order, truth, 8) >= fixed + 30


def test_exclusions_alone_lower_their_likes():
    inputs, order, _ = crowds()
    y = np.full(len(order), np.nan)
    y[np.argsort(-order)[:15]] = 0.0
    taught = TaughtOrder(0).fit(inputs, order, y)
    fall = taught.leaf_shift(inputs)
    assert fall[:60].mean() < 3 * fall[160:].mean() < 0


def test_ranker_joins_with_enough_cases_and_rings_count_once():
    inputs, order, truth = crowds()
    y = np.full(len(order), np.nan)
    y[np.flatnonzero(truth)[: RANKED_CASES + 5]] = 1.0
    y[np.argsort(-order)[:20]] = 0.0
    many = TaughtOrder(0).fit(inputs, order, y)
    assert many.learners_
    ring = np.where(y == 1, "ring", None)
    assert not TaughtOrder(0).fit(inputs, order, y, ring).learners_
    left = np.isnan(y)
    assert average_precision_score(
        truth[left], many.score(inputs, order)[left]
    ) > 2 * average_precision_score(truth[left], order[left])


def test_row_scores_the_same_alone_and_fits_are_equal():
    inputs, order, _ = crowds()
    y = np.full(len(order), np.nan)
    y[:20], y[60:70] = 0.0, 1.0
    first, again = (TaughtOrder(1).fit(inputs, order, y) for _ in range(2))
    whole = first.score(inputs, order)
    assert first.score(inputs[9:10], order[9:10])[0] == whole[9]
    np.testing.assert_array_equal(again.score(inputs, order), whole)


def test_nothing_reviewed_is_refused():
    inputs, order, _ = crowds()
    with pytest.raises(LeadlineError, match="nothing was reviewed yet"):
        TaughtOrder().fit(inputs, order, np.full(len(order), np.nan))
