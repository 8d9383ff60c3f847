"""The engine on a local Spark session, or a skipped test where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.catalog import Limits
from tests.spark import MASTER

if TYPE_CHECKING:
    from flows.spark_catalog import SparkCatalog


@contextmanager
def spark_engine(folder: Path) -> Iterator["SparkCatalog"]:
    """An engine over a work folder of its own."""
    pytest.importorskip("pyspark", reason="needs pyspark: make spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, and there is no java here")
    from flows.spark_catalog import opened_on_spark  # noqa: PLC0415 (an extra)

    with opened_on_spark(folder, MASTER, Limits()) as engine:
        yield engine
