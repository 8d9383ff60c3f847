"""Evidence of the units most like a unit: rings are lifted, nobody is told by chance."""

import numpy as np
import pytest

from training.neighbours import SHARE, NeighbourEvidence


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    crowd = rng.normal(size=(600, 6)).astype(np.float32)
    ring = (6 + 0.05 * rng.normal(size=(12, 6))).astype(np.float32)
    return np.vstack([crowd, ring])


def test_ring_member_with_little_evidence_is_lifted_by_the_others(rows):
    evidence = np.zeros(len(rows))
    evidence[600:611] = 8.0  # the twelfth member did nothing odd itself
    smoothed = NeighbourEvidence().fit(rows, evidence).transform(rows, evidence)
    assert smoothed[611] == pytest.approx(8.0 * SHARE)
    assert np.all(smoothed[:600] < smoothed[611])


def test_row_does_not_depend_on_its_batch(rows):
    evidence = np.random.default_rng(1).normal(size=len(rows))
    fitted = NeighbourEvidence().fit(rows, evidence)
    whole = fitted.transform(rows, evidence)
    alone = [
        fitted.transform(rows[i : i + 1], evidence[i : i + 1])[0]
        for i in range(0, 612, 17)
    ]
    assert np.allclose(alone, whole[::17], atol=1e-6)


def test_row_is_not_its_own_neighbour(rows):
    evidence = np.zeros(len(rows))
    evidence[5] = 10.0
    smoothed = NeighbourEvidence().fit(rows, evidence).transform(rows, evidence)
    assert smoothed[5] == pytest.approx(10.0 * (1 - SHARE))


def test_copies_alone_leave_the_own_evidence(rows):
    same = np.repeat(rows[:1], 30, axis=0)
    evidence = np.linspace(0, 1, 30)
    smoothed = NeighbourEvidence().fit(same, evidence).transform(same, evidence)
    assert np.allclose(smoothed, evidence)


def test_reference_keeps_the_strongest_rows(rows):
    evidence = np.arange(len(rows), dtype=float)
    fitted = NeighbourEvidence(reference=100).fit(rows, evidence)
    assert len(fitted.evidence_) == 100
    assert set(np.arange(562, 612)) <= set(fitted.evidence_.astype(int))
