"""The states of a unit's review, and how what was said of it leads to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Literal, get_args

from django.db import connection

from serving.leads.models import Disposition
from serving.review.models import UnitState

State = Literal[
    "open",
    "awaiting",  # a second person's answer to a proposal
    "confirmed",
    "excluded",
    "needs_information",
    "transferred",
    "withdrawn",  # confirmed once, which does not hold any more
]
STATES: tuple[State, ...] = get_args(State)
# Nobody has to open these again; one that needs information comes back.
CLOSED: tuple[State, ...] = ("confirmed", "excluded", "transferred", "withdrawn")

_LOCK = 0x1EB1  # first key of PostgreSQL's advisory locks around a model's reviews
_TOGETHER = 5_000  # units asked for in one query: SQLite allows 32,766 parameters
_DECIDES = ("confirmed", "excluded")
_ROWS = 500  # written by one statement; past Django's objects in a quarter of the time
_UPSERT = (
    "INSERT INTO review_unitstate"
    " (model, unit_id, state, assignee, assigned_by, version, changed_at) VALUES {}"
    " ON CONFLICT (model, unit_id) DO UPDATE SET state = excluded.state,"
    " version = review_unitstate.version + 1, changed_at = excluded.changed_at"
)


def state_after(verdicts: Sequence[str]) -> str:
    """The state in which verdicts on a unit, in the order of time, leave it.

    A confirmation that is withdrawn closes the unit: the suspicion did not hold. Whatever
    else is withdrawn leaves it open, as if it had not been said.
    """
    if not verdicts:
        return "open"
    if verdicts[-1] != "withdrawn":
        return verdicts[-1]
    before = [verdict for verdict in verdicts if verdict != "withdrawn"]
    decided = [verdict for verdict in before if verdict in _DECIDES]
    return "open" if before and decided[-1:] != ["confirmed"] else "withdrawn"


def take_turn(model: str) -> None:
    """Wait until nobody else writes reviews of the model; holds until the commit."""
    # On SQLite the transaction itself, begun IMMEDIATE, lets one writer in at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, model]
            )


def states_of(model: str, unit_ids: Iterable[str]) -> dict[str, UnitState]:
    """The states of those of the units that somebody touched."""
    found: dict[str, UnitState] = {}
    for some in _parts(unit_ids):
        rows = UnitState.objects.filter(model=model, unit_id__in=some)
        found.update((row.unit_id, row) for row in rows)
    return found


def move(model: str, states: Mapping[str, str]) -> None:
    """Set the states of units, each a version further; in the caller's transaction."""
    take_turn(model)
    now = connection.ops.adapt_datetimefield_value(datetime.now(UTC))
    with connection.cursor() as cursor:
        for some in _parts(states, _ROWS):
            rows = [(model, unit, states[unit], "", "", 1, now) for unit in some]
            marks = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(rows))
            cursor.execute(_UPSERT.format(marks), list(chain.from_iterable(rows)))


def settle(model: str, unit_ids: Collection[str], *, answered: bool = False) -> None:
    """Set the states of units to what their dispositions say.

    A unit that waits for a second person goes on waiting when nothing was said of it
    since it began to, such as when older dispositions are brought in; unless `answered`.
    """
    take_turn(model)
    before = {} if answered else states_of(model, unit_ids)
    said = _said(model, unit_ids)
    states = {}
    for unit in unit_ids:
        history = said[unit]
        kept = before.get(unit)
        waits = kept is not None and kept.state == "awaiting"
        if waits and kept and (not history or history[-1].at < kept.changed_at):
            states[unit] = "awaiting"
        else:
            states[unit] = state_after([one.verdict for one in history])
    move(model, states)


@dataclass(frozen=True, slots=True)
class _One:
    verdict: str
    at: datetime


def _said(model: str, unit_ids: Iterable[str]) -> dict[str, list[_One]]:
    said: dict[str, list[_One]] = defaultdict(list)
    for some in _parts(unit_ids):
        rows = Disposition.objects.filter(model=model, unit_id__in=some)
        ordered = rows.order_by("at", "id").values_list("unit_id", "verdict", "at")
        for unit, verdict, at in ordered.iterator():
            said[unit].append(_One(verdict, at))
    return said


def _parts(unit_ids: Iterable[str], size: int = _TOGETHER) -> Iterator[list[str]]:
    asked = iter(unit_ids)
    while some := list(islice(asked, size)):
        yield some
