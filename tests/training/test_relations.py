import numpy as np
import pytest
import skops.io

from training.marginals import NormalScores
from training.model import TRUSTED_TYPES
from training.relations import Relations, disagreement


def related(rows: int = 1_000, seed: int = 0) -> np.ndarray:
    """Columns 0-2 follow one hidden number, 3 is curved in it, 4 and 5 follow none."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal(rows)
    noise = 0.1 * rng.standard_normal((rows, 6))
    free = rng.standard_normal((rows, 2))
    signal = [hidden, -hidden, 0.5 * hidden, hidden**2, *free.T]
    return (np.column_stack(signal) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def relations() -> Relations:
    return Relations().fit(related())


def test_value_within_its_range_that_breaks_the_relation_is_the_culprit(relations):
    rows = related(200, seed=1)
    rows = rows[np.abs(rows[:, 0]) > 0.7]
    for culprit in (0, 1, 2):
        broken = rows.copy()
        broken[:, culprit] *= -1
        gains = relations.examine(broken).gains
        assert (gains.argmax(axis=1) == culprit).mean() >= 0.98
        # Nothing about the value itself is odd: its plain normal score is an ordinary one.
        assert np.abs(relations.examine(broken).scores[:, culprit]).max() < 4


def test_wild_value_of_a_column_without_relations_is_the_culprit(relations):
    rows = related(100, seed=2)
    rows[:, 4] = 12.0
    assert (relations.examine(rows).gains.argmax(axis=1) == 4).all()


def test_expected_value_is_what_the_others_let_expect(relations):
    rows = related(300, seed=3)
    rows[:, 1] = 0.0
    expected = relations.examine(rows).expected[:, 1]
    ordinary = np.abs(rows[:, 0]) < 2
    assert np.abs(expected + rows[:, 0])[ordinary].mean() < 0.2


def test_curved_relation_is_followed(relations):
    rows = related(300, seed=4)
    inside = np.abs(rows[:, 0]) < 2
    missed = relations.examine(rows).expected[:, 3] - rows[:, 0] ** 2
    assert np.abs(missed[inside]).mean() < 0.25


def test_row_is_judged_the_same_alone_and_in_any_batch(relations):
    rows = related(64, seed=5)
    known = np.random.default_rng(0).random(rows.shape) < 0.8
    together = relations.examine(rows, known)
    for i in (0, 17, 63):
        alone = relations.examine(rows[i : i + 1], known[i : i + 1])
        for name in ("scores", "expected", "residuals", "gains"):
            a, b = getattr(alone, name)[0], getattr(together, name)[i]
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_two_fits_agree_to_the_last_bit():
    one, two = (Relations(seed=3).fit(related()) for _ in range(2))
    rows = related(50, seed=6)
    assert np.array_equal(one.examine(rows).gains, two.examine(rows).gains)


def test_unknown_values_are_no_culprits_and_mislead_nobody(relations):
    rows = related(200, seed=7)
    known = np.ones(rows.shape, dtype=bool)
    known[:, 1] = False
    rows[:, 1] = 0.0  # the median stands in for the unknown value
    fit = relations.examine(rows, known)
    assert not fit.residuals[:, 1].any()
    assert np.abs(fit.residuals[:, 0]).max() < 6
    partners = relations.partners(np.zeros(200, dtype=int), known, 5)
    assert 1 not in partners


def test_unknown_values_do_not_weaken_what_is_learnt():
    rows, rng = related(3_000, seed=8), np.random.default_rng(1)
    known = rng.random(rows.shape) < 0.6
    holed = np.where(known, rows, np.median(rows, axis=0)).astype(np.float32)
    relations = Relations().fit(holed, known)
    fresh = related(200, seed=9)
    missed = relations.examine(fresh).expected[:, 0] - fresh[:, 0]
    assert np.abs(missed[np.abs(fresh[:, 0]) < 2]).mean() < 0.25


def test_partners_are_the_columns_that_decide(relations):
    known = np.ones((3, 6), dtype=bool)
    partners = relations.partners(np.array([0, 1, 4]), known, 2)
    assert set(partners[0]) <= {1, 2, 3}
    assert partners[0][0] == 1
    assert partners[1][0] == 0


def test_constant_and_equal_columns_do_no_harm():
    rows = related(500)
    rows = np.column_stack([rows, rows[:, 0], np.ones(500)]).astype(np.float32)
    fit = Relations().fit(rows).examine(rows[:20])
    assert np.isfinite(fit.residuals).all()
    assert np.isfinite(fit.gains).all()
    assert not fit.residuals[:, -1].any()


def test_rare_flag_is_no_wonder_but_a_flag_that_must_be_set_is():
    rng = np.random.default_rng(0)
    free = rng.random(2_000) < 0.01
    amount = rng.standard_normal(2_000)
    tied = amount > 1.5
    rows = np.column_stack([free, tied, amount, 2 * amount]).astype(np.float32)
    relations = Relations().fit(rows)
    lone = np.array([[1, 0, 0, 0], [0, 1, -1, -2]], dtype=np.float32)
    residuals = np.abs(relations.examine(lone).residuals)
    assert residuals[0, 0] < 4 < residuals[1, 1]


@pytest.mark.parametrize(("rows", "columns"), [(50, 6), (3, 2), (40, 1), (60, 1555)])
def test_few_rows_and_many_columns_are_enough(rows, columns):
    table = np.random.default_rng(0).standard_normal((rows, columns)).astype(np.float32)
    relations = Relations().fit(table)
    fit = relations.examine(table[:5])
    assert fit.gains.shape == (min(rows, 5), columns)
    assert np.isfinite(disagreement(fit.residuals)).all()


def test_relations_are_stored_without_pickle(relations, tmp_path):
    skops.io.dump(relations, tmp_path / "r.skops")
    loaded = skops.io.load(tmp_path / "r.skops", trusted=TRUSTED_TYPES)
    rows = related(10, seed=10)
    assert np.array_equal(loaded.examine(rows).gains, relations.examine(rows).gains)


def test_normal_scores_come_back_to_the_values_and_keep_distances_in_the_tails():
    rows = np.random.default_rng(0).lognormal(size=(2_000, 1)).astype(np.float32)
    normal = NormalScores().fit(rows)
    assert np.allclose(normal.restored(normal.bounded(rows)), rows, rtol=0.05)
    four, eight = normal.extended(np.array([[40.0], [80.0]], dtype=np.float32))[:, 0]
    assert 1.5 < eight / four < 2.5
