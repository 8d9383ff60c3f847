"""A small local Spark for the tests of this folder: `make spark` runs them."""

import os
import shlex
import shutil
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest

# Bounded: the driver may not hold what grows with the rows.
DRIVER = ("--driver-memory", "1g", "--conf", "spark.driver.maxResultSize=1m")
SHORT = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# Two partitions and no generated code: for a thousand rows both cost more than they save.
SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    # Java that lives for minutes is not worth the second compiler.
    "spark.driver.extraJavaOptions": SHORT,
    "spark.executor.extraJavaOptions": SHORT,
}
HERE = Path(__file__).parent
# Some of the modules here import the engine, which needs PySpark.
collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]


def settings_of(folder: Path) -> list[str]:
    """What `spark-submit` is started with."""
    own = {
        **SMALL,
        "spark.local.dir": folder / "local",
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    settings = (("--conf", f"{name}={value}") for name, value in own.items())
    return [*DRIVER, *chain.from_iterable(settings)]


def submitted(folder: Path, *further: str) -> str:
    """What PySpark starts its Java process with, for PYSPARK_SUBMIT_ARGS."""
    return shlex.join([*settings_of(folder), *further, "pyspark-shell"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.slow)
            # PySpark's own calls, on pandas 3.
            item.add_marker(pytest.mark.filterwarnings("ignore:The copy keyword"))


@pytest.fixture(scope="session", autouse=True)
def spark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Skips the tests where there is no Spark; else the folder of its own files."""
    pytest.importorskip("pyspark", reason="needs pyspark: make spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, and there is no java here")
    folder = tmp_path_factory.mktemp("spark")
    os.environ["PYSPARK_SUBMIT_ARGS"] = submitted(folder)
    return folder
