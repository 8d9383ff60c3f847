import numpy as np

from training.sampling import HITS, sampled


def fired(units: int, *counts: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    masks = [np.zeros(units, dtype=bool) for _ in counts]
    for mask, count in zip(masks, counts, strict=True):
        mask[rng.choice(units, count, replace=False)] = True
    return masks


def test_all_units_are_taken_where_they_fit():
    assert sampled(50, fired(50, 3), 50, seed=1).tolist() == list(range(50))


def test_common_hits_leave_a_plain_draw_as_it_is():
    units, most = 20_000, 4_000
    chosen = sampled(units, fired(units, 5_000), most, seed=3)
    plain = np.random.default_rng(3).choice(units, most, replace=False)
    np.testing.assert_array_equal(chosen, np.sort(plain))


def test_rare_hits_are_in_the_sample_in_place_of_units_without_any():
    units, most = 200_000, 5_000
    hits = fired(units, 7, 60, 400, 30_000)
    chosen = sampled(units, hits, most, seed=3)
    assert len(chosen) == len(np.unique(chosen)) == most
    assert (np.diff(chosen) > 0).all()
    found = [int(mask[chosen].sum()) for mask in hits]
    assert found[:2] == [7, 60]
    assert found[2] >= HITS
    plain = np.random.default_rng(3).choice(units, most, replace=False)
    assert hits[0][plain].sum() < 7
    # A unit that some rule marks is never taken out.
    marked = np.any(hits, axis=0)
    assert set(plain[marked[plain]]) <= set(chosen)
    assert abs(found[3] / most - 0.15) < 0.02


def test_the_same_seed_draws_the_same_units():
    hits = fired(10_000, 5, 50)
    first, again = (sampled(10_000, hits, 500, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != sampled(10_000, hits, 500, seed=5).tolist()


def test_hits_take_no_more_than_a_quarter_of_a_small_sample():
    hits = fired(10_000, *([200] * 30))
    chosen = sampled(10_000, hits, 50, seed=1)
    plain = np.random.default_rng(1).choice(10_000, 50, replace=False)
    assert len(chosen) == 50
    assert len(set(chosen) - set(plain)) <= 12
