"""Find what the departments delivered: files, or tables of a database.

Every delivered column arrives as text under its declared name, with file, line and
batch beside it; typing and contract checks come later, in `features.sources`. A
delivery that cannot be read stops here with a message that a clerk can act on.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from ibis.expr.types import Table

from configs.errors import DeliveryError, nearest
from configs.schema import ColumnSpec, SourceSpec
from configs.settings import SOURCES_MAP
from flows.catalog import Catalog, EngineError
from flows.parts import Batch, Part
from flows.reading_csv import LINES, read_csv
from flows.reading_tables import (
    all_tables,
    database_tables,
    incomplete,
    read_database,
    read_excel,
    read_parquet,
    shown_url,
)

_PARQUET = ".parquet"
SUFFIXES = (
    *(".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz"),
    *(_PARQUET, ".xlsx", ".xls"),
)
_GLOB_SIGNS = "*?["
_RAW = "raw"  # how the engine calls a part, until it is written


def check_location(location: str, sources: Iterable[str]) -> None:
    """Is there anything at all where the delivery should be?

    Raises:
        DeliveryError: no such folder, or a map of sources that cannot be used.
    """
    if "://" in location:
        all_tables.cache_clear()
        all_tables(location)
        return
    path = _map_at(location)
    if path is not None:
        known = set(sources)
        unknown = [str(name) for name in _places(path) if name not in known]
        if unknown:
            raise DeliveryError(
                f"{path}: the model has no source {unknown[0]!r}{nearest(unknown[0], known)}"
            )
    elif not location or not Path(location).is_dir():
        raise DeliveryError(
            f"--data {location!r}: no such folder; give a folder, a database URL "
            "(sqlite:////file, postgresql://...) or a .yaml map of sources"
        )


def find_parts(location: str, source_name: str, source: SourceSpec) -> list[Part]:
    """The files or tables of one source; empty when an optional one was not delivered.

    Args:
        location: a folder, a database URL, or a YAML file that maps source names to
            files, globs or `url#table`, one or a list of them; a folder may hold it.

    Raises:
        DeliveryError: a required file or table is missing or ambiguous.
    """
    if "://" in location:
        parts = _database_parts(location, source_name, source.table)
    elif (path := _map_at(location)) is not None:
        parts = _mapped_parts(path, source_name, source)
    else:
        folder = Path(location)
        found = (_folder_parts(folder, source_name, table) for table in source.table)
        parts = [part for parts in found for part in parts]
    if not parts and not source.optional:
        raise DeliveryError(_missing(location, source))
    return parts


def read_part(
    catalog: Catalog,
    part: Part,
    source: SourceSpec,
    columns: dict[str, ColumnSpec],
) -> tuple[Table, Batch]:
    """One part as a table of text columns, and its fingerprint.

    Raises:
        DeliveryError: the part cannot be read or lacks a declared column.
    """
    if part.url:
        return read_database(catalog, part, source.key, columns, _RAW)
    if part.path.stat().st_size == 0:
        raise DeliveryError(
            f"{part.name}: the file is empty (0 bytes); ask for it again"
        )
    suffix = part.path.suffix.lower()
    if suffix == _PARQUET:
        return read_parquet(catalog, part, columns)
    if suffix in (".xlsx", ".xls"):
        return read_excel(catalog, part, columns, _RAW)
    return read_csv(catalog, part, columns, _RAW)


def keep_part(catalog: Catalog, raw: Table, batch: Batch | None, name: str) -> None:
    """Write the rows of the part that was read last, and drop what the engine holds of it.

    Raises:
        DeliveryError: a Parquet file, of which only the end was looked at, is damaged.
    """
    try:
        with catalog.explained(name):
            catalog.write(raw, name)
    except EngineError as error:
        if batch is None or not batch.name.lower().endswith(_PARQUET):
            raise
        raise incomplete(batch.name, error.reason) from error
    for held in (_RAW, _RAW + LINES):
        catalog.drop(held)


def _folder_parts(folder: Path, source: str, table: str) -> list[Part]:
    """A name stands for one file, whatever the case of its letters; a glob for all."""
    if any(sign in table for sign in _GLOB_SIGNS):
        found = [p for p in sorted(folder.glob(table)) if _is_table(p)]
    else:
        wanted = {f"{table}{s}".lower() for s in ("", *SUFFIXES)}
        files = (folder / table).parent
        found = [
            p
            for p in (sorted(files.iterdir()) if files.is_dir() else ())
            if p.relative_to(folder).as_posix().lower() in wanted and p.is_file()
        ]
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            raise DeliveryError(
                f"several files could be {table!r}: {names}; keep the right one and move the "
                "others out of the folder"
            )
    return [Part(source, str(p), p.name) for p in found]


def _is_table(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def _missing(location: str, source: SourceSpec) -> str:
    wanted = " or ".join(source.table)
    if "://" in location:
        where, there = f"the database {shown_url(location)}", list(all_tables(location))
    elif (path := _map_at(location)) is not None:
        where, there = str(path), list(map(str, _places(path)))
    else:
        where, there = location, [p.name for p in Path(location).iterdir()]
        wanted = f"{wanted} (.csv, .csv.gz, .parquet, .xlsx, ...)"
    return (
        f"nothing delivered by {source.department.en} ({source.department.zh}): no {wanted} in "
        f"{where}{nearest(source.table[0], there)} Ask the department for it"
    )


def _map_at(location: str) -> Path | None:
    """The map of sources that a location is, or that lies in the folder that it is."""
    for path in (Path(location), Path(location) / SOURCES_MAP):
        if path.suffix.lower() in (".yaml", ".yml") and path.is_file():
            return path
    return None


def _places(path: Path) -> dict[Any, Any]:
    """Source -> place or places, as the map says."""
    try:
        places = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeliveryError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(places, dict):
        raise DeliveryError(
            f"{path}: must map each source to a place, as in `claims: claims.csv`"
        )
    return places


def _mapped_parts(path: Path, name: str, source: SourceSpec) -> list[Part]:
    places = _places(path).get(name) or []
    listed = places if isinstance(places, list) else [places]
    return [part for p in listed for part in _place_parts(path, name, str(p), source)]


def _place_parts(path: Path, name: str, place: str, source: SourceSpec) -> list[Part]:
    if "://" in place:
        url, _, table = place.partition("#")
        parts = _database_parts(url, name, (table,) if table else source.table)
        hint = nearest(table or source.table[0], all_tables(url))
    else:
        parts = _file_parts(path.parent, name, place)
        hint = "; a place is a file or glob beside this map, or url#table"
    if not parts:
        shown = f"{shown_url(url)}#{table}" if "://" in place else place
        raise DeliveryError(f"{path}: {name}: nothing there: {shown!r}{hint}")
    return parts


def _file_parts(folder: Path, name: str, place: str) -> list[Part]:
    if any(sign in place for sign in _GLOB_SIGNS):
        return _folder_parts(folder, name, place)
    file = (folder / place).resolve()
    return [Part(name, str(file), file.name)] if file.is_file() else []


def _database_parts(url: str, source: str, tables: Iterable[str]) -> list[Part]:
    found = [table for wanted in tables for table in database_tables(url, wanted)]
    return [Part(source, f"{url}#{table}", table, url) for table in found]
