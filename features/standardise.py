"""One delivered text value to its declared type; what cannot be read becomes null.

Callers clean a column first and standardise the result in a second select: the readers
below refer to their text several times, and an engine computes a column only once.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, NumericValue, StringValue, Value

from configs.schema import NUMERIC_TYPES, TIME_TYPES, ColumnSpec
from features.expressions import rounded
from features.identifiers import FULL_WIDTH, HALF_WIDTH, NORMAL_FORMS, stripped, tidy

# What departments write for "nothing".
EMPTY = ("", "null", "none", "nan", "nat", "n/a", "na", "-", "--", "\\n")
TRUE = ("true", "t", "yes", "y", "1", "1.0", "是", "有", "真", "对")
FALSE = ("false", "f", "no", "n", "0", "0.0", "否", "无", "假", "没有")
_SCALE = {"万": 1e4, "亿": 1e8, "%": 0.01}
_WAN = 1e4
_LARGEST = 1e100  # three of them can be multiplied
_NARROW = str.maketrans(dict(zip(FULL_WIDTH, HALF_WIDTH, strict=False)))
_DIGIT_FIRST = r"^[-+]?\.?[0-9]"
# How most values are written: the engine reads them as they are.
_BARE_NUMBER = r"^[-+]?[0-9]{1,18}(?:\.[0-9]+)?$"
_BARE_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+)?$"


def trimmed(raw: Any, column: ColumnSpec) -> StringValue:
    """As text without white space around it; half-width, except in free text."""
    text = raw.cast("string")
    return stripped(text) if column.type == "string" else tidy(text)


def cleaned(text: Any, column: ColumnSpec) -> StringValue:
    """A trimmed text; null where the department wrote nothing or a word for nothing."""
    # In a band 'none' is a number, none of them; a category may be called so.
    meant = {"none"} if column.type == "band" else set(_spellings(column))
    empty = tuple(word for word in EMPTY if word not in meant)
    # Most values are longer, and their length is told sooner than that they are no word.
    short = text.length() <= max(map(len, EMPTY))
    return ibis.ifelse(short & _is_one_of(text, empty), ibis.null(), text)


def standardised(text: Any, column: ColumnSpec) -> Value:
    """A cleaned value in its declared type, null when empty or unreadable."""
    if column.type in NORMAL_FORMS:
        return NORMAL_FORMS[column.type](text).nullif("")
    return _READERS[column.type](text, column)


def problem(text: Any, value: Any, column: ColumnSpec) -> StringValue:
    """What is wrong with a cleaned value, in words; null when nothing is."""
    cases: list[tuple[Any, str]] = []
    if column.required:
        cases.append((text.isnull(), "is empty, but the contract requires it"))
    cases.append((text.notnull() & value.isnull(), _unreadable(column)))
    if column.min is not None:
        cases.append((value < column.min, f"is below the minimum {column.min:g}"))
    if column.max is not None:
        cases.append((value > column.max, f"is above the maximum {column.max:g}"))
    return ibis.cases(*cases, else_=ibis.null("string"))


def _unreadable(column: ColumnSpec) -> str:
    if column.type == "category":
        return f"is not one of {', '.join(column.levels)}"
    expected = {
        **dict.fromkeys(NUMERIC_TYPES, "a number"),
        **dict.fromkeys(TIME_TYPES, f"a date ({'-'.join(column.order)})"),
        "integer": "a whole number",
        "boolean": "yes or no (是, 否, true, false, 1, 0)",
    }
    return f"cannot be read as {expected.get(column.type, column.type)}"


def _string(text: Any, column: ColumnSpec) -> Value:
    return text


def _category(text: Any, column: ColumnSpec) -> Value:
    if not column.values:
        return text
    plain = text.lower()
    spellings = _spellings(column)
    cases = [
        (plain.isin([s for s in spellings if spellings[s] == level]), level)
        for level in column.levels
    ]
    return ibis.cases(*cases, else_=ibis.null("string"))


def _spellings(column: ColumnSpec) -> dict[str, str]:
    """How a declared category may be written, cleaned as the text is -> category."""
    listed = column.values if isinstance(column.values, dict) else {}
    return {
        spelling.translate(_NARROW).strip().lower(): level
        for level in column.levels
        for spelling in (*listed.get(level, ()), level)
    }


def _boolean(text: Any, column: ColumnSpec) -> Value:
    return ibis.cases(
        (_is_one_of(text, TRUE), True),
        (_is_one_of(text, FALSE), False),
        else_=ibis.null("boolean"),
    )


def _is_one_of(text: Any, words: Iterable[str]) -> BooleanValue:
    """Whether a trimmed text is one of these words, in any case.

    By a pattern: of a list of values DuckDB makes a join, and with one for each column
    the least part that is read took 0.3 seconds more, and 300 MB.
    """
    return text.re_search(f"(?i)^({'|'.join(map(re.escape, words))})$")


def _number(text: Any, column: ColumnSpec) -> NumericValue:
    """Thousands separators, currency signs and the units 万, 亿 and % are understood."""
    unit = _WAN if column.unit == "wan" else 1.0
    bare = text.try_cast("float64") * unit
    return ibis.ifelse(text.re_search(_BARE_NUMBER), bare, _decorated(text, unit))


def _decorated(text: Any, unit: float) -> NumericValue:
    plain = text.re_replace(r"[,\s¥$]|元$|RMB|^￥", "")
    scale = ibis.cases(
        *((plain.endswith(word), factor) for word, factor in _SCALE.items()), else_=unit
    )
    # Engines read 'inf' and 'nan' as numbers; a number begins with a digit here.
    digits = ibis.ifelse(plain.re_search(_DIGIT_FIRST), plain, ibis.null())
    number = digits.re_replace("(万|亿|%)$", "").try_cast("float64")
    return ibis.ifelse(number.abs() < _LARGEST, number, ibis.null()) * scale


def _integer(text: Any, column: ColumnSpec) -> NumericValue:
    number = _number(text, column)
    return ibis.ifelse(number == rounded(number), number, ibis.null()).try_cast("int64")


def _band(text: Any, column: ColumnSpec) -> NumericValue:
    """The middle of 'A to B', the bound of 'more than A', 0 for 'none' and 'new'."""
    plain = text.lower().re_replace(r"([0-9]),([0-9])", r"\1\2")
    first = plain.re_extract(r"([0-9]+(?:\.[0-9]+)?)", 1).nullif("")
    second = plain.re_extract(
        r"[0-9.]+\s*(?:to|-|~|至|到)\s*([0-9]+(?:\.[0-9]+)?)", 1
    ).nullif("")
    low, high = first.try_cast("float64"), second.try_cast("float64")
    nothing = plain.re_search(r"^(none|new|no change|无|新|没有)")
    middle = ibis.ifelse(high.notnull(), (low + high) / 2, low)
    return ibis.ifelse(nothing, 0.0, middle)


def _time(text: Any, column: ColumnSpec) -> Value:
    """A timestamp; a month or a year alone is its last day.

    The last day, because nothing about a period is known before the period ends. An
    offset behind the clock is dropped: a date is that of the place which wrote it.
    """
    bare = text.re_search(_BARE_TIME)
    return ibis.ifelse(bare, text.try_cast("timestamp"), _other_time(text, column))


def _other_time(text: Any, column: ColumnSpec) -> Value:
    iso = _iso_day(text, column.order)
    dated = iso.re_search(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T ].*)?$")
    offset = r"(:[0-9.]+) ?(?:Z|[+-][0-9]{2}:?[0-9]{2})$"
    local = ibis.ifelse(
        iso.length() > len("2024-03-31 14:30"), iso.re_replace(offset, r"\1"), iso
    )
    stamp = ibis.ifelse(dated, local, ibis.null()).try_cast("timestamp")
    # Most dates are longer; looking for a period in them would double the cost.
    period = ibis.ifelse(text.length() <= len("2024年03月"), text, ibis.null())
    return ibis.coalesce(stamp, _last_day_of(period))


def _iso_day(text: Any, order: str) -> StringValue:
    """`y-m-d` in front of the clock, from the separated or the compact form."""
    groups = {"y": "([0-9]{4})", "m": "([0-9]{1,2})", "d": "([0-9]{1,2})"}
    at = {part: position for position, part in enumerate(order, 1)}
    pattern = "^" + "[-/.年月]".join(groups[part] for part in order) + "日?"
    separated = text.re_replace(pattern, rf"\{at['y']}-\{at['m']}-\{at['d']}")
    day = separated.re_replace(
        r"^([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0)?($|[T ])", r"\1-\2-\3\4"
    )
    clocked = r"^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$"
    return ibis.ifelse(
        day.length() == len("20240331143000"),
        day.re_replace(clocked, r"\1-\2-\3 \4:\5:\6"),
        day,
    )


def _last_day_of(period: Any) -> Value:
    month = r"^([0-9]{4})(?:[-/.年]?(0[1-9]|1[0-2])|[-/年]([1-9]))月?$"
    first_day = ibis.ifelse(
        period.re_search(month), period.re_replace(month, r"\1-\2\3-01"), ibis.null()
    ).try_cast("timestamp")
    last_day = first_day + ibis.interval(months=1) - ibis.interval(days=1)
    year = period.re_extract(r"^((?:19|20)[0-9]{2})(?:\.0|年)?$", 1).nullif("")
    return ibis.coalesce(last_day, (year + "-12-31").try_cast("timestamp"))


_READERS: dict[str, Callable[[Any, ColumnSpec], Value]] = {
    "string": _string,
    "category": _category,
    "boolean": _boolean,
    "number": _number,
    "money": _number,
    "integer": _integer,
    "band": _band,
    "date": _time,
    "timestamp": _time,
}
