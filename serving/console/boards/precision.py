"""How many of the reviewed leads were confirmed: at capacity, by order, by rule."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import islice

import numpy as np

from serving.console.boards.board import Board
from serving.console.boards.calendar import Counts, Numbers, monday, month, months_of
from serving.console.boards.history import Standing
from serving.console.boards.intervals import Share, share, weighted_share
from serving.leads.models import RuleHit

ORDERS = ("fused", "rules", "score")
SINGLE_RUNS = 26  # more lists than these are added up by week
SCOPE = 1  # the layer whose rules say what is looked at, not what is odd
_TOGETHER = 5_000  # leads asked for in one query: SQLite allows 32,766 parameters


@dataclass(frozen=True, slots=True)
class Point:
    """The top of one list, or of the lists of one week."""

    at: date  # as-of date of the list, or Monday of the week
    lists: int
    share: Share


@dataclass(frozen=True, slots=True)
class Precision:
    points: tuple[Point, ...]  # in the order of time; those with reviews alone
    weekly: bool
    all: Share
    drawn: Share  # below the top, by the draws


def precision(board: Board) -> Precision:
    """Share confirmed of the reviewed leads within the weekly capacity of each list.

    A lead counts in the list in which its review began. What was drawn at random is kept
    apart, and weighted by the chance of the draw it stands for all that lies below.
    """
    held = board.standing
    place = _places(board, held)
    known = ~np.isnan(held.label) & (place >= 0)
    capacity = np.array([run.capacity for run in board.lists] or [0])[place]
    drawn = held.kind == "explore"
    top = known & ~drawn & (held.fused <= capacity)
    explored = known & drawn
    days = [run.as_of.date() for run in board.lists]
    reviewed = np.unique(place[top])
    weekly = len(reviewed) > SINGLE_RUNS
    # One bin for each list, or for each week.
    bins = [(monday(d), 0) if weekly else (d, n) for n, d in enumerate(days)]
    order = sorted(set(bins))
    of_run = np.array([order.index(b) for b in bins] or [0])
    label = held.label[top]
    where = of_run[place[top]]
    of = np.bincount(where, minlength=len(order))
    hits = np.bincount(where, label, minlength=len(order))
    points = tuple(
        Point(b[0], bins.count(b), share(hits[n], of[n]))
        for n, b in enumerate(order)
        if of[n]
    )
    below = weighted_share(held.label[explored], held.chance[explored])
    return Precision(points, weekly, share(float(label.sum()), len(label)), below)


def _places(board: Board, held: Standing) -> Counts:
    """Which list of the period each review began in; -1 = none of them."""
    ids = np.array([run.id for run in board.lists], dtype=object)
    order = np.argsort(ids.astype(str), kind="stable")
    if not len(ids) or not len(held.run):
        return np.full(len(held.run), -1)
    names = ids[order].astype(str)
    at = np.minimum(np.searchsorted(names, held.run.astype(str)), len(ids) - 1)
    return np.where(names[at] == held.run.astype(str), order[at], -1)


@dataclass(frozen=True, slots=True)
class Order:
    """The units within the capacity of one order, over the lists of the period."""

    order: str
    units: int
    confirmed: int
    cleared: int
    share: Share  # confirmed of the reviewed

    @property
    def unreviewed(self) -> int:
        return self.units - self.confirmed - self.cleared


@dataclass(frozen=True, slots=True)
class Lift:
    orders: tuple[Order, ...]  # fused, rules, score
    capacity: int  # of the newest list of the period

    def over(self, other: str) -> float | None:
        """Confirmed in the fused order, as a multiple of those in another one."""
        found = {order.order: order.confirmed for order in self.orders}
        return found["fused"] / found[other] if found.get(other) else None


def lift(board: Board) -> Lift:
    """Confirmed units that each order would have shown within its weekly capacity.

    A unit counts once, however many lists it stood on. What an order would have shown
    and nobody reviewed is counted apart: it is unknown, not wrong.
    """
    held = board.standing
    capacity = board.lists[-1].capacity if board.lists else 0
    found = []
    for order in ORDERS:
        units = board.first_units[order]
        inside = np.isin(held.unit.astype(str), np.array(sorted(units), dtype=str))
        label = held.label[inside & ~np.isnan(held.label)]
        confirmed = int(label.sum())
        rate = share(confirmed, len(label))
        cleared = len(label) - confirmed
        found.append(Order(order, len(units), confirmed, cleared, rate))
    return Lift(tuple(found), capacity)


@dataclass(frozen=True, slots=True)
class RuleRow:
    code: str
    layer: int
    all: Share
    months: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class RuleTable:
    months: tuple[date, ...]  # first days
    rows: tuple[RuleRow, ...]  # layer by layer


def rule_precision(board: Board) -> RuleTable:
    """Share confirmed of the reviewed leads that each rule fired on, by month.

    Rules that only say what is looked at (the scope layer) are left out.
    """
    held = board.standing
    since = board.since.timestamp()
    known = np.flatnonzero(~np.isnan(held.label) & (held.decided_at >= since))
    if not len(known):
        return RuleTable((), ())
    months = months_of(held.decided_at[known])
    span = [month(n) for n in range(int(months.min()), int(months.max()) + 1)]
    column = months - months.min()
    leads, label = held.lead[known], held.label[known]
    order = np.argsort(leads)
    rules: dict[tuple[int, str], list[int]] = defaultdict(list)
    for lead, layer, code in _hits(leads):
        rules[layer, code].append(lead)
    rows = []
    for (layer, code), of_rule in sorted(rules.items()):
        at = order[np.searchsorted(leads[order], np.array(of_rule))]
        rows.append(_row(code, layer, column[at], label[at], len(span)))
    return RuleTable(tuple(span), tuple(rows))


def _row(
    code: str,
    layer: int,
    column: Counts,
    label: Numbers,
    months: int,
) -> RuleRow:
    of = np.bincount(column, minlength=months)
    hits = np.bincount(column, label, minlength=months)
    cells = tuple(share(hit, n) for hit, n in zip(hits, of, strict=True))
    return RuleRow(code, layer, share(float(label.sum()), len(label)), cells)


def _hits(
    leads: Counts,
) -> list[tuple[int, int, str]]:
    """(lead, layer, code) of the rules above the scope that fired on the leads."""
    found: list[tuple[int, int, str]] = []
    asked = iter(leads.tolist())
    while some := list(islice(asked, _TOGETHER)):
        rows = RuleHit.objects.filter(lead_id__in=some, layer__gt=SCOPE)
        found += rows.values_list("lead_id", "layer", "code")
    return found
