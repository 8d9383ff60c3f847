"""Workers that are killed, and a driver that may hold little."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from configs.errors import LeadlineError
from flows.catalog import Catalog, EngineError, Limits
from flows.pace import AGAIN
from flows.spark_catalog import SparkCatalog, opened_on_spark
from tests.flows.conftest import delivered, shared, template, unpublished
from tests.flows.homes import Home
from tests.spark import CLUSTER, MASTER
from tests.spark.compared import unlike
from tests.spark.conftest import submitted

__all__ = ["delivered", "shared", "template", "unpublished"]
ROWS = 300_000
EXECUTOR, WORKER = "CoarseGrainedExecutorBackend", "pyspark.daemon"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCatalog]:
    folder = tmp_path_factory.mktemp("faults")
    with opened_on_spark(folder, MASTER, Limits()) as catalog:
        yield catalog


def test_what_grows_with_the_rows_does_not_fit_into_the_driver(engine: SparkCatalog):
    many = ibis.range(ROWS).unnest().name("n").as_table()
    many = many.mutate(digest=many["n"].cast("string").hexdigest("sha256"))
    kept = engine.keep(many, "many")
    with pytest.raises(Exception, match="maxResultSize"):
        engine.arrow(kept)

    # By the ways that stages take, the same rows pass.
    def longest(rows: pa.Table) -> dict[str, pa.Table]:
        return {"rows": rows.append_column("one", pa.array([1] * len(rows)))}

    written = engine.write(kept.order_by("digest"), "written")
    found = engine.computed(longest, written)["rows"]
    counted = found.aggregate(n=found["one"].sum())
    assert engine.rows(counted) == [{"n": ROWS}]
    assert engine.apart(lambda here: len(here.arrow(here.read("written")))) == ROWS


def test_a_worker_that_dies_once_is_replaced(engine: SparkCatalog, tmp_path: Path):
    met = tmp_path / "met"

    def work(here: Catalog) -> str:
        if not met.exists():
            met.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        here.save_json("told", {"again": True})
        return "done"

    assert engine.apart(work) == "done"
    assert engine.load_json("told") == {"again": True}


def test_a_table_that_a_worker_dies_over_is_not_there(tmp_path: Path):
    def die(_: pa.Table) -> dict[str, pa.Table]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    def fail() -> None:
        with opened_on_spark(tmp_path, MASTER, Limits()) as catalog:
            rows = catalog.register("rows", pa.table({"n": [1, 2]}))
            catalog.write(catalog.computed(die, rows)["made"], "made")

    with pytest.raises(EngineError, match="Nothing was published") as failed:
        fail()
    assert isinstance(failed.value, LeadlineError)
    assert list(tmp_path.rglob("*made*")) == []


def test_a_run_whose_executor_is_killed_gives_the_undisturbed_list(
    unpublished: Home, template: Home, delivered: Path, spark: Path
):
    # Its driver has half the memory that the others have, and the executor its own.
    few = submitted(spark, "--executor-memory", "1g", "--driver-memory", "512m")
    home = _with_spark(unpublished, CLUSTER, few)
    with home.start("score", "tiny", "--data", delivered, "--engine", "spark") as run:
        told = _killing(run, home.path / "var/work/tiny", EXECUTOR, once=True)

    assert run.returncode == 0, told
    assert list(unlike(unpublished.leads(), template.leads())) == []
    assert unpublished.is_sound()


def test_a_run_whose_workers_die_again_and_again_publishes_nothing_and_goes_on_later(
    unpublished: Home, template: Home, delivered: Path, spark: Path
):
    home = _with_spark(unpublished, "local[2,1]", submitted(spark))
    command = ("score", "tiny", "--data", delivered, "--engine", "spark")
    with home.start(*command) as run:
        told = _killing(run, home.path / "var/work/tiny", WORKER, once=False)

    assert run.returncode == 1, told
    assert "leadline: Spark could not do the work" in told
    assert "Nothing was published. Run the same command again" in told
    assert unpublished.json("runs") == []

    again = home.run(*command)
    assert again.returncode == 0, again.stderr
    assert AGAIN in again.stderr
    assert list(unlike(unpublished.leads(), template.leads())) == []


@dataclass(frozen=True)
class _WithSpark(Home):
    """A home whose commands find a Spark of these settings."""

    spark: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **changes: str) -> dict[str, str]:
        return super().environment(**self.spark, **changes)


def _with_spark(home: Home, master: str, settings: str) -> Home:
    own = {"LEADLINE_SPARK": master, "PYSPARK_SUBMIT_ARGS": settings}
    return _WithSpark(home.path, home.models, home.user, own)


def _killing(run: Any, work: Path, named: str, *, once: bool) -> str:
    """Kill processes of a run from when it has kept a table of the features.

    Args:
        named: what their command says.
        once: the first of them; else all that there are, until the run has ended.

    Returns:
        What the run told.
    """
    killed = 0
    # What it tells is read all the time: it waits while nobody takes it.
    with ThreadPoolExecutor(1) as reader:
        told = reader.submit(run.communicate)
        while run.poll() is None and not (killed and once):
            time.sleep(0.1)
            if not list(work.glob("*/spill/*_units*")):
                continue
            found = [pid for pid in _descendants(run.pid) if named in _command(pid)]
            for pid in found[:1] if once else found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
    assert killed, told.result()
    return str(told.result()[1])


def _descendants(pid: int) -> Iterator[int]:
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = task.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            child = int(task.parent.name)
            yield child
            yield from _descendants(child)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
