"""Learning from dispositions: few, selected, noisy, in rings; never worse for trying."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from configs.errors import LeadlineError
from training.folds import group_folds
from training.learners import BoostedLearner, LinearLearner, TreesLearner
from training.ranker import Ranker, _weights


def population(
    seed: int, rows: int = 3000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, an order that sees half of the cases, and the truth (4 %)."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, 12)).astype(np.float32)
    truth = np.zeros(rows, dtype=bool)
    truth[: rows // 25] = True
    inputs[truth, 0] += 2.5  # all cases
    seen = truth & (np.arange(rows) % 2 == 0)
    inputs[seen, 1] += 4.0
    return inputs, inputs[:, 1].astype(np.float64), truth


def labels(truth: np.ndarray, confirmed: int, cleared: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = np.full(len(truth), np.nan)
    y[rng.choice(np.flatnonzero(truth), confirmed, replace=False)] = 1.0
    y[rng.choice(np.flatnonzero(~truth), cleared, replace=False)] = 0.0
    return y


def ap(truth: np.ndarray, scores: np.ndarray, y: np.ndarray) -> float:
    unknown = np.isnan(y)
    return average_precision_score(truth[unknown], scores[unknown])


@pytest.mark.parametrize("confirmed", [2, 8, 40])
def test_few_confirmed_cases_beat_the_order_without_labels(confirmed):
    inputs, base, truth = population(0)
    y = labels(truth, confirmed, 0, seed=1)
    ranker = Ranker(0).fit(inputs, base, y)
    assert ap(truth, ranker.score(inputs, base), y) > ap(truth, base, y)


def test_trust_grows_with_the_confirmed_cases():
    inputs, base, truth = population(0)
    weights = [
        Ranker(0).fit(inputs, base, labels(truth, n, 10, seed=2)).weight_
        for n in (1, 4, 20)
    ]
    assert weights == sorted(weights)
    assert weights[0] == pytest.approx(0.5)
    assert weights[-1] > 0.8


def test_guard_keeps_the_plain_order_where_reviews_say_nothing():
    """Confirmed at random: whatever was learnt is chance, and the plain order is right."""
    inputs, _, truth = population(3)
    base = truth + 0.1 * np.random.default_rng(0).normal(size=len(truth))
    noise = np.random.default_rng(4).normal(size=inputs.shape).astype(np.float32)
    y = labels(truth, 30, 30, seed=5)
    ranker = Ranker(0).fit(noise, base, y)
    assert ranker.weight_ == 0.0
    assert ap(truth, ranker.score(noise, base), y) == pytest.approx(ap(truth, base, y))


def test_one_ring_is_one_example():
    y = np.array([1.0, 1.0, 1.0, 1.0, np.nan, np.nan, 0.0])
    rings = np.array(["ring", "ring", "ring", "alone", "a", "b", "c"], dtype=object)
    weights = _weights(y, rings, np.ones(7))
    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights[:4].sum() == pytest.approx(weights[4:].sum())
    inputs, base, truth = population(0)
    y = labels(truth, 12, 0, seed=1)
    same = np.where(y == 1, "ring", None)
    assert Ranker(0).fit(inputs, base, y, same).cases_ == 1


def test_folds_keep_rings_together():
    rings = np.repeat(np.arange(40), 5)
    folds = group_folds(rings, 3, seed=0)
    assert len(np.unique(folds)) == 3
    assert all(len(np.unique(folds[rings == ring])) == 1 for ring in range(40))


def test_withdrawn_confirmation_turns_the_order_around():
    inputs, base, truth = population(0)
    y = labels(truth, 20, 20, seed=1)
    flipped = np.where(y == 1, 0.0, np.where(y == 0, 1.0, np.nan))
    like_them = truth & np.isnan(y)
    first = Ranker(0).fit(inputs, base, y).margin(inputs)
    second = Ranker(0).fit(inputs, base, flipped).margin(inputs)
    assert first[like_them].mean() > first.mean() + first.std()
    assert second[like_them].mean() < second.mean()


def test_a_tenth_of_wrong_verdicts_does_little_harm():
    inputs, base, truth = population(0)
    y = labels(truth, 40, 40, seed=1)
    wrong = y.copy()
    wrong[np.flatnonzero(y == 1)[:4]] = 0.0
    clean, noisy = (
        ap(truth, Ranker(0).fit(inputs, base, v).score(inputs, base), y)
        for v in (y, wrong)
    )
    assert noisy > 0.8 * clean


def test_row_scores_the_same_alone_and_the_seed_decides():
    inputs, base, truth = population(0)
    y = labels(truth, 10, 10, seed=1)
    ranker = Ranker(3).fit(inputs, base, y)
    whole = ranker.score(inputs, base)
    assert ranker.score(inputs[5:6], base[5:6])[0] == whole[5]
    np.testing.assert_array_equal(
        Ranker(3).fit(inputs, base, y).score(inputs, base), whole
    )


def test_contributions_follow_what_was_learnt():
    inputs, base, truth = population(0)
    ranker = Ranker(0).fit(inputs, base, labels(truth, 20, 20, seed=1))
    told = ranker.contributions(inputs[:500]).sum(axis=1)
    learnt = ranker.weight_ * ranker.margin(inputs[:500])
    assert np.corrcoef(told, learnt)[0, 1] > 0.98


@pytest.mark.parametrize(
    "learner", [LinearLearner(), TreesLearner(20), BoostedLearner(20)], ids=str
)
def test_each_learner_explains_its_margin_and_names_the_telling_input(learner):
    inputs, _, truth = population(1, 1500)
    learner.fit(inputs, truth.astype(float), np.where(truth, 24.0, 1.0))
    parts, margin = learner.contributions(inputs), learner.margin(inputs)
    rest = margin - parts.sum(axis=1)
    np.testing.assert_allclose(rest, rest.mean(), atol=1e-5)
    assert set(np.argsort(-np.abs(parts[truth]).mean(axis=0))[:2]) == {0, 1}


def test_wrong_lengths_are_refused():
    inputs, base, _ = population(0)
    with pytest.raises(LeadlineError, match="inputs have 3000 rows"):
        Ranker().fit(inputs, base, np.ones(5))
