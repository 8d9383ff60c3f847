"""What a person sees of entity resolution: blocks, clusters, doubts, warnings."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from flows.present import print_table

_TABLES = {
    "links": "Links by decision",
    "blocks": "What each blocking rule brings",
    "cluster sizes": "Records of one entity",
    "largest clusters": "Largest entities and what holds them together",
    "flagged": "Look over-merged: split, and linked by identifier alone where that is not enough",
}


def print_links(out: Console, model: str, reports: Sequence[dict[str, Any]]) -> None:
    """One section for each entity; identifiers are masked."""
    if not reports:
        out.print(
            f"{model}: no entity declares columns to match; valid identifiers tie records"
        )
    for told in reports:
        out.print(
            f"\n[bold]{told['entity']}[/]: {told['records']:,} different records are "
            f"{told['entities']:,} entities"
        )
        for warning in told["warnings"]:
            out.print(f"[yellow]warning[/] {warning}")
        for name, title in _TABLES.items():
            if told[name]:
                print_table(out, told[name], title)
        _print_doubtful(out, model, told)


def _print_doubtful(out: Console, model: str, told: dict[str, Any]) -> None:
    if not told["doubtful links"]:
        return
    print_table(
        out, told["doubtful links"], "Doubtful links, not used: a person may judge"
    )
    out.print(
        f"  leadline judge {model} {told['entity']} LEFT RIGHT same|different --note TEXT"
    )
