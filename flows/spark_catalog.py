"""A Spark engine over the same work folder: the same tables, the same Parquet files.

The folder must be one that every worker sees at the same place. Tables that grow with the
rows are written there by the workers; the driver sees their names alone.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from features.engine import Compute
from flows.catalog import GO_ON, Answer, Catalog, EngineError, Limits
from flows.spark_dialect import HouseBackend
from flows.spark_session import is_connect, session_at
from flows.spark_tasks import (
    Rowwise,
    by_duckdb,
    in_task,
    joined_file,
    made_tables,
    mapped_files,
    place_of,
    plain,
    taken_answer,
)

_KEPT = "spill"
_NAMED = re.compile(r"[\w.]*(Error|Exception): ")


class SparkCatalog(Catalog):
    """As the DuckDB engine; what is kept for a stage is Parquet, in the spill folder."""

    dialect = "spark"

    def __init__(self, folder: Path, master: str, limits: Limits) -> None:
        self._limits = limits
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.absolute()
        ibis.options.sql.fuse_selects = False
        self._session = session_at(master)
        self._connect = is_connect(master)
        HouseBackend.register_options()
        self._backend = HouseBackend().connect(self._session)
        self._numbers = count()
        self._places: dict[str, Path] = {}
        self._views: dict[str, Table] = {}

    def read(self, name: str, called: str = "") -> Table:
        return self._view(called or name, self.path(name))

    def write(self, table: Table, name: str, *, ordered: bool = True) -> Table:
        parts = self._written(table, name)
        in_task(self._session, joined_file, parts, self.path(name))
        shutil.rmtree(parts)
        return self.read(name)

    def keep(self, table: Table, name: str, *, ordered: bool = True) -> Table:
        return self._replaced(name, self._written(table, name))

    def drop(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        place = self._places.pop(name, None)
        if place is not None:
            shutil.rmtree(place)

    def following(self, tables: Sequence[Table], by: Sequence[str]) -> Table:
        """As in one engine, sorted again: Spark reads files in an order of its own."""
        return super().following(tables, by).order_by(*by)

    def computed(self, compute: Compute, *tables: Table) -> Mapping[str, Table]:
        """What a function makes of whole tables, in one task on a worker."""
        inputs = [self._written(table, "input") for table in tables]
        target = self._new_place("computed")
        names = in_task(self._session, made_tables, compute, inputs, target)
        for place in inputs:
            shutil.rmtree(place)
        return {name: self._replaced(name, place_of(target, name)) for name in names}

    def apart(self, work: Callable[[Catalog], Answer]) -> Answer:
        """Work on the files of the folder, by DuckDB in one task on a worker.

        The answer comes back as a file: Java's part of the driver never holds it.
        """
        place = self._new_place("answer")
        in_task(self._session, by_duckdb, self.folder, self._limits, work, place)
        answer: Answer = taken_answer(place)
        return answer

    def mapped(self, table: Table, work: Rowwise, name: str) -> Path:
        """Put the rows through a function, on all workers; the folder of what it makes."""
        place = self._new_place(name)
        mapped_files(self._frame(table), work, place)
        return place

    def memory(self) -> int | None:
        """Unknown: each worker has its own."""
        return None

    def arrow(self, table: Table) -> pa.Table:
        """A result that does not grow with the rows, in the driver's memory."""
        found = self._frame(table).toArrow()
        return found.cast(table.schema().to_pyarrow())

    def register(self, name: str, data: pa.Table) -> Table:
        place = self._new_place(name)
        place.mkdir(parents=True)
        pq.write_table(plain(data), place / "part-0.parquet")
        return self._replaced(name, place)

    def splink(self) -> Any:
        """Splink over this session, for entity resolution."""
        from splink.backends.spark import SparkAPI  # noqa: PLC0415 (an extra)

        api: Any = SparkAPI  # has no types
        return api(spark_session=self._session, break_lineage_method="persist")

    def close(self) -> None:
        """Forget what was kept; the views go with the session, which is this one's own."""
        shutil.rmtree(self.folder / _KEPT, ignore_errors=True)
        if self._connect:
            # After a lost server there is nobody to tell.
            with suppress(PySparkException):
                self._session.stop()

    def _frame(self, table: Table) -> Any:
        self._backend._run_pre_execute_hooks(table)
        return self._session.sql(self._backend.compile(table))

    def _written(self, table: Table, name: str) -> Path:
        """The table as a folder of files, in its order, written by the workers."""
        place = self._new_place(name)
        self._frame(table).write.parquet(str(place))
        return place

    def _replaced(self, name: str, place: Path) -> Table:
        before = self._places.get(name)
        table = self._view(name, place)
        self._places[name] = place
        if before is not None:
            shutil.rmtree(before)
        return table

    def _view(self, name: str, place: Path) -> Table:
        self._session.read.parquet(str(place)).createOrReplaceTempView(name)
        return self._backend.table(name)

    def _new_place(self, name: str) -> Path:
        return place_of(self.folder / _KEPT, f"{next(self._numbers)}{name}")


@contextmanager
def opened_on_spark(
    folder: Path, master: str, limits: Limits
) -> Iterator[SparkCatalog]:
    """A catalog on Spark that is closed at the end of the block.

    Raises:
        EngineError: a worker failed more often than Spark tries again, or Spark is gone.
    """
    catalog = SparkCatalog(folder, master, limits)
    try:
        yield catalog
    except (PySparkException, Py4JError, ConnectionError) as error:
        said = _reason(str(error))
        raise EngineError(
            said,
            f"Spark could not do the work ({said}); its logs on the workers say more. "
            f"{GO_ON}",
        ) from error
    finally:
        catalog.close()


def _reason(said: str) -> str:
    """The line of a long report that names the error, Python's where there is one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [line for line in lines if _NAMED.match(line)]
    return (named or lines or ["no reason given"])[-1 if named else 0]
