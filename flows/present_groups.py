"""Groups and the worklist in a terminal, no business logic."""

from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape

from flows.present import (
    CAUTION,
    amount,
    grid,
    print_heading,
    print_leads,
    print_unit,
)
from flows.sentences import dated, node, probability
from serving.records import (
    GroupDetail,
    GroupRecord,
    LeadRecord,
    RunRecord,
    TieRecord,
    WorkRecord,
)

_GROUP = (
    *("#", "group", "tied by", "units", "money", "density", "score"),
    "rules that fired on half of them",
)
_MEMBER = ("rank", "unit", "about", "fused", "money", "rules that fired")
_TIE = (
    *("from", "to", "role", "source", "department", "row", "rows"),
    *("date", "probability"),
)
_WORK = (
    *("#", "rank", "open", "id", "about", "units", "money", "rules that fired"),
    "drawn",
)
_RIGHT = {
    *("#", "rank", "units", "money", "density", "score", "fused"),
    *("rows", "probability"),
}

HUBS_SHOWN = 8
DRAWN = (
    "drawn: chosen at random from below the top, with this chance; review it like the "
    "others, so that what the list misses can be estimated"
)


def print_groups(out: Console, run: RunRecord, groups: Iterable[GroupRecord]) -> None:
    """The ranked groups: what ties them, what is at stake, what their units share."""
    print_heading(out, run)
    table = grid(_GROUP, right=_RIGHT)
    for group in groups:
        cells = (str(group.rank), group.group_id, group.title, *_figures(group))
        table.add_row(*map(escape, cells), " ".join(group.codes))
    out.print(table if table.row_count else "no groups: every unit is opened alone")
    _print_hubs(out, run)
    out.print(f"[dim]{CAUTION}[/]")


def _print_hubs(out: Console, run: RunRecord) -> None:
    hubs = run.links.get("hubs", [])
    said = ", ".join(
        f"{hub['kind']} {hub['value']} ({hub['degree']:,} of at most {hub['limit']:,})"
        for hub in hubs[:HUBS_SHOWN]
    )
    if said:
        out.print(f"Tie nobody, for they have too many neighbours: {escape(said)}")


def _figures(group: GroupRecord) -> tuple[str, str, str, str]:
    return (
        f"{group.units:,}",
        amount(group.money),
        f"{group.density:.2f}",
        f"{group.score:.4f}",
    )


def print_group(out: Console, run: RunRecord, detail: GroupDetail) -> None:
    """One group: why, its units, and what ties them."""
    group = detail.group
    print_heading(out, run)
    units, money, density, score = _figures(group)
    stake = f" · {money} yuan at stake" if money else ""
    name = escape(f"{group.group_id}  {group.title}")
    out.print(f"group [bold]{name}[/]")
    out.print(
        f"rank [bold]{group.rank:,}[/] of the groups (score {score}) · {units} units"
        f"{stake} · {density} of their pairs share a point"
    )
    out.print(
        f"\n[bold]Why they are opened together[/] 团伙成因\n  {escape(group.reason_en)}"
    )
    out.print(f"  {escape(group.reason_zh)}")
    _print_members(out, detail.members)
    _print_ties(out, run, detail.ties)
    out.print(f"[dim]{CAUTION}[/]")


def _print_members(out: Console, members: Iterable[LeadRecord]) -> None:
    out.print("\n[bold]Units[/] 研判对象")
    table = grid(_MEMBER, right=_RIGHT)
    for lead in members:
        cells = (f"{lead.rank_fused:,}", lead.unit_id, lead.title, f"{lead.fused:.4f}")
        table.add_row(*map(escape, cells), amount(lead.money), " ".join(lead.codes))
    out.print(table)


def _print_ties(out: Console, run: RunRecord, ties: Iterable[TieRecord]) -> None:
    out.print("\n[bold]What ties them[/] 关联点")
    table = grid(_TIE, right=_RIGHT)
    for tie in ties:
        cells = (
            node(tie.left_kind, tie.left, run.kinds, "en"),
            node(tie.right_kind, tie.right, run.kinds, "en"),
            f"{tie.role_en} {tie.role_zh}",
            tie.source,
            f"{tie.department_en} {tie.department_zh}",
            tie.row_key,
        )
        table.add_row(
            *map(escape, cells), f"{tie.rows:,}", dated(tie), probability(tie)
        )
    out.print(table)


def print_worklist(out: Console, run: RunRecord, work: Iterable[WorkRecord]) -> None:
    """What to open, in order: units that stand alone, and each group once.

    Units drawn at random from below the top are marked with the chance of the draw.
    """
    print_heading(out, run)
    table = grid(_WORK, right=_RIGHT)
    drawn = False
    for record in work:
        cells = (f"{record.position:,}", f"{record.rank_fused:,}", *_opened(record))
        table.add_row(*map(escape, cells), escape(_drawn(record)))
        drawn = drawn or bool(record.drawn)
    out.print(table)
    if drawn:
        out.print(f"[dim]{DRAWN}[/]")
    out.print(f"[dim]{CAUTION}[/]")


def _drawn(record: WorkRecord) -> str:
    """The chance of the draw; of a group, of which of its units."""
    return ", ".join(
        f"{slot.propensity:.3%}"
        if record.lead
        else f"{slot.unit_id} {slot.propensity:.3%}"
        for slot in record.drawn
    )


def _opened(record: WorkRecord) -> tuple[str, ...]:
    if record.lead:
        return _unit_cells(record.lead)
    return _group_cells(record.group) if record.group else ()


def _unit_cells(lead: LeadRecord) -> tuple[str, ...]:
    title = "" if lead.title == lead.unit_id else lead.title
    return "unit", lead.unit_id, title, "1", amount(lead.money), " ".join(lead.codes)


def _group_cells(group: GroupRecord) -> tuple[str, ...]:
    units, money, *_ = _figures(group)
    return "group", group.group_id, group.title, units, money, " ".join(group.codes)


# How the answer of each query of the store is shown.
ANSWERS: dict[str, Callable[[Console, RunRecord, Any], None]] = {
    "leads": print_leads,
    "unit": print_unit,
    "groups": print_groups,
    "group": print_group,
    "worklist": print_worklist,
}
