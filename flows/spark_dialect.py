"""Ibis on Spark, brought to say what it says on DuckDB.

Both engines run the same expressions; where Ibis' own translation gives another value on
Spark than on DuckDB, the operation is translated here.
"""

import re
from math import isfinite
from typing import Any, ClassVar

import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.backends.sql.dialects import PySpark
from pyspark.sql.pandas.types import from_arrow_schema

# What DuckDB reads as a number; Java would take '1d', 'NaN' and hexadecimals too.
_FLOAT = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*\z"
_INTEGER = r"^\s*[+-]?[0-9]+\s*\z"
_GROUP = re.compile(r"\\([0-9])|\\(.)|\$", re.DOTALL)


class HouseSpark(PySpark):  # type: ignore[misc]
    """Spark's SQL with the casts that Spark has had since 3.5: sqlglot writes plain ones."""

    class Generator(PySpark.Generator):  # type: ignore[misc]
        TRANSFORMS: ClassVar = {
            kind: said
            for kind, said in PySpark.Generator.TRANSFORMS.items()
            if kind is not sge.TryCast
        }


class HouseCompiler(PySparkCompiler):  # type: ignore[misc]
    """Spark SQL with DuckDB's answers."""

    __slots__ = ()

    dialect = HouseSpark

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        """A bare 1.5 would be a decimal, of few digits."""
        if dtype.is_floating() and isfinite(value):
            return self.cast(sge.convert(repr(float(value))), dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:
        return self.f.anon.regexp_like(arg, _translated(pattern))

    def visit_RegexExtract(self, op: Any, *, arg: Any, pattern: Any, index: Any) -> Any:
        return self.f.anon.regexp_extract(arg, _translated(pattern), index)

    def visit_RegexReplace(
        self, op: Any, *, arg: Any, pattern: Any, replacement: Any
    ) -> Any:
        said = sge.convert(java_replacement(replacement.this))
        return self.f.anon.regexp_replace(arg, _translated(pattern), said)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:
        tried = sge.TryCast(this=arg, to=self.type_mapper.from_ibis(to))
        if not op.arg.dtype.is_string() or not to.is_numeric():
            return tried
        shape = _INTEGER if to.is_integer() else _FLOAT
        fits = self.f.anon.regexp_like(arg, sge.convert(shape))
        return self.if_(fits, tried, sge.Null())

    def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
        """Of the number itself, not of the shortest decimal that stands for it."""
        if digits is None or not op.arg.dtype.is_floating():
            return super().visit_Round(op, arg=arg, digits=digits)
        scale = self.f.pow(sge.convert(10.0), digits)
        return self.f.anon.round(sge.paren(arg * scale)) / scale

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:
        if where is None:
            return super().visit_CountStar(op, arg=arg, where=where)
        return self.f.count_if(where)

    def visit_IsNull(self, op: Any, *, arg: Any) -> Any:
        return arg.is_(sge.Null())

    def visit_NotNull(self, op: Any, *, arg: Any) -> Any:
        return arg.is_(sg.not_(sge.Null()))


class HouseBackend(Backend):  # type: ignore[misc]
    """The backend that translates so, and takes tables in memory as they are."""

    compiler = HouseCompiler()

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        # Ibis goes by way of pandas, where an unknown text becomes 'NaN'.
        data = op.data.to_pyarrow(op.schema)
        if len(data):
            frame = self._session.createDataFrame(data)
        else:  # of which a Connect server would not know the types
            types = from_arrow_schema(data.schema, prefer_timestamp_ntz=True)
            frame = self._session.createDataFrame([], types)
        frame.createOrReplaceTempView(op.name)


def java_pattern(pattern: str) -> str:
    """A pattern of RE2, which DuckDB uses, as Java reads it.

    Java's `$` also matches before a line feed at the end, its dot stops at other line
    ends too, and inside a character class an open bracket begins another one.
    """
    said, place, inside = ["(?d)"], 0, False
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            sign = pattern[place : place + 2]
        elif inside:
            inside = sign != "]"
            sign = {"[": "\\[", "&": "\\&"}.get(sign, sign)
        elif sign == "$":
            said.append("\\z")
            place += 1
            continue
        elif sign == "[":
            inside = True
            sign = "[^" if pattern[place + 1] == "^" else sign
        said.append(sign)
        place += len(sign) if sign not in ("\\[", "\\&") else _taken(pattern, place)
    return "".join(said)


def java_replacement(text: str) -> str:
    r"""A replacement with groups as `\1`, as Java writes them."""
    return _GROUP.sub(_java_group, text)


def _java_group(found: re.Match[str]) -> str:
    number, plain = found.groups()
    if number is not None:
        return f"${number}"
    return f"\\{plain or '$'}"


def _taken(pattern: str, place: int) -> int:
    """A bracket that was escaped already has two signs in the pattern."""
    return 2 if pattern[place] == "\\" else 1


def _translated(pattern: Any) -> Any:
    return sge.convert(java_pattern(pattern.this))
