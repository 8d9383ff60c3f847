"""Check characters of identifiers, computed by the engine.

Each character is read on its own and the text named once per character: whoever calls
gives a column, not an expression that would be computed 17 times.
"""

from collections.abc import Callable
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

COMPANY_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_COMPANY_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_REGISTRATION_DIGITS = 14
# A letter's value is its place here modulo 10; the stops stand for I, O and Q.
_VIN_VALUES = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def person_check(body: Any) -> StringValue:
    """18th character of a resident number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return _digit_or_x((12 - _weighted(body, _PERSON_WEIGHTS, _digit) % 11) % 11)


def fits_company(code: Any) -> BooleanValue:
    """Whether 18 characters are a social credit code (GB 32100-2015, MOD 31-3)."""
    value = ibis.literal(COMPANY_ALPHABET).find
    return _weighted(code, (*_COMPANY_WEIGHTS, 1), value) % 31 == 0


def registration_check(number: Any) -> StringValue:
    """15th digit of a registration number (GS 15-2006, ISO 7064 MOD 11,10)."""
    product: Any = ibis.literal(10)
    for place in range(_REGISTRATION_DIGITS):
        # The standard puts 10 for a sum of 0 modulo 10: less 1, modulo 10, plus 1.
        total = (product + _digit(number.substr(place, 1)) + 9) % 10 + 1
        product = total * 2 % 11
    return ((11 - product) % 10).cast("string")


def vin_check(vin: Any) -> StringValue:
    """9th character of a vehicle identification number (GB 16735, ISO 3779)."""
    values = ibis.literal(_VIN_VALUES)
    return _digit_or_x(_weighted(vin, _VIN_WEIGHTS, lambda c: values.find(c) % 10) % 11)


def _digit(character: Any) -> Any:
    return character.try_cast("int64").fill_null(0)


def _digit_or_x(value: Any) -> StringValue:
    # Not `substr` of the alphabet: Ibis names a computed start three times.
    return value.cast("string").replace("10", "X")


def _weighted(text: Any, weights: tuple[int, ...], value: Callable[[Any], Any]) -> Any:
    terms = (
        value(text.substr(i, 1)) * weight for i, weight in enumerate(weights) if weight
    )
    return sum(terms, ibis.literal(0))
