"""A LinkEngine over a local Spark session."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.expr.types import Table


class SparkEngine:
    """Ibis' PySpark backend and Splink's Spark API over one session."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._backend = ibis.pyspark.connect(session)
        ibis.options.sql.fuse_selects = False

    def keep(self, table: Table, name: str) -> Table:
        return self._backend.create_table(name, table, overwrite=True)

    def arrow(self, table: Table) -> pa.Table:
        return self._backend.to_pyarrow(table)

    def register(self, name: str, data: pa.Table) -> Table:
        # Ibis goes by way of pandas, where an unknown text becomes 'NaN'.
        self._session.createDataFrame(data).createOrReplaceTempView(name)
        return self._backend.table(name)

    def splink(self) -> Any:
        from splink.backends.spark import SparkAPI  # noqa: PLC0415

        return SparkAPI(spark_session=self._session, break_lineage_method="persist")

    def named(self, name: str) -> Table:
        return self._backend.table(name)


@contextmanager
def spark_engine(folder: Path) -> Iterator[SparkEngine]:
    """One session with Splink's functions; skips the test where there is no Spark."""
    pytest.importorskip("pyspark", reason="needs pyspark: pip install leadline[spark]")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, and there is no java here")
    from pyspark.sql import SparkSession  # noqa: PLC0415
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415

    builder = SparkSession.builder.master("local[2]").appName("leadline-tests")
    settings = {
        "spark.jars": similarity_jar_location(),
        "spark.driver.memory": "2g",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield SparkEngine(session)
    finally:
        session.stop()
