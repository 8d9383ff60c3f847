"""Workers that are killed, and a driver that may hold little."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from configs.errors import LeadlineError
from flows.catalog import Catalog, EngineError, Limits
from flows.spark_catalog import SparkCatalog, opened_on_spark
from tests.flows.conftest import delivered, shared, template, unpublished
from tests.flows.homes import Home
from tests.spark import MASTER
from tests.spark.conftest import submitted

__all__ = ["delivered", "shared", "template", "unpublished"]
ROWS = 300_000
# Driver and executors are processes of their own: 1 executor of 2 cores and 1 GiB.
CLUSTER = "local-cluster[1,2,1024]"
EXECUTOR = "CoarseGrainedExecutorBackend"


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
    unpublished: Home,
    template: Home,
    delivered: Path,
    spark: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LEADLINE_SPARK", CLUSTER)
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", submitted(spark, "--executor-memory 1g"))
    home = _on_cluster(unpublished)
    run = home.start("score", "tiny", "--data", delivered, "--engine", "spark")
    killed = _kill_an_executor(run.pid, home.path / "var/work/tiny")
    _, told = run.communicate()

    assert killed
    assert run.returncode == 0, told
    assert unpublished.leads() == template.leads()
    assert unpublished.is_sound()


class _OnCluster(Home):
    """A home whose commands find the cluster."""

    def environment(self, **changes: str) -> dict[str, str]:
        own = {"LEADLINE_SPARK": CLUSTER}
        return super().environment(**own, **changes)


def _on_cluster(home: Home) -> Home:
    return _OnCluster(home.path, home.models, home.user)


def _kill_an_executor(run: int, work: Path) -> bool:
    """Kill the executor of a run as soon as it has kept a table of the features."""
    for _ in range(1200):
        executors = [pid for pid in _descendants(run) if EXECUTOR in _command(pid)]
        if executors and list(work.glob("*/spill/*_units*")):
            os.kill(executors[0], signal.SIGKILL)
            return True
        time.sleep(0.1)
    return False


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
