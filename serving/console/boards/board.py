"""What one board rests on: who looks at which model, run and period."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

from django.core.cache import cache
from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Sum
from django.db.models.fields.json import KT
from django.utils import timezone

from serving.access.models import User
from serving.access.rights import leads_in_sight, offices_for
from serving.console.boards.history import Standing, read_history, standing
from serving.leads.models import Disposition, Lead, Run
from serving.review.models import Proposal, UnitState

PERIODS = (30, 90, 365)  # days
USUAL_PERIOD = 90
USUAL_CAPACITY = 40  # of a run that does not say it
FORM = 1  # grows when figures are counted or drawn in another way

_SECONDS = 3600  # in the cache of the process
Kept = TypeVar("Kept")


class RunLine(NamedTuple):
    """A run of the model, without all that it published."""

    id: str
    as_of: datetime  # without a zone
    published_at: datetime
    version: str
    units: int
    listed: int  # of them
    capacity: int


@dataclass(eq=False)
class Board:
    """The figures of one model, as one user may see them."""

    user: User
    model: str
    run: RunLine
    runs: tuple[RunLine, ...]  # of the model, newest first
    days: int
    now: datetime

    @cached_property
    def offices(self) -> list[str] | None:
        """The offices in sight; None means all of them."""
        found = offices_for(self.user, "boards", self.model)
        return None if found is None else sorted(found)

    @property
    def since(self) -> datetime:
        """Begin of the period: that many days back, at midnight."""
        today = timezone.localtime(self.now).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return today - timedelta(days=self.days - 1)

    @cached_property
    def lists(self) -> tuple[RunLine, ...]:
        """The runs that were published within the period, oldest first."""
        return tuple(r for r in reversed(self.runs) if r.published_at >= self.since)

    @cached_property
    def chosen(self) -> Run:
        """The chosen run with all that it says of itself."""
        return Run.objects.get(id=self.run.id)

    @cached_property
    def earlier(self) -> tuple[RunLine | None, RunLine | None]:
        """The run before the chosen one, and the first list of its model's version."""
        place = [run.id for run in self.runs].index(self.run.id)
        before = self.runs[place + 1 :]
        same = [run for run in before if run.version == self.run.version]
        return (before[0] if before else None), (same[-1] if same else None)

    @cached_property
    def standing(self) -> Standing:
        """What holds of each unit; read once while nobody decides anything."""
        key = _digest(("standing", *self._reviews, self._newest))
        return kept(key, lambda: standing(read_history(self.leads(), self.model)))

    def leads(self) -> QuerySet[Lead]:
        """The leads of the model that count."""
        return leads_in_sight(self.user, "boards", self.model)

    def seen(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows about units that are leads in sight."""
        if self.offices is None:
            return rows
        return rows.filter(Exists(self.leads().filter(unit_id=OuterRef("unit_id"))))

    @cached_property
    def first_units(self) -> dict[str, set[str]]:
        """Order -> units that stood within the capacity of a list of the period.

        Under `rules` only units on which a rule fired, for without one there is no order.
        """
        found: dict[str, set[str]] = {"fused": set(), "rules": set(), "score": set()}
        for capacity in {run.capacity for run in self.lists}:
            runs = [run.id for run in self.lists if run.capacity == capacity]
            for order, units in found.items():
                rows = self.leads().filter(
                    run_id__in=runs, **{f"rank_{order}__lte": capacity}
                )
                if order == "rules":
                    rows = rows.filter(rules__gt=0)
                units.update(rows.values_list("unit_id", flat=True))
        return found

    @cached_property
    def _reviews(self) -> tuple[Any, ...]:
        """Changes with every disposition, and with what is seen of them."""
        said = Disposition.objects.filter(model=self.model)
        return FORM, self.model, said.aggregate(last=Max("id"))["last"], self.offices

    @property
    def _newest(self) -> tuple[Any, ...]:
        """Changes with every list."""
        return len(self.runs), max(run.published_at for run in self.runs)

    @cached_property
    def key(self) -> str:
        """Changes whenever a figure may: of the state of the store and what is seen."""
        of_model = {"model": self.model}
        states = UnitState.objects.filter(**of_model)
        proposals = Proposal.objects.filter(**of_model)
        return _digest(
            (
                *self._reviews,
                *self._newest,
                states.aggregate(Max("changed_at"), Max("assigned_at"), Count("id")),
                states.aggregate(held=Sum("version")),
                proposals.aggregate(Max("id"), Max("answer__id")),
                *(self.run.id, self.days, timezone.localtime(self.now).date()),
            )
        )


def kept(key: str, make: Callable[[], Kept]) -> Kept:
    """What was made under this key, made anew where the process has lost it."""
    return cast(Kept, cache.get_or_set(key, make, _SECONDS))


def _digest(state: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()


def run_lines(model: str) -> tuple[RunLine, ...]:
    """The runs of a model, newest first as everywhere in the console.

    A published run stays as it is, so they are read anew only when there are others.
    """
    of_model = Run.objects.filter(model_id=model)
    state = of_model.aggregate(Count("id"), Max("published_at"))
    key = _digest(("runs", model, state))
    return kept(key, lambda: _read(of_model))


def _read(runs: QuerySet[Run]) -> tuple[RunLine, ...]:
    rows = (
        runs.order_by("-as_of", "-published_at", "-id")
        .annotate(
            capacity=KT("about__review__weekly_capacity"), on_list=KT("counts__leads")
        )
        .values_list(
            *("id", "as_of", "published_at", "model_version", "units", "on_list"),
            "capacity",
        )
    )
    return tuple(
        RunLine(
            id=run,
            as_of=as_of.replace(tzinfo=None),
            published_at=published_at,
            version=version,
            units=units,
            listed=int(listed),
            capacity=int(capacity or USUAL_CAPACITY),
        )
        for run, as_of, published_at, version, units, listed, capacity in rows
    )
