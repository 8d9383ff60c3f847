"""Addresses: one spelling, and the building that neighbours share."""

from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from features.identifiers.places import (
    CITY,
    CITY_WORD,
    DISTRICT,
    NO_PLACE,
    PREFECTURE_WORD,
    PROVINCE_WORD,
    PROVINCES,
    either,
)

_DIGITS = "一二三四五六七八九"
_CHINESE = f"{_DIGITS}十百零〇"
_NUMERAL = f"[0-9A-Z{_CHINESE}]"
_UNIT = "(?:弄|号|幢|单元|室|楼|组)"
_NUMBER = f"{_NUMERAL}+{_UNIT}"
_PROVINCE = f"(?:中国)?{either(PROVINCES)}"
_CITIES = f"(?:{CITY}(?:{CITY_WORD}|[区县旗])*)"
# 江西路 is a street: without its word a province needs a city or district behind it.
# The character behind the place tells 绍兴市 from 绍兴市场路.
_LEAD = (
    f"^(?:{_PROVINCE}{PROVINCE_WORD})*(?:{_PROVINCE}{_CITIES}{{1,2}}{DISTRICT}?"
    f"|{_PROVINCE}{DISTRICT}|{_CITIES}{{0,2}}{DISTRICT}?)[^{NO_PLACE}]"
)
_PLACE_WORDS = f"^(?:{_PROVINCE}{PROVINCE_WORD}?)+|[市区县旗]|地区|{PREFECTURE_WORD}"
_PUNCTUATION = r"""[\s,.;:'"()\[\]<>{}/|_·、。“”‘’《》【】〔〕]"""
_DROPPED = rf"\([^()0-9]*\)|{_PUNCTUATION}"
# Other ways to write a building, floor, room or group: most addresses have none.
_VARIED = rf"[栋座楼层房组队社第#\-]|[0-9]{_PUNCTUATION}*$"
_COUNTED = f"(?:{_DROPPED})*(?:{_UNIT}|[栋座层房队社小村生#])"
_WORDED = f"[{_CHINESE}]{_COUNTED}|[0-9A-Za-z]{_COUNTED}.*[{_CHINESE}]"
_PARTS = r"([0-9A-Z])(?:幢|-)([0-9]{1,2})-([0-9]{3,4})室?$"
_BLOCK_AND_ROOM = r"([号园苑村庭城府区寓里墅])([0-9]{1,3})-([0-9]{3,4})室?$"
_GROUP = f"第*({_NUMERAL}+)(?:村民小组|村民组|小组|生产队|队|组|社([^区]|$))"


def address(text: Any) -> StringValue:
    """Buildings, rooms and villagers' groups in one way each, without punctuation.

    Words in brackets are notes and go, unless they hold a digit. Chinese numerals become
    digits from the first house number on.
    """
    plain = text.re_replace(_DROPPED, "").upper()
    units = _units(plain)
    return ibis.cases(
        (text.re_search(_WORDED), _room(_counted(units))),
        (text.re_search(_VARIED), _room(units)),
        else_=plain,
    )


def located(normal: Any) -> StringValue:
    """Without province and the words 市, 区, 县 of the leading places."""
    place = ibis.greatest(normal.re_extract(_LEAD, 0).length() - 1, 0)
    # Not `substr` from a computed start: Ibis names that three times.
    rest = normal.right(normal.length() - place)
    return normal.left(place).re_replace(_PLACE_WORDS, "") + rest


def valid_address(normal: Any) -> BooleanValue:
    """Names a house, building, room or villagers' group, not a town alone."""
    told = r"[^*×某?]*"
    return normal.re_search(
        rf"^{told}[一-龥]{{2}}{told}[0-9A-Z](?:{_UNIT}|-[0-9]){told}$"
    )


def building(normal: Any) -> StringValue:
    """Up to the building, else the house number; null where there is neither."""
    return normal.re_extract("^(.*[0-9A-Z]幢|.*[0-9]号)", 1).nullif("")


def _units(text: Any) -> StringValue:
    built = text.re_replace(f"第*({_NUMERAL}+)(?:号楼|幢|栋|座|#楼?)", r"\1幢")
    rooms = built.re_replace(f"({_NUMERAL})号?房间?", r"\1室")
    floors = rooms.re_replace(f"({_NUMERAL})层", r"\1楼")
    # Twice: the character behind 社 may be the number of what follows.
    return floors.re_replace(_GROUP, r"\1组\2").re_replace(_GROUP, r"\1组\2")


def _room(text: Any) -> StringValue:
    """The room at the end with its words: 3-2-501, 小区3-501, 3幢501."""
    parts = text.re_replace(_PARTS, r"\1幢\2单元\3室")
    parts = parts.re_replace(_BLOCK_AND_ROOM, r"\1\2幢\3室")
    return parts.re_replace("(幢|单元|楼)([0-9]{3,4})$", r"\1\2室")


def _counted(text: Any) -> StringValue:
    head = text.re_extract(f"^(.*?)(?:{_NUMBER}|$)", 1)
    return head + _digits(text.re_replace(f"^(?:.*?({_NUMBER}.*)|.*)$", r"\1"))


def _digits(text: Any) -> StringValue:
    """Numerals up to 999 as digits: 一百二十三, 一百零五, 二十三, 十二, 二十."""
    one = f"([{_DIGITS}])"
    hundreds = text.re_replace(f"{one}百[零〇]{one}", r"\1零\2")
    hundreds = hundreds.re_replace(f"{one}百{one}十{one}", r"\1\2\3")
    hundreds = hundreds.re_replace(f"{one}百{one}十", r"\1\2零")
    hundreds = hundreds.re_replace(f"{one}百", r"\1零零")
    tens = hundreds.re_replace(f"{one}十{one}", r"\1\2")
    tens = tens.re_replace(f"{one}十", r"\1零").re_replace(f"十{one}", r"一\1")
    return tens.replace("十", "一零").translate(f"{_DIGITS}零〇", "12345678900")
