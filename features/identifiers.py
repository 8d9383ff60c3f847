"""Normal forms of identifiers, and which of them are strong enough to link by.

The text given has been cleaned: trimmed, and half-width.

Sources: GB 11643-1999 (resident identity number, ISO 7064 MOD 11-2 check digit) and
GB 32100-2015 (unified social credit code, MOD 31-3 check digit).
"""

from collections.abc import Callable
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

# Besides full-width characters the no-break space; what has no counterpart is dropped
# (zero-width space, byte-order mark: office programs leave them in cells).
FULL_WIDTH = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000\u00a0\u200b\ufeff"
HALF_WIDTH = "".join(chr(code) for code in range(0x21, 0x7F)) + "  "

_PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PERSON_CHECKS = "10X98765432"
_COMPANY_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_COMPANY_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def half_width(text: Any) -> StringValue:
    """Full-width letters, digits, punctuation and spaces as their ASCII forms."""
    # Translating costs 2.8 CPU-seconds per million values, looking for a reason 0.1.
    return ibis.ifelse(
        text.re_search("[！-～\u3000\u00a0\u200b\ufeff]"),
        text.translate(FULL_WIDTH, HALF_WIDTH),
        text,
    )


def compact(text: Any) -> StringValue:
    """Without any white space."""
    return text.re_replace(r"\s+", "")


def person_id(text: Any) -> StringValue:
    """A resident identity number without separators, X capital."""
    return compact(text).re_replace(r"[^0-9A-Za-z*]", "").upper()


def with_century(normal: Any) -> StringValue:
    """An old number of 15 digits as one of 18; others as they are.

    Numbers of 15 digits were given until 1999: the century is always 19.
    """
    body = normal.substr(0, 6) + "19" + normal.substr(6, 9)
    is_old = normal.re_search(r"^[1-9][0-9]{14}$")
    return ibis.ifelse(is_old, body + _person_check(body), normal)


def valid_person_id(normal: Any) -> BooleanValue:
    """18 characters whose check digit fits; a masked number is not valid."""
    shaped = normal.re_search(r"^[1-9][0-9]{16}[0-9X]$")
    return shaped & (_person_check(normal) == normal.substr(17, 1))


def company_id(text: Any) -> StringValue:
    """A unified social credit code or an older registration number, in capitals."""
    return compact(text).re_replace(r"[^0-9A-Za-z]", "").upper()


def valid_company_id(normal: Any) -> BooleanValue:
    """18 characters whose check digit fits, or an old number of 15 digits."""
    # No code begins with 0; all zeros, a common placeholder, would pass the check.
    shaped = normal.re_search(
        rf"^[{_COMPANY_ALPHABET[1:]}][{_COMPANY_ALPHABET}]{{17}}$"
    )
    fits = _company_check(normal) == normal.substr(17, 1)
    return (shaped & fits) | normal.re_search(r"^[1-9][0-9]{14}$")


def plate(text: Any) -> StringValue:
    """A number plate without separators; O and I are never used after the province."""
    plain = compact(text).re_replace(r"[·.\-_]", "").upper()
    tail = plain.substr(2).replace("O", "0").replace("I", "1")
    return plain.substr(0, 2) + tail


def phone(text: Any) -> StringValue:
    """Digits without the country code +86, separators and a spreadsheet's `.0`.

    The star of a masked number stays, so that the rest is not taken for a short number.
    """
    digits = text.re_replace(r"\.0$|[^0-9*]", "")
    return digits.re_replace(r"^(0086|86)([0-9]{11})$", r"\2")


def valid_phone(normal: Any) -> BooleanValue:
    """A mobile or landline number; one digit repeated is a placeholder."""
    shaped = normal.re_search(r"^(1[3-9][0-9]{9}|0[1-9][0-9]{8,10}|[2-9][0-9]{6,7})$")
    return shaped & ~normal.re_search("^(2+|3+|4+|5+|6+|7+|8+|9+)$")


def person_name(text: Any) -> StringValue:
    """Without spaces; the middle dot of minority names in one form."""
    return compact(text).re_replace(r"[•.．・‧∙]", "·")


def company_name(text: Any) -> StringValue:
    """Without spaces, half-width brackets, one spelling of the legal form."""
    plain = compact(text).upper()
    return plain.replace("有限责任公司", "有限公司").replace("股份有限公司", "股份公司")


def plain_id(text: Any) -> StringValue:
    """Any other identifier: no white space, half width, brackets in one form."""
    return compact(text).replace("〔", "(").replace("〕", ")")


NORMAL_FORMS: dict[str, Callable[[Any], StringValue]] = {
    "id": plain_id,
    "person_id": person_id,
    "company_id": company_id,
    "plate": plate,
    "phone": phone,
    "person_name": person_name,
    "company_name": company_name,
}
# Applied to a normal form that is already a column (see `_person_check`).
UPGRADES: dict[str, Callable[[Any], StringValue]] = {"person_id": with_century}
VALID: dict[str, Callable[[Any], BooleanValue]] = {
    "person_id": valid_person_id,
    "company_id": valid_company_id,
    "plate": lambda value: value.re_search(
        r"^[一-龥][A-Z]([0-9A-Z]{5,6}|[0-9A-Z]{4}[挂学警港澳])$"
    ),
    "phone": valid_phone,
}


def _weighted(text: Any, weights: tuple[int, ...], value: Callable[[Any], Any]) -> Any:
    terms = (value(text.substr(i, 1)) * weight for i, weight in enumerate(weights))
    return sum(terms, ibis.literal(0))


def _person_check(body: Any) -> StringValue:
    # Each character is read on its own and the text named once per digit: whoever
    # calls gives a column, not an expression that would be computed 17 times.
    total = _weighted(body, _PERSON_WEIGHTS, lambda c: c.try_cast("int64")).fill_null(0)
    return ibis.literal(_PERSON_CHECKS).substr(total % 11, 1)


def _company_check(code: Any) -> StringValue:
    alphabet = ibis.literal(_COMPANY_ALPHABET)
    total = _weighted(code, _COMPANY_WEIGHTS, alphabet.find)
    return alphabet.substr((31 - total % 31) % 31, 1)
