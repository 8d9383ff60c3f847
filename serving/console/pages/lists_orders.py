"""The three orders of a list side by side: by rules, by score, fused."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from serving.access.rights import may
from serving.console.access import run_or_404, signed_in, user_of
from serving.leads.models import Lead, Run

SHOWN = (20, 50, 100)  # leads of each column
DEFAULT_CAPACITY = 20  # of a run that tells of none
ORDERS = ("rules", "score", "fused")


@dataclass(frozen=True, slots=True)
class Placed:
    """A lead in one of the columns, and in how many of the three it stands."""

    lead: Lead
    rank: int
    columns: int
    elsewhere: tuple[tuple[str, int], ...]  # the other orders, and its rank there


@require_GET
@signed_in
def orders(request: HttpRequest, run_id: str) -> HttpResponse:
    run = run_or_404(request, run_id)
    shown = next((n for n in SHOWN if str(n) == request.GET.get("first")), SHOWN[0])
    capacity = run.about.get("review", {}).get("weekly_capacity", DEFAULT_CAPACITY)
    leads = _first(request, run, max(shown, capacity))
    titles = {"rules": _("Rules"), "score": _("Score"), "fused": _("Fused")}
    columns = [
        {
            "name": order,
            "title": titles[order],
            "places": _column(leads, order, shown, titles),
            "alone": _alone(leads, order, capacity),
        }
        for order in ORDERS
    ]
    context = {
        "run": run,
        "as_of": run.as_of.replace(tzinfo=None),
        "columns": columns,
        "shown": shown,
        "sizes": SHOWN,
        "capacity": capacity,
        "overlap": _overlap(leads, capacity),
    }
    return render(request, "console/orders.html", context)


def _first(request: HttpRequest, run: Run, count: int) -> list[Lead]:
    """The leads in sight that stand among the first of any order."""
    user = user_of(request)
    first: set[int] = set()
    for order in ORDERS:  # each by its own index
        top = Lead.objects.filter(run=run, **{f"rank_{order}__lte": count})
        first.update(top.values_list("id", flat=True))
    leads = Lead.objects.filter(id__in=first)
    return [lead for lead in leads if may(user, "see", run.model_id, lead.office)]


def _rank(lead: Lead, order: str) -> int:
    return int(getattr(lead, f"rank_{order}"))


def _within(lead: Lead, count: int) -> list[str]:
    """The orders in which a lead stands among the first."""
    return [order for order in ORDERS if _rank(lead, order) <= count]


def _column(
    leads: list[Lead], order: str, shown: int, titles: dict[str, str]
) -> list[Placed]:
    top = [lead for lead in leads if _rank(lead, order) <= shown]
    return [
        Placed(
            lead=lead,
            rank=_rank(lead, order),
            columns=len(_within(lead, shown)),
            elsewhere=tuple((titles[o], _rank(lead, o)) for o in ORDERS if o != order),
        )
        for lead in sorted(top, key=lambda lead: _rank(lead, order))
    ]


def _alone(leads: list[Lead], order: str, capacity: int) -> list[Lead]:
    """The leads that only this order would have shown within the weekly capacity."""
    alone = [lead for lead in leads if _within(lead, capacity) == [order]]
    return sorted(alone, key=lambda lead: _rank(lead, order))


def _overlap(leads: list[Lead], capacity: int) -> dict[str, Any]:
    """How many leads stand within the capacity in three, two or one of the orders."""
    counted = Counter(len(_within(lead, capacity)) for lead in leads)
    return {"three": counted[3], "two": counted[2], "one": counted[1]}
