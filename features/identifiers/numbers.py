"""Numbers of people, companies, vehicles, phones, accounts and court cases.

A normal form takes a cleaned text: trimmed and half-width. What a spreadsheet has
destroyed (a leading zero, `3.30602E+17`) is not guessed: it keeps a normal form that no
validity flag accepts.
"""

from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from features.identifiers.characters import (
    HIDDEN,
    compact,
    filled,
    is_masked,
    one_star,
)
from features.identifiers.check_digits import (
    COMPANY_ALPHABET,
    fits_company,
    person_check,
    registration_check,
    vin_check,
)

_PERSON_SHAPE = "^[1-9][0-9]{16}[0-9X]$"
_MONTH_AND_DAY = (
    "(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = "(?:(?:18|19|20)(?:0[48]|[2468][048]|[13579][26])|2000)"
_BORN = f"(?:(?:18|19|20)[0-9]{{2}}{_MONTH_AND_DAY}|{_LEAP_YEAR}0229)"

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_GLYPH = "[0-9A-HJ-NP-Z]"  # plates carry neither I nor O
# GA 36-2018: a new-energy plate names its kind in front of or behind five characters.
_PLATE = (
    f"^[{_PROVINCES}][A-Z]"
    f"({_GLYPH}{{5}}|{_GLYPH}{{4}}[挂学警港澳领]|[A-HJK]{_GLYPH}[0-9]{{4}}|[0-9]{{5}}[A-HJK])$"
    "|^使[0-9]{6}$|^[0-9]{6}使$"
)
_CLEAN_PLATE = f"^[{_PROVINCES}][A-Z]{_GLYPH}{{5,6}}$"

_MOBILE = "1[3-9][0-9]{9}"
_LANDLINE = "0[1-9][0-9]{8,10}"
_EXTENSION = (
    rf"((?:^|[^0-9])(?:(?:00)?86)?(?:{_MOBILE}|{_LANDLINE}|[2-9][0-9]{{6,7}}))"
    r"[-#,xX][0-9]{1,6}$|(?:转|分机|[eE][xX][tT])[^0-9]*[0-9]{1,6}$"
)

_CASE = r"^\((?:1979|19[89][0-9]|20[0-9]{2}|2100)\)[一-龥]{1,6}[0-9]{0,4}[一-龥]{1,12}"
_CLEAN_CASE = _CASE + "(?:字第|[^第0-9])[1-9][0-9]*号$"
_CASE_PART = "之[一二三四五六七八九十0-9]+"


def person_id(text: Any) -> StringValue:
    """A resident number without separators, X capital, a masked stretch as one star."""
    plain = one_star(text.re_replace(f"[^0-9A-Za-z{HIDDEN}]", ""))
    # An x that a digit follows is no check character.
    plain = plain.re_replace("[xX]([0-9])", r"*\1").re_replace(r"\*+", "*").upper()
    return ibis.ifelse(text.re_search(_PERSON_SHAPE), text, plain)


def whole_person_id(normal: Any) -> StringValue:
    """An old number of 15 digits as one of 18, a masked one with 18 characters."""
    masked = is_masked(normal) & (normal.length() <= 18)
    return ibis.cases(
        (normal.re_search(_PERSON_SHAPE), normal),
        (masked, filled(normal, 18)),
        else_=with_century(normal),
    )


def with_century(normal: Any) -> StringValue:
    """An old number of 15 digits as one of 18; others as they are.

    Numbers of 15 digits were given until 1999: the century is always 19.
    """
    body = normal.substr(0, 6) + "19" + normal.substr(6, 9)
    is_old = normal.re_search(r"^[1-9][0-9]{14}$")
    return ibis.ifelse(is_old, body + person_check(body), normal)


def valid_person_id(normal: Any) -> BooleanValue:
    """18 characters, a birthday that exists and the check digit; nothing masked."""
    shaped = normal.re_search(f"^[1-9][0-9]{{5}}{_BORN}[0-9]{{3}}[0-9X]$")
    return shaped & (person_check(normal) == normal.substr(17, 1))


def masked_person_id(normal: Any) -> StringValue:
    """The part that a masked and a full number share: the first 6 and the last 4.

    Null where the number is neither of 18 digits nor masked between the two.
    """
    shared = normal.re_search(r"^[1-9][0-9]{5}[0-9*]{8}[0-9]{3}[0-9X]$")
    return ibis.ifelse(shared, normal.substr(0, 6) + normal.substr(14, 4), ibis.null())


def company_id(text: Any) -> StringValue:
    """A unified social credit code or an older number, in capitals.

    Older ones are registration numbers of 15 digits, and tax and organisation codes,
    which are kept as they are and tie nobody.
    """
    return text.re_replace(r"[^0-9A-Za-z*]", "").upper()


def valid_company_id(normal: Any) -> BooleanValue:
    """18 characters or an old registration number of 15 digits, whose check fits."""
    # No code begins with 0; all zeros, a common placeholder, would pass the check.
    alphabet = COMPANY_ALPHABET
    shaped = normal.re_search(f"^[{alphabet[1:]}][{alphabet}]{{17}}$")
    old = normal.re_search("^[1-9][0-9]{14}$")
    return (shaped & fits_company(normal)) | (
        old & (registration_check(normal) == normal.substr(14, 1))
    )


def plate(text: Any) -> StringValue:
    """A number plate without separators and notes such as '(yellow)'.

    O and I are never used after the province: they are 0 and 1.
    """
    plain = text.re_replace(r"\([^)]*\)|[^0-9A-Za-z一-龥*×]", "").upper()
    tail = plain.substr(2).replace("O", "0").replace("I", "1")
    return ibis.ifelse(text.re_search(_CLEAN_PLATE), text, plain.substr(0, 2) + tail)


def valid_plate(normal: Any) -> BooleanValue:
    """An ordinary, special, new-energy or diplomatic plate."""
    return normal.re_search(_PLATE)


def vin(text: Any) -> StringValue:
    """A vehicle identification number, or its last 6 to 8 characters, in capitals.

    I, O and Q are never used: they are 1, 0 and 0.
    """
    plain = text.re_replace(r"[^0-9A-Za-z*]", "").upper()
    return plain.replace("I", "1").re_replace("[OQ]", "0")


def valid_vin(normal: Any) -> BooleanValue:
    """17 characters whose check fits; one character repeated is a placeholder."""
    shaped = normal.re_search("^[0-9A-HJ-NPR-Z]{17}$") & ~normal.re_search("^(0+|1+)$")
    return shaped & (vin_check(normal) == normal.substr(8, 1))


def vin_tail(normal: Any) -> StringValue:
    """The last 6 characters, which insurers write alone; null without them."""
    return normal.re_extract("([0-9A-Z]{6})$", 1).nullif("")


def phone(text: Any) -> StringValue:
    """Digits without country code, dialling prefix, extension and a spreadsheet's `.0`.

    A masked stretch becomes one star, so that the rest is not taken for a short number.
    """
    plain = compact(text).re_replace(r"\.0$", "").re_replace(_EXTENSION, r"\1")
    digits = one_star(plain).re_replace("[^0-9*]", "").re_replace(r"\*+", "*")
    local = digits.re_replace(
        r"^(?:(?:00)?86)+(0[0-9]{9,11}|1[3-9][0-9*]{4,9})$", r"\1"
    )
    local = local.re_replace(
        "^(?:(?:00)?86)+(10[2-9][0-9]{7}|[2-9][0-9]{9,10})$", r"0\1"
    )
    # 17951, 12593, ...: prefixes of cheap calls, as libphonenumber lists them.
    dialled = local.re_replace(
        f"^(?:1(?:[12][0-9]|79)[0-9]{{2}})?0?({_MOBILE})$", r"\1"
    )
    dialled = dialled.re_replace(f"^179[0-9]{{2}}({_LANDLINE})$", r"\1")
    return ibis.ifelse(text.re_search(f"^{_MOBILE}$"), text, dialled)


def whole_phone(normal: Any) -> StringValue:
    """A masked mobile number with 11 characters; others as they are."""
    masked = is_masked(normal) & normal.re_search("^1.{0,10}$")
    return ibis.ifelse(masked, filled(normal, 11), normal)


def valid_phone(normal: Any) -> BooleanValue:
    """A mobile or landline number; one digit repeated is a placeholder."""
    shaped = normal.re_search(f"^({_MOBILE}|{_LANDLINE}|[2-9][0-9]{{6,7}})$")
    return shaped & ~normal.re_search("^(2+|3+|4+|5+|6+|7+|8+|9+)$")


def account(text: Any) -> StringValue:
    """A bank account without separators, the bank's name and notes in brackets."""
    plain = text.re_replace(r"\([^)]*\)|[\s\-_'`]", "").upper()
    return plain.re_replace("^[一-龥:]+", "")


def valid_account(normal: Any) -> BooleanValue:
    """8 to 30 digits, not one repeated; account numbers in China have no check digit.

    Cards follow ISO 7812 (Luhn), but accounts of firms and old passbooks do not, and
    nothing in the number tells the two apart.
    """
    repeated = "|".join(f"{digit}+" for digit in range(10))
    return normal.re_search("^[0-9]{8,30}$") & ~normal.re_search(f"^({repeated})$")


def case_no(text: Any) -> StringValue:
    """A court's case number such as (2021)浙0602民初1234号, whatever was left out.

    The rules on case numbers of 2015 dropped 字第, which older numbers keep.
    """
    plain = compact(text).re_replace("^案号:?", "").re_replace(r"[\[【〔{<〈《]", "(")
    plain = plain.re_replace(r"[\]】〕}>〉》]", ")")
    numbered = plain.re_replace("字第*([0-9])", r"字第\1")
    numbered = numbered.re_replace("([^字第])第+([0-9])", r"\1\2")
    dated = numbered.re_replace(r"^\(?((?:19|2[01])[0-9]{2})年?\)?([一-龥])", r"(\1)\2")
    ending = (
        rf"([一-龥])0*([1-9][0-9]*)号?({_CASE_PART})?号*(?:[一-龥]*[书令])?[.,;。]*$"
    )
    whole = dated.re_replace(ending, r"\1\2号\3")
    return ibis.ifelse(text.re_search(_CLEAN_CASE), text, whole)


def valid_case_no(normal: Any) -> BooleanValue:
    """Year 1979 to 2100, court, kind of case, number."""
    return normal.re_search(_CASE + f"[1-9][0-9]{{0,7}}号(?:{_CASE_PART})?$")
