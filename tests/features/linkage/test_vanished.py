"""A level that no match falls into must not stop the night's run."""

import pytest

from features.linkage.blocking import Block
from features.linkage.model import _learn_from


class Training:
    """Splink's training, as far as it is asked; it refuses with the words given."""

    def __init__(self, refusal: str) -> None:
        self.refusal, self.asked = refusal, 0

    def estimate_parameters_using_expectation_maximisation(
        self, rule: str, *, estimate_without_term_frequencies: bool
    ) -> None:
        self.asked += 1
        raise ValueError(self.refusal)


BLOCK = Block(("phone",), pairs=10, left_out=0)


def test_share_that_vanishes_costs_the_block_alone():
    words = "m_probability value 1.6e-314 is below the minimum allowed value of 1e-300."
    training = Training(words)
    _learn_from(BLOCK, 0, training)
    assert training.asked == 1


def test_any_other_refusal_is_heard():
    with pytest.raises(ValueError, match="no such column"):
        _learn_from(BLOCK, 0, Training("no such column"))
