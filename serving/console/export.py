"""A list as a file: XLSX or CSV, marked with who took it out, when and of which run.

Texts come from deliveries and may be anything. In XLSX they are text cells, never formulas
or links; in CSV a cell that a spreadsheet would calculate begins with an apostrophe.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Any, Literal

import xlsxwriter
from django.utils.translation import gettext as _

from serving.console.list_query import Listing
from serving.console.list_rows import Row, rows_of
from serving.leads.models import Run

Form = Literal["xlsx", "csv"]
MOST = 100_000  # leads of one file
NO_EVIDENCE = (
    "A score is no evidence: it says where to look first. A person decides.",
    "异常分不是证据：它只提示先看哪里，结论由人作出。",
)
_CALCULATED = tuple("=+-@\t\r\n＝＋－＠")
_LONGEST = 32_767  # characters that a cell of XLSX holds
_SPOOLED = 4 * 1024**2  # bytes kept in memory before a file is used

Cell = str | float | int | None
Lines = tuple[str, ...]


def mark(run: Run, user: str, when: str, filters: str) -> Lines:
    """Who exported what and when, line by line.

    Args:
        filters: as in the address of the list; empty for the whole list.
    """
    exported = _("Exported by %(user)s on %(when)s") % {"user": user, "when": when}
    listed = _("Run %(run)s, filter: %(filters)s")
    about = listed % {"run": run.id, "filters": filters or _("none")}
    return (exported, about, *NO_EVIDENCE)


def heads() -> list[str]:
    return [
        _("Rank"),
        _("Unit"),
        _("Title"),
        _("Fused score"),
        _("Rank by score"),
        _("Score"),
        _("Rank by rules"),
        _("Score of the rules"),
        _("Above so much of its peers"),
        _("Found by"),
        _("Rules"),
        _("Reasons"),
        _("Group"),
        _("Money"),
        _("Without data of"),
        _("Office"),
        _("State"),
        _("Assigned to"),
        _("Due"),
        _("First listed"),
    ]


def cells(row: Row, words: dict[str, str]) -> list[Cell]:
    """One row of the file, under `heads`.

    Args:
        words: of states and of what found a lead.
    """
    lead = row.lead
    hits = [(layer.number, hit) for layer in row.layers for hit in layer.hits]
    return [
        lead.rank_fused,
        lead.unit_id,
        lead.title,
        lead.fused,
        lead.rank_score,
        lead.score,
        lead.rank_rules,
        lead.rules,
        lead.peer_percentile,
        words[lead.found_by],
        ", ".join(f"{number}/{hit.code}" for number, hit in hits),
        "; ".join(hit.reason for _number, hit in hits),
        lead.group_id,
        lead.money,
        ", ".join(row.silent),
        lead.office,
        words[row.state],
        row.assignee,
        row.due.isoformat() if row.due else None,
        row.first_listed.date().isoformat(),
    ]


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished file, at its beginning."""

    file: IO[bytes]
    rows: int
    sha256: str


def exported(
    form: Form, listing: Listing, marked: Lines, words: dict[str, str], lang: str
) -> Exported:
    """All leads of a listing in its order, up to MOST, written to a temporary file."""
    write = _WRITERS[form]
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115  handed on
    rows = _Counted(_rows(listing, words, lang))
    write(file, heads(), rows, marked)
    file.seek(0)
    digest = sha256()
    while chunk := file.read(1024**2):
        digest.update(chunk)
    file.seek(0)
    return Exported(file, rows.count, digest.hexdigest())


def _rows(listing: Listing, words: dict[str, str], lang: str) -> Iterator[list[Cell]]:
    for leads in listing.all(MOST):
        for row in rows_of(listing.run, leads, lang):
            yield cells(row, words)


class _Counted:
    """Rows, and how many went by."""

    def __init__(self, rows: Iterable[list[Cell]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[list[Cell]]:
        for row in self._rows:
            self.count += 1
            yield row


def plain(cell: Cell) -> Cell:
    """The cell as CSV may hold it: no text that a spreadsheet would calculate."""
    if isinstance(cell, str) and cell.startswith(_CALCULATED):
        return f"'{cell}"
    return cell


def _write_csv(
    file: IO[bytes], head: Sequence[str], rows: Iterable[list[Cell]], marked: Lines
) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    out = csv.writer(text)
    out.writerows([f"# {line}"] for line in marked)
    out.writerow(head)
    out.writerows([plain(cell) for cell in row] for row in rows)
    text.detach()  # which writes what is left, and keeps the file open


def _write_xlsx(
    file: IO[bytes], head: Sequence[str], rows: Iterable[list[Cell]], marked: Lines
) -> None:
    never = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers")
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, **dict.fromkeys(never, False)}
    )
    sheet = book.add_worksheet(_("Leads"))
    bold, soft = book.add_format({"bold": True}), book.add_format({"italic": True})
    for number, line in enumerate(marked):
        sheet.write_string(number, 0, line, soft)
    top = len(marked)
    for column, title in enumerate(head):
        sheet.write_string(top, column, title, bold)
    last = top
    for number, row in enumerate(rows, top + 1):
        _write_row(sheet, number, row)
        last = number
    _set_up(sheet, top, last, len(head), marked)
    book.close()


def _write_row(sheet: Any, number: int, row: list[Cell]) -> None:
    for column, cell in enumerate(row):
        if isinstance(cell, str):
            sheet.write_string(number, column, cell[:_LONGEST])
        elif cell is not None:
            sheet.write_number(number, column, cell)


def _set_up(sheet: Any, top: int, last: int, width: int, marked: Lines) -> None:
    for column, wide in ((1, 18), (2, 40), (10, 16), (11, 60)):
        sheet.set_column(column, column, wide)
    sheet.freeze_panes(top + 1, 2)
    sheet.autofilter(top, 0, max(last, top), width - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    # `&` begins a code in headers and footers, which hold 255 characters.
    said = [line.replace("&", "&&") for line in marked]
    sheet.set_header(f"&L{said[0]}"[:250])
    sheet.set_footer(f"&L{said[2]} {said[3]}"[:240] + "&R&P/&N")


_WRITERS: dict[str, Callable[..., None]] = {"csv": _write_csv, "xlsx": _write_xlsx}
