"""Text that was read in a wrong encoding."""

from typing import Any

from ibis.expr.types import BooleanValue


def _decoded(leads: range, trails: range) -> str:
    """The Chinese characters that GBK has for these pairs of bytes."""
    pairs = (bytes((lead, trail)) for lead in leads for trail in trails)
    return "".join(pair.decode("gbk", "ignore") for pair in pairs)


# UTF-8 writes a Chinese character as a byte E4 to E9 and two of 80 to BF.
_HEAD, _REST = range(0xE4, 0xEA), range(0x80, 0xC0)
_WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
_LATIN_REST = f"[\u0080-\u00bf{_WINDOWS}]"
_LATIN_LETTER = "[À-ÖØ-öø-þ]"
_LATIN_HIGH = "[¡-þ]"
_SIGNS = (
    "\ufffd",
    "锟斤拷|烫烫|屯屯",
    "[\u0080-\u009f]",
    f"[ä-é]{_LATIN_REST}{{2}}|[ÂÃ]{_LATIN_REST}",
    f"[{_decoded(_HEAD, _REST)}][{_decoded(_REST, _HEAD)}]",
    # GBK writes a character as two high bytes: no European word has four in a row,
    # and a mask of × or · has no letter among them.
    *(
        f"{_LATIN_HIGH}{{{before}}}{_LATIN_LETTER}{_LATIN_HIGH}{{{3 - before}}}"
        for before in range(4)
    ),
)


def looks_garbled(text: Any) -> BooleanValue:
    """Whether a text holds the traces of a wrong encoding.

    U+FFFD and what GBK makes of it (锟斤拷), uninitialised memory (烫烫), control characters,
    UTF-8 read as Latin-1 (å¼ ä¸‰) or as GBK (寮犱笁), GBK read as Latin-1 (ÕÅÈý).
    """
    return text.re_search("|".join(_SIGNS))
