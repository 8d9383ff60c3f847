"""A tiny supervision model and tiny tables: what a test needs, and no more."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from configs.loading import LoadedModel
from configs.schema import ModelSpec, RulesFile
from configs.vocabulary import vocabulary
from features.known import Known
from features.matrix import enriched_units
from features.sources import core, read_columns, typed
from flows.catalog import Catalog

AS_OF = datetime(2024, 7, 1)
BOTH = {"en": "word", "zh": "词"}
CLAIMS = {
    "table": "claims",
    "title": BOTH,
    "department": BOTH,
    "key": "claim_no",
    "at": "happened",
    "known_at": "posted",
    "columns": {
        "claim_no": {"type": "id"},
        "person": {"type": "id"},
        "happened": {"type": "timestamp"},
        "posted": {"type": "timestamp"},
        "amount": {"type": "money"},
        "kind": {"type": "category", "values": ["a", "b", "c"]},
        "hurt": {"type": "boolean"},
        "sex": {"type": "category"},
    },
}
VISITS = {
    "table": "visits",
    "title": BOTH,
    "department": BOTH,
    "at": "day",
    "known_at": "posted",
    "columns": {
        "person": {"type": "id"},
        "day": {"type": "timestamp"},
        "posted": {"type": "timestamp"},
        "cost": {"type": "number"},
        "place": {"type": "string"},
        "paid": {"type": "boolean"},
    },
}
PERSON = {
    "from": [
        {"source": "claims", "id": "person", "role": "claimant"},
        {"source": "visits", "id": "person", "role": "patient"},
    ]
}
RULE = {"code": "T1", "layer": 2, "reason": BOTH, "lawful": BOTH}


def declaration(**changes: Any) -> dict[str, Any]:
    """The tiny model as a person would write it; `changes` replace whole sections."""
    return {
        "id": "tiny",
        "title": BOTH,
        "unit": {
            "name": "claim",
            "title": BOTH,
            "source": "claims",
            "key": "claim_no",
            "at": "happened",
        },
        "sources": {"claims": CLAIMS, "visits": VISITS},
        "entities": {"person": PERSON},
        "features": [{"columns": ["amount"]}],
        **changes,
    }


def rule(when: str, **changes: Any) -> dict[str, Any]:
    return {**RULE, "when": when, **changes}


def model(*features: Any, rules: Sequence[Any] = (), **changes: Any) -> LoadedModel:
    """The tiny model with these features and rules, checked."""
    steps = list(features) or [{"columns": ["amount"]}]
    spec = ModelSpec.model_validate(declaration(features=steps, **changes))
    known = vocabulary(spec)
    assert known.problems == []
    checked = RulesFile.model_validate({"rules": list(rules)}).rules
    return LoadedModel(spec, checked, known, Path(), "")


def problems(*features: Any, **changes: Any) -> list[str]:
    """What the vocabulary has to say about these features."""
    spec = ModelSpec.model_validate(declaration(features=list(features), **changes))
    return [str(problem) for problem in vocabulary(spec).problems]


def raw(loaded: LoadedModel, source: str, rows: Iterable[Mapping[str, Any]]) -> Table:
    """Delivered rows as text, with the line numbers that a file would give them."""
    columns = read_columns(loaded.spec, source)
    provenance = {"_file": "string", "_line": "int64", "_batch": "string"}
    data = [
        (
            *(None if row.get(c) is None else str(row[c]) for c in columns),
            row.get("_file", f"{source}.csv"),
            row.get("_line", number),
            f"{source}.csv@0",
        )
        for number, row in enumerate(rows, 2)
    ]
    schema = {**dict.fromkeys(columns, "string"), **provenance}
    return ibis.memtable(data, schema=schema)


def known(
    catalog: Catalog,
    loaded: LoadedModel,
    data: Mapping[str, Iterable[Mapping[str, Any]]],
    as_of: datetime = AS_OF,
) -> Known:
    """The core tables of these deliveries, as known at `as_of`."""
    spec = loaded.spec
    cores = {
        name: _kept_core(catalog, loaded, name, list(data.get(name, ())))
        for name in spec.sources
    }
    return Known(loaded, cores, as_of)


def _kept_core(
    catalog: Catalog, loaded: LoadedModel, name: str, rows: list[Mapping[str, Any]]
) -> Table:
    """A source's core table; nothing is computed of one that delivered nothing."""
    delivered = raw(loaded, name, rows)
    made = core(typed(delivered, loaded.spec, name), loaded.spec, name)
    if not rows:
        none = made.schema().to_pyarrow().empty_table()
        return catalog.register(f"core_{name}", none)
    return catalog.keep(made, f"core_{name}")


def units_of(
    catalog: Catalog,
    loaded: LoadedModel,
    data: Mapping[str, Iterable[Mapping[str, Any]]],
    as_of: datetime = AS_OF,
) -> Table:
    """The enriched units, materialised after each step as a run does."""
    found = known(catalog, loaded, data, as_of)
    return enriched_units(found, catalog)


def frame_of(catalog: Catalog, table: Table) -> pd.DataFrame:
    return catalog.arrow(table).to_pandas().set_index("unit_id").sort_index()


def claim(number: int, **values: Any) -> dict[str, Any]:
    """A claim of 1 000 yuan by person p1, posted on the day it happened."""
    day = values.get("happened", "2024-06-01")
    return {
        "claim_no": f"c{number}",
        "person": "p1",
        "happened": day,
        "posted": day,
        "amount": 1000,
        "kind": "a",
        **values,
    }


def visit(day: str, **values: Any) -> dict[str, Any]:
    return {"person": "p1", "day": day, "posted": day, "cost": 10, **values}
