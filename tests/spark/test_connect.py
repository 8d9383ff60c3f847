"""A run through a Spark Connect server, whose driver is a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.settings import PACKAGE_MODELS
from tests.flows.conftest import delivered, shared, template, unpublished
from tests.flows.homes import ROOT, Home, copied
from tests.spark import MASTER
from tests.spark.compared import unlike
from tests.spark.conftest import settings_of
from tests.spark.installed import MODEL, SEED, listed, ran, unlike_files
from training.simulation import simulated

__all__ = ["delivered", "shared", "template", "unpublished"]
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
STARTS_WITHIN = 120  # seconds, on a busy machine
UNITS = 1000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server with the jar of Splink's functions, as docs/spark.md has it."""
    pytest.importorskip("grpc", reason="needs pyspark[connect]: make spark")
    from pyspark.find_spark_home import _find_spark_home  # noqa: PLC0415 (an extra)
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415

    folder, port = tmp_path_factory.mktemp("server"), _free_port()
    submit = Path(_find_spark_home()) / "bin/spark-submit"
    further = [
        *("--conf", f"spark.connect.grpc.binding.port={port}"),
        *("--jars", similarity_jar_location(), "--class", SERVER, "spark-internal"),
    ]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    own = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": path}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [submit, "--master", MASTER, *settings_of(folder), *further],
            stdout=log, stderr=log, env={**os.environ, **own}, cwd=ROOT,
        )  # fmt: skip
    try:
        _wait_for(port, server)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def test_a_run_through_a_connect_server_publishes_the_list_of_one_machine(
    address: str, unpublished: Home, template: Home, delivered: Path
):
    done = unpublished.run(
        *("score", "tiny", "--data", delivered, "--engine", "spark"),
        LEADLINE_SPARK=address,
    )
    assert done.returncode == 0, done.stderr
    assert list(unlike(unpublished.leads(), template.leads())) == []
    assert unpublished.is_sound()


def test_records_linked_through_a_connect_server_give_what_one_machine_gives(
    address: str, tmp_path: Path
):
    """Splink's comparisons and the graph of a whole model, by a champion of DuckDB."""
    data = tmp_path / "data"
    simulated(MODEL, units=UNITS, seed=SEED, out=data)
    here = Home(tmp_path / "duckdb", PACKAGE_MODELS)
    ran(here, "train", "--data", data)
    there = copied(here, tmp_path / "spark", published=False)
    ran(there, "score", "--data", data, "--engine", "spark", LEADLINE_SPARK=address)
    ran(here, "score", "--data", data)
    lists = [listed(home) for home in (here, there)]
    assert len(lists[0]["leads"]) > 100
    assert list(unlike(*lists)) == []
    assert unlike_files((here, there)) == []


def test_an_address_where_nobody_answers_is_named(
    address: str, unpublished: Home, delivered: Path
):
    nobody = f"sc://127.0.0.1:{_free_port()}"
    done = unpublished.run(
        *("score", "tiny", "--data", delivered, "--engine", "spark"),
        LEADLINE_SPARK=nobody,
    )
    assert done.returncode == 2, done.stderr
    assert f"LEADLINE_SPARK='{nobody}': no Spark there" in done.stderr
    assert unpublished.json("runs") == []


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTS_WITHIN):
        assert server.poll() is None, "the server ended; see server.log"
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(1)
    pytest.fail(f"no Connect server on port {port} after {STARTS_WITHIN} s")
