"""Two registers of overlapping people as delivered tables, and how their rows link."""

from collections.abc import Iterable, Mapping
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.loading import LoadedModel
from configs.network import LinkSpec
from features.linkage.records import fields_of, records
from features.linkage.resolve import Subject
from flows.catalog import Catalog
from tests.factories import AS_OF, BOTH, known, model

PEOPLE, SEED = 300, 5
MATCH = {name: name for name in ("name", "birth", "phone", "address")}
Rows = Iterable[Mapping[str, Any]]


def register(name: str) -> dict[str, Any]:
    """A source that lists people, one row each."""
    return {
        "table": name,
        "title": BOTH,
        "department": BOTH,
        "key": "record",
        "at": "posted",
        "known_at": "posted",
        "columns": {
            "record": {"type": "id"},
            "posted": {"type": "date"},
            "person_id": {"type": "person_id"},
            "name": {"type": "person_name"},
            "birth": {"type": "date"},
            "phone": {"type": "phone"},
            "address": {"type": "address"},
        },
    }


def declared(link: Mapping[str, Any] | None = None, **role: Any) -> LoadedModel:
    """The left and the right register; `role` changes how both name their people."""
    both = {"id": "person_id", "match": MATCH, "role": "person", "unique": True, **role}
    roles = [{"source": side, **both} for side in ("left", "right")]
    return model(
        {"history": {"of": "left", "by": "person", "measures": {"count": "*"}}},
        unit={"name": "row", "title": BOTH, "source": "left", "key": "record"},
        sources={side: register(side) for side in ("left", "right")},
        entities={"person": {"from": roles, "link": dict(link or {})}},
    )


LOADED = declared()


def subject(spec: LinkSpec | None = None, loaded: LoadedModel = LOADED) -> Subject:
    entity = loaded.spec.entities["person"]
    return Subject("person", fields_of(loaded.spec, entity), spec or entity.link)


def cores(
    catalog: Catalog, left: Rows, right: Rows = (), loaded: LoadedModel = LOADED
) -> Mapping[str, Table]:
    return known(catalog, loaded, {"left": left, "right": right}).cores


def told(
    catalog: Catalog, left: Rows, right: Rows = (), loaded: LoadedModel = LOADED
) -> Table:
    """The distinct records of these delivered rows."""
    as_of = ibis.literal(AS_OF).cast("timestamp")
    found = cores(catalog, left, right, loaded)
    entity = loaded.spec.entities["person"]
    return catalog.keep(records(loaded.spec, entity, found, as_of), "told")
