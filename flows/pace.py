"""How much time is left of a command: from how long its steps took the last time."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

_NUMBER = re.compile(r"\d[\d,.]*")
AGAIN = ": as in an earlier run"  # ends the name of a step that had nothing to do
# Steps that ran for less say little of how much slower or larger this run is.
ENOUGH = 2.0
SLOWEST = 20.0


class Pace:
    """Told of each step as it begins; remembers in a file how long each took.

    The estimate is the rest of the last run, stretched by how much longer this run's
    steps have taken so far: twice the rows or a busy machine show after the first steps.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._before = _remembered(file)
        self._took: dict[str, float] = {}
        self._step, self._since = "", clock()

    def begins(self, step: str) -> float | None:
        """Seconds that are left as this step begins; None on a first run."""
        self._end()
        self._step = _NUMBER.sub("#", step)
        names = list(self._before)
        if self._step not in self._before:
            return None
        left = sum(self._before[name] for name in names[names.index(self._step) :])
        # A step that tells of its own progress begins several times.
        spent = self._took.get(self._step, 0.0)
        return max(left * self._stretched() - spent, 0.0)

    def done(self) -> None:
        """All steps came to their end: what they took is what the next run goes by."""
        self._end()
        skipped = any(step.endswith(AGAIN) for step in self._took)
        took = {n: s for n, s in self._took.items() if not n.endswith(AGAIN)}
        kept = {n: took.get(n, s) for n, s in self._before.items()} if skipped else {}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(kept | took))
        part.replace(self._file)

    def _end(self) -> None:
        now = self._clock()
        if self._step:
            self._took[self._step] = self._took.get(self._step, 0.0) + now - self._since
        self._since = now

    def _stretched(self) -> float:
        ended = self._took.keys() - {self._step}
        both = [name for name in ended if name in self._before]
        before = sum(self._before[name] for name in both)
        now = sum(self._took[name] for name in both)
        if before < ENOUGH:
            return 1.0
        return min(max(now / before, 1 / SLOWEST), SLOWEST)


def in_words(seconds: float | None) -> str:
    """`about 12 min left`; nothing where nothing is known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"


def _remembered(file: Path) -> dict[str, float]:
    try:
        return {str(n): float(s) for n, s in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}
