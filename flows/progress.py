"""Progress for people, and records as plain data for machines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from flows.pace import Pace, in_words

Stage = Callable[[str], None]
# What the command that is running shows its stages with; flows run inside a command.
_shown: ContextVar[Stage | None] = ContextVar("_shown", default=None)


def shown_stage(name: str) -> None:
    """Show a stage on the terminal of the command that runs, if there is one."""
    show = _shown.get()
    if show is not None:
        show(name)


@contextmanager
def stages(expected: int, times: Path | None = None) -> Iterator[Stage]:
    """A function to call as each stage begins; `shown_stage` calls it from anywhere.

    Args:
        times: file that remembers how long stages take, to say how much time is left.
    """
    pace = Pace(times) if times else None
    with _display(expected) as show:

        def stage(name: str) -> None:
            show(name, in_words(pace.begins(name)) if pace else "")

        token = _shown.set(stage)
        try:
            yield stage
        finally:
            _shown.reset(token)
    if pace:
        pace.done()


@contextmanager
def _display(expected: int) -> Iterator[Callable[[str, str], None]]:
    """A bar in a terminal, a line a stage in a log.

    Args:
        expected: about how many stages will come; the bar is full at the end anyway.
    """
    if not sys.stderr.isatty():
        started = time.monotonic()
        log = Console(stderr=True, highlight=False)

        def line(name: str, left: str) -> None:
            told = f"{name}, {left}" if left else name
            log.print(f"{time.monotonic() - started:7.1f} s  {told}")

        yield line
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<32}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=expected, left="")
        yield lambda name, left: bar.update(
            task, advance=1, description=name, left=left
        )


def plain(content: Any) -> Any:
    """Records as dictionaries, all the way down."""
    if is_dataclass(content) and not isinstance(content, type):
        return {f.name: plain(getattr(content, f.name)) for f in fields(content)}
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    return content
