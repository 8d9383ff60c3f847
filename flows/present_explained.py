"""Why a lead stands where it stands, and what would move it, in a terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from serving.records import LeadDetail, PartRecord, ReasonRecord

KINDS = {
    "value": ("value", "数值"),
    "relation": ("relation", "关系"),
    "peers": ("peers", "同类"),
    "network": ("network", "网络"),
}
SOURCES = {
    "detector": ("detectors", "检测器"),
    "rule": ("rules", "规则"),
    "neighbours": ("units most like it", "最相似对象"),
    "reviews": ("reviews", "核查结论"),
}
SMALLEST = 0.05  # log-odds; a smaller part of a sum is not named


def print_explanation(out: Console, detail: LeadDetail) -> None:
    """The reasons in the order to look at them, what carries the place, what would move it."""
    _print_reasons(out, detail.reasons)
    _print_parts(out, detail.parts)
    _print_counterfactuals(out, detail)


def _print_reasons(out: Console, reasons: Iterable[ReasonRecord]) -> None:
    out.print("\n[bold]What to look at first[/] 首先核查")
    told = list(reasons)
    if not told:
        out.print("  not computed for a lead so far down the list")
    for reason in told:
        english, chinese = KINDS[reason.kind]
        adds = reason.contribution or 0.0
        note = f", adds {adds:.2f}" if adds >= 0.005 else ""
        out.print(
            f"  {reason.position}. {escape(reason.text_en)}  [dim]({english}{note})[/]"
        )
        out.print(f"     {escape(reason.text_zh)}  [dim]（{chinese}）[/]")


def _print_parts(out: Console, parts: Iterable[PartRecord]) -> None:
    """One line: each source's sum in log-odds, and what it is made of."""
    by_source: dict[str, list[PartRecord]] = {}
    for part in parts:
        by_source.setdefault(part.part.partition(":")[0], []).append(part)
    if not by_source:
        return
    out.print("\n[bold]What carries its place[/] 名次构成 [dim](log-odds 对数几率)[/]")
    sums = {s: sum(p.contribution for p in own) for s, own in by_source.items()}
    for source in sorted(sums, key=lambda s: -abs(sums[s])):
        english, chinese = SOURCES[source]
        line = f"  {sums[source]:+.1f}  {english} {chinese}"
        out.print(line + _members(by_source[source]))


def _members(parts: list[PartRecord]) -> str:
    named = [
        f"{escape(part.part.partition(':')[2])} {part.contribution:+.1f}"
        for part in parts
        if ":" in part.part and abs(part.contribution) >= SMALLEST
    ]
    return f"  [dim]{' · '.join(named)}[/]" if named else ""


def _print_counterfactuals(out: Console, detail: LeadDetail) -> None:
    if not detail.counterfactuals:
        return
    out.print("\n[bold]What would move it[/] 若情形不同")
    for changed in detail.counterfactuals:
        out.print(f"  {escape(changed.text_en)}")
        out.print(f"  {escape(changed.text_zh)}")
