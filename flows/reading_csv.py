"""Delimited text: encoding, line ends, header, lines that are no rows, cut files."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr.types import Table

from configs.errors import DeliveryError
from configs.schema import ColumnSpec
from flows.catalog import Catalog, EngineError, literal, quoted, struct
from flows.parts import (
    Batch,
    Malformed,
    Part,
    file_digest,
    matched,
    provenance,
    selection,
)

Lines = npt.NDArray[np.int64]
LINES = "_lines"  # behind a part's name: the engine's table of the lines of its rows
_CHUNK = 1 << 20
_LONE_CR = re.compile(r"\r(?!\n)")
_CUT_OFF = ("MISSING COLUMNS", "UNQUOTED VALUE")
_UNCLOSED = ("UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM")


@dataclass(frozen=True, slots=True)
class Plain:
    """A delivered text file as the engine can read it, and what its bytes say."""

    path: Path
    lines: int  # as an editor counts them
    complete: bool  # the last line has its end
    delimiter: str
    header: list[str]


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one pass over the bytes of a file found."""

    encoding: str
    feeds: int  # \n
    returns: int  # \r
    both: int  # \r\n
    last: bytes

    @property
    def complete(self) -> bool:
        return self.last in (b"\n", b"\r")

    @property
    def lone(self) -> int:
        return self.returns - self.both

    @property
    def returns_end_lines(self) -> bool:
        """As on old Macs; elsewhere a lone carriage return is a stray character."""
        return self.lone > self.feeds

    @property
    def lines(self) -> int:
        ends = self.feeds + (self.lone if self.returns_end_lines else 0)
        return ends + (0 if self.complete else 1)

    @property
    def uniform(self) -> bool:
        """Every line ends in the same way; the engine gives up where they are mixed."""
        return self.returns == 0 or self.returns == self.feeds == self.both


def read_csv(
    catalog: Catalog, part: Part, columns: dict[str, ColumnSpec], name: str
) -> tuple[Table, Batch]:
    """A delimited text file as a table of text columns, and its fingerprint.

    Raises:
        DeliveryError: it is cut off, in another encoding, or lacks a declared column.
    """
    sha256, copy = file_digest(part.path), catalog.folder / f"{name}.utf8.csv"
    try:
        plain = _plain(part, copy)
        _load(catalog, part, plain, columns, (name, sha256))
        malformed = _malformed(catalog, part, plain)
        table = _numbered(catalog, plain, name, [bad.line for bad in malformed])
    except EngineError as error:
        raise DeliveryError(
            f"{part.name}: cannot be read as CSV ({error.reason}); open it in a spreadsheet "
            "program and save it as CSV UTF-8, or ask for it again"
        ) from error
    finally:
        copy.unlink(missing_ok=True)
    rows = int(table.count().execute())
    return table, Batch(part.source, part.name, sha256, rows, malformed)


def opened_plain(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked when its name says that it is packed."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def text_encoding(part: Part) -> str:
    """`utf-8` or `gb18030`.

    Raises:
        DeliveryError: another encoding, or a packed file that is cut off.
    """
    return _scanned(part).encoding


def _plain(part: Part, copy: Path) -> Plain:
    scan = _scanned(part)
    path = part.path
    if scan.encoding != "utf-8" or not scan.uniform:
        _rewrite(path, copy, scan)
        path = copy
    header, delimiter = _header(part, path)
    return Plain(path, scan.lines, scan.complete, delimiter, header)


def _scanned(part: Part) -> _Scan:
    bad: list[int] = []
    for encoding in ("utf-8", "gb18030"):
        found = _scan(part, encoding)
        if isinstance(found, _Scan):
            return found
        bad.append(found)
    raise DeliveryError(
        f"{part.name}: byte {max(bad)} is neither UTF-8 nor GB18030 text; the file was saved "
        "in another encoding or is damaged: save it as CSV UTF-8 or ask for it again"
    )


def _scan(part: Part, encoding: str) -> _Scan | int:
    """What the bytes say, or the place of the first that is not in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    feeds = returns = both = offset = 0
    last = b""
    try:
        for chunk in _chunks(part):
            feeds, returns = feeds + chunk.count(b"\n"), returns + chunk.count(b"\r")
            both += (last + chunk).count(b"\r\n")
            decoder.decode(chunk)
            offset, last = offset + len(chunk), chunk[-1:]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start
    return _Scan(encoding, feeds, returns, both, last)


def _chunks(part: Part) -> Iterator[bytes]:
    try:
        with opened_plain(part.path) as file:
            chunk = file.read(_CHUNK)
            _check_text(part, chunk[:4096])
            while chunk:
                yield chunk
                chunk = file.read(_CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DeliveryError(
            f"{part.name}: the compressed file is cut off or damaged ({error}); ask for it again"
        ) from error


def _check_text(part: Part, start: bytes) -> None:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start:
        raise DeliveryError(
            f"{part.name}: looks like UTF-16 or a binary file; save it as CSV UTF-8"
        )


def _rewrite(source: Path, target: Path, scan: _Scan) -> None:
    """A UTF-8 copy with line feeds alone; a stray carriage return becomes a blank."""
    lone = "\n" if scan.returns_end_lines else " "
    with (
        opened_plain(source) as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        reader = io.TextIOWrapper(file, encoding=scan.encoding, newline="")
        while chunk := reader.read(_CHUNK):
            if chunk.endswith("\r"):
                chunk += reader.read(1)
            out.write(_LONE_CR.sub(lone, chunk).replace("\r\n", "\n"))


def _header(part: Part, path: Path) -> tuple[list[str], str]:
    """Column names and delimiter; a name may be quoted and hold a line end."""
    with _text(path) as file:
        line = file.readline()
    if line.strip() == "":
        raise DeliveryError(
            f"{part.name}: the first line is empty; it must hold the column names"
        )
    delimiter = max(",;\t|", key=line.count)
    with _text(path) as file:
        return next(csv.reader(file, delimiter=delimiter)), delimiter


def _text(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened_plain(path), encoding="utf-8-sig", newline="")


def _load(
    catalog: Catalog,
    part: Part,
    plain: Plain,
    columns: dict[str, ColumnSpec],
    target: tuple[str, str],
) -> None:
    """Rows into a table; what is no row into the engine's `reject_errors`."""
    name, sha256 = target
    catalog.fetch(
        "DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans"
    )
    places = matched(part, plain.header, columns)
    types = {f"c{i}": "VARCHAR" for i in range(len(plain.header))}
    chosen = selection({n: f"c{place}" for n, place in places.items()})
    catalog.sql(
        name,
        f"SELECT {chosen}, {provenance(part, sha256, 'row_number() OVER ()')} "
        f"FROM read_csv({literal(plain.path)}, auto_detect=false, header=true, "
        f"delim={literal(plain.delimiter)}, quote='\"', escape='\"', "
        f"columns={struct(types)}, store_rejects=true, rejects_limit=0)",
    )


def _malformed(catalog: Catalog, part: Part, plain: Plain) -> tuple[Malformed, ...]:
    """Records that are no rows.

    Raises:
        DeliveryError: the file breaks off, or a quotation mark swallows rows.
    """
    found = catalog.fetch(
        "SELECT line_byte_position, any_value(error_type), any_value(error_message), "
        "any_value(csv_line) FROM reject_errors GROUP BY line_byte_position ORDER BY 1"
    )
    if not found:
        return ()
    lines = _lines_at(plain.path, [int(position) for position, *_ in found])
    for line, (_, kind, _, text) in zip(lines, found, strict=True):
        _check_whole(part, plain, line, str(kind), str(text).strip("\r\n"))
    return tuple(
        Malformed(line, str(cause).split("\n")[0], str(text).strip("\r\n"))
        for line, (_, _, cause, text) in zip(lines, found, strict=True)
    )


def _check_whole(part: Part, plain: Plain, line: int, kind: str, text: str) -> None:
    last = line + text.count("\n")
    if kind in _CUT_OFF and not plain.complete and last >= plain.lines:
        raise DeliveryError(
            f"{part.name}: the file breaks off in line {line}; it was cut while being "
            "written or copied: ask for it again"
        )
    if kind in _UNCLOSED and (last > line or kind != "UNQUOTED VALUE"):
        raise DeliveryError(
            f"{part.name}: line {line} opens a quotation mark that does not close, so that "
            "the rows behind it cannot be told apart; correct that line or ask for the file again"
        )


def _lines_at(path: Path, positions: list[int]) -> list[int]:
    """The line in which each byte position (ascending, from 1) lies."""
    lines, read, ends = [], 0, 1
    with opened_plain(path) as file:
        for position in positions:
            while read < position:
                chunk = file.read(min(_CHUNK, position - read))
                if not chunk:
                    break
                read += len(chunk)
                ends += chunk.count(b"\n")
            lines.append(ends)
    return lines


def _numbered(catalog: Catalog, plain: Plain, name: str, bad: list[int]) -> Table:
    """Row numbers to line numbers, as rows are read: after the header, past what is none."""
    rows = int(catalog.fetch(f"SELECT count(*) FROM {quoted(name)}")[0][0])
    lines = _row_lines(plain, rows, bad)
    if lines is None:
        query = f"SELECT * REPLACE (_line + 1 AS _line) FROM {quoted(name)}"
    else:
        catalog.register(name + LINES, pa.table({"_number": lines}))
        query = (
            "SELECT * EXCLUDE (_number) REPLACE (_number AS _line) "
            f"FROM {quoted(name)} POSITIONAL JOIN {quoted(name + LINES)}"
        )
    return catalog.query(query)


def _row_lines(plain: Plain, rows: int, bad: list[int]) -> Lines | None:
    """The line in which each row begins; None when row n stands in line n + 1."""
    one_line_each = plain.lines == 1 + rows + len(bad)
    if one_line_each and not bad:
        return None
    starts = (
        np.arange(2, plain.lines + 1, dtype=np.int64)
        if one_line_each
        else _record_lines(plain)
    )
    kept = starts[~np.isin(starts, bad)]
    return kept if len(kept) == rows else None


def _record_lines(plain: Plain) -> Lines:
    """Where records begin in a file with blank lines or line ends inside quotes."""
    starts: list[int] = []
    with _text(plain.path) as file:
        reader = csv.reader(file, delimiter=plain.delimiter)
        before = 0
        try:
            for record in reader:
                if record:
                    starts.append(before + 1)
                before = reader.line_num
        except csv.Error:  # a field too long for Python's reader
            return np.empty(0, dtype=np.int64)
    return np.array(starts[1:], dtype=np.int64)
