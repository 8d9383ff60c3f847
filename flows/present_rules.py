"""Rules in a terminal: what each brings and costs, and what changed ones would do."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from flows.backtest import Backtest, PastList
from flows.present import amount, grid, print_heading
from flows.rule_report import RuleReport

_YIELDS = {
    "rule": "code",
    "layer": "layer",
    "hits": "hits",
    "confirmed": "hits_confirmed",
    "cleared": "hits_cleared",
    "only this rule": "alone",
    "its confirmed": "alone_confirmed",
    "its cleared": "alone_cleared",
    "false leads a case": "false_leads",
}
_TRUST = (
    *("rule", "precision", "stated", "with reviews"),
    *("PRIDIT", "evidence", "with reviews"),
)
_WITHOUT = ("rule", "leave", "confirmed", "cleared", "enter", "confirmed", "cleared")
_HITS = (
    *("rule", "how", "before", "after", "confirmed kept", "lost", "gained"),
    *("cleared kept", "avoided", "added", "new, unjudged"),
    *("precision before", "precision after"),
)
_FIRST = (
    *("rule", "order", "enter", "confirmed", "cleared", "unjudged", "yuan"),
    *("leave", "confirmed", "cleared", "unjudged", "yuan"),
)
_TEXTS = {"rule", "how", "order"}


def print_rules(out: Console, report: RuleReport) -> None:
    """What each rule brings that nothing else does, how far it is trusted, what it costs."""
    print_heading(out, report.run)
    _print_recomputed(out, report.shared, report.capacity)
    if not report.judged:
        out.print("nobody judged a unit of this list yet · 本批次尚无核查结论")
    _print_rows(
        out,
        "What it found · 命中与独有命中",
        tuple(_YIELDS),
        [[_cell(row[name]) for name in _YIELDS.values()] for row in report.rules],
    )
    trust = [_trust_cells(row) for row in report.rules]
    _print_rows(out, "How far it is trusted · 准确率与权重", _TRUST, trust)
    head = f"The first {report.capacity} without it · 去掉该规则后前{report.capacity}名的变化"
    without = [
        [row["code"], *_moved(row, "leave"), *_moved(row, "enter")]
        for row in report.rules
    ]
    _print_rows(out, head, _WITHOUT, without)
    out.print(
        "[dim]only this rule: no other rule of layers 2-4 fired and the score alone shows "
        f"it in no first {report.capacity}; precision: of reviewed hits, a ring once[/]"
    )


def print_backtest(out: Console, result: Backtest) -> None:
    """Each past list: hits, then who enters and leaves its head."""
    for past in result.lists:
        _print_list(out, past, result.capacity)
    for run, why in result.left_out.items():
        out.print(f"\n[bold]{escape(run)}[/] left out: {escape(why)}")
    for text in result.basis.values():
        out.print(f"[dim]{text}[/]")


def _print_list(out: Console, past: PastList, capacity: int) -> None:
    print_heading(out, past.run)
    _print_recomputed(out, past.shared, capacity)
    if not past.same_declaration:
        out.print(
            "made by another declaration than today's: rules that the file leaves as they "
            "are today count as they were then · 该批次由另一版声明产生，未改动的规则按当时命中计算"
        )
    if not past.differences:
        out.print("no rule differs · 规则无变化")
        return
    hits = [_hit_cells(row, past.differences) for row in past.changes]
    _print_rows(out, f"Hits · 命中 ({past.judged:,} units judged)", _HITS, hits)
    head = f"The first {capacity} of the list · 前{capacity}名的变化"
    firsts = [
        _first_cells(row, first) for row in past.changes for first in row["lists"]
    ]
    _print_rows(out, head, _FIRST, firsts)


def _print_recomputed(out: Console, shared: int, capacity: int) -> None:
    out.print(
        f"[dim]the fused order, recomputed with the list's own rules, has {shared} of the "
        f"{capacity} units first published · 按原规则重算，与发布的前{capacity}名相同{shared}个[/]"
    )


def _print_rows(
    out: Console, title: str, names: tuple[str, ...], rows: list[list[str]]
) -> None:
    out.print(f"\n[bold]{title}[/]")
    table = grid(names, right=set(names) - _TEXTS)
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table if rows else "  none")


def _trust_cells(row: Mapping[str, Any]) -> list[str]:
    learnt = _share(row["learnt"], row["learnt_low"], row["learnt_high"])
    return [
        row["code"],
        _share(row["precision"], row["low"], row["high"]),
        _cell(row["stated"]),
        learnt,
        _cell(row["pridit"]),
        _cell(row["evidence"]),
        _cell(row["evidence_learnt"]),
    ]


def _hit_cells(row: Mapping[str, Any], how: Mapping[str, str]) -> list[str]:
    counts = [
        *("hits_before", "hits_after"),
        *("confirmed_kept", "confirmed_lost", "confirmed_gained"),
        *("cleared_kept", "cleared_avoided", "cleared_added", "new_unjudged"),
    ]
    shares = [
        _share(row[f"precision_{side}"], row[f"low_{side}"], row[f"high_{side}"])
        for side in ("before", "after")
    ]
    cells = [_cell(row[name]) for name in counts]
    return [row["code"], how.get(row["code"], ""), *cells, *shares]


def _first_cells(row: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    cells = [row["code"], first["order"]]
    for name in ("enter", "leave"):
        cells += [*_moved(first, name), _cell(first[f"{name}_unjudged"])]
        cells.append(amount(first[f"{name}_money"]))
    return cells


def _moved(row: Mapping[str, Any], name: str) -> list[str]:
    return [_cell(row[f"{name}{part}"]) for part in ("", "_confirmed", "_cleared")]


def _share(share: float | None, low: float | None, high: float | None) -> str:
    return "" if share is None else f"{share:.2f} ({low:.2f}–{high:.2f})"


def _cell(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value)
