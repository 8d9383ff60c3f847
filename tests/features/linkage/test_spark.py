"""Entity resolution on Spark and on DuckDB: one answer."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest

from features.linkage.resolve import Resolution, resolve
from flows.catalog import Catalog
from tests.features.linkage.registers import people, subject, told
from tests.features.linkage.spark import SparkEngine, spark_engine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    with spark_engine(tmp_path_factory.mktemp("spark")) as engine:
        yield engine


def frames(found: Resolution, engine) -> tuple[pd.DataFrame, pd.DataFrame]:
    links = engine.arrow(found.links).to_pandas()
    entities = engine.arrow(found.entities).to_pandas()
    return (
        links.sort_values(["left", "right"], ignore_index=True),
        entities.sort_values("record", ignore_index=True),
    )


def test_spark_finds_what_duckdb_finds_with_the_same_model(
    catalog: Catalog, spark: SparkEngine
):
    records = told(catalog, *people().delivered)
    here = resolve(subject(), records, catalog)
    rows: pa.Table = catalog.arrow(records)

    there = resolve(subject(), spark.register("told", rows), spark, model=here.model)

    assert here.blocks == there.blocks
    (links, entities), (theirs, others) = frames(here, catalog), frames(there, spark)
    assert (links["decision"] == "accepted").sum() > 100
    pd.testing.assert_frame_equal(links, theirs, rtol=0, atol=1e-6)
    pd.testing.assert_frame_equal(entities, others, rtol=0, atol=1e-6)
