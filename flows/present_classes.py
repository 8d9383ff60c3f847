"""Look-alikes and classes in a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from flows.classes import ClassReport, Draft, LeadClass
from flows.like import Alike, LikeUnit
from flows.look_alikes import NODE
from flows.present import CAUTION, grid, print_heading
from training.draft_figures import Figures, Precision
from training.likeness import ASPECTS

_HOW = {"node": "same node 同一关联点", "method": "same method 同一手法"}
_UNITS_SHOWN, _SINGLE_SHOWN = 12, 20


def print_alike(out: Console, found: Alike) -> None:
    """The nearest units with what they share, those of the same node first."""
    print_heading(out, found.run)
    out.print(f"like [bold]{escape(found.unit_id)}[/] · 与该对象相似")
    table = grid(
        ("rank", "unit", "how", "alike", *ASPECTS, "rules in common", "standing"),
        right={"rank", "alike", *ASPECTS},
    )
    for unit in found.units:
        table.add_row(*map(escape, _cells(unit)))
    out.print(table)
    for unit in found.units:
        _print_shared(out, unit)
    if not found.knows_points:
        out.print(
            "[dim]this run kept no association points: all are compared by method "
            "· 本批次未保存关联点，只按手法比较[/]"
        )
    if found.left_out:
        out.print(
            f"[dim]{found.left_out:,} reviewed units left out · 已核查的未列入[/]"
        )
    mix = ", ".join(f"{name} {share:.0%}" for name, share in found.mix.items())
    out.print(
        f"[dim]alike: {mix}; an aspect in which the asked unit has no trait is left out. "
        f"Same node first: shared points as rare as one of ten units. {CAUTION}[/]"
    )


def _cells(unit: LikeUnit) -> list[str]:
    aspects = [unit.aspects[name] for name in ASPECTS]
    return [
        f"{unit.rank_fused:,}",
        unit.unit_id,
        _HOW[unit.how],
        f"{unit.overall:.2f}",
        *("" if value is None else f"{value:.2f}" for value in aspects),
        " ".join(unit.rules),
        unit.disposition or "",
    ]


def _print_shared(out: Console, unit: LikeUnit) -> None:
    out.print(f"\n[bold]{escape(unit.unit_id)}[/]")
    for point in unit.points if unit.how == NODE else ():
        label = f"{point.kind_en} · {point.kind_zh} {point.label}"
        out.print(f"  {escape(label)} [dim]({point.units:,} units)[/]")
    for feature in unit.features:
        out.print(f"  {escape(feature.text_en)}", soft_wrap=True)
        out.print(f"  {escape(feature.text_zh)}", soft_wrap=True)


def print_classes(out: Console, report: ClassReport) -> None:
    """Classes with traits, members and draft rules, then what stands alone."""
    print_heading(out, report.run)
    out.print(
        f"{report.confirmed:,} confirmed and {report.excluded:,} excluded leads in this list"
        f" · 本批次已查实{report.confirmed:,}条，排除{report.excluded:,}条"
    )
    if report.elsewhere:
        out.print(f"[dim]{report.elsewhere:,} confirmed leads are not in this list[/]")
    for one in report.classes:
        _print_class(out, one)
    if report.single:
        shown = ", ".join(report.single[:_SINGLE_SHOWN])
        more = " ..." if len(report.single) > _SINGLE_SHOWN else ""
        out.print(
            f"\n[bold]Single cases[/] 个案: {len(report.single)} leads: {escape(shown)}{more}"
        )
    if not report.classes:
        out.print("no class: no two confirmed cases are alike · 尚无两件相似的查实案件")
    out.print(
        "\n[bold]Nothing was activated.[/] Who accepts a draft copies its block into "
        "rules.yaml, writes the lawful explanation and golden cases, and tests it with "
        "`leadline backtest`.\n"
        "以上草案均未启用：采纳者须将其复制到rules.yaml，写明合法解释与用例，并先做回测。"
    )


def _print_class(out: Console, one: LeadClass) -> None:
    out.print(
        f"\n[bold]Class {one.number} · 类案{one.number}[/]: {escape(one.name_en)}\n"
        f"  {escape(one.name_zh)}\n"
        f"  {one.leads} leads in {one.cases} cases; most typical "
        f"{escape(one.centre)} · {one.cases}件{one.leads}条，最典型{escape(one.centre)}"
    )
    members = ", ".join(one.units[:_UNITS_SHOWN])
    more = f" and {one.leads - _UNITS_SHOWN} more" if one.leads > _UNITS_SHOWN else ""
    out.print(f"  {escape(members)}{more}", soft_wrap=True)
    table = grid(
        ("trait", "特征", "of the cases", "of all units", "ratio", "p"),
        right={"of the cases", "of all units", "ratio", "p"},
    )
    for trait in one.traits:
        shares = (f"{trait.share:.0%}", f"{trait.population:.1%}")
        numbers = (*shares, f"{trait.ratio:,.0f}", f"{trait.p:.0e}")
        table.add_row(escape(trait.text_en), escape(trait.text_zh), *numbers)
    if one.traits:
        out.print(table)
    if one.draft is None:
        out.print(f"  {one.no_draft_en}\n  {one.no_draft_zh}")
    else:
        _print_draft(out, one.draft)


def _print_draft(out: Console, draft: Draft) -> None:
    out.print(f"  [bold]{draft.code}[/] layer {draft.layer}: {escape(draft.when)}")
    for line in _figures(draft.figures):
        out.print(f"    {line}", soft_wrap=True)
    out.print(escape(draft.block), soft_wrap=True)


def _figures(measured: Figures) -> Iterator[str]:
    yield (
        f"holds on {measured.support:.1f} of {measured.cases} cases and "
        f"{measured.leads_hit} of {measured.leads} leads; {measured.lift:,.0f} times as "
        f"often as on other units · 覆盖{measured.support:.1f}/{measured.cases}件"
    )
    yield (
        f"reviewed hits: {measured.confirmed} confirmed, {measured.excluded} excluded; "
        f"by cases {_share(measured.precision)} · 已核查命中"
    )
    kept = measured.held_out
    yield (
        f"drafted without them, {kept.support:.0%} of the cases are found, "
        f"{_share(kept.precision)} of reviewed hits confirmed ({kept.folds} folds) · 交叉验证"
    )
    weekly = "" if measured.a_week is None else f", {measured.a_week:.1f} a week"
    yield (
        f"hits {measured.hits:,} of all units{weekly}; {measured.new:,} that no rule hits "
        f"today, {measured.unreviewed:,} unreviewed · 预计命中{measured.hits:,}"
    )
    if measured.hits and not measured.new:
        yield (
            "it adds no lead to today's rules; it may sharpen one of them, or replace it "
            "· 未新增线索，可用于改进现有规则"
        )
    if measured.overlap:
        first = list(measured.overlap.items())[:3]
        shares = ", ".join(f"{code} {share:.0%}" for code, share in first)
        yield f"its hits are hit already by {shares} · 与现有规则重合"


def _share(found: Precision) -> str:
    if found.share is None:
        return "none reviewed"
    return f"{found.share:.0%} ({found.low:.0%} to {found.high:.0%})"
