"""Estimates from reviews in a terminal, no business logic."""

from typing import Any

from rich.console import Console
from rich.markup import escape

from flows.estimates import Estimates
from flows.present import grid, print_heading

_COLUMNS = ("figure", "指标", "estimate", "95 %", "uncorrected", "reviewed", "of")
_RIGHT = {*_COLUMNS[2:]}
_SHARES = {"precision_at_capacity", "prevalence_below", "recall_at_capacity"}


def print_estimates(out: Console, found: Estimates) -> None:
    """Each figure with its interval, beside what it would be without correction."""
    print_heading(out, found.run)
    table = grid(_COLUMNS, right=_RIGHT)
    for row in found.figures:
        table.add_row(*map(escape, _cells(row)))
    out.print(table)
    out.print(
        f"[dim]drawn units of {len(found.lists)} lists are used; uncorrected = as if the "
        "reviewed units had been picked at random[/]"
    )
    for said in found.note.values():
        out.print(said)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    number = _share if row["figure"] in _SHARES else _count
    known = row["value"] is not None
    return (
        row["meaning_en"],
        row["meaning_zh"],
        number(row["value"]) if known else "not enough",
        f"{number(row['low'])} to {number(row['high'])}" if known else "",
        "" if row["naive"] is None else number(row["naive"]),
        f"{row['reviewed']:,}",
        f"{row['asked']:,}",
    )


def _share(value: float) -> str:
    return f"{value:.1%}"


def _count(value: float) -> str:
    return f"{value:,.0f}"
