"""Find and read what the departments delivered: files, or tables of a database.

Every delivered column arrives as text under its declared name, with file, line and
batch beside it; typing and contract checks come later, in `features.sources`. A
delivery that cannot be read stops here with a message that a clerk can act on.
"""

import codecs
import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from ibis.expr.types import Table
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from configs.errors import DeliveryError, nearest
from configs.schema import ColumnSpec, SourceSpec
from flows.catalog import Catalog, EngineError, literal, quoted, struct

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".xlsx", ".xls")
_CHUNK = 1 << 20
_SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One file or database table of a source."""

    source: str
    place: str  # path, or url#table
    name: str  # as shown to people: file or table name
    url: str = ""

    @property
    def path(self) -> Path:
        return Path(self.place)


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read: enough to prove later that the same rows were used."""

    source: str
    name: str
    sha256: str
    rows: int
    malformed: tuple[tuple[int, str, str], ...]  # line, cause, text

    @property
    def label(self) -> str:
        return f"{self.name}@{self.sha256[:12]}"


def find_parts(location: str, source_name: str, source: SourceSpec) -> list[Part]:
    """The files or tables of one source; empty when an optional one was not delivered.

    Args:
        location: a folder, a database URL, or a YAML file that maps source names to
            files or to `url#table`.

    Raises:
        DeliveryError: the location or a required table is missing or ambiguous.
    """
    if "://" in location:
        return [_database_part(location, source_name, table) for table in source.table]
    path = Path(location)
    if path.is_file() and path.suffix in (".yaml", ".yml"):
        return _mapped_parts(path, source_name, source)
    if not path.is_dir():
        raise DeliveryError(
            f"--data {location}: no such folder; give a folder, a database URL "
            "(sqlite:///..., postgresql://...) or a .yaml map of sources"
        )
    parts = [
        p for table in source.table for p in _folder_parts(path, source_name, table)
    ]
    if parts or source.optional:
        return parts
    raise DeliveryError(_missing(path, source_name, source))


def read_part(
    catalog: Catalog,
    part: Part,
    source: SourceSpec,
    columns: dict[str, ColumnSpec],
    number: int,
) -> tuple[Table, Batch]:
    """One part as a table of text columns, and its fingerprint.

    Raises:
        DeliveryError: the part cannot be read or lacks a declared column.
    """
    name = f"raw_{part.source}_{number}"
    if part.url:
        return _read_database(catalog, part, source, columns, name)
    if part.path.stat().st_size == 0:
        raise DeliveryError(
            f"{part.name}: the file is empty (0 bytes); ask for it again"
        )
    if part.path.suffix == ".parquet":
        return _read_parquet(catalog, part, columns, name)
    if part.path.suffix in (".xlsx", ".xls"):
        return _read_excel(catalog, part, columns, name)
    return _read_csv(catalog, part, columns, name)


def _folder_parts(folder: Path, source: str, table: str) -> list[Part]:
    if any(sign in table for sign in "*?["):
        found = sorted(folder.glob(table))
    else:
        found = [p for s in ("", *SUFFIXES) if (p := folder / f"{table}{s}").is_file()]
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            raise DeliveryError(
                f"{source}: several files could be {table!r}: {names}; keep one"
            )
    return [Part(source, str(p), p.name) for p in found]


def _missing(folder: Path, name: str, source: SourceSpec) -> str:
    there = [p.name for p in folder.iterdir() if p.is_file()]
    wanted = " or ".join(f"{table}.csv" for table in source.table)
    return (
        f"{name}: nothing delivered by {source.department.en} ({source.department.zh}): no "
        f"{wanted} (nor .csv.gz, .parquet, .xlsx) in {folder}{nearest(source.table[0], there)}"
    )


def _mapped_parts(path: Path, name: str, source: SourceSpec) -> list[Part]:
    places = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if name not in places:
        if source.optional:
            return []
        raise DeliveryError(
            f"{path}: no place for source {name!r}{nearest(name, places)}"
        )
    place = str(places[name])
    if "://" in place:
        url, _, table = place.partition("#")
        return [_database_part(url, name, table or source.table[0])]
    file = (path.parent / place).resolve()
    if not file.is_file():
        raise DeliveryError(f"{path}: {name}: no file {place!r}")
    return [Part(name, str(file), file.name)]


def _database_part(url: str, source: str, table: str) -> Part:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return Part(source, f"{url}#{table}", table, url)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _matched(
    part: Part, header: list[str], columns: dict[str, ColumnSpec]
) -> dict[str, str]:
    """Declared name -> name in the delivery.

    Raises:
        DeliveryError: a declared column is missing, or the header repeats one.
    """
    found = {name.strip().lstrip("\ufeff").lower(): name for name in header}
    matched = {n: found.get((c.header or n).lower()) for n, c in columns.items()}
    missing = [columns[n].header or n for n, there in matched.items() if there is None]
    if missing:
        hint = nearest(missing[0], header)
        raise DeliveryError(
            f"{part.name}: column {', '.join(map(repr, missing))} is missing{hint}; "
            f"the header reads: {', '.join(h[:30] for h in header[:20])}"
        )
    repeated = {h for h in header if header.count(h) > 1} & {
        str(v) for v in matched.values()
    }
    if repeated:
        raise DeliveryError(
            f"{part.name}: the header repeats {', '.join(sorted(repeated))}"
        )
    return {name: str(there) for name, there in matched.items()}


def _selection(matched: dict[str, str]) -> str:
    return ", ".join(
        f"CAST({quoted(there)} AS VARCHAR) AS {quoted(name)}"
        for name, there in matched.items()
    )


def _provenance(part: Part, sha256: str, line: str) -> str:
    label = f"{part.name}@{sha256[:12]}"
    return f"{literal(part.name)} AS _file, {line} AS _line, {literal(label)} AS _batch"


def _read_csv(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec], name: str
) -> tuple[Table, Batch]:
    sha256 = _digest(part.path)
    plain = _as_utf8(part, catalog.folder / f"{name}.utf8.csv")
    header, delimiter = _header(part, plain)
    matched = _matched(part, header, columns)
    catalog.fetch(
        "DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans"
    )
    positions = {f"c{i}": "VARCHAR" for i in range(len(header))}
    by_position = {n: f"c{header.index(there)}" for n, there in matched.items()}
    query = (
        f"SELECT {_selection(by_position)}, {_provenance(part, sha256, 'row_number() OVER ()')} "
        f"FROM read_csv({literal(plain)}, auto_detect=false, header=true, "
        f"delim={literal(delimiter)}, quote='\"', escape='\"', columns={struct(positions)}, "
        "store_rejects=true, rejects_limit=0)"
    )
    table = catalog.sql(name, query)
    malformed = _malformed(catalog, part, plain)
    table = _numbered(catalog, name, [line for line, _, _ in malformed])
    if plain != part.path:
        plain.unlink()
    return table, Batch(
        part.source, part.name, sha256, int(table.count().execute()), malformed
    )


def _numbered(catalog: Catalog, name: str, bad_lines: list[int]) -> Table:
    """Row numbers to line numbers: after the header, past the lines left out."""
    gaps = [line - 1 - before for before, line in enumerate(bad_lines)]
    shift = f"len(list_filter({gaps}::BIGINT[], x -> x <= _line))" if gaps else "0"
    query = f"SELECT * REPLACE (_line + 1 + {shift} AS _line) FROM {quoted(name)}"
    return catalog.sql(f"{name}_numbered", query)


def _malformed(
    catalog: Catalog, part: Part, plain: Path
) -> tuple[tuple[int, str, str], ...]:
    """Lines that are no rows; a file that breaks off in one stops the run."""
    rows = catalog.fetch(
        "SELECT line, any_value(error_type), any_value(error_message), any_value(csv_line) "
        "FROM reject_errors GROUP BY line ORDER BY line"
    )
    if (
        rows
        and _breaks_off(plain)
        and rows[-1][1] in ("MISSING COLUMNS", "UNQUOTED VALUE")
    ):
        raise DeliveryError(
            f"{part.name}: the file breaks off in line {rows[-1][0]} ({rows[-1][2]}); it was cut "
            "while being written or copied: ask for it again"
        )
    return tuple(
        (int(line), str(message), str(text_)) for line, _, message, text_ in rows
    )


def _breaks_off(plain: Path) -> bool:
    with _opened_plain(plain) as file:
        last = b""
        while chunk := file.read(_CHUNK):
            last = chunk[-1:]
    return last not in (b"\n", b"\r")


def _opened_plain(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _as_utf8(part: Part, target: Path) -> Path:
    """The file itself when it is UTF-8, else a UTF-8 copy of a GB18030 file.

    Raises:
        DeliveryError: another encoding, or a compressed file that is cut off.
    """
    encoding = _encoding(part)
    if encoding == "utf-8":
        return part.path
    with (
        _opened_plain(part.path) as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        reader = io.TextIOWrapper(source, encoding=encoding, newline="")
        while chunk := reader.read(_CHUNK):
            out.write(chunk)
    return target


def _encoding(part: Part) -> str:
    with _opened_plain(part.path) as file:
        start = file.read(4096)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start:
        raise DeliveryError(
            f"{part.name}: looks like UTF-16 or a binary file; save it as CSV UTF-8"
        )
    for encoding in ("utf-8", "gb18030"):
        bad = _first_undecodable(part, encoding)
        if bad is None:
            return encoding
    raise DeliveryError(
        f"{part.name}: byte {bad} is neither UTF-8 nor GB18030 text; the file was saved in another "
        "encoding or is damaged: save it as CSV UTF-8"
    )


def _first_undecodable(part: Part, encoding: str) -> int | None:
    decoder, offset = codecs.getincrementaldecoder(encoding)(), 0
    try:
        with _opened_plain(part.path) as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                offset += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start
    except (EOFError, gzip.BadGzipFile) as error:
        raise DeliveryError(
            f"{part.name}: the compressed file is cut off or damaged ({error}); ask for it again"
        ) from error
    return None


def _header(part: Part, plain: Path) -> tuple[list[str], str]:
    with _opened_plain(plain) as file:
        line = io.TextIOWrapper(file, encoding="utf-8-sig", newline="").readline()
    delimiter = max(",;\t|", key=line.count)
    if line.strip() == "":
        raise DeliveryError(
            f"{part.name}: the first line is empty; it must hold column names"
        )
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter)), delimiter


def _read_parquet(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec], name: str
) -> tuple[Table, Batch]:
    try:
        header = pq.read_schema(part.path).names
        matched, sha256 = _matched(part, header, columns), _digest(part.path)
        line = "file_row_number + 1"
        table = catalog.sql(
            name,
            f"SELECT {_selection(matched)}, {_provenance(part, sha256, line)} "
            f"FROM read_parquet({literal(part.path)}, file_row_number=true)",
        )
    except (pa.ArrowInvalid, EngineError) as error:
        reason = str(error).splitlines()[0]
        raise DeliveryError(
            f"{part.name}: not a complete Parquet file ({reason}); it was cut while being written "
            "or copied: ask for it again"
        ) from error
    return table, Batch(
        part.source, part.name, sha256, int(table.count().execute()), ()
    )


def _read_excel(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec], name: str
) -> tuple[Table, Batch]:
    try:
        frame = pd.read_excel(
            part.path, engine="calamine", dtype=str, keep_default_na=False
        )
    except Exception as error:  # calamine raises its own types for each kind of damage
        raise DeliveryError(
            f"{part.name}: not a readable Excel file ({error})"
        ) from error
    matched, sha256 = (
        _matched(part, list(map(str, frame.columns)), columns),
        _digest(part.path),
    )
    data = pa.table(
        {n: pa.array(frame[t].astype(str), pa.string()) for n, t in matched.items()}
    )
    return _registered(catalog, part, data, sha256, name)


def _registered(
    catalog: Catalog, part: Part, data: pa.Table, sha256: str, name: str
) -> tuple[Table, Batch]:
    catalog.register(f"{name}_data", data)
    table = catalog.sql(
        name,
        f"SELECT *, {_provenance(part, sha256, 'row_number() OVER () + 1')} "
        f"FROM {quoted(name + '_data')}",
    )
    return table, Batch(part.source, part.name, sha256, data.num_rows, ())


def _read_database(
    catalog: Catalog,
    part: Part,
    source: SourceSpec,
    columns: dict[str, ColumnSpec],
    name: str,
) -> tuple[Table, Batch]:
    try:
        engine = create_engine(part.url)
        header = _table_columns(engine, part)
        matched = _matched(part, header, columns)
        data = pa.concat_tables(_database_chunks(engine, part, matched, source.key))
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise DeliveryError(
            f"{part.name}: the database does not answer: {reason}"
        ) from error
    return _registered(catalog, part, data, _table_digest(data), name)


def _table_columns(engine: Engine, part: Part) -> list[str]:
    inspector = inspect(engine)
    there = [*inspector.get_table_names(), *inspector.get_view_names()]
    if part.name not in there:
        raise DeliveryError(
            f"database: no table {part.name!r}{nearest(part.name, there)}"
        )
    return [str(column["name"]) for column in inspector.get_columns(part.name)]


def _database_chunks(
    engine: Engine, part: Part, matched: dict[str, str], key: str | None
) -> Iterator[pa.Table]:
    """The table in chunks of text columns, in key order so that a rerun reads the same."""
    quote = engine.dialect.identifier_preparer.quote
    chosen = ", ".join(
        f"{quote(there)} AS {quote(name)}" for name, there in matched.items()
    )
    order = f" ORDER BY {quote(matched[key])}" if key else ""
    schema = pa.schema([(name, pa.string()) for name in matched])
    yield schema.empty_table()
    with engine.connect().execution_options(stream_results=True) as connection:
        query = text(f"SELECT {chosen} FROM {quote(part.name)}{order}")
        for frame in pd.read_sql_query(
            query, connection, chunksize=100_000, dtype=object
        ):
            yield pa.table(
                {n: pa.array(_texts(frame[n]), pa.string()) for n in matched}, schema
            )


def _texts(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.astype(str).where(column.notna(), None)


def _table_digest(data: pa.Table) -> str:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data.combine_chunks())
    return hashlib.sha256(sink.getbuffer()).hexdigest()
