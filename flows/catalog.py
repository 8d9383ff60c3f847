"""The one place that opens an engine: named tables in, Parquet files out."""

import gc
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import Table
from splink.backends.duckdb import DuckDBAPI

from configs.errors import DeclarationError, LeadlineError
from features.engine import Compute

Answer = TypeVar("Answer")

# Rows of a group for each value of a dictionary at least. Columns of numbers, names and
# addresses have more values, and to find that out costs a fifth of writing narrow tables:
# DuckDB gives up only at a value for every fifth row.
ROWS_A_VALUE = 12
# Values of a row group at most, in whole vectors of the engine: each thread holds a group
# until it is written. Groups of DuckDB's 122,880 rows of 213 columns left so little of
# 1.5 GB to the joins before them that a million rows took 290 CPU-seconds, now 21.
CELLS, VECTOR, MOST_ROWS = 6_000_000, 2_048, 122_880
# What a function on arrays takes for each byte that it is given: linking ten million
# claims took 2.0 to 2.9 of them. The engine keeps a quarter of what it may hold.
ARRAYS, LEAST = 3, 4
# Bytes of arrays that are worth a look (0.5 CPU-seconds) for what cycles of objects hold:
# whoever calls a function that Numba has to compile is left in one, with all its arrays.
MANY = 100_000_000
STREAM = "_stream"  # the name of rows that come batch by batch, while they are written


# How DuckDB says that nothing more can be written: the system's words, or those of its
# own limit for the spill folder.
_DISK_FULL = (
    "No space left on device",
    "max_temp_directory_size",
    "Disk quota exceeded",
)
GO_ON = (
    "Nothing was published. Run the same command again, which goes on after the last "
    "finished stage"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine may use.

    Attributes:
        memory: as DuckDB reads it, "8GB"; empty: 80 % of the machine's.
        threads: 0 for one a core.
        spill: folder for what does not fit into memory; None: inside the work folder.
    """

    memory: str = ""
    threads: int = 0
    spill: Path | None = None


class Catalog:
    """A DuckDB engine over one work folder; each named table is a Parquet file there.

    A table is written under a temporary name and renamed when complete, so that a
    stage that was killed leaves nothing that a later stage could take for a result.
    """

    dialect = "duckdb"

    def __init__(self, folder: Path, limits: Limits = Limits()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # One select per step, not one text with every expression inlined: readers use
        # their input several times, and the text grows with the power of the steps.
        ibis.options.sql.fuse_selects = False
        spill = limits.spill / folder.name if limits.spill else folder / "spill"
        spill.parent.mkdir(parents=True, exist_ok=True)
        self._spill = spill
        self._views: dict[str, Table] = {}
        self._backend = ibis.duckdb.connect(temp_directory=str(spill))
        self._limit(limits)
        limit = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
        self._memory = int(self.fetch(limit)[0][0])
        # Row order carries line numbers; results must not depend on threads.
        self._backend.raw_sql("SET preserve_insertion_order = true")
        self._backend.raw_sql("SET enable_progress_bar = false")
        # What it drops goes back to the system; else 0.7 of 1.8 GB stay with the process.
        self._backend.raw_sql("SET allocator_background_threads = true")
        # But for what it holds beside arrays, too: features of a million claims took 89
        # CPU-seconds when each block came new from the system, 82 with blocks that stay.
        blocks = self._memory // LEAST
        self._backend.raw_sql(f"SET block_allocator_memory = '{blocks}B'")
        # A moment with an offset becomes text; it must not depend on the machine.
        self._backend.raw_sql("SET TimeZone = 'Asia/Shanghai'")

    def _limit(self, limits: Limits) -> None:
        if limits.memory:
            try:
                self._backend.raw_sql(f"SET memory_limit = {literal(limits.memory)}")
            except duckdb.Error as error:
                raise DeclarationError(
                    f"LEADLINE_MEMORY={limits.memory!r}: not a size; give one such as 8GB"
                ) from error
        if limits.threads:
            self._backend.raw_sql(f"SET threads = {limits.threads}")

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def read(self, name: str, called: str = "") -> Table:
        """A table that an earlier stage wrote; the engine knows it by `called`, if given."""
        return self._backend.read_parquet(self.path(name), table_name=called or name)

    def view(self, name: str, define: Callable[[], Table]) -> Table:
        """A query that is put into words once, however often this engine is asked for it.

        Where it reads a table that is replaced by another of the same columns, it reads
        the new one.
        """
        if name not in self._views:
            self._views[name] = self._backend.create_view(name, define())
        return self._views[name]

    def write(self, table: Table, name: str, *, ordered: bool = True) -> Table:
        """Compute a table once and keep it as `<name>.parquet`.

        Args:
            ordered: False where the order of the rows says nothing; as for `keep`.
        """
        part = self.path(name).with_suffix(".part")
        vectors = max(CELLS // len(table.columns) // VECTOR, 1)
        rows = min(vectors * VECTOR, MOST_ROWS)
        values = rows // ROWS_A_VALUE
        with self._order(ordered):
            self._backend.to_parquet(
                table, part, dictionary_size_limit=values, row_group_size=rows
            )
        part.replace(self.path(name))
        return self.read(name)

    def write_batches(self, batches: pa.RecordBatchReader, name: str) -> Table:
        """Keep rows that come batch by batch, in their order, as `<name>.parquet`."""
        self._backend.con.register(STREAM, batches)
        try:
            return self.write(self._backend.table(STREAM), name)
        finally:
            self._backend.con.unregister(STREAM)

    def keep(self, table: Table, name: str, *, ordered: bool = True) -> Table:
        """Compute a table once, inside the engine, for this stage alone.

        Args:
            ordered: False where the order of the rows says nothing: the engine may put
                the small batches that joins leave together then, which takes 5 to 8 %
                off a query of many joins.
        """
        with self._order(ordered):
            return self._backend.create_table(name, table, overwrite=True)

    @contextmanager
    def _order(self, kept: bool) -> Iterator[None]:
        """Whether results have the order of what they are made of; a sort has its own."""
        if kept:
            yield
            return
        self._backend.raw_sql("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            self._backend.raw_sql("SET preserve_insertion_order = true")

    def drop(self, name: str) -> None:
        self._backend.drop_table(name, force=True)

    def following(self, tables: Sequence[Table], by: Sequence[str]) -> Table:
        """The rows of tables that are sorted by these columns and follow each other."""
        # One by one: `ibis.union` puts the third of three tables first.
        return reduce(lambda a, b: a.union(b), tables)

    def memory(self) -> int | None:
        """Bytes that the engine may hold before it writes to disk."""
        return self._memory

    def arrow(self, table: Table) -> pa.Table:
        return self._backend.to_pyarrow(table)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """A small result as dictionaries."""
        return self.arrow(table).to_pylist()  # type: ignore[no-any-return]

    def computed(self, compute: Compute, *tables: Table) -> Mapping[str, Table]:
        """What a function makes of whole tables, in this process."""
        rows = [self.arrow(table) for table in tables]
        with self.beside(sum(table.nbytes for table in rows)):
            made = compute(*rows)
            del rows  # room for what is made of them
            return {name: self.register(name, found) for name, found in made.items()}

    @contextmanager
    def beside(self, arrays: int) -> Iterator[None]:
        """The engine holds less while somebody works on so many bytes of arrays.

        What no longer fits goes to disk, and comes back when a query reads it.
        """
        left = max(self._memory - ARRAYS * arrays, self._memory // LEAST)
        self._backend.raw_sql(f"SET memory_limit = '{left}B'")
        try:
            yield
        finally:
            self._backend.raw_sql(f"SET memory_limit = '{self._memory}B'")
            if arrays > MANY:
                gc.collect()
                # Nearly all that was looked at are modules, which stay: the next look
                # leaves them out. What is dropped later and in no cycle goes as before.
                gc.freeze()

    def apart(self, work: Callable[["Catalog"], Answer]) -> Answer:
        """Work on the files of the folder that no engine of a cluster can do.

        It gets a DuckDB engine, here this one; it may run elsewhere, and again, so it
        must change nothing but files, each written whole.
        """
        return work(self)

    def register(self, name: str, data: pa.Table) -> Table:
        return self._backend.create_table(name, data, overwrite=True)

    def splink(self) -> DuckDBAPI:
        """Splink over this engine's connection, for entity resolution."""
        return DuckDBAPI(self._backend.con)

    def named(self, name: str) -> Table:
        """A table of the engine by its name."""
        return self._backend.table(name)

    def sql(self, name: str, query: str) -> Table:
        """Create table `name` from a query that reads a delivered file."""
        with self.explained(f"{name} by {query}"):
            self._backend.raw_sql(f"CREATE OR REPLACE TABLE {quoted(name)} AS {query}")
        return self._backend.table(name)

    def query(self, query: str) -> Table:
        """What a query reads, when its rows are asked for."""
        with self.explained(query):
            return self._backend.sql(query)

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        cursor = self._backend.raw_sql(query)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def save_json(self, name: str, content: Any) -> None:
        path = self.folder / f"{name}.json"
        part = path.with_suffix(".json.part")
        part.write_text(json.dumps(content, ensure_ascii=False, default=str, indent=1))
        part.replace(path)

    def load_json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())

    def has_json(self, name: str) -> bool:
        return (self.folder / f"{name}.json").exists()

    @contextmanager
    def explained(self, work: str) -> Iterator[None]:
        """Work on delivered rows, whose faults are no faults of the program.

        Raises:
            EngineError: the engine could not do it.
            ExhaustedError: for want of memory or disk.
        """
        try:
            yield
        except duckdb.Error as error:
            self._explain(error)
            raise EngineError(str(error), f"{work}: {error}") from error

    def _explain(self, error: duckdb.Error) -> None:
        """Raise what a person can act on, where the machine was too small for the work."""
        said = str(error)
        if any(words in said for words in _DISK_FULL):
            raise ExhaustedError(
                f"the disk is full: {self._spill} has {_free(self._spill)} GB left and the "
                f"engine spills there what does not fit into memory. {GO_ON}, after "
                "making room or with LEADLINE_SPILL=/a/folder/on/a/larger/disk"
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            limit = self.fetch("SELECT current_setting('memory_limit')")[0][0]
            raise ExhaustedError(
                f"the engine may use {limit} of memory and needs more. {GO_ON}, with a "
                "larger LEADLINE_MEMORY (such as 12GB) or LEADLINE_THREADS=1"
            ) from error

    def close(self) -> None:
        self._backend.disconnect()


class EngineError(LeadlineError):
    """The engine could not run a query; `reason` is the first line of what it said."""

    def __init__(self, said: str, message: str) -> None:
        super().__init__(message)
        self.reason = said.splitlines()[0]


class ExhaustedError(LeadlineError):
    """Memory or disk was too small for the work; what was finished is kept."""


@contextmanager
def opened(folder: Path, limits: Limits = Limits()) -> Iterator[Catalog]:
    """A catalog that is closed at the end of the block.

    Raises:
        ExhaustedError: the work did not fit into memory or onto the disk.
    """
    catalog = Catalog(folder, limits)
    try:
        yield catalog
    except duckdb.Error as error:
        catalog._explain(error)
        raise
    finally:
        catalog.close()


def _free(folder: Path) -> str:
    there = next((f for f in (folder, *folder.parents) if f.exists()), Path("/"))
    return f"{shutil.disk_usage(there).free / 1e9:.1f}"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """An SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def struct(columns: Mapping[str, str]) -> str:
    """DuckDB's `{'name': 'TYPE'}`."""
    inside = ", ".join(f"{literal(n)}: {literal(t)}" for n, t in columns.items())
    return "{" + inside + "}"
