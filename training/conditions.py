"""One readable condition on a unit, and on which units it holds.

What over-represented traits and draft rules are made of. A condition on a column is
text of the expression language, with a threshold that a person would have written.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Op = Literal[">=", "<=", "is", "is not", "=", "fires"]
Mask = npt.NDArray[np.bool_]
WHOLE_UNITS = frozenset({"count", "days"})
SHARE_STEP = 0.05
WHOLE_BELOW = 20  # a count is not rounded further down there
_SLACK = 1e-9  # of a step: 0.15 / 0.05 is less than 3


@dataclass(frozen=True, slots=True)
class Condition:
    """`name op value`; `is`, `is not` and `fires` take no value."""

    name: str  # a column, or the code of a rule
    op: Op
    value: float | str = ""

    @property
    def expression(self) -> str:
        """In the expression language; a rule that fires is no expression."""
        if self.op in ("is", "is not"):
            return self.name if self.op == "is" else f"not {self.name}"
        if isinstance(self.value, str):
            quoted = self.value.replace("'", "''")
            return f"{self.name} {self.op} '{quoted}'"
        return f"{self.name} {self.op} {number_text(self.value)}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a population of units, one row each, in the same order.

    Attributes:
        columns: numbers, booleans as 0 and 1, categories as text; unknown is null.
        flags: one column per rule code.
    """

    columns: pd.DataFrame
    flags: pd.DataFrame

    def __len__(self) -> int:
        return len(self.flags)

    def holds(self, condition: Condition) -> Mask:
        """Where a condition is true; unknown is false, as in a rule."""
        if condition.op == "fires":
            fired = self.flags[condition.name].fillna(False)
            return np.asarray(fired.to_numpy(dtype=bool))
        if condition.op == "=":
            equal = self.columns[condition.name] == condition.value
            return np.asarray(equal.fillna(False).to_numpy(dtype=bool))
        values = numbers(self.columns[condition.name])
        if condition.op in ("is", "is not"):
            return np.asarray(values == (1.0 if condition.op == "is" else 0.0))
        value = float(condition.value)
        return np.asarray(values >= value if condition.op == ">=" else values <= value)

    def all_hold(self, conditions: Iterable[Condition]) -> Mask:
        """Where every one of them is true."""
        found = np.ones(len(self), dtype=bool)
        for condition in conditions:
            found &= self.holds(condition)
        return found


def numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    """A column as floats, unknown NaN."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def rounded_down(value: float, unit: str = "") -> float:
    """The largest readable number that is not above: 0.83 to 0.8, 14.2 to 14.

    Shares go in steps of 0.05, counts and days are whole; else two figures, the second
    of which is 0 or 5 from 2 on (1.7, 2.5, 3, ..., 9.5).
    """
    if unit == "share" and abs(value) < 1:
        return round(math.floor(value / SHARE_STEP + _SLACK) * SHARE_STEP, 2)
    if unit in WHOLE_UNITS and abs(value) < WHOLE_BELOW:
        return float(math.floor(value + _SLACK))
    step = _step(value)
    return float(f"{math.floor(value / step + _SLACK) * step:.4g}")


def rounded_up(value: float, unit: str = "") -> float:
    """The smallest readable number that is not below; see `rounded_down`."""
    return -rounded_down(-value, unit) + 0.0


def number_text(value: float) -> str:
    """A number without an exponent and without trailing zeros."""
    text = format(Decimal(f"{value:.10g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _step(value: float) -> float:
    """The distance of readable numbers around a value."""
    if value == 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(abs(value)))
    return size / 10 if abs(value) < 2 * size else size / 2
