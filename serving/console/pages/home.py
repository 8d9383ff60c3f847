"""The first page: the supervision models in sight, their newest lists, one's own work."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from serving.access.models import User
from serving.access.rights import models_in_sight
from serving.console.access import signed_in, user_of
from serving.console.pages.lists import STALE_DAYS
from serving.leads.models import Run, SupervisionModel
from serving.review.models import UnitState
from serving.review.states import CLOSED


@dataclass(frozen=True, slots=True)
class Card:
    """A supervision model with its newest list."""

    model: SupervisionModel
    run: Run
    mine: int  # leads assigned to the user that are not closed
    overdue: int

    @property
    def as_of(self) -> datetime:
        return self.run.as_of.replace(tzinfo=None)

    @property
    def days(self) -> int:
        return (timezone.now() - self.run.published_at).days

    @property
    def stale(self) -> bool:
        return self.days >= STALE_DAYS

    @property
    def capacity(self) -> int | None:
        capacity: int | None = self.run.about.get("review", {}).get("weekly_capacity")
        return capacity


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    models = models_in_sight(user).order_by("id")
    newest = _newest()
    mine, overdue = _mine(user), _mine(user, overdue=True)
    cards = [
        Card(model, newest[model.id], mine.get(model.id, 0), overdue.get(model.id, 0))
        for model in models
        if model.id in newest
    ]
    return render(request, "console/home.html", {"cards": cards})


def _newest() -> dict[str, Run]:
    """model -> its newest run."""
    runs = Run.objects.order_by("as_of", "published_at", "id")
    named = ("id", "model_id", "as_of", "published_at", "units", "counts", "about")
    shown = runs.only(*named)
    latest = {model: number for number, model in runs.values_list("id", "model_id")}
    return {run.model_id: run for run in shown.filter(id__in=latest.values())}


def _mine(user: User, *, overdue: bool = False) -> dict[str, int]:
    """model -> the user's leads that are not closed."""
    states = UnitState.objects.filter(assignee=user.username).exclude(state__in=CLOSED)
    if overdue:
        states = states.filter(due__lt=timezone.localdate())
    counted = states.values("model").annotate(count=Count("id"))
    return {row["model"]: row["count"] for row in counted}
