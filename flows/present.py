"""What a person sees in a terminal: tables and lead sheets, no business logic."""

import sys
from collections.abc import Container, Iterable
from datetime import UTC, datetime
from math import isnan
from typing import Any

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from flows.intake import SourceReport
from flows.present_explained import print_explanation
from flows.sentences import path_sentence
from serving.records import LeadDetail, LeadRecord, RunRecord, ScoredRecord

CAUTION = "A score is no evidence: it says where to look first. A person decides."
VERDICT_WORDS = {
    "confirmed": ("confirmed", "查实"),
    "excluded": ("excluded", "排除"),
    "needs_information": ("needs information", "待补充信息"),
    "transferred": ("transferred", "已移送"),
    "withdrawn": ("withdrawn", "已撤回"),
}
_FOUND = {"both": "both", "rules": "rules only", "score": "score only", "neither": ""}
_LEAD = (
    *("#", "unit", "about", "fused", "score #", "rules #", "money"),
    *("rules that fired", "found by", "group", "silent"),
)
_RIGHT = {"#", "fused", "score #", "rules #", "money"}


def console() -> Console:
    """A console; wide where the output goes to a file or a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def grid(names: Iterable[str], right: Container[str] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name in names:
        justify: JustifyMethod = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold")
    return table


def amount(money: float | None) -> str:
    """Yuan without a fraction; nothing where the model declares no money."""
    return "" if money is None else f"{money:,.0f}"


def print_heading(out: Console, run: RunRecord) -> None:
    """Which list this is, and how old."""
    out.print(f"\n[bold]{run.title_en}[/] · {run.title_zh}")
    out.print(_run_line(run))


def print_leads(out: Console, run: RunRecord, leads: Iterable[LeadRecord]) -> None:
    """The ranked list: rank, unit, the three orders, rules, group, what is missing."""
    print_heading(out, run)
    table = grid(_LEAD, right=_RIGHT)
    for lead in leads:
        table.add_row(*map(escape, _lead_cells(lead)))
    out.print(table)
    out.print(f"[dim]{CAUTION}[/]")


def _lead_cells(lead: LeadRecord) -> list[str]:
    return [
        str(lead.rank_fused),
        lead.unit_id,
        "" if lead.title == lead.unit_id else lead.title,
        f"{lead.fused:.4f}",
        str(lead.rank_score),
        str(lead.rank_rules) if lead.rules > 0 else "-",
        amount(lead.money),
        " ".join(lead.codes),
        _FOUND[lead.found_by],
        lead.group_id or "",
        " ".join(lead.silent),
    ]


def _run_line(run: RunRecord) -> str:
    age = (datetime.now(UTC) - run.published_at).days
    when = "today" if age == 0 else f"{age} days ago"
    listed = f", {run.listed:,} listed" if run.listed < run.units else ""
    return (
        f"[dim]run {run.id} · as of {run.as_of:%Y-%m-%d} · {run.units:,} units{listed} · "
        f"model version {run.model_version} · published {when}[/]"
    )


def print_unit(out: Console, run: RunRecord, found: LeadDetail | ScoredRecord) -> None:
    """A lead, or the places of a unit that is not listed."""
    if isinstance(found, LeadDetail):
        print_lead(out, run, found)
        return
    print_heading(out, run)
    out.print(
        f"[bold]{escape(found.unit_id)}[/] was scored but is not on the list 已评分，未列入清单\n"
        f"rank [bold]{found.rank_fused:,}[/] of {run.units:,} (fused {found.fused:.3f}) · by "
        f"score {found.rank_score:,} ({found.score:.3f}) · by rules "
        f"{_rules_rank(found)} ({found.rules:.3f})"
    )
    out.print(f"[dim]{CAUTION}[/]")


def print_lead(out: Console, run: RunRecord, detail: LeadDetail) -> None:
    """One lead with all reasons, lawful explanations, evidence and what is missing."""
    lead = detail.lead
    unit, title = escape(lead.unit_id), escape(lead.title)
    out.print(f"\n[bold]{run.title_en}[/] · {run.title_zh}: [bold]{unit}[/]  {title}")
    out.print(_run_line(run))
    out.print(
        f"rank [bold]{lead.rank_fused:,}[/] of {run.units:,} (fused {lead.fused:.3f}) · by score "
        f"{lead.rank_score:,} ({lead.score:.3f}) · by rules {_rules_rank(lead)} "
        f"({lead.rules:.3f})"
        + (f" · {lead.money:,.0f} yuan at stake" if lead.money is not None else "")
    )
    _print_disposition(out, detail)
    _print_hits(out, detail)
    print_explanation(out, detail)
    _print_group_of(out, detail)
    _print_paths(out, run, detail)
    _print_evidence(out, detail)
    silent = ", ".join(lead.silent) or "none"
    out.print(
        f"\n[bold]Departments with no record of this unit[/] 未覆盖的数据源: {silent}"
    )
    out.print(f"[dim]{CAUTION}[/]")


def _rules_rank(found: LeadRecord | ScoredRecord) -> str:
    return f"{found.rank_rules:,}" if found.rules > 0 else "none fired"


def _print_disposition(out: Console, detail: LeadDetail) -> None:
    """What stands of what analysts concluded; nothing before a first review."""
    if detail.disposition is None:
        return
    said = detail.disposition
    english, chinese = VERDICT_WORDS[said.verdict]
    out.print(
        f"\n[bold]Disposition[/] 核查结论: [bold]{english}[/] {chinese} · "
        f"{escape(said.user)}, {said.at:%Y-%m-%d} · run {escape(said.run_id)}"
    )
    out.print(f"  {escape(said.reason)}")


def _print_group_of(out: Console, detail: LeadDetail) -> None:
    out.print("\n[bold]Group[/] 团伙")
    group = detail.group
    if group is None:
        out.print("  none: this unit is opened alone")
        return
    name = escape(f"{group.group_id}  {group.title}")
    out.print(f"  {name}  · rank {group.rank:,} of the groups · {group.units:,} units")
    out.print(f"  {escape(group.reason_en)}\n  {escape(group.reason_zh)}")


def _print_paths(out: Console, run: RunRecord, detail: LeadDetail) -> None:
    out.print("\n[bold]Ways to other leads[/] 关联路径")
    if not detail.paths:
        out.print("  none is published")
    for path in detail.paths:
        english = escape(path_sentence(path, run.kinds, "en"))
        chinese = escape(path_sentence(path, run.kinds, "zh"))
        # One path a line, however long: it is searched for and copied.
        out.print(f"  {path.path}. {english}", soft_wrap=True)
        out.print(f"     {chinese}", soft_wrap=True)


def _print_hits(out: Console, detail: LeadDetail) -> None:
    out.print("\n[bold]Screening rules that fired[/] 触发的筛查规则")
    if not detail.hits:
        out.print("  none: the detectors' score alone put it here")
    for hit in detail.hits:
        out.print(f"  [bold]{hit.code}[/] layer {hit.layer}  {escape(hit.reason_en)}")
        out.print(f"      {escape(hit.reason_zh)}")
        out.print(
            f"      [dim]rule out first: {hit.lawful_en} · 先排除：{hit.lawful_zh}[/]"
        )


def _print_evidence(out: Console, detail: LeadDetail) -> None:
    out.print("\n[bold]Source rows[/] 数据来源")
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("source", "department", "batch", "row", "line"):
        table.add_column(name, overflow="fold")
    for row in detail.evidence:
        department = f"{row.department_en} {row.department_zh}"
        cells = (row.source, department, row.batch, row.row_key, str(row.line or ""))
        table.add_row(*map(escape, cells))
    out.print(table)


def print_reports(
    out: Console, reports: Iterable[SourceReport], coverage: dict[str, Any]
) -> None:
    """The contract report: one line a source, then every problem."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name in (
        "source",
        "department",
        "files",
        "rows",
        "rejected",
        "repeated keys",
        "unreadable values",
        "unlinkable ids",
        "first known",
        "last known",
        "covers",
    ):
        table.add_column(name, overflow="fold")
    problems: list[str] = []
    for report in reports:
        table.add_row(*_report_cells(report, coverage.get(report.source)))
        problems += report.problems
    out.print(table)
    for problem in problems:
        out.print(Text(f"✗ {problem}", style="red"))
    if not problems:
        out.print("[green]✓[/] every source meets its contract")


def _report_cells(report: SourceReport, covered: float | None) -> list[str]:
    missing = "not delivered" if report.missing else ""
    return [
        report.source,
        f"{report.department_en} {report.department_zh}",
        missing or " ".join(batch["name"] for batch in report.batches),
        f"{report.rows:,}",
        f"{report.rejected:,}",
        f"{report.duplicates:,}",
        ", ".join(f"{name} {count:,}" for name, count in report.unreadable.items()),
        ", ".join(f"{name} {count:,}" for name, count in report.unlinkable.items()),
        (report.first_known or "")[:10],
        (report.last_known or "")[:10],
        "" if covered is None else f"{covered:.1%}",
    ]


def print_table(out: Console, rows: list[dict[str, Any]], title: str = "") -> None:
    """Rows of plain values; numbers to the right, floats with three decimals."""
    if title:
        out.print(f"\n[bold]{title}[/]")
    if not rows:
        out.print("  nothing")
        return
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name, value in rows[0].items():
        right = isinstance(value, int | float)
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if isnan(value) else f"{value:.3f}"
    return "" if value is None else escape(str(value))


def print_next(
    out: Console, lines: Iterable[str], title: str = "where to look next"
) -> None:
    out.print(Panel("\n".join(lines), title=title, title_align="left"))
