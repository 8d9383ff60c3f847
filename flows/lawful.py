"""What the data say for and against the lawful explanation of a rule that fired."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table

from configs.loading import LoadedModel
from configs.presented import shown_columns
from configs.privacy import mask
from configs.tables import PUBLISHED_HITS
from features.contracts import conform
from flows.catalog import Catalog
from flows.engineer import HITS, UNITS
from flows.explained import wording
from flows.figures import medians
from flows.reasons import Texts, Wording

_LONGEST = 80  # characters of one value
_UNKNOWN = ("not known", "不详")
_SAID = "said"


def with_what_data_say(
    model: LoadedModel, catalog: Catalog, listed: Table, explained: Table
) -> Table:
    """The hits of the listed units as they are published.

    Beside each hit of an explained lead stand the values of the columns that the rule
    names under `lawful.shows`: `use of the vehicle: fleet; suits of the claimant: 7
    (median 1)`. Sensitive values are masked.

    Args:
        listed, explained: tables with the `unit_id` of every lead, and of those that
            are explained.
    """
    hits, units = catalog.read(HITS).semi_join(listed, "unit_id"), catalog.read(UNITS)
    shows = {rule.code: shown_columns(rule, model.known) for rule in model.rules}
    used = sorted({name for names in shows.values() for name in names})
    chosen = explained.select("unit_id").distinct()
    fired = hits.semi_join(chosen, "unit_id").select("unit_id", "code")
    known = _values(catalog, units.semi_join(chosen, "unit_id"), used)
    numbers = [name for name in used if model.known.columns[name].kind == "number"]
    words = _Words(wording(model), medians(catalog, units, numbers))
    said = [
        (row["unit_id"], row["code"], *words.line(shows[row["code"]], values))
        for row in catalog.rows(fired)
        if (values := known[row["unit_id"]])
    ]
    joined = hits.left_join(_as_table(catalog, said), ["unit_id", "code"])
    return conform(joined, PUBLISHED_HITS)


def _values(
    catalog: Catalog, units: Table, used: Sequence[str]
) -> dict[str, dict[str, Any]]:
    return {row["unit_id"]: row for row in catalog.rows(units.select("unit_id", *used))}


def _as_table(catalog: Catalog, said: Sequence[tuple[str, ...]]) -> Table:
    names = ("unit_id", "code", "says_en", "says_zh")
    columns = zip(*said, strict=True) if said else [()] * len(names)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return catalog.register(
        f"_{_SAID}", pa.table(dict(zip(names, arrays, strict=True)))
    )


class _Words:
    """Values of a unit's columns beside their medians, in both languages."""

    def __init__(self, words: Wording, medians: Mapping[str, float]) -> None:
        self._words, self._medians = words, medians

    def line(self, names: Sequence[str], values: Mapping[str, Any]) -> Texts:
        parts = list(self._parts(names, values))
        return "; ".join(en for en, _ in parts), "；".join(zh for _, zh in parts)

    def _parts(
        self, names: Sequence[str], values: Mapping[str, Any]
    ) -> Iterator[Texts]:
        for name in names:
            (en, zh), (own, own_zh) = (
                self._words.meaning(name),
                self._value(name, values[name]),
            )
            usual, usual_zh = self._median(name)
            yield f"{en}: {own}{usual}", f"{zh}：{own_zh}{usual_zh}"

    def _value(self, name: str, value: Any) -> Texts:
        kind = self._words.columns[name].kind
        if pd.isna(value) or value == "":
            return _UNKNOWN
        if kind == "boolean":
            return self._words.usual(name, value)
        if kind == "number":
            return self._words.number(name, float(value))
        text = _moment(value) if isinstance(value, datetime) else str(value)
        text = _shortened(mask(text) if name in self._words.hidden else text)
        return text, text

    def _median(self, name: str) -> Texts:
        median = self._medians.get(name)
        if pd.isna(median):
            return "", ""
        en, zh = self._words.usual(name, median)
        return f" (median {en})", f"（中位数{zh}）"


def _moment(value: datetime) -> str:
    return (
        f"{value:%Y-%m-%d}" if value.time() == time.min else f"{value:%Y-%m-%d %H:%M}"
    )


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
