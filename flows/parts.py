"""One delivered file or database table, and what every way of reading it shares."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from configs.errors import DeliveryError, LeadlineError, nearest
from configs.schema import ColumnSpec
from flows.catalog import literal, quoted

_SHOWN_COLUMNS = 20


class SourceAwayError(LeadlineError):
    """A database that should answer does not; another moment may mend it."""

    exit_code = DeliveryError.exit_code


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
class Malformed:
    """A record of a CSV file that is no row; its text is never kept, only its start."""

    line: int
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read: enough to prove later that the same rows were used."""

    source: str
    name: str
    sha256: str
    rows: int
    malformed: tuple[Malformed, ...] = ()

    @property
    def label(self) -> str:
        return batch_label(self.name, self.sha256)


def batch_label(name: str, sha256: str) -> str:
    """How a batch is called in evidence."""
    return f"{name}@{sha256[:12]}"


def file_digest(path: Path) -> str:
    """SHA-256 of a delivered file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matched(
    part: Part, header: list[str], columns: dict[str, ColumnSpec]
) -> dict[str, int]:
    """Declared name -> position in the delivery; case and white space do not matter.

    Raises:
        DeliveryError: a declared column is missing, or the header repeats one.
    """
    names = [_normal(name) for name in header]
    wanted = {n: _normal(c.header or n) for n, c in columns.items()}
    missing = [n for n, there in wanted.items() if there not in names]
    if missing:
        raise DeliveryError(_missing(part, header, columns, missing))
    repeated = {there for there in wanted.values() if names.count(there) > 1}
    if repeated:
        raise DeliveryError(
            f"{part.name}: the header repeats the column {', '.join(sorted(repeated))}, so "
            "that it is unclear which one is meant; delete or rename one of them"
        )
    return {n: names.index(there) for n, there in wanted.items()}


def _normal(name: str) -> str:
    return name.strip().lstrip("\ufeff").strip().lower()


def _missing(
    part: Part, header: list[str], columns: dict[str, ColumnSpec], missing: list[str]
) -> str:
    named = ", ".join(repr(columns[n].header or n) for n in missing)
    if len(missing) == len(columns):
        # Perhaps a row of data: it may name people, so it is not shown.
        return (
            f"{part.name}: the first line holds none of the declared columns ({named}); is "
            "the line with the column names missing, or is it another table? Ask for it again"
        )
    known = [n[:30] for n in header]
    hint = nearest(columns[missing[0]].header or missing[0], known)
    reads = ", ".join(known[:_SHOWN_COLUMNS]) if "did you mean" in hint else ""
    return (
        f"{part.name}: column {named} is missing{hint}"
        + (f" The header reads: {reads}." if reads else ";")
        + " rename the column in the file, or declare its name as `header` in model.yaml"
    )


def selection(named: dict[str, str]) -> str:
    """SQL that casts columns to text: declared name -> its name in the engine."""
    return ", ".join(
        f"CAST({quoted(there)} AS VARCHAR) AS {quoted(name)}"
        for name, there in named.items()
    )


def provenance(part: Part, sha256: str, line: str) -> str:
    """SQL of the columns `_file`, `_line` and `_batch`."""
    label = literal(batch_label(part.name, sha256))
    return f"{literal(part.name)} AS _file, {line} AS _line, {label} AS _batch"
