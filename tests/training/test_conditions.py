"""Conditions that a person can read, and where they hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.expressions import kind_of, parse
from training.conditions import (
    Condition,
    Facts,
    number_text,
    rounded_down,
    rounded_up,
)

KINDS = {"ratio": "number", "hurt": "boolean", "purpose": "text"}
FACTS = Facts(
    pd.DataFrame(
        {
            "ratio": [1.0, 2.5, np.nan],
            "hurt": [1.0, 0.0, np.nan],
            "purpose": ["taxi", "driver's", None],
        }
    ),
    pd.DataFrame({"V2": [True, False, None]}),
)


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        (Condition("ratio", ">=", 2.5), [False, True, False]),
        (Condition("ratio", "<=", 1.0), [True, False, False]),
        (Condition("hurt", "is"), [True, False, False]),
        (Condition("hurt", "is not"), [False, True, False]),
        (Condition("purpose", "=", "driver's"), [False, True, False]),
        (Condition("V2", "fires"), [True, False, False]),
    ],
)
def test_unknown_is_false_whatever_is_asked(condition, where):
    assert FACTS.holds(condition).tolist() == where


@pytest.mark.parametrize(
    "condition",
    [
        Condition("ratio", ">=", 2.5),
        Condition("ratio", "<=", -0.65),
        Condition("ratio", ">=", 0.00008),
        Condition("hurt", "is"),
        Condition("hurt", "is not"),
        Condition("purpose", "=", "driver's"),
    ],
)
def test_a_condition_is_text_of_the_expression_language(condition):
    assert kind_of(parse(condition.expression), KINDS) == "boolean"


def test_a_conjunction_holds_where_all_of_it_does():
    both = [Condition("ratio", ">=", 1.0), Condition("hurt", "is")]
    assert FACTS.all_hold(both).tolist() == [True, False, False]
    assert FACTS.all_hold([]).all()


@pytest.mark.parametrize(
    ("number", "unit", "below", "above"),
    [
        (0.83, "", 0.8, 0.85),
        (0.83, "share", 0.8, 0.85),
        (0.15, "share", 0.15, 0.15),
        (14.2, "count", 14, 15),
        (23.7, "count", 20, 25),
        (1.87, "ratio", 1.8, 1.9),
        (-0.6745, "z", -0.7, -0.65),
        (12_345.6, "yuan", 12_000, 13_000),
        (0.0, "yuan", 0, 0),
    ],
)
def test_thresholds_are_numbers_that_a_person_would_write(number, unit, below, above):
    assert rounded_down(number, unit) == pytest.approx(below)
    assert rounded_up(number, unit) == pytest.approx(above)


@given(
    st.floats(-1e9, 1e9).filter(lambda v: v == 0 or abs(v) > 1e-6),
    st.sampled_from(["", "count", "share", "yuan"]),
)
def test_rounding_never_leaves_the_value_out(number, unit):
    slack = 1e-6 * max(abs(number), 1.0)
    assert rounded_down(number, unit) <= number + slack
    assert rounded_up(number, unit) >= number - slack


@given(st.floats(-1e12, 1e12))
def test_numbers_are_written_without_an_exponent(number):
    text = number_text(number)
    assert "e" not in text.lower()
    assert float(text) == pytest.approx(number, rel=1e-9, abs=1e-300)
