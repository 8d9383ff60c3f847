"""Compile the closed expression language to Ibis."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.expressions import Constant, Name, Node, parse

SECONDS_PER_DAY = 86400


def compile_text(text: str, table: Table) -> Value:
    """The expression over the columns of `table`; names were checked on loading."""
    return compile_node(parse(text), table)


def compile_node(node: Node, table: Table) -> Value:
    """The Ibis value of a parsed expression."""
    if isinstance(node, Name):
        return table[node.id]
    if isinstance(node, Constant):
        return constant(node.value)
    args = [compile_node(arg, table) for arg in node.args]
    if node.op in _ARITHMETIC:
        # Whole numbers would overflow, which ends the query, where these only round.
        args = [arg.cast("float64") for arg in args]
    return _COMPILERS[node.op](*args)


def constant(value: float | int | str | bool | None) -> Value:
    """A value of the declaration; a fraction as a float on every engine."""
    if isinstance(value, float):
        # DuckDB reads a bare 1.5 as a decimal, whose arithmetic overflows.
        return ibis.literal(repr(value)).cast("float64")
    return ibis.null() if value is None else ibis.literal(value)


def days_between(start: Any, end: Any) -> Value:
    """Days from start to end, with fractions; the same on every engine."""
    return (end.epoch_seconds() - start.epoch_seconds()) / float(SECONDS_PER_DAY)


def _divide(left: Any, right: Any) -> Value:
    # Engines differ on x / 0 (null, infinity, an error): here it is always unknown.
    return left / right.nullif(0.0)


def rounded(value: Any) -> Value:
    """The nearest whole number, as a float."""
    # Ibis rounds to a 64-bit integer, which ends the query where the number is larger;
    # floats of that size are whole.
    small = ibis.ifelse(value.abs() < 2.0**53, value, ibis.null())
    return ibis.coalesce(small.round().cast("float64"), value)


def _floor(value: Any) -> Value:
    near = rounded(value)
    return near - ibis.ifelse(near > value, 1.0, 0.0)


def _positive(value: Any) -> Value:
    """Null where a logarithm is not defined; engines differ there too."""
    return ibis.ifelse(value > 0, value, ibis.null())


_ARITHMETIC = {"add", "sub", "mul", "div", "neg", "abs", "round", "floor"}
_COMPILERS: dict[str, Callable[..., Value]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "not": lambda a: ~a,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "in": lambda a, *values: reduce(lambda x, y: x | y, (a == v for v in values)),
    "between": lambda a, low, high: (a >= low) & (a <= high),
    "is_null": lambda a: a.isnull(),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divide,
    "neg": lambda a: -a,
    "abs": lambda a: a.abs(),
    "round": rounded,
    "floor": _floor,
    "ln": lambda a: _positive(a).ln(),
    "log1p": lambda a: _positive(a + 1).ln(),
    "sqrt": lambda a: ibis.ifelse(a >= 0, a, ibis.null()).sqrt(),
    "least": ibis.least,
    "greatest": ibis.greatest,
    "coalesce": ibis.coalesce,
    "nullif": lambda a, b: a.nullif(b),
    "if": ibis.ifelse,
    "contains": lambda a, b: a.contains(b),
    "starts_with": lambda a, b: a.startswith(b),
    "length": lambda a: a.length(),
    "days_between": days_between,
    "year": lambda a: a.year(),
    "month": lambda a: a.month(),
    "weekday": lambda a: a.day_of_week.index() + 1,
    "hour": lambda a: a.hour(),
    "number": lambda a: a.cast("int64"),
}
