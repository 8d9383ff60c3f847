"""Entity resolution on Spark and on DuckDB: one answer."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import pytest
from ibis.expr.types import Table

from features.linkage.records import linked, renamed
from features.linkage.report import report
from features.linkage.resolve import Model, Resolution, resolve
from flows.catalog import Catalog
from tests.features.linkage.registers import (
    LOADED,
    cores,
    people,
    subject,
    told_by,
)
from tests.features.linkage.spark import spark_engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:The copy keyword"),  # PySpark on pandas 3
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with spark_engine(tmp_path_factory.mktemp("spark")) as engine:
        yield engine


def linkage(
    engine: Catalog, tables: Mapping[str, Table], model: Model | None
) -> tuple[Resolution, dict[str, Any], dict[str, pd.DataFrame]]:
    """From core tables to linked ones: what was found, its report, all tables in order."""
    records = told_by(engine, tables)
    found = resolve(subject(), records, engine, model=model)
    role = LOADED.spec.entities["person"].roles[0]
    fields = subject().fields
    others = renamed(records, found.entities, fields)
    rows = linked(tables["left"], role, fields, others)
    made = {
        "records": records.order_by("record"),
        "links": found.links.order_by("left", "right"),
        "entities": found.entities.order_by("record"),
        "rows": rows.select("record", "_key_person_id", "_sure_person_id").order_by(
            "record"
        ),
    }
    frames = {name: engine.arrow(table).to_pandas() for name, table in made.items()}
    return found, report(subject(), records, found, engine), frames


def test_spark_finds_what_duckdb_finds_with_the_same_model(
    catalog: Catalog, spark: Catalog
):
    here = dict(cores(catalog, *people().delivered))
    there = {side: spark.register(side, catalog.arrow(here[side])) for side in here}

    found, told, tables = linkage(catalog, here, None)
    again, theirs, others = linkage(spark, there, found.model)

    assert (tables["links"]["decision"] == "accepted").sum() > 100
    assert again.blocks == found.blocks
    assert theirs["links"] == told["links"]
    assert theirs["cluster sizes"] == told["cluster sizes"]
    for name, table in tables.items():
        same = others[name][table.columns].astype(table.dtypes.to_dict())
        pd.testing.assert_frame_equal(table, same, rtol=0, atol=1e-6)
