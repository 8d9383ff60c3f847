"""What runs inside one task of a worker: Arrow tables from the work folder and back.

A task may run again, or twice at once: what it writes gets its name at the very end.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark import TaskContext, cloudpickle

from configs.errors import LeadlineError
from features.engine import Compute
from flows.catalog import Catalog, Limits, opened

_pickle: Any = cloudpickle  # has no types
# A function of some rows, each answer of which hangs by its row alone.
Rowwise = Callable[[pa.RecordBatch], pa.RecordBatch]
_TOLD = pa.schema([("told", pa.binary())])


def in_task(session: Any, work: Callable[..., Any], *given: Any) -> Any:
    """Run a function in one task of a worker; returns the little that it returns.

    Raises:
        LeadlineError: what the function raised, in its own words.
    """

    def task(batches: Iterator[pa.RecordBatch]) -> Any:
        # Spark ends a process of Python that has left something unread.
        for _ in batches:
            pass
        return work(*given)

    return _told(session.range(0, 1, 1, 1), task)[0]


def _told(frame: Any, work: Callable[[Iterator[pa.RecordBatch]], Any]) -> list[Any]:
    """What a function makes of each partition; nothing large."""

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            answer, error = work(batches), None
        except LeadlineError as explained:
            answer, error = None, explained
        told = pa.array([_pickle.dumps((answer, error))], pa.binary())
        yield pa.record_batch([told], schema=_TOLD)

    rows = frame.mapInArrow(task, "told binary").collect()
    told = [_pickle.loads(bytes(row["told"])) for row in rows]
    for _, error in told:
        if error is not None:
            raise error
    return [answer for answer, _ in told]


def by_duckdb(
    folder: Path, limits: Limits, work: Callable[[Catalog], Any], place: Path
) -> None:
    """Work on the files of a work folder with an engine in this process.

    Args:
        place: of the file that the answer becomes.
    """
    with TemporaryDirectory() as scratch:
        here = replace(limits, spill=Path(scratch))
        with opened(folder, here) as catalog:
            answer = work(catalog)
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(_pickle.dumps(answer))
    partial.replace(place)


def taken_answer(place: Path) -> Any:
    """What the work in a task answered; its file goes."""
    answer = _pickle.loads(place.read_bytes())
    place.unlink()
    return answer


def mapped_files(frame: Any, work: Rowwise, place: Path) -> None:
    """Put all rows through a function, each partition into a file of its own.

    Raises:
        LeadlineError: what the function raised, in its own words.
    """

    def task(batches: Iterator[pa.RecordBatch]) -> None:
        context: Any = TaskContext.get()
        number = context.partitionId()
        writer, partial = None, place / f".{number}-{os.getpid()}.part"
        for batch in batches:
            made = work(batch)
            place.mkdir(parents=True, exist_ok=True)
            writer = writer or pq.ParquetWriter(partial, made.schema)
            writer.write_batch(made)
        if writer is not None:
            writer.close()
            partial.replace(place / f"part-{number:06}.parquet")

    _told(frame, task)


def joined_file(parts: Path, target: Path) -> None:
    """The files of a folder, in their order, as one file."""
    files = [pq.ParquetFile(path) for path in _files(parts)]
    schema = files[0].schema_arrow.remove_metadata()
    partial = target.with_suffix(f".{os.getpid()}.part")
    with pq.ParquetWriter(partial, schema) as out:
        for file in files:
            for batch in file.iter_batches():
                out.write_batch(batch.cast(schema))
    partial.replace(target)


def made_tables(compute: Compute, inputs: list[Path], target: Path) -> list[str]:
    """What a function makes of whole tables, each as a folder under the target."""
    made = compute(*(_whole(place) for place in inputs))
    for name, rows in made.items():
        folder = place_of(target, name)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{os.getpid()}.part"
        pq.write_table(plain(rows), partial)
        partial.replace(folder / "part-0.parquet")
    return list(made)


def place_of(folder: Path, name: str) -> Path:
    """The folder of a table; Spark passes over names that begin with an underscore."""
    return folder / f"of{name}"


def plain(rows: pa.Table) -> pa.Table:
    """With types that Spark reads."""
    kinds = {pa.large_string(): pa.string(), pa.null(): pa.string()}
    fields = [pa.field(f.name, kinds.get(f.type, f.type)) for f in rows.schema]
    return rows.cast(pa.schema(fields))


def _whole(place: Path) -> pa.Table:
    schema = pq.read_schema(_files(place)[0]).remove_metadata()
    return ds.dataset(_files(place), schema=schema).to_table()


def _files(place: Path) -> list[Path]:
    return sorted(place.glob("part-*.parquet"))
