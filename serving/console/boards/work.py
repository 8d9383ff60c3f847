"""How the reviews go: time to a disposition, backlog, what becomes of listed units."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from serving.console.boards.board import Board
from serving.console.boards.calendar import Numbers, midnight, mondays_of, weeks
from serving.review.models import Proposal, UnitState
from serving.review.states import CLOSED

_DAY = 86_400.0
_DECIDED = ("confirmed", "excluded", "transferred")


@dataclass(frozen=True, slots=True)
class Waited:
    week: date  # its Monday
    units: int
    median: float  # days
    late: float  # the 90th percentile, days


@dataclass(frozen=True, slots=True)
class Waits:
    weeks: tuple[Waited, ...]  # those with a disposition
    all: Waited | None  # of the period, from its first week


def waits(board: Board) -> Waits:
    """Days from the publication of the list to the verdict that stands, by week.

    The list is the one in which the review began; confirmed, excluded and transferred
    units count, in the week of the verdict.
    """
    held = board.standing
    since = board.since.timestamp()
    published = {run.id: run.published_at.timestamp() for run in board.runs}
    shown = np.array([published.get(run, np.nan) for run in held.run])
    chosen = np.isin(held.verdict.astype(str), _DECIDED) & (held.decided_at >= since)
    # Clocks of one office may differ by minutes: nothing is decided before it is shown.
    days = np.maximum(held.decided_at[chosen] - shown[chosen], 0) / _DAY
    if not len(days):
        return Waits((), None)
    week = mondays_of(held.decided_at[chosen])
    found = [
        _waited(date.fromordinal(int(day)), days[week == day])
        for day in np.unique(week)
    ]
    return Waits(tuple(found), _waited(found[0].week, days))


def _waited(week: date, days: Numbers) -> Waited:
    median, late = np.quantile(days, [0.5, 0.9])
    return Waited(week, len(days), float(median), float(late))


@dataclass(frozen=True, slots=True)
class Load:
    """At the end of a week; in the last one, now."""

    week: date  # its Monday
    assigned: int  # and not closed
    overdue: int  # of them past their day
    awaiting: int  # a second person's answer


@dataclass(frozen=True, slots=True)
class Backlog:
    weeks: tuple[Load, ...]

    @property
    def now(self) -> Load:
        return self.weeks[-1]

    @property
    def ever(self) -> bool:
        return any(w.assigned or w.awaiting for w in self.weeks)


def backlog(board: Board) -> Backlog:
    """Assigned and open units, those overdue, and proposals that wait for an answer.

    The store keeps the last assignment of a unit and when it was closed: of a unit that
    was assigned anew, the time before is not counted.
    """
    spans = weeks(timezone.localtime(board.since).date(), board.now)
    ends = np.array([end.timestamp() for _, end in spans])
    begun, closed, due = _assigned(board)
    open_at = (begun[:, None] <= ends) & (closed[:, None] > ends)
    late = open_at & (due[:, None] <= ends)
    asked, answered = _proposed(board)
    waiting = (asked[:, None] <= ends) & (answered[:, None] > ends)
    counts = np.stack([m.sum(axis=0) for m in (open_at, late, waiting)])
    return Backlog(
        tuple(Load(week, *map(int, counts[:, n])) for n, (week, _) in enumerate(spans))
    )


def _assigned(board: Board) -> tuple[Numbers, Numbers, Numbers]:
    """Of each unit that was assigned: since when, when closed, from when it is overdue."""
    states = UnitState.objects.filter(model=board.model, assigned_at__isnull=False)
    over = Q(state__in=CLOSED, changed_at__lt=board.since)
    kept = board.seen(states.exclude(assignee="").exclude(over))
    rows = list(kept.values_list("assigned_at", "state", "changed_at", "due"))
    # Few days, many units: each day's end is looked up once.
    ends = {
        day: midnight(day + timedelta(days=1)).timestamp()
        for day in {row[3] for row in rows if row[3]}
    }
    begun = [row[0].timestamp() for row in rows]
    closed = [row[2].timestamp() if row[1] in CLOSED else np.inf for row in rows]
    return (
        np.array(begun),
        np.array(closed),
        np.array([ends.get(r[3], np.inf) for r in rows]),
    )


def _proposed(board: Board) -> tuple[Numbers, Numbers]:
    """Of each proposal: when it was made, and when it was answered."""
    waits = UnitState.objects.filter(
        model=board.model, unit_id=OuterRef("unit_id"), state="awaiting"
    )
    rows = (
        board.seen(Proposal.objects.filter(model=board.model))
        .annotate(waits=Exists(waits))
        .values_list("at", "answer__at", "waits")
    )
    asked, answered = [], []
    for at, answer, still in rows:
        if answer or still:  # another one was overtaken by what was said afterwards
            asked.append(at.timestamp())
            answered.append(answer.timestamp() if answer else np.inf)
    return np.array(asked), np.array(answered)


@dataclass(frozen=True, slots=True)
class Conversions:
    """Units within the capacity of a list of the period, and what became of them."""

    listed: int
    taken: int  # assigned, or somebody said something of it
    decided: int  # confirmed, excluded or transferred; or a confirmation withdrawn
    confirmed: int  # and not withdrawn; some of them were transferred afterwards
    transferred: int

    @property
    def steps(self) -> tuple[tuple[str, int], ...]:
        names = ("listed", "taken", "decided", "confirmed", "transferred")
        return tuple((name, int(getattr(self, name))) for name in names)


def conversions(board: Board) -> Conversions:
    listed = np.array(sorted(board.first_units["fused"]), dtype=str)
    held = board.standing
    units = held.unit.astype(str)
    on_list = np.isin(units, listed)
    verdict = held.verdict[on_list]
    touched = _touched(board)
    transferred = verdict == "transferred"
    confirmed = (verdict == "confirmed") | (transferred & held.was_confirmed[on_list])
    decided = transferred | ~np.isnan(held.label[on_list])
    taken = np.union1d(units[on_list], touched[np.isin(touched, listed)])
    counts = map(int, (decided.sum(), confirmed.sum(), transferred.sum()))
    return Conversions(len(listed), len(taken), *counts)


def _touched(board: Board) -> npt.NDArray[np.str_]:
    states = UnitState.objects.filter(model=board.model)
    moved = states.exclude(assignee="", state="open")
    return np.array(list(moved.values_list("unit_id", flat=True)), dtype=str)
