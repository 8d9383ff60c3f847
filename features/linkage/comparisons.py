"""How two records are compared, attribute by attribute, by the attribute's type.

Levels run from the surest to the weakest; Splink learns what each is worth. Two
characters of a Chinese name are too few for Jaro-Winkler: a character that sounds the
same is a level of its own, and so is one that differs, which says more in a name of
three characters than in one of two.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import splink.comparison_level_library as cll
import splink.comparison_library as cl

from configs.linkage import DAYS, FAMILY, GIVEN, NUMBERED
from configs.schema import ColumnType
from features.linkage.names import BIRTH

# DuckDB counts edits in bytes, of which a Chinese character has three: characters are
# compared in their places instead.
_ONE_DIFFERS = (
    "length({l}) = length({r}) and length({l}) <= 4 and "
    + " + ".join(
        f"case when substr({{l}}, {i}, 1) = substr({{r}}, {i}, 1) then 0 else 1 end"
        for i in range(1, 5)
    )
    + " = 1"
)
# First character and length: of names, of `yyyy-mm-dd`, of addresses and of their end.
FIRST, SECOND = (1, 1), (2, 1)
YEAR, MONTH, DAY = (1, 4), (6, 2), (9, 2)
_NEIGHBOURS = (1, 2, 3, 6, 9)  # places of a date's digits that another one follows
DISTRICT, END = (1, 6), 4
Levels = list[Any]
_COLUMN = re.compile("`[a-z0-9_]+_[lr]`")
# Share of pairs of different people whose resident numbers are equal (domain.md: one in
# 2,000 numbers is borne by two).
SHARED_NUMBER = 1e-9


# Counting edits costs a hundred times what comparing a half of the texts does. One edit,
# two neighbours in the other order among them, touches two characters at most: what
# stands in front of it or what follows is as long as half of the rest.
_HALF = "cast(floor((length({l}) - 1) / 2) as int)"
_HALF_AGREES = (
    f"(substr({{l}}, 1, {_HALF}) = substr({{r}}, 1, {_HALF})"
    f" or substr({{l}}, length({{l}}) - {_HALF} + 1)"
    f" = substr({{r}}, length({{r}}) - {_HALF} + 1))"
)
# The same of two edits in a number of 18 characters: the tenth is behind neither, the
# sixteenth is before neither, or the three in between are where they were, or near.
_PART_AGREES = (
    "(length({l}) <> 18 or substr({l}, 1, 10) = substr({r}, 1, 10)"
    " or substr({l}, 16) = substr({r}, length({r}) - 2)"
    " or instr({r}, substr({l}, 12, 3)) > 0)"
)


class _Edit(cll.DamerauLevenshteinLevel):
    """At most one edit in bytes, whatever the engine; two neighbours swapped are one."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 1)

    def create_sql(self, sql_dialect: Any) -> str:
        counted = super().create_sql(sql_dialect)
        left, right = self.col_expression.name_l, self.col_expression.name_r
        near = _HALF_AGREES.format(l=left, r=right)
        if sql_dialect.sql_dialect_str == "spark":
            return f"{near} and {_in_bytes(counted, sql_dialect)}"
        # The places that differ are counted at once, and say it all but where they are
        # two, or one text is longer.
        alike = f"strlen({left}) = strlen({right}) and strlen({left}) > 0"
        places = f"case when {alike} then hamming({left}, {right}) else 2 end"
        two = self.two_differ(left, right, f"{near} and {counted}")
        return (
            f"case {places} when 0 then true when 1 then true "
            f"when 2 then {two} else false end"
        )

    def two_differ(self, left: str, right: str, counted: str) -> str:
        """Whether what differs in two places, or in length, is one edit."""
        return counted


class _DateEdit(_Edit):
    """The same of `yyyy-mm-dd` of which year, month or day differs, and no more."""

    def two_differ(self, left: str, right: str, counted: str) -> str:
        """Two places are one edit where they are neighbours in the other order."""
        swapped = " or ".join(
            f"substr({left}, {i}, 1) <> substr({right}, {i}, 1)"
            f" and substr({left}, {i}, 1) = substr({right}, {i + 1}, 1)"
            f" and substr({left}, {i + 1}, 1) = substr({right}, {i}, 1)"
            for i in _NEIGHBOURS
        )
        date = f"strlen({left}) = 10 and strlen({right}) = 10"
        return f"case when {date} then {swapped} else {counted} end"


class _Edits(cll.LevenshteinLevel):
    """Edits in bytes, whatever the engine; two neighbours swapped are two."""

    def create_sql(self, sql_dialect: Any) -> str:
        return _in_bytes(super().create_sql(sql_dialect), sql_dialect)


class _Similar(cll.JaroWinklerLevel):
    """Jaro-Winkler similarity in bytes, whatever the engine.

    Of n bytes that agree Spark's finds 1 / (6 n) less than DuckDB's where an odd number of
    them stand in another order: Spark counts half a transposition, DuckDB does not.
    """

    def create_sql(self, sql_dialect: Any) -> str:
        return _in_bytes(super().create_sql(sql_dialect), sql_dialect)


def _in_bytes(condition: str, dialect: Any) -> str:
    """Spark sees characters; read as Latin-1, the bytes of UTF-8 are one each."""
    if dialect.sql_dialect_str != "spark":
        return condition
    return _COLUMN.sub(r"decode(encode(\g<0>, 'UTF-8'), 'ISO-8859-1')", condition)


def comparisons(fields: Mapping[str, ColumnType]) -> dict[str, Any]:
    """Splink's comparison of each attribute.

    Args:
        fields: attribute -> declared type of its column.
    """
    parts = {GIVEN, FAMILY} if {GIVEN, FAMILY} <= set(fields) else set()
    return {
        name: cl.CustomComparison(
            comparison_levels=[
                cll.NullLevel(name),
                *(_name_part if name in parts else _LEVELS.get(kind, _text))(name),
                cll.ElseLevel(),
            ],
            output_column_name=name,
        )
        for name, kind in fields.items()
    }


def _exact(name: str) -> Any:
    return cll.ExactMatchLevel(name, term_frequency_adjustments=True)


def _both(name: str, condition: str, label: str) -> Any:
    """A level in SQL that DuckDB and Spark share; `{l}` and `{r}` are the two values."""
    return cll.CustomLevel(condition.format(l=f"{name}_l", r=f"{name}_r"), label)


def _person_name(name: str) -> Levels:
    masked = "({l} like '%某%' or {r} like '%某%' or {l} like '%*%' or {r} like '%*%')"
    surname = f"{_of('l', FIRST)} = {_of('r', FIRST)}"
    second = f"{_of('l', SECOND)} = {_of('r', SECOND)}"
    # Of three characters or more one of the first two agrees, if all but one do.
    long = f"length({{l}}) >= 3 and ({surname} or {second})"
    return [
        _exact(name),
        _both(name, f"{surname} and {masked}", "masked name, same surname"),
        _both(f"{name}_sound", "{l} = {r}", "sounds the same"),
        _both(name, f"{long} and {_ONE_DIFFERS}", "one of three characters or more"),
        _both(name, f"{surname} and {_ONE_DIFFERS}", "same surname, other given name"),
        _Similar(name, 0.92),
    ]


def _name_part(name: str) -> Levels:
    """Given or family name, which forms often swap."""
    other = FAMILY if name == GIVEN else GIVEN
    crosswise = f"({name}_l = {other}_r or {other}_l = {name}_r)"
    return [
        _exact(name),
        _Similar(name, 0.92),
        cll.CustomLevel(crosswise, "given and family name in each other's place"),
        _Similar(name, 0.8),
    ]


def _company_name(name: str) -> Levels:
    return [
        _exact(name),
        _both(f"{name}_core", "{l} = {r}", "same firm, other place or form"),
        _Similar(f"{name}_core", 0.9),
    ]


def _person_id(name: str) -> Levels:
    """Numbers are given once: how rarely two people share one need not be learnt.

    Random pairs, from which it is learnt elsewhere, hold true pairs too, and of those
    that agree in a number nearly all are.
    """
    whole = "{l} not like '%*%' and {r} not like '%*%'"
    masked = (
        f"({{l}} like '%*%' or {{r}} like '%*%') and {name}_masked_l = {name}_masked_r"
    )
    plain = _both(name, whole, "neither is masked")
    part = _both(name, _PART_AGREES, "a part agrees")
    return [
        # First, or two masked numbers that are equal would count as one whole number.
        _both(name, masked, "masked number agrees"),
        _number_given_once(name),
        cll.And(plain, _Edit(name)),
        cll.And(plain, part, _Edits(name, 2)),  # twins, too
    ]


def _number_given_once(name: str) -> Any:
    exact = cll.ExactMatchLevel(name)
    return exact.configure(u_probability=SHARED_NUMBER, fix_u_probability=True)


def _number(name: str) -> Levels:
    return [_exact(name), _Edit(name)]


def _date(name: str) -> Levels:
    """Day and month swapped, one digit of `yyyy-mm-dd`, near, decades apart."""
    year, month, day = (f"{_of('l', p)} = {_of('r', p)}" for p in (YEAR, MONTH, DAY))
    swapped = (
        f"{year} and {_of('l', MONTH)} = {_of('r', DAY)}"
        f" and {_of('l', DAY)} = {_of('r', MONTH)}"
    )
    # One edit is inside the year, the month or the day, and leaves the other two.
    two_agree = f"({year} and ({month} or {day}) or {month} and {day})"
    return [
        _exact(name),
        *([_as_numbered(name)] if name == BIRTH else []),
        _both(name, swapped, "day and month in the other order"),
        cll.And(_both(name, two_agree, "two of three agree"), _DateEdit(name)),
        _near(name, 31),
        _both(name, f"{month} and {day}", "same day, another year"),
        _near(name, 366),
        _near(name, 3653),
    ]


def _of(side: str, part: tuple[int, int]) -> str:
    """Some characters of the value of one side."""
    return f"substr({{{side}}}, {part[0]}, {part[1]})"


def _as_numbered(name: str) -> Any:
    condition = f"{NUMBERED}_l = {name}_r or {name}_l = {NUMBERED}_r"
    return cll.CustomLevel(condition, "as the resident number of one of them says")


def _near(name: str, days: int) -> Any:
    condition = f"abs({{l}} - {{r}}) <= {days}"
    return _both(f"{name}_{DAYS}", condition, f"at most {days} days apart")


def _address(name: str) -> Levels:
    # Two that are nearly equal begin or end alike: where they do not, similarity, which
    # costs most of all that is compared, is not asked.
    district = f"{_of('l', DISTRICT)} = {_of('r', DISTRICT)}"
    either = f"({district} or right({{l}}, {END}) = right({{r}}, {END}))"
    return [
        _exact(name),
        _both(f"{name}_building", "{l} = {r}", "same building"),
        _both(f"{name}_street", "{l} = {r}", "same street"),
        cll.And(_both(name, either, "begin or end agrees"), _Similar(name, 0.95)),
        _both(name, district, "same district"),
    ]


def _text(name: str) -> Levels:
    return [
        _exact(name),
        _Edit(name),
        _Similar(name, 0.92),
        _Similar(name, 0.8),
    ]


def _plain(name: str) -> Levels:
    return [_exact(name)]


_LEVELS: dict[ColumnType, Callable[[str], Levels]] = {
    "person_name": _person_name,
    "company_name": _company_name,
    "person_id": _person_id,
    "company_id": _number,
    "id": _number,
    "vin": _number,
    "account": _number,
    "plate": _number,
    "case_no": _number,
    "phone": _number,
    "date": _date,
    "timestamp": _date,
    "address": _address,
    "category": _plain,
    "boolean": _plain,
}
