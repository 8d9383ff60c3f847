"""Few, selected reviews: what is like the cleared falls, what is like a case rises."""

import numpy as np
from sklearn.metrics import average_precision_score

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
    """Cases found when ten are reviewed a round, as the taught order asks for them."""
    y = np.full(len(order), np.nan)
    for _ in range(number):
        taught = TaughtOrder(0).fit(inputs, order, y)
        first = taught.next_reviews(inputs, order, y, 10)
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
    fall = taught.shift(inputs)
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


def test_no_review_changes_nothing():
    inputs, order, _ = crowds()
    taught = TaughtOrder().fit(inputs, order, np.full(len(order), np.nan))
    assert not taught.shift(inputs).any()
    sd = (order - order.mean()) / order.std()
    np.testing.assert_allclose(taught.score(inputs, order), sd)


def test_round_is_spread_over_neighbourhoods_and_asks_for_open_rows_once():
    inputs, order, _ = crowds()
    y = np.full(len(order), np.nan)
    untaught = TaughtOrder(0).fit(inputs, order, y)
    first = untaught.next_reviews(inputs, order, y, 30)
    assert first[0] == np.argmax(order)
    assert len(set(first)) == 30
    assert (np.argsort(-order)[:30] < 60).sum() > 28
    assert (first < 60).sum() < 20
    y[first] = 0.0
    taught = TaughtOrder(0).fit(inputs, order, y)
    assert not set(taught.next_reviews(inputs, order, y, 30)) & set(first)


def test_more_is_asked_for_than_there_is():
    inputs, order, truth = crowds()
    y = np.where(np.arange(len(order)) < 1990, truth, np.nan).astype(float)
    taught = TaughtOrder(0).fit(inputs, order, y)
    assert sorted(taught.next_reviews(inputs, order, y, 50)) == list(range(1990, 2000))


def test_linear_part_is_told_by_input_before_any_ranker_joins():
    inputs, order, _ = crowds()
    y = np.full(len(order), np.nan)
    y[60:75], y[:15] = 1.0, 0.0
    brought = TaughtOrder(0).fit(inputs, order, y).contributions(inputs[:160])
    assert brought[60:, 1].mean() > 0 > brought[:60, 0].mean()
