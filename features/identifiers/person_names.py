"""Names of people: one spelling in Chinese or Latin letters."""

import unicodedata
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from features.identifiers.characters import HAN, ends_with_one
from features.identifiers.variants import COMPATIBLE, PLAIN, SIMPLIFIED, VARIANTS

_DOTS = r"[•.．・‧∙･⋅·]"
_NOTE = r"[(\[【〔<][^)\]】〕>]*[)\]】〕>]?"
_HONORIFICS = ("先生", "女士", "小姐", "同志")
_EDGES = rf"^(?:\s|{_DOTS})+|(?:\s|{_DOTS}|{'|'.join(_HONORIFICS)})+$"
_LETTERS = r"A-Za-zÀ-ÖØ-öø-ɏ\s.,'’`\-"
# Without a letter of plain Latin it is no name but Chinese in a wrong encoding.
_LATIN = f"^[{_LETTERS}]*[A-Za-z][{_LETTERS}]*$"
_PLACEHOLDER = "不详|未知|匿名|测试|无名氏|本人"


def _unaccented() -> tuple[str, str]:
    """Latin letters with a mark, and the letters that they are without it."""
    special = {"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i"}
    accented = [chr(code) for code in range(0xC0, 0x250) if chr(code).isalpha()]
    bare = [special.get(a, unicodedata.normalize("NFD", a)[0]) for a in accented]
    pairs = [(a, b) for a, b in zip(accented, bare, strict=True) if a != b]
    return "".join(a for a, _ in pairs), "".join(b for _, b in pairs)


_ACCENTED, _BARE = _unaccented()


def person_name(text: Any) -> StringValue:
    """A name without notes in brackets, honorifics and, in Chinese, without blanks.

    The middle dot of minority names has one form, so has each masked character.
    """
    bare = text.re_replace(_NOTE, "").re_replace(_EDGES, "")
    written = ibis.ifelse(bare.re_search(_LATIN), _latin(bare), _chinese(bare))
    clean = text.re_search(f"^[{HAN}]+$") & ~ends_with_one(text, _HONORIFICS)
    return ibis.ifelse(clean, text, written)


def simplified(normal: Any) -> StringValue:
    """Traditional and variant characters of names as those of today's register."""
    # The cost of translating grows with the table: 42 and 100 microseconds a value.
    return ibis.cases(
        (
            normal.re_search(f"[{COMPATIBLE}]"),
            normal.translate(VARIANTS + COMPATIBLE, SIMPLIFIED + PLAIN),
        ),
        (normal.re_search(f"[{VARIANTS}]"), normal.translate(VARIANTS, SIMPLIFIED)),
        else_=normal,
    )


def valid_person_name(normal: Any) -> BooleanValue:
    """Letters only: 2 to 15 Chinese ones or 2 to 40 Latin ones, nothing masked."""
    shaped = normal.re_search(
        f"^[{HAN}][{HAN}·]{{0,13}}[{HAN}]$|^[A-Z][A-Z ]{{0,38}}[A-Z]$"
    )
    return shaped & ~normal.re_search(f"某|^(?:{_PLACEHOLDER})$")


def _latin(text: Any) -> StringValue:
    """Capitals without accents, single blanks between the words."""
    folded = ibis.ifelse(
        text.re_search("[À-ɏ]"), text.translate(_ACCENTED, _BARE), text
    )
    return folded.upper().re_replace("['’`]", "").re_replace("[^A-Z]+", " ").strip()


def _chinese(text: Any) -> StringValue:
    plain = text.re_replace(r"\s+", "").re_replace(f"{_DOTS}+", "·")
    return plain.re_replace("[*×✕✖○●◯□■?_]|[xX]+", "*").upper()
