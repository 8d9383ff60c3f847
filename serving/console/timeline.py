"""When what happened to a unit: its events on an axis, one lane for each department."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from serving.console.source_rows import Sources

MOST_EVENTS = 80
MOST_LANES = 8
WIDTH, LANE, TOP = 880, 30, 14
_LEFT, _RIGHT = 170, 24
_CLEAR = 100  # around the as-of date, for what is written there
_COLOURS = ("#1d5f8a", "#8a5a00", "#1c6b3c", "#7a3e9d", "#a61b29", "#51606f")
_MONTH = timedelta(days=31)
_STEPS = (1, 3, 6, 12, 24, 60, 120, 600, 2400, 12000)  # months between two ticks


@dataclass(frozen=True, slots=True)
class Event:
    """Rows of one source at one time; `known_at` is of the last of them."""

    at: datetime
    dated: bool  # False: when it happened is not known, `at` is when it was posted
    known_at: datetime | None
    title: str
    department: str
    rows: int
    late: int  # days from the event to the posting


@dataclass(frozen=True, slots=True)
class Mark:
    event: Event
    x: float
    y: float
    colour: str
    radius: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events, newest first, and the same as marks on an axis."""

    events: tuple[Event, ...]
    more: int
    width: int
    height: int
    lanes: tuple[tuple[float, str], ...]  # y and department
    ticks: tuple[tuple[float, str], ...]  # x and date
    marks: tuple[Mark, ...]
    as_of_x: float


def timeline(
    rows: Sequence[dict[str, Any]], sources: Sources, as_of: datetime
) -> Timeline:
    """The timeline of rows of `Dossier.rows`; `as_of` without a zone, like theirs."""
    found = _events(rows, sources)
    events = found[:MOST_EVENTS]
    departments = list(dict.fromkeys(event.department for event in events))
    lanes = {name: n for n, name in enumerate(departments[:MOST_LANES])}
    first = min((event.at for event in events), default=as_of)
    last = max([as_of, *(event.at for event in events)])
    scale = _Scale(first, max(last - first, _MONTH))
    return Timeline(
        events=tuple(events),
        more=len(found) - len(events),
        width=WIDTH,
        height=TOP + LANE * len(lanes) + 30,
        lanes=tuple((_y(n), name) for name, n in lanes.items()),
        ticks=tuple(
            (scale.x(at), f"{at:%Y-%m}")
            for at in _ticks(scale)
            if abs(scale.x(at) - scale.x(as_of)) > _CLEAR
        ),
        marks=tuple(
            _mark(event, lanes[event.department], scale)
            for event in events
            if event.department in lanes
        ),
        as_of_x=scale.x(as_of),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    first: datetime
    span: timedelta

    def x(self, at: datetime) -> float:
        share = (at - self.first) / self.span
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _events(rows: Sequence[dict[str, Any]], sources: Sources) -> list[Event]:
    dated = [row for row in rows if row["event_at"] or row["known_at"]]
    dated.sort(key=lambda row: (_at(row).date(), row["source"], _at(row)), reverse=True)
    return [
        _event(source, list(together), sources)
        for (_day, source), together in groupby(
            dated, key=lambda row: (_at(row).date(), row["source"])
        )
    ]


def _at(row: dict[str, Any]) -> datetime:
    at: datetime = row["event_at"] or row["known_at"]
    return at


def _event(source: str, rows: list[dict[str, Any]], sources: Sources) -> Event:
    at = _at(rows[0])
    known = max((row["known_at"] for row in rows if row["known_at"]), default=None)
    return Event(
        at=at,
        dated=rows[0]["event_at"] is not None,
        known_at=known,
        title=sources.title(source),
        department=sources.department(source) or sources.title(source),
        rows=len(rows),
        late=max((known - at).days, 0) if known else 0,
    )


def _mark(event: Event, lane: int, scale: _Scale) -> Mark:
    colour = _COLOURS[lane % len(_COLOURS)]
    radius = min(5 + event.rows, 9)
    return Mark(event, scale.x(event.at), _y(lane), colour, radius)


def _y(lane: int) -> float:
    return TOP + LANE * (lane + 0.5)


def _ticks(scale: _Scale) -> list[datetime]:
    """Firsts of months, no more than eight of them."""
    last = scale.first + scale.span
    start = scale.first.year * 12 + scale.first.month  # months before the first tick
    end = last.year * 12 + last.month - 1
    step = next((s for s in _STEPS if (end - start) // s < 8), _STEPS[-1])
    numbers = range(-(-start // step) * step, end + 1, step)
    return [datetime(n // 12, n % 12 + 1, 1) for n in numbers][:8]
