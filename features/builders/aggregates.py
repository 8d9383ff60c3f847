"""The aggregates of a history window, each computed the same on every engine."""

from dataclasses import dataclass
from typing import Any

import ibis
from ibis.expr.operations import Cast
from ibis.expr.types import Table, Value

from configs.schema import HistorySpec, MeasureSpec
from features.expressions import SECONDS_PER_DAY, compile_text

# Exact sums: adding floats in parallel depends on the order, so that a rerun could
# differ in the last digit and reorder ties.
EXACT = "decimal(28, 8)"
FRACTION = "decimal(38, 18)"  # for sums of many small shares
TOO_LARGE = 1e18
ZERO_WITHOUT_ROWS = frozenset({"count", "sum", "nunique"})


@dataclass(frozen=True, slots=True)
class Measure:
    """One feature of a history step."""

    feature: str
    column: str  # of the measured rows
    aggregate: str
    days: int | None

    @property
    def default(self) -> int | None:
        return 0 if self.aggregate in ZERO_WITHOUT_ROWS else None


def measures(step: HistorySpec) -> list[Measure]:
    """The features of a step, in the order of the vocabulary."""
    return [
        Measure(
            step.feature_name(name, window),
            f"_value_{name}",
            measure.aggregate,
            None if window == "all" else int(window.removesuffix("d")),
        )
        for name, measure in step.measures.items()
        for window in step.windows
    ]


def measured(rows: Table, step: HistorySpec) -> dict[str, Value]:
    """The value that each measure takes from a row, null where it takes none."""
    return {
        f"_value_{name}": _row_value(rows, measure)
        for name, measure in step.measures.items()
    }


def _row_value(rows: Table, measure: MeasureSpec) -> Value:
    value = compile_text(measure.of, rows)
    match measure.aggregate:
        case "count" | "days_since_first" | "days_since_last":
            return ibis.ifelse(value.cast("boolean"), 1, ibis.null()).cast("int64")
        case "share":
            return value.cast("boolean")
        case "nunique":
            return value.cast("string")
        case "trend" if measure.of == "true":
            return ibis.literal(1.0).cast(EXACT)
        case "sum" | "mean" if _is_counted(value):
            return value
    return exact(value)


def _is_counted(value: Value) -> bool:
    """Whether it is a yes or no as 1 or 0, whose sum is exact and cheap as it is."""
    op = value.op()
    return (
        isinstance(op, Cast) and value.type().is_integer() and op.arg.dtype.is_boolean()
    )


def exact(value: Any) -> Value:
    """The number as a decimal, whose sum does not depend on the order of the rows."""
    number = value.cast("float64")
    return ibis.ifelse(number.abs() < TOO_LARGE, number, ibis.null()).cast(EXACT)


def number(value: Any) -> Value:
    return value.cast("float64")


def ratio(part: Any, whole: Any) -> Value:
    return number(part) / number(whole).nullif(0.0)


def trend(late: Any, early: Any) -> Value:
    """(late - early) / (|late| + |early|), in [-1, 1]; null without either."""
    late, early = number(late).fill_null(0.0), number(early).fill_null(0.0)
    return (late - early) / (late.abs() + early.abs()).nullif(0.0)


def days(seconds: Any) -> Value:
    return number(seconds) / float(SECONDS_PER_DAY)
