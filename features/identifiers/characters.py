"""Characters that are written in several ways: width, white space, masks."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

import ibis
from ibis.expr.types import StringValue

# Besides full-width characters the no-break space; what has no counterpart is dropped
# (zero-width space, byte-order mark: office programs leave them in cells).
FULL_WIDTH = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000\u00a0\u200b\ufeff"
HALF_WIDTH = "".join(chr(code) for code in range(0x21, 0x7F)) + "  "

HAN = "〇一-鿿㐀-䶿𠀀-𱍊"  # inside a character class
HIDDEN = "*×✕✖●○◯■□•?…#_"  # so are these: what is written over a digit
# One x may be a check character, several are a mask.
_MASK = f"(?:[{HIDDEN}]|[xX]{{2,}})+"

_BLANK = "\t\n\x0b\x0c\r "  # what `strip` takes off
_UNTIDY = f"[{FULL_WIDTH}]|^[{_BLANK}]|[{_BLANK}]$"


def tidy(text: Any) -> StringValue:
    """Half-width, without white space around it."""
    # Translating costs 2.8 CPU-seconds per million values and stripping 0.2; looking for a
    # reason 0.1.
    tidied = text.translate(FULL_WIDTH, HALF_WIDTH).strip()
    return ibis.ifelse(text.re_search(_UNTIDY), tidied, text)


def stripped(text: Any) -> StringValue:
    """Without white space around it; as it is within."""
    # What is less than the first sign that is printed begins with a blank, if anything.
    edged = (text < "!") | ends_with_one(text, _BLANK)
    return ibis.ifelse(edged, text.strip(), text)


def ends_with_one(text: Any, endings: Iterable[str]) -> Any:
    """Whether a text ends with one of these; told without a pattern."""
    return reduce(or_, map(text.endswith, endings))


def compact(text: Any) -> StringValue:
    """Without any white space."""
    return text.re_replace(r"\s+", "")


def one_star(text: Any) -> StringValue:
    """Each masked stretch of a number as a single star, however it was masked."""
    return text.re_replace(_MASK, "*")


def is_masked(normal: Any) -> Any:
    """Whether a number shows some digits and hides one stretch of the others."""
    return normal.re_search(r"^([0-9]+\*+[0-9]*X?|\*+[0-9]+X?)$")


def filled(normal: Any, length: int) -> StringValue:
    """The single star of a masked number as one star for each missing character."""
    missing = ibis.greatest(length + 1 - normal.length(), 1)
    return normal.replace("*", ibis.literal("*" * length).substr(0, missing))
