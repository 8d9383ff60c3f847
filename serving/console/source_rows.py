"""Source rows of a lead as delivered, with sensitive cells masked until they are opened.

A column is masked when the run says that it is sensitive, and also when the run says
nothing of it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from configs.common_words import common_words
from configs.privacy import MASK
from serving.about import ColumnAbout, SourceAbout
from serving.leads.models import Evidence

MOST_ROWS = 60  # of one source on a page
_SIDE_BY_SIDE = 2  # up to so many rows stand beside each other, a line for each column
_TELLING = 4  # characters from which a value within a row's key gives it away
_LONG = 160  # characters from which a value has a box of its own
_OPEN: ColumnAbout = {"en": "", "zh": "", "type": "text", "sensitive": False}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it may be shown; None where the department delivered none."""

    text: str | None
    masked: bool = False
    opened: bool = False  # sensitive, and shown all the same

    @property
    def long(self) -> bool:
        return self.text is not None and len(self.text) > _LONG

    @property
    def look(self) -> str:
        """Its class on the page."""
        if self.text is None:
            return "soft"
        if self.masked:
            return "masked"
        return " ".join(["opened"] * self.opened + ["long"] * self.long)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    sensitive: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    row_key: str
    batch: str
    line: int | None
    event_at: datetime | None
    known_at: datetime | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SourceTable:
    """The rows of one source about a lead."""

    source: str
    title: str
    department: str
    columns: tuple[Column, ...]
    rows: tuple[SourceRow, ...]
    more: int  # rows that are not shown

    @property
    def beside(self) -> bool:
        return len(self.rows) <= _SIDE_BY_SIDE

    @property
    def lines(self) -> list[tuple[Column, list[Cell]]]:
        """Column by column, for rows that stand beside each other."""
        return [
            (column, [row.cells[n] for row in self.rows])
            for n, column in enumerate(self.columns)
        ]

    @property
    def masked(self) -> bool:
        return any(cell.masked for row in self.rows for cell in row.cells)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run says of its sources, and a lead's evidence of their departments."""

    about: Mapping[str, SourceAbout]
    evidence: Callable[[], Sequence[Evidence]]  # asked only where `about` is silent
    lang: str

    def _said(self, source: str) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.about.get(source) or {}
        return said

    def title(self, source: str) -> str:
        return str(self._said(source).get(self.lang) or source)

    def department(self, source: str) -> str:
        name = f"department_{self.lang}"
        if said := self._said(source).get(name):
            return str(said)
        rows = (row for row in self.evidence() if row.source == source)
        return next((str(getattr(row, name)) for row in rows), "")

    def columns(self, source: str, names: Iterable[str]) -> tuple[Column, ...]:
        """The columns that are in the rows, in the order in which they are declared."""
        declared = self._said(source).get("columns", {})
        names = dict.fromkeys(names)
        ordered = [name for name in declared if name in names]
        ordered += [name for name in names if name not in declared]
        return tuple(
            Column(
                name=name,
                title=self._called(name, declared.get(name, _OPEN)[self.lang]),
                sensitive=name not in declared or declared[name]["sensitive"],
            )
            for name in ordered
        )

    def _called(self, name: str, title: str) -> str:
        """A column's title; common words where a run says no more than its name."""
        if title not in ("", name):
            return title
        words = common_words(name)
        return words.zh if self.lang == "zh" else title or name

    def kind(self, source: str, column: str) -> str:
        return str(self._said(source).get("columns", {}).get(column, _OPEN)["type"])


def tables(
    rows: Sequence[dict[str, Any]], sources: Sources, opened: bool = False
) -> list[SourceTable]:
    """Rows of `Dossier.rows`, source by source, newest first."""
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_source[row["source"]].append(row)
    return [_table(name, found, sources, opened) for name, found in by_source.items()]


def opened_columns(shown: Sequence[SourceTable]) -> dict[str, dict[str, list[str]]]:
    """By source, the sensitive columns and the rows in which they are opened."""
    return {
        table.source: {
            "columns": [column.name for column in table.columns if column.sensitive],
            "rows": [row.row_key for row in table.rows],
        }
        for table in shown
        if any(column.sensitive for column in table.columns)
    }


def masked_keys(
    rows: Sequence[dict[str, Any]], sources: Sources
) -> dict[tuple[str, str], str]:
    """By source and row key, the key as it may be shown: some are a person's number."""
    keys = {}
    for row in rows:
        content = _content(row)
        columns = sources.columns(row["source"], content)
        said = (content[c.name] for c in columns if c.sensitive)
        keys[row["source"], row["row_key"]] = shown_key(row["row_key"], said)
    return keys


def mask(value: str, kind: str = "text") -> str:
    """The beginning of a value: one character of a name or a short value, else three."""
    shown = 1 if kind == "person_name" or len(value) <= 4 else 3
    return value[: shown if len(value) > 1 else 0] + MASK


def shown_key(key: str, sensitive: Iterable[Any]) -> str:
    """A row's key, masked where one of the sensitive values stands in it."""
    telling = (str(value) for value in sensitive if value is not None)
    gives_away = any(len(v) >= _TELLING and v in key for v in telling)
    return mask(key) if gives_away else key


def tie_key(key: str, *labels: str) -> str:
    """The key of a tie's row, masked where a masked end of the tie begins like a part."""
    begins = [label.removesuffix(MASK) for label in labels if label.endswith(MASK)]
    return mask(key) if any(part and part in key for part in begins) else key


def _table(
    source: str, rows: list[dict[str, Any]], sources: Sources, opened: bool
) -> SourceTable:
    rows = sorted(rows, key=_newest_first)
    shown = rows[:MOST_ROWS]
    contents = [_content(row) for row in shown]
    columns = sources.columns(source, (name for c in contents for name in c))
    kinds = {column.name: sources.kind(source, column.name) for column in columns}
    return SourceTable(
        source=source,
        title=sources.title(source),
        department=sources.department(source),
        columns=columns,
        rows=tuple(
            SourceRow(
                row_key=shown_key(
                    row["row_key"], (c.get(n.name) for n in columns if n.sensitive)
                ),
                batch=row["batch"],
                line=row["line"],
                event_at=row["event_at"],
                known_at=row["known_at"],
                cells=tuple(
                    _cell(c.get(n.name), n, kinds[n.name], opened) for n in columns
                ),
            )
            for row, c in zip(shown, contents, strict=True)
        ),
        more=len(rows) - len(shown),
    )


def _newest_first(row: dict[str, Any]) -> tuple[float, str]:
    time = row["event_at"] or row["known_at"]
    return (-(time - datetime.min).total_seconds() if time else 0.0, row["row_key"])


def _content(row: dict[str, Any]) -> dict[str, Any]:
    content = json.loads(row["content"])
    return content if isinstance(content, dict) else {}


def _cell(value: Any, column: Column, kind: str, opened: bool) -> Cell:
    if value is None or value == "":
        return Cell(None)
    if column.sensitive and not opened:
        return Cell(mask(str(value), kind), masked=True)
    return Cell(str(value), opened=column.sensitive)
