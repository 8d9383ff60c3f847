"""Numbers, days and texts of the store as figures say them, in the user's language."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from serving.console.boards.intervals import Share
from serving.console.language import language

NONE = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a figure: texts, ready to be shown."""

    columns: tuple[tuple[str, bool], ...]  # title, and whether it holds numbers
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def lines(self) -> list[list[tuple[str, bool]]]:
        """The rows, each cell with whether it is a number."""
        kinds = [numeric for _title, numeric in self.columns]
        return [list(zip(row, kinds, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Told:
    """What a figure says without its picture; `empty` says why there is none."""

    sentence: str
    table: Table = field(default_factory=lambda: Table((), ()))
    empty: str = ""


def chosen(of: object, name: str = "") -> str:
    """The text of a record in the user's language: `en`/`zh` or `<name>_en`/`_zh`."""
    return str(getattr(of, f"{name}_{language()}" if name else language()))


def count(number: float) -> str:
    return str(number_format(round(number), force_grouping=True))


def decimal(number: float | None, places: int = 1) -> str:
    if number is None:
        return NONE
    return str(number_format(round(number, places), places, force_grouping=True))


def percent(value: float | None, places: int = 0) -> str:
    return NONE if value is None else f"{decimal(value * 100, places)}%"


def points(value: float) -> str:
    """A difference of two shares, with its sign."""
    shown = round(value * 100, 1)
    sign = "+" if shown > 0 else "−" if shown < 0 else ""
    return f"{sign}{decimal(abs(shown))}"


def interval(share: Share) -> str:
    if share.low is None or share.high is None:
        return NONE
    ends = {"low": percent(share.low), "high": percent(share.high)}
    return _("%(low)s to %(high)s") % ends


def day(at: date | None) -> str:
    return at.strftime("%Y-%m-%d") if at else NONE


def short_day(at: date) -> str:
    return at.strftime("%m-%d")


def month(at: date) -> str:
    return at.strftime("%Y-%m")


def listed(texts: Iterable[str]) -> str:
    return ("；" if language() == "zh" else "; ").join(texts)


def sentence_of(parts: Iterable[str]) -> str:
    text = listed(parts)
    return _("%(text)s.") % {"text": text[:1].upper() + text[1:]}


def ems(text: str) -> float:
    """Width of a text in units of its size, about: Chinese characters are square."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return wide + 0.56 * (len(text) - wide)


def cut(text: str, most: float) -> str:
    """A text on one line, of control characters free, not wider than `most` ems."""
    plain = "".join(c if c.isprintable() else " " for c in text[:400])
    plain = " ".join(plain.split())
    if ems(plain) <= most:
        return plain
    while plain and ems(plain) > most - 1:
        plain = plain[:-1]
    return f"{plain.rstrip()}…"
