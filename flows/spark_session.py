"""One Spark session per process: a given master or Connect server."""

import os
import socket
import sys
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from configs.errors import DeclarationError

_NEEDED = {
    # Row by row the same values as DuckDB: times without a zone, errors not nulls.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}
_STARTED = {
    "spark.app.name": "leadline",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # MLflow stays at home on the workers too.
    "spark.executorEnv.MLFLOW_DISABLE_TELEMETRY": "true",
    "spark.executorEnv.DO_NOT_TRACK": "1",
}


_CONNECT_PORT, _PATIENCE = 15002, 10  # seconds


def is_connect(master: str) -> bool:
    """Whether an address is a Connect server's, not a master's."""
    return master.startswith("sc://")


def _check_answers(master: str) -> None:
    """Raise OSError at once where nobody listens; Spark would ask for ten minutes."""
    place = urlsplit(master)
    port = place.port or _CONNECT_PORT
    socket.create_connection((place.hostname or "", port), _PATIENCE).close()


def check_installed() -> None:
    """PySpark is an extra.

    Raises:
        DeclarationError: it is not installed.
    """
    if find_spec("pyspark") is None:
        raise DeclarationError(
            "--engine spark needs PySpark, which is not installed here: "
            "pip install 'leadline[spark]' (and Java 17)"
        )


def session_at(master: str) -> Any:
    """A session of its own on the cluster; sessions of one process share its connection.

    Raises:
        DeclarationError: nobody answers at the address.
    """
    from pyspark.errors import PySparkException  # noqa: PLC0415 (an extra)
    from pyspark.sql import SparkSession  # noqa: PLC0415
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        if is_connect(master):
            _check_answers(master)
            session = SparkSession.builder.remote(master).create()
        else:
            builder = SparkSession.builder.master(master)
            for name, value in _STARTED.items():
                builder = builder.config(name, value)
            builder = builder.config("spark.jars", similarity_jar_location())
            session = builder.getOrCreate().newSession()
    except (PySparkException, RuntimeError, OSError) as error:
        raise DeclarationError(
            f"LEADLINE_SPARK={master!r}: no Spark there ({str(error).splitlines()[0]}); "
            "give local[*], spark://host:7077 or sc://host:15002, and check that Java 17 "
            "is installed"
        ) from error
    for name, value in _NEEDED.items():
        session.conf.set(name, value)
    return session
