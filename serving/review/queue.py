"""What a user should open now: their own work first, then their team's."""

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from serving.access.models import User
from serving.access.rights import grants_for, may, models_in_sight, runs_in_sight
from serving.leads.models import Disposition, Group, Lead, Run, Slot
from serving.review.models import Proposal, Team, UnitState
from serving.review.open_leads import open_leads, taken

MOST = 200  # rows of one's own that are shown
MOST_DRAWN = 1_000  # leads drawn from below the top that are looked through
Unit = tuple[str, str]  # model and unit_id
_UNFINISHED = ("open", "needs_information")
_CAPACITY = 40  # leads a week, where neither a team nor the model says how many
_SHARE = 0.1  # of a week's work that was drawn from below the top, when not declared


@dataclass(frozen=True, slots=True)
class Bench:
    """Where work is shared: a team, or a model for somebody who is in none."""

    name: str
    run: Run  # the newest of its model
    office: str
    capacity: int  # leads a week
    team: Team | None


@dataclass(frozen=True, slots=True)
class Task:
    """A lead that somebody is to finish."""

    lead: Lead
    state: UnitState
    overdue: bool


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to open: a group at the place of its best open lead, or a lead."""

    lead: Lead
    group: Group | None


def newest_runs(user: User) -> dict[str, Run]:
    """model -> its newest run, of the models that the user may see."""
    same = Run.objects.filter(model_id=OuterRef("model_id"))
    newest = same.order_by("-as_of", "-published_at", "-id").values("id")[:1]
    found = runs_in_sight(user).filter(id=Subquery(newest)).select_related("model")
    return {run.model_id: run for run in found.order_by("model_id")}


def benches(user: User, runs: dict[str, Run]) -> list[Bench]:
    """The user's teams; their models when they are in none."""
    teams = Team.objects.filter(members=user).order_by("name")
    found = [
        Bench(team.name, runs[team.model], team.office, team.weekly_capacity, team)
        for team in teams
        if team.model in runs and may(user, "decide", team.model, team.office or None)
    ]
    return found or [
        Bench(
            "",
            run,
            "",
            run.about.get("review", {}).get("weekly_capacity", _CAPACITY),
            None,
        )
        for model, run in runs.items()
        if may(user, "decide", model)
    ]


def done_this_week(bench: Bench, user: User) -> int:
    """Units that the team's members decided on, or proposed to, since Monday."""
    members = bench.team.members.values("username") if bench.team else [user.username]
    said: dict[str, Any] = {
        "model": bench.run.model_id,
        "at__gte": _monday(),
        "user__in": members,
    }
    decided = Disposition.objects.filter(**said).exclude(verdict="withdrawn")
    proposed = Proposal.objects.filter(**said)
    return decided.values("unit_id").union(proposed.values("unit_id")).count()


def mine(user: User) -> list[UnitState]:
    """What is assigned to the user and not finished: due first, at most MOST."""
    found = UnitState.objects.filter(assignee=user.username, state__in=_UNFINISHED)
    return list(found.order_by(F("due").asc(nulls_last=True), "id")[:MOST])


def overdue(user: User) -> list[UnitState]:
    """What is past its day: of the user, and of all whom they may assign work to."""
    models = models_in_sight(user, "assign").values("id")
    whose = Q(assignee=user.username)
    if grants_for(user, "assign"):
        whose |= Q(model__in=models)
    late = UnitState.objects.filter(whose, due__lt=timezone.localdate())
    return list(late.filter(state__in=_UNFINISHED).order_by("due", "id")[:MOST])


def to_second(user: User) -> list[Proposal]:
    """Proposals that wait for a second person, the oldest first, also one's own."""
    models = models_in_sight(user, "second").values("id")
    waits = UnitState.objects.filter(
        model=OuterRef("model"), unit_id=OuterRef("unit_id"), state="awaiting"
    )
    units = UnitState.objects.filter(model__in=models, state="awaiting")
    found = Proposal.objects.filter(
        answer=None, model__in=models, unit_id__in=units.values("unit_id")
    )
    rows = found.filter(Exists(waits)).order_by("id")[:MOST]
    # Of several on a unit the last one is waited for.
    return list({(row.model, row.unit_id): row for row in rows}.values())


def tasks(
    user: User, states: Sequence[UnitState], leads: Mapping[Unit, Lead]
) -> list[Task]:
    """The units as tasks, with those of the leads (`leads_of`) that the user may see."""
    today = timezone.localdate()
    return [
        Task(lead, state, state.due is not None and state.due < today)
        for state in states
        if (lead := leads.get((state.model, state.unit_id))) is not None
        and may(user, "see", state.model, lead.office)
    ]


def leads_of(units: Collection[Unit], runs: dict[str, Run]) -> dict[Unit, Lead]:
    """The lead of each unit in the newest run, or in the last one that has it."""
    if not units:
        return {}
    asked = [unit for _model, unit in units]
    rows = Lead.objects.filter(run__in=runs.values(), unit_id__in=asked)
    found = {(lead.run.model_id, lead.unit_id): lead for lead in _with_run(rows)}
    missing = [unit for model, unit in units if (model, unit) not in found]
    if missing:
        older = Lead.objects.filter(unit_id__in=missing, run__model_id__in=runs)
        newest_first = older.order_by("-run__as_of", "-run__published_at")
        for lead in _with_run(newest_first):
            found.setdefault((lead.run.model_id, lead.unit_id), lead)
    return found


def worklist(
    bench: Bench, user: User, left: int, own: Collection[str] = ()
) -> list[Work]:
    """What the team should open next, at most `left` things, in the order of the list.

    Leads that were drawn from below the top are mixed in, and nothing here tells them
    apart: who knew would judge them otherwise.

    Args:
        own: units that the user has taken already, which are left out.
    """
    if left < 1:
        return []
    drawn = [lead for lead in _drawn(bench, user, left) if lead.unit_id not in own]
    first = _first(bench, user, left, {*own, *(lead.unit_id for lead in drawn)})
    # One whose group is opened anyway is opened with it.
    opened = {lead.group_id for lead in first if lead.group_id}
    drawn = [lead for lead in drawn if lead.group_id not in opened]
    chosen = first[: left - len(drawn)]
    for lead in sorted(drawn, key=_place):
        chosen.insert(int(_place(lead) * (len(chosen) + 1)), lead)
    return _with_groups(bench.run, chosen)


def _monday() -> datetime:
    today: date = timezone.localdate()
    start = datetime.combine(today - timedelta(days=today.weekday()), time.min)
    return timezone.make_aware(start)


def _with_run(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    return leads.select_related("run__model").defer("run__about", "run__coverage")


def _first(bench: Bench, user: User, left: int, without: set[str]) -> list[Lead]:
    """Open leads in the order of ranks; of a group its best one stands for all."""
    chosen: dict[str | int, Lead] = {}
    after = 0
    # A ring may fill a whole round; further rounds leave those that are known out.
    for _round in range(4):
        groups = [name for name in chosen if isinstance(name, str)]
        leads = open_leads(
            user,
            bench.run,
            after=after,
            limit=2 * left + 20,
            office=bench.office,
            without_groups=groups,
        )
        for lead in leads:
            if lead.unit_id not in without:
                chosen.setdefault(lead.group_id or lead.id, lead)
        if len(chosen) >= left or len(leads) < 2 * left + 20:
            break
        after = leads[-1].rank_fused
    return list(chosen.values())[:left]


def _with_groups(run: Run, leads: Sequence[Lead]) -> list[Work]:
    names = [lead.group_id for lead in leads if lead.group_id]
    groups = Group.objects.filter(run=run, group_id__in=names) if names else []
    by_name = {group.group_id: group for group in groups}
    return [
        Work(lead, by_name.get(lead.group_id) if lead.group_id else None)
        for lead in leads
    ]


def _drawn(bench: Bench, user: User, left: int) -> list[Lead]:
    """Open leads that were drawn from below the top, as many as their share."""
    run = bench.run
    order = _drawn_ids(run.id, run.published_at)
    leads = Lead.objects.filter(~taken(user, run, "unit_id"), id__in=order)
    if bench.office:
        leads = leads.filter(Q(office=bench.office) | Q(office__isnull=True))
    seen = (
        lead
        for lead in sorted(leads, key=lambda lead: order[lead.id])
        if may(user, "decide", run.model_id, lead.office)
    )
    share = run.about.get("review", {}).get("explore_share", _SHARE)
    return list(islice(seen, math.ceil(left * share)))


@lru_cache(maxsize=128)
def _drawn_ids(run_id: str, published_at: datetime) -> dict[int, int]:
    """Ids of a run's drawn leads -> their positions; a published run never changes."""
    ids = Lead.objects.filter(run_id=run_id).values_list("id", flat=True)
    first = ids.order_by("rank_fused").first()
    last = ids.order_by("-rank_fused").first()
    # Between the ids of a run's leads there is none of another run: its slots are found by
    # their own index, where by its leads all of them would be read.
    slots = Slot.objects.filter(lead_id__gte=first, lead_id__lte=last, kind="explore")
    found = slots.order_by("position").values_list("lead_id", "position")
    return dict(found[:MOST_DRAWN])


def _place(lead: Lead) -> float:
    """Where in the list a drawn lead stands, in [0, 1): the same every time."""
    digest = hashlib.sha256(f"{lead.run_id}\x00{lead.unit_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
