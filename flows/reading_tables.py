"""Parquet, Excel and database tables as text columns."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table
from sqlalchemy import URL, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from configs.errors import DeliveryError
from configs.schema import ColumnSpec
from flows.catalog import Catalog, EngineError, literal, quoted
from flows.parts import (
    Batch,
    Part,
    SourceAwayError,
    file_digest,
    matched,
    provenance,
    selection,
)

_FORMS = "sqlite:////absolute/file.db or postgresql://user:password@host:port/database"
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_CHUNK_ROWS = 100_000


def read_parquet(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec]
) -> tuple[Table, Batch]:
    """A Parquet file, read when it is written; its rows count from 1, without a header."""
    try:
        header = pq.read_schema(part.path).names
        places = matched(part, header, columns)
        chosen = selection({n: header[place] for n, place in places.items()})
        sha256 = file_digest(part.path)
        line = "file_row_number + 1"
        table = catalog.query(
            f"SELECT {chosen}, {provenance(part, sha256, line)} "
            f"FROM read_parquet({literal(part.path)}, file_row_number=true)"
        )
    except (pa.ArrowException, OSError, EngineError) as error:
        reason = getattr(error, "reason", str(error)).splitlines()[0]
        raise incomplete(part.name, reason) from error
    rows = int(table.count().execute())
    return table, Batch(part.source, part.name, sha256, rows)


def incomplete(name: str, reason: str) -> DeliveryError:
    """What to say of a Parquet file that cannot be read, or not to its end."""
    return DeliveryError(
        f"{name}: not a complete Parquet file ({reason}); it was cut while being written "
        "or copied: ask for it again"
    )


def read_excel(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec], name: str
) -> tuple[Table, Batch]:
    """The first sheet of a workbook, the column names in its first row."""
    frame = _sheet(part)
    header = [str(value) for value in frame.iloc[0]] if len(frame) else []
    places = matched(part, header, columns)
    rows = frame.iloc[1:]
    rows = rows[(rows != "").any(axis=1)]
    data = pa.table(
        {
            **{n: pa.array(rows[place], pa.string()) for n, place in places.items()},
            "_number": pa.array(rows.index + 1, pa.int64()),
        }
    )
    return _registered(catalog, part, data, file_digest(part.path), name)


def _sheet(part: Part) -> pd.DataFrame:
    try:
        frame = pd.read_excel(
            part.path, engine="calamine", header=None, dtype=str, keep_default_na=False
        )
    except Exception as error:  # calamine raises its own types for each kind of damage
        raise DeliveryError(
            f"{part.name}: not a readable Excel file ({error}); it is damaged or was cut: open "
            "it in a spreadsheet program and save it again, or ask for it again"
        ) from error
    return frame.astype(str)


def read_database(
    catalog: Catalog,
    part: Part,
    key: str | None,
    columns: dict[str, ColumnSpec],
    name: str,
) -> tuple[Table, Batch]:
    """A table or view; its rows count from 1 in the order in which they are read."""
    with connected(part.url) as engine:
        header = [str(c["name"]) for c in inspect(engine).get_columns(part.name)]
        places = matched(part, header, columns)
        named = {n: header[place] for n, place in places.items()}
        data = pa.concat_tables(_chunks(engine, part, named, key))
    numbers = pa.array(range(1, data.num_rows + 1), pa.int64())
    digest = _table_digest(data)
    return _registered(
        catalog, part, data.append_column("_number", numbers), digest, name
    )


def database_tables(url: str, wanted: str) -> list[str]:
    """The tables and views that a name or glob stands for."""
    return [name for name in all_tables(url) if fnmatchcase(name, wanted)]


@cache
def all_tables(url: str) -> tuple[str, ...]:
    """Tables and views of a database; asked once, not once a source."""
    with connected(url) as engine:
        inspector = inspect(engine)
        names = {*inspector.get_table_names(), *inspector.get_view_names()}
    return tuple(sorted(names))


def shown_url(url: str) -> str:
    """The URL without its password, for messages."""
    return _parsed(url).render_as_string(hide_password=True)


@contextmanager
def connected(url: str) -> Iterator[Engine]:
    """An engine that is let go at the end; what the database refuses is explained.

    Raises:
        DeliveryError: no such database, or it cannot be read.
        SourceAwayError: the database does not answer.
    """
    parsed = _parsed(url)
    shown = parsed.render_as_string(hide_password=True)
    _check_file(parsed, shown)
    try:
        engine = create_engine(parsed)
    except (SQLAlchemyError, ImportError) as error:
        raise DeliveryError(
            f"{shown}: no such kind of database here; use {_FORMS}"
        ) from error
    try:
        yield engine
    except SQLAlchemyError as error:
        # The text of the statement and its values do not belong into a message.
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        if isinstance(error, OperationalError):
            raise SourceAwayError(
                f"the database {shown} does not answer: {reason}; check address, user and "
                "password, and that it runs. Nothing was scored or published"
            ) from error
        raise DeliveryError(f"the database {shown} cannot be read: {reason}") from error
    finally:
        engine.dispose()


def _parsed(url: str) -> URL:
    scheme, _, rest = url.partition("://")
    try:
        return make_url(f"{_DRIVERS.get(scheme, scheme)}://{rest}")
    except (SQLAlchemyError, ValueError) as error:
        raise DeliveryError(f"--data: not a database URL; use {_FORMS}") from error


def _check_file(url: URL, shown: str) -> None:
    # SQLite would make an empty file of that name.
    if url.get_backend_name() != "sqlite":
        return
    if not url.database or not Path(url.database).is_file():
        raise DeliveryError(
            f"{shown}: no such file; an absolute path has four slashes: {_FORMS}"
        )


def _chunks(
    engine: Engine, part: Part, named: dict[str, str], key: str | None
) -> Iterator[pa.Table]:
    """The table in chunks of text columns, ordered so that a rerun reads the same."""
    quote = engine.dialect.identifier_preparer.quote
    chosen = ", ".join(f"{quote(t)} AS {quote(n)}" for n, t in named.items())
    first = [key] if key else []
    order = [quote(named[n]) for n in (*first, *named) if n in named]
    query = text(
        f"SELECT {chosen} FROM {quote(part.name)} "
        f"ORDER BY {', '.join(dict.fromkeys(order))}"
    )
    schema = pa.schema([(name, pa.string()) for name in named])
    yield schema.empty_table()
    with engine.connect().execution_options(stream_results=True) as connection:
        for frame in pd.read_sql_query(
            query, connection, chunksize=_CHUNK_ROWS, dtype=object
        ):
            texts = {n: pa.array(_texts(frame[n]), pa.string()) for n in named}
            yield pa.table(texts, schema)


def _texts(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.astype(str).where(column.notna(), None)


def _table_digest(data: pa.Table) -> str:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data.combine_chunks())
    return hashlib.sha256(sink.getbuffer()).hexdigest()


def _registered(
    catalog: Catalog, part: Part, data: pa.Table, sha256: str, name: str
) -> tuple[Table, Batch]:
    """Text columns and `_number` as a table with provenance."""
    catalog.register(f"{name}_data", data)
    table = catalog.sql(
        name,
        f"SELECT * EXCLUDE (_number), {provenance(part, sha256, '_number')} "
        f"FROM {quoted(name + '_data')}",
    )
    catalog.drop(f"{name}_data")
    return table, Batch(part.source, part.name, sha256, data.num_rows)
