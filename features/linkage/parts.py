"""Parts of an attribute that may agree where the whole does not."""

from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import IntegerValue, StringValue, Table

from configs.linkage import DAYS, FAMILY, GIVEN, ID, NAMES, NUMBERED
from configs.schema import ColumnType
from features.engine import Engine
from features.identifiers import building, company_core, masked_person_id
from features.linkage.engine import LinkEngine
from features.linkage.grouping import NONE
from features.linkage.names import BIRTH, KEY, NUMBER, ROWS, UNIQUE

NAME_CHARACTERS = 4


def with_parts(table: Table, fields: Mapping[str, ColumnType], engine: Engine) -> Table:
    """The records with one more column per part that they lack, `<attribute>_<part>`."""
    if BIRTH in fields and NUMBERED not in table.columns:
        table = _with_birth(table, numbered=fields.get(ID) == "person_id")
    parts = {
        f"{name}_{part}": read(table[name])
        for name, kind in fields.items()
        for part, read in READERS.get(kind, {}).items()
        if f"{name}_{part}" not in table.columns
    }
    if {GIVEN, FAMILY} <= set(fields):
        given, family = table[GIVEN], table[FAMILY]
        parts[NAMES] = ibis.least(given, family) + " " + ibis.greatest(given, family)
    table = table.mutate(**parts) if parts else table
    for name in [n for n, kind in fields.items() if kind == "person_name"]:
        if f"{name}_sound" not in table.columns:
            table = _with_sound(table, name, engine)
    return table


def compared(
    table: Table, fields: Mapping[str, ColumnType], engine: LinkEngine
) -> Table:
    """Of records with their parts what `features.linkage.comparisons` reads.

    A record is compared with few others, and all of them are joined to the pairs, twice:
    parts that are equal or not are codes, what is quickly made of a value is not kept.

    Returns:
        `_number`, `rows`, `_key` and `_unique` as codes (NONE where there is no value), the
        attributes as text, and of them `<attribute>_<part>`.
    """
    columns = {
        name: code(table[name], engine).fill_null(NONE) for name in (KEY, UNIQUE)
    }
    columns |= {name: table[name] for name in fields}
    if BIRTH in fields:
        columns[NUMBERED] = table[NUMBERED]
    for name, kind in fields.items():
        for part in EQUAL.get(kind, ()):
            columns[f"{name}_{part}"] = code(table[f"{name}_{part}"], engine)
        if kind == "company_name":
            columns[f"{name}_core"] = table[f"{name}_core"]
        elif kind in ("date", "timestamp"):
            columns[f"{name}_{DAYS}"] = _days(table[name])
    return table.select(NUMBER, ROWS, **columns)


def code(text: Any, engine: LinkEngine) -> IntegerValue:
    """A number for a text, null where it is unknown or empty; what is a code stays one.

    Equal texts have equal codes; that two others have one is as good as impossible.
    """
    if text.type().is_integer():
        return text
    known = text.nullif("")
    number = xxhash64(known) if engine.dialect == "spark" else known.hash()
    return ibis.ifelse(known.notnull(), number, ibis.null("int64"))


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def xxhash64(text: str) -> int:  # type: ignore[empty-body]
    """Spark's hash of 64 bits; the one that Ibis takes there has 32."""


def _days(date: Any) -> IntegerValue:
    """Days since 1970 of `yyyy-mm-dd`."""
    return (date.try_cast("date").epoch_seconds() / 86_400).cast("int32")


def _with_birth(table: Table, numbered: bool) -> Table:
    """The birth date that a resident number holds, also where none is given."""
    told = _numbered(table[ID]) if numbered else ibis.null("string")
    table = table.mutate(**{NUMBERED: told})
    return table.mutate(**{BIRTH: ibis.coalesce(table[BIRTH], table[NUMBERED])})


def _numbered(number: Any) -> StringValue:
    digits = number.re_extract(r"^[0-9]{6}([0-9]{8})[0-9X]{4}$", 1).nullif("")
    return digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2)


def _with_sound(table: Table, name: str, engine: Engine) -> Table:
    """How a Chinese name sounds: clerks write what they hear.

    Characters that differ in tone alone are one sound; of names with more than four
    characters the first four.
    """
    sounds = engine.register("sounds", _sounds())
    heard = table.select(_name=name).distinct()
    for place in range(NAME_CHARACTERS):
        character = heard["_name"].substr(place, 1)
        numbered = sounds.rename(**{f"_character{place}": "character"})
        joined = heard.mutate(**{f"_character{place}": character}).left_join(
            numbered, f"_character{place}"
        )
        sound = ibis.coalesce(joined["sound"], joined[f"_character{place}"]) + " "
        heard = joined.select(*heard.columns, **{f"_sound{place}": sound})
    parts = [heard[f"_sound{place}"] for place in range(NAME_CHARACTERS)]
    # Of other scripts the first letters would be the sound.
    chinese = heard["_name"].re_search("^[一-龥]")
    whole = ibis.ifelse(chinese, reduce(lambda a, b: a + b, parts), ibis.null("string"))
    heard = heard.select("_name", **{f"{name}_sound": whole})
    return table.left_join(heard, table[name] == heard["_name"]).drop("_name")


@cache
def _sounds() -> pa.Table:
    """Toneless pinyin of each character of the CJK block."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  reads its lists of phrases

    characters = [chr(code) for code in range(0x4E00, 0x9FA6)]
    return pa.table({"character": characters, "sound": lazy_pinyin(characters)})


def _unmasked(normal: Any, start: int, length: int) -> StringValue:
    whole = normal.re_search("^[0-9]{17}[0-9X]$")
    return ibis.ifelse(whole, normal.substr(start, length), ibis.null())


def _street(normal: Any) -> StringValue:
    """The address before the first house number."""
    return normal.re_extract(r"^([^0-9]{4,})[0-9]", 1).nullif("")


# Parts that comparisons ask no more of than whether they are equal.
EQUAL: dict[ColumnType, tuple[str, ...]] = {
    "person_id": ("masked",),
    "person_name": ("sound",),
    "address": ("building", "street"),
}
# `configs.linkage.PARTS` names them; a name's sound is made in `_with_sound`.
# One wrong digit of a resident number leaves one of the three as it was.
READERS: dict[ColumnType, dict[str, Callable[[Any], StringValue]]] = {
    "person_id": {
        "masked": masked_person_id,
        "head": lambda number: _unmasked(number, 0, 14),
        "tail": lambda number: _unmasked(number, 8, 10),
    },
    "person_name": {"first": lambda name: name.substr(0, 1)},
    "company_name": {"core": company_core},
    "address": {"building": building, "street": _street},
    "string": {"start": lambda text: text.substr(0, 4)},
    "date": {
        "day": lambda date: date.substr(5, 5),
        "month": lambda date: date.substr(0, 7),
    },
}
