"""Pleadings agree with their suit, and reuse a text where that was planted."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulation.delivered import Delivered
from training.simulation import vehicle_departments
from training.simulation.pleadings import OWN_WORDS, SHARING, pleadings
from training.simulation.sampling import texts
from training.simulation.vehicle_insurance import simulate


def facts(size: int) -> dict[str, np.ndarray]:
    names = ("plaintiff", "insurer", "plate", "date", "place", "sum")
    own = {name: texts([f"{name}{n}" for n in range(size)]) for name in names}
    return own | {"kind": np.full(size, "two_car", dtype=object)}


def written(style: list[int], seed: int = 1) -> list[str]:
    size = len(style)
    injury = np.arange(size) % 2 == 1
    rng = np.random.default_rng(seed)
    return list(pleadings(rng, facts(size), injury, np.array(style)))


def shared(one: str, other: str) -> float:
    """Jaccard index of the four-character pieces."""
    a, b = ({t[i : i + 4] for i in range(len(t) - 3)} for t in (one, other))
    return len(a & b) / len(a | b)


@pytest.fixture(scope="module")
def suits(delivered: Delivered) -> pd.DataFrame:
    court = delivered.table("court_cases.csv")
    return court.merge(
        delivered.claims_with_truth(), left_on="理赔编号", right_on="claim_no"
    )


def nearest_share(suits: pd.DataFrame) -> float:
    """The share of texts with a near-duplicate among these suits."""
    held = suits["事实与理由"].tolist()
    return float(
        np.mean(
            [
                any(shared(one, other) >= 0.5 for m, other in enumerate(held) if m != n)
                for n, one in enumerate(held)
            ]
        )
    )


def test_every_suit_has_a_text_of_its_own_facts(suits: pd.DataFrame) -> None:
    text = suits["事实与理由"]
    assert text.str.len().between(120, 300).all()
    assert not text.str.contains(r"[{}]|nan|NaT").any()
    year = suits["accident_time"].str[:4] + "年"
    own = [
        said.count(date) == 1 and amount in said
        for said, date, amount in zip(
            text,
            year,
            suits["诉请金额"].astype(float).round().astype(int).astype(str),
            strict=True,
        )
    ]
    assert np.mean(own) > 0.98  # some sums are delivered in 10,000 yuan


def test_a_planted_group_reuses_one_text_and_others_write_their_own(
    suits: pd.DataFrame,
) -> None:
    rings = suits[suits["typology"].isin(SHARING)]
    assert set(rings["typology"]) == set(SHARING)
    for name, ring in rings.groupby("ring_id"):
        assert len(ring) < 4 or nearest_share(ring) > 0.6, name
    plain = suits[(suits["typology"] == "") & (suits["hard_negative"] == "")]
    assert nearest_share(plain) < 0.25


def test_the_specialist_reuses_her_own_text(suits: pd.DataFrame) -> None:
    hers = suits[suits["hard_negative"] == "specialist_lawyer"]
    assert len(hers) > 5
    assert nearest_share(hers) > 0.6


def test_a_template_is_reworded_lightly_and_never_word_for_word() -> None:
    style = [OWN_WORDS] * 200 + [0] * 200
    held = written(style)
    own, reused = held[:200:2], held[200::2]
    assert len(set(reused)) == len(reused)
    near = [shared(a, b) for a, b in pairwise(reused)]
    apart = [shared(a, b) for a, b in pairwise(own)]
    assert np.median(near) > 0.55
    assert np.median(apart) < 0.25


def test_the_template_depends_on_the_seed_and_its_number() -> None:
    first, again, other = written([0, 0, 1, 1]), written([0, 0, 1, 1]), written([0], 2)
    assert first == again
    assert shared(first[0], first[2]) < 0.5
    assert shared(first[0], other[0]) < 0.5


def test_texts_move_no_other_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(units=1000, seed=5, out=tmp_path / "with")
    monkeypatch.setattr(vehicle_departments, "court_pleadings", lambda *_: "")
    simulate(units=1000, seed=5, out=tmp_path / "without")
    for path in (tmp_path / "with").rglob("*.*"):
        twin = tmp_path / "without" / path.relative_to(tmp_path / "with")
        same = path.read_bytes() == twin.read_bytes()
        assert same == (path.name != "court_cases.csv"), path.name
