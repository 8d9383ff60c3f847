"""What a person sees of trained versions: which there are, and how two compare."""

from typing import Any

from rich.console import Console
from rich.text import Text

from flows.compare import Compared, tables_of
from flows.present import print_table
from training.selection_rule import RULE


def print_history(out: Console, found: dict[str, Any]) -> None:
    """Versions, releases, and what was left unfinished."""
    print_table(out, found["versions"], "Versions")
    print_table(out, found["releases"], "Releases")
    if found["unfinished"]:
        out.print(Text(f"\n{found['unfinished']}", style="red"), soft_wrap=True)


def print_comparison(out: Console, result: Compared) -> None:
    """Numbers first, then the written rule, then what it says."""
    for title, rows in tables_of(result).items():
        print_table(out, rows, title)
    out.print("\n[bold]The rule[/] 选用规则")
    out.print(Text(RULE), soft_wrap=True)
    verdict = result.found.verdict
    out.print(Text(verdict.text_en, style="bold"), soft_wrap=True)
    out.print(Text(verdict.text_zh, style="bold"), soft_wrap=True)
