"""The closed expression language of `when`, `where` and `derive`.

SQL operators and a short list of functions, parsed with sqlglot into three small
node types and checked against the kinds of the known columns. Nothing here knows an
engine; `features.expressions` compiles the same nodes to Ibis.

Logic has three values, as in SQL: a comparison with an unknown value is unknown, `not`
of it too; `and` is false and `or` true as soon as one side says so. Only `is null`,
`coalesce`, `least` and `greatest` look past an unknown value. A rule fires on true alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from configs.errors import nearest

Kind = Literal["number", "boolean", "text", "time", "null"]


class ExpressionError(ValueError):
    """An expression does not parse, names something unknown or mixes kinds."""


@dataclass(frozen=True, slots=True)
class Name:
    id: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Call:
    op: str
    args: tuple["Node", ...]


Node = Name | Constant | Call

# op -> (kinds of the arguments, kind of the result); "same" takes any one kind for all
# its arguments, "*" repeats the kind before it.
SIGNATURES: dict[str, tuple[tuple[str, ...], str]] = {
    "and": (("boolean", "boolean"), "boolean"),
    "or": (("boolean", "boolean"), "boolean"),
    "not": (("boolean",), "boolean"),
    "eq": (("same", "same"), "boolean"),
    "neq": (("same", "same"), "boolean"),
    "gt": (("same", "same"), "boolean"),
    "gte": (("same", "same"), "boolean"),
    "lt": (("same", "same"), "boolean"),
    "lte": (("same", "same"), "boolean"),
    "in": (("same", "same", "*"), "boolean"),
    "between": (("same", "same", "same"), "boolean"),
    "is_null": (("any",), "boolean"),
    "add": (("number", "number"), "number"),
    "sub": (("number", "number"), "number"),
    "mul": (("number", "number"), "number"),
    "div": (("number", "number"), "number"),
    "neg": (("number",), "number"),
    "abs": (("number",), "number"),
    "round": (("number",), "number"),
    "floor": (("number",), "number"),
    "ln": (("number",), "number"),
    "log1p": (("number",), "number"),
    "sqrt": (("number",), "number"),
    "least": (("number", "number", "*"), "number"),
    "greatest": (("number", "number", "*"), "number"),
    "coalesce": (("same", "same", "*"), "same"),
    "nullif": (("same", "same"), "same"),
    "if": (("boolean", "same", "same"), "same"),
    "contains": (("text", "text"), "boolean"),
    "starts_with": (("text", "text"), "boolean"),
    "length": (("text",), "number"),
    "days_between": (("time", "time"), "number"),
    "year": (("time",), "number"),
    "month": (("time",), "number"),
    "weekday": (("time",), "number"),
    "hour": (("time",), "number"),
    "number": (("boolean",), "number"),
}

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.And: "and",
    exp.Or: "or",
    exp.Not: "not",
    exp.EQ: "eq",
    exp.NEQ: "neq",
    exp.GT: "gt",
    exp.GTE: "gte",
    exp.LT: "lt",
    exp.LTE: "lte",
    exp.Add: "add",
    exp.Sub: "sub",
    exp.Mul: "mul",
    exp.Div: "div",
    exp.Neg: "neg",
}
_FUNCTIONS = sorted(
    {"abs", "round", "floor", "ln", "log1p", "sqrt", "least", "greatest", "coalesce"}
    | {"nullif", "if", "contains", "starts_with", "length", "days_between", "year"}
    | {"month", "weekday", "hour", "number"}
)
# A function's name is hidden from sqlglot, which would otherwise give some of them a
# dialect's own meaning (`contains`, `if`, `year` parse to special nodes).
_HIDDEN = "leadline_"
_LARGEST, _EXACT = 1e100, 2**53
# These take a literal null beside a value; elsewhere it could only make all unknown.
_TAKES_NULL = {"coalesce", "nullif", "if", "is_null"}
_TAKES_DATE_TEXT = {"eq", "neq", "gt", "gte", "lt", "lte", "between"}
_CALL = re.compile(r"(?<![\w'])(" + "|".join(_FUNCTIONS) + r")\s*\(", re.IGNORECASE)


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Parse one expression.

    Raises:
        ExpressionError: it is not SQL, or uses something outside the language.
    """
    hidden = _outside_quotes(text, lambda part: _CALL.sub(_hide, part))
    try:
        tree = sqlglot.parse_one(hidden, dialect="duckdb")
    except SqlglotError as error:
        reason = str(error).splitlines()[0].replace(_HIDDEN, "")
        raise ExpressionError(f"cannot read {text!r}: {reason}") from error
    return _convert(tree)


def names(node: Node) -> Iterator[str]:
    """Every column or parameter that the expression refers to, in order."""
    if isinstance(node, Name):
        yield node.id
    elif isinstance(node, Call):
        for arg in node.args:
            yield from names(arg)


def kind_of(node: Node, known: Mapping[str, Kind]) -> Kind:
    """The kind of the expression's value, checking every name and argument.

    Raises:
        ExpressionError: an unknown name (with the nearest known one) or a wrong kind.
    """
    if isinstance(node, Name):
        if node.id not in known:
            raise ExpressionError(f"unknown name {node.id!r}{nearest(node.id, known)}")
        return known[node.id]
    if isinstance(node, Constant):
        return _constant_kind(node)
    return _call_kind(node, [kind_of(arg, known) for arg in node.args])


def substitute(node: Node, values: Mapping[str, float | str | bool]) -> Node:
    """The expression with named parameters replaced by their constants."""
    if isinstance(node, Name) and node.id in values:
        return Constant(values[node.id])
    if isinstance(node, Call):
        return Call(node.op, tuple(substitute(arg, values) for arg in node.args))
    return node


def _hide(match: re.Match[str]) -> str:
    return f"{_HIDDEN}{match.group(1).lower()}("


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    parts = re.split(r"('(?:[^']|'')*')", text)
    return "".join(p if i % 2 else change(p) for i, p in enumerate(parts))


def _convert(tree: exp.Expr) -> Node:
    if isinstance(tree, exp.Paren):
        return _convert(tree.this)
    if isinstance(tree, exp.Column) and not tree.table:
        return Name(tree.name)
    if isinstance(tree, exp.Literal | exp.Boolean | exp.Null):
        return Constant(_literal(tree))
    return _convert_call(tree)


def _convert_call(tree: exp.Expr) -> Node:
    name = tree.name.removeprefix(_HIDDEN) if isinstance(tree, exp.Anonymous) else ""
    if name in _FUNCTIONS and name != tree.name:
        return Call(name, tuple(_convert(arg) for arg in tree.expressions))
    if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
        return Call("is_null", (_convert(tree.this),))
    if isinstance(tree, exp.In) and tree.expressions:
        listed = (tree.this, *tree.expressions)
        return Call("in", tuple(_convert(arg) for arg in listed))
    if isinstance(tree, exp.Between) and not tree.args.get("symmetric"):
        bounds = (tree.this, tree.args["low"], tree.args["high"])
        return Call("between", tuple(_convert(arg) for arg in bounds))
    op = _OPERATORS.get(type(tree))
    if op is None:
        raise ExpressionError(_not_in_language(tree))
    return Call(op, tuple(_convert(arg) for arg in _operands(tree)))


def _operands(tree: exp.Expr) -> tuple[exp.Expr, ...]:
    if isinstance(tree, exp.Binary):
        return tree.left, tree.right
    return (tree.this,)


def _not_in_language(tree: exp.Expr) -> str:
    text = tree.sql(dialect="duckdb").replace(_HIDDEN, "")
    called = tree.name if isinstance(tree, exp.Anonymous) else tree.key
    hint = nearest(called.lower(), _FUNCTIONS) if isinstance(tree, exp.Func) else ""
    return (
        f"{text!r} is not part of the language (comparison, arithmetic, and/or/not, "
        f"in, between, is null, and the functions {', '.join(_FUNCTIONS)})"
        f"{hint if 'did you mean' in hint else ''}"
    )


def _literal(tree: exp.Expr) -> float | int | str | bool | None:
    if isinstance(tree, exp.Null):
        return None
    if isinstance(tree, exp.Boolean):
        return bool(tree.this)
    if tree.args["is_string"]:
        return str(tree.this)
    number = float(tree.this)
    if abs(number) > _LARGEST:
        raise ExpressionError(f"{tree.this} is too large a number")
    return int(tree.this) if tree.this.isdigit() and number < _EXACT else number


def _constant_kind(node: Constant) -> Kind:
    if node.value is None:
        return "null"
    if isinstance(node.value, bool):
        return "boolean"
    return "text" if isinstance(node.value, str) else "number"


def _call_kind(node: Call, given: list[Kind]) -> Kind:
    wanted, result = SIGNATURES[node.op]
    expected = _expand(wanted, len(given))
    if len(expected) != len(given):
        count = f"{len(wanted)}" if "*" not in wanted else "at least 2"
        raise ExpressionError(f"{node.op} takes {count} values, got {len(given)}")
    if "null" in given and node.op not in _TAKES_NULL:
        raise ExpressionError(f"{node.op} of null is never known; say 'is null'")
    shared = _shared_kind(node, expected, given)
    for position, (want, got) in enumerate(zip(expected, given, strict=True), 1):
        if want not in ("any", "same", got):
            raise ExpressionError(
                f"value {position} of {node.op} must be a {want}, got a {got}"
            )
    return shared if result == "same" else result  # type: ignore[return-value]


def _expand(wanted: tuple[str, ...], count: int) -> tuple[str, ...]:
    if "*" not in wanted:
        return wanted
    fixed = wanted[:-1]
    return fixed + (fixed[-1],) * max(0, count - len(fixed))


def _shared_kind(node: Call, expected: tuple[str, ...], given: list[Kind]) -> Kind:
    same = [g for w, g in zip(expected, given, strict=True) if w == "same"]
    kinds = {kind for kind in same if kind != "null"}
    if kinds == {"time", "text"} and node.op in _TAKES_DATE_TEXT:
        _check_dates(node, given)
        return "time"
    if len(kinds) > 1:
        raise ExpressionError(f"{node.op} mixes a {' and a '.join(sorted(kinds))}")
    if same and not kinds:
        raise ExpressionError(f"{node.op} of nothing but null has no kind")
    return kinds.pop() if kinds else "null"


def _check_dates(node: Call, given: list[Kind]) -> None:
    """A date may be compared with its ISO text: claim_date >= '2024-01-01'."""
    for arg, kind in zip(node.args, given, strict=True):
        text = arg.value if isinstance(arg, Constant) else None
        if kind == "text" and not _is_date(text):
            shown = repr(text) if text is not None else "a text column"
            raise ExpressionError(
                f"{node.op} compares a time with {shown}; write '2024-01-31'"
            )


def _is_date(text: object) -> bool:
    try:
        return bool(datetime.fromisoformat(str(text)))
    except ValueError:
        return False
