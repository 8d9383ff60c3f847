"""The first page: the supervision models in sight, their newest lists, one's own work."""

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from serving.access.rights import models_in_sight
from serving.console.access import signed_in, user_of
from serving.leads.models import Run
from serving.review.models import UnitState


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    models = models_in_sight(user).annotate(newest=Max("runs__as_of")).order_by("id")
    newest = {
        run.model_id: run
        for run in Run.objects.filter(model__in=models)
        .order_by("as_of", "published_at", "id")
        .only("id", "model_id", "as_of", "published_at", "units")
    }
    mine = UnitState.objects.filter(assignee=user.username).exclude(
        state__in=("confirmed", "excluded", "transferred", "withdrawn")
    )
    rows = [
        {
            "model": model,
            "run": newest[model.id],
            "mine": mine.filter(model=model.id).count(),
        }
        for model in models
        if model.id in newest
    ]
    return render(request, "console/home.html", {"rows": rows})
