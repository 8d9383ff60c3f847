"""Generated evaluation pages: tables in Markdown, and the line that says how."""

import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent.parent / "docs" / "evaluation"


def table(frame: pd.DataFrame) -> Iterator[str]:
    """A frame as Markdown; floats with three decimals."""
    yield "| " + " | ".join(map(str, frame.columns)) + " |"
    yield "|" + "---|" * len(frame.columns)
    for row in frame.itertuples(index=False):
        yield (
            "| "
            + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)
            + " |"
        )


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def write(name: str, lines: Iterable[str]) -> None:
    """Write docs/evaluation/<name>.md."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
