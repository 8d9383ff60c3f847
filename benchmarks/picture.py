"""The README's picture: the demo's list and one lead, drawn from the published run.

Run `make demo` first, then `python -m benchmarks.picture`.
"""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from configs.settings import Settings
from flows.present import print_lead, print_leads
from serving.connect import open_store

FOLDER = Path(__file__).parent.parent / "docs" / "images"
# Without the web fonts of Rich's own template: nothing is fetched to show a picture.
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: "DejaVu Sans Mono", "Noto Sans Mono CJK SC", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
<rect fill="#fdfdfb" stroke="#ccc" x="1" y="1" rx="6"
  width="{terminal_width}" height="98%"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""
THEME = TerminalTheme(
    (253, 253, 251), (40, 40, 40), [(40, 40, 40)] * 8, [(40, 40, 40)] * 8
)


def main() -> None:
    open_store(Settings())
    from serving import queries

    run = queries.latest_run("vehicle_insurance")
    first = queries.leads(run.id, 12)
    listed = Console(record=True, width=158, highlight=False, file=io.StringIO())
    print_leads(listed, run, first)
    _save(listed, "leads.svg")
    detail = Console(record=True, width=130, highlight=False, file=io.StringIO())
    print_lead(detail, run, queries.lead(run.id, first[0].unit_id))
    _save(detail, "lead.svg")


def _save(console: Console, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = console.export_svg(theme=THEME, code_format=SVG, unique_id="leadline")
    # Rich counts a Chinese character as one cell there and would squeeze the text.
    (FOLDER / name).write_text(
        re.sub(r' textLength="[^"]*"', "", drawn), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
