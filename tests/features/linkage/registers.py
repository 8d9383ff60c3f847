"""Two registers of overlapping people as delivered tables, and how their rows link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
from ibis.expr.types import Table

from configs.linkage import fields_of
from configs.loading import LoadedModel
from configs.network import LinkSpec
from features.engine import Engine
from features.linkage.records import linked, numbered, records, renamed
from features.linkage.resolve import Resolution, Subject
from features.links import STRONG
from flows.catalog import Catalog
from tests.factories import AS_OF, BOTH, known, model
from training.simulation.registers_pair import registers_pair

SIZE, SEED = 300, 5
POSTED = "2024-01-01"
MATCH = {name: name for name in ("name", "birth", "phone", "address")}
Row = Mapping[str, Any]
Rows = Iterable[Row]


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
        {"coverage": {"by": "person", "sources": {"right": "person"}}},
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
    return told_by(catalog, cores(catalog, left, right, loaded), loaded)


def told_by(
    engine: Engine, tables: Mapping[str, Table], loaded: LoadedModel = LOADED
) -> Table:
    as_of = ibis.literal(AS_OF).cast("timestamp")
    entity = loaded.spec.entities["person"]
    said = engine.keep(records(loaded.spec, entity, tables, as_of), "said")
    return engine.keep(numbered(said), "told")


def entities_of_rows(
    catalog: Catalog, found: Resolution, tables: Mapping[str, Table], side: str
) -> dict[str, str]:
    """record -> entity, as the rows of a source get them."""
    roles = {role.source: role for role in LOADED.spec.entities["person"].roles}
    fields = subject().fields
    others = renamed(told_by(catalog, tables), found.entities, fields)
    rows = linked(tables[side], roles[side], fields, others)
    told_rows = catalog.rows(rows.select("record", entity=STRONG + "person_id"))
    return {row["record"]: row["entity"] for row in told_rows}


@dataclass(frozen=True)
class People:
    """Delivered rows of both registers, and who they are."""

    left: tuple[Row, ...]
    right: tuple[Row, ...]
    left_person: npt.NDArray[np.int64]
    right_person: npt.NDArray[np.int64]

    @property
    def delivered(self) -> tuple[Rows, Rows]:
        return self.left, self.right


@cache
def people() -> People:
    pair = registers_pair(SIZE, SEED)
    left, right = (
        tuple(side.assign(posted=POSTED).to_dict("records"))
        for side in (pair.left, pair.right)
    )
    return People(left, right, pair.left_person, pair.right_person)
