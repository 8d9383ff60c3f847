"""Many values through one query, as a source is read."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import ibis
from hypothesis import settings

from configs.loading import LoadedModel
from features.identifiers import VALID
from features.sources import typed
from flows.catalog import Catalog
from tests.factories import CLAIMS, VISITS, model, raw

Read = list[tuple[str | None, bool]]
batches = settings(max_examples=2, deadline=None)


@cache
def declared(kind: str) -> LoadedModel:
    """A model whose second source has one column of this type."""
    columns = {"posted": {"type": "timestamp"}, "x": {"type": kind}}
    source = {**VISITS, "at": "posted", "columns": columns}
    return model(sources={"claims": CLAIMS, "visits": source}, entities={})


def normal(catalog: Catalog, kind: str, texts: Sequence[str]) -> Read:
    """Normal form of each text and whether it may link, as a source is read."""
    loaded = declared(kind)
    delivered = raw(loaded, "visits", [{"x": text} for text in texts])
    table = typed(delivered, loaded.spec, "visits").order_by("_line")
    rows = catalog.rows(table.select(*{"x", "_key_x"} & set(table.columns)))
    return [
        (row["x"], kind not in VALID or row["_key_x"] == row["x"] is not None)
        for row in rows
    ]


def forms(catalog: Catalog, kind: str, texts: Sequence[str]) -> list[str | None]:
    return [form for form, _ in normal(catalog, kind, texts)]


def computed(
    catalog: Catalog, function: Callable[[Any], Any], texts: Sequence[str | None]
) -> list[Any]:
    """What a function says of each text."""
    rows = list(enumerate(texts))
    table = ibis.memtable(rows, schema={"n": "int64", "x": "string"})
    found = table.select("n", said=function(table["x"])).order_by("n")
    return [row["said"] for row in catalog.rows(found)]
