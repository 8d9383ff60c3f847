"""What a user should open now, what is past its day, and taking work."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from serving.access.models import User
from serving.access.rights import lead_in_sight, may
from serving.console.access import needs, signed_in
from serving.leads.models import Lead, RuleHit
from serving.review import queue
from serving.review.models import Proposal, UnitState
from serving.review.taking import release, take

_MOST = 200  # leads taken at once


@signed_in
@never_cache
@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """Own work, proposals to second, and the work of one of the user's teams."""
    user = needs(request, "decide")
    runs = queue.newest_runs(user)
    own = queue.mine(user)
    waiting = queue.to_second(user)
    leads = queue.leads_of({*map(_unit, own), *map(_unit, waiting)}, runs)
    tasks = queue.tasks(user, own, leads)
    proposals = _proposals(user, waiting, leads)
    context = {
        "tasks": tasks,
        "late": sum(task.overdue for task in tasks),
        "proposals": [p for p in proposals if p["proposal"].user != user.username],
        "waiting": sum(p["proposal"].user == user.username for p in proposals),
        **_shared(request, user, runs, {state.unit_id for state in own}),
        "may_assign": may(user, "assign") or may(user, "manage"),
    }
    return render(request, "console/queue.html", context)


@signed_in
@never_cache
@require_safe
def overdue_page(request: HttpRequest) -> HttpResponse:
    """What is past its day; an office lead sees that of everybody."""
    user = needs(request, "decide")
    runs = queue.newest_runs(user)
    late = queue.overdue(user)
    leads = queue.leads_of({_unit(state) for state in late}, runs)
    shown = [
        task
        for task in queue.tasks(user, late, leads)
        if task.state.assignee == user.username
        or may(user, "assign", task.state.model, task.lead.office)
    ]
    context = {"tasks": shown, "all": may(user, "assign"), "most": queue.MOST}
    return render(request, "console/overdue.html", context)


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def take_page(request: HttpRequest) -> HttpResponse:
    """Take leads to review oneself, or give them back."""
    user = needs(request, "decide")
    if request.method == "GET":  # back from signing in
        return redirect("queue")
    by_run: dict[str, list[Lead]] = {}
    for number in request.POST.getlist("lead")[:_MOST]:
        lead = _lead(user, number)
        if lead is not None:
            by_run.setdefault(lead.run_id, []).append(lead)
    giving_back = "release" in request.POST
    done = 0
    for leads in by_run.values():
        done += len((release if giving_back else take)(leads, user=user))
    _tell(request, done, giving_back)
    team = request.POST.get("team", "")
    query = f"?{urlencode({'team': team})}" if team else ""
    return redirect(f"{reverse('queue')}{query}")


def _tell(request: HttpRequest, done: int, giving_back: bool) -> None:
    if not done:
        messages.warning(request, _("Somebody else has it already."))
    elif giving_back:
        messages.success(
            request,
            ngettext("Gave %(n)d lead back.", "Gave %(n)d leads back.", done)
            % {"n": done},
        )
    else:
        messages.success(
            request,
            ngettext("Took %(n)d lead.", "Took %(n)d leads.", done) % {"n": done},
        )


def _lead(user: User, number: str) -> Lead | None:
    """The lead of a number that was sent, if the user may decide on it."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    lead = lead_in_sight(user, "see", int(number))
    if lead is not None and not may(user, "decide", lead.run.model_id, lead.office):
        raise PermissionDenied
    return lead


def _unit(of: UnitState | Proposal) -> queue.Unit:
    return of.model, of.unit_id


def _proposals(
    user: User, waiting: list[Proposal], leads: dict[queue.Unit, Lead]
) -> list[dict[str, Any]]:
    """Proposals that wait, each with its lead, which the user may second."""
    return [
        {"proposal": proposal, "lead": lead}
        for proposal in waiting
        if (lead := leads.get(_unit(proposal))) is not None
        and may(user, "second", proposal.model, lead.office)
    ]


def _shared(
    request: HttpRequest, user: User, runs: dict[str, Any], own: set[str]
) -> dict[str, Any]:
    """The work of the chosen team, or of the first one."""
    benches = queue.benches(user, runs)
    if not benches:
        return {"benches": []}
    asked = request.GET.get("team", "")
    numbers = {str(number): bench for number, bench in enumerate(benches, 1)}
    number = asked if asked in numbers else "1"
    bench = numbers[number]
    done = queue.done_this_week(bench, user)
    left = max(bench.capacity - done, 0)
    work = queue.worklist(bench, user, left, own)
    return {
        "benches": numbers.items(),
        "number": number,
        "bench": bench,
        "done": done,
        "left": left,
        "work": _with_codes(work),
    }


def _with_codes(work: list[queue.Work]) -> list[dict[str, Any]]:
    """What is to be opened, with the rules that fired on it."""
    alone = [one.lead.id for one in work if one.group is None]
    codes: dict[int, list[str]] = {}
    hits = RuleHit.objects.filter(lead_id__in=alone).order_by("layer", "code")
    for lead_id, code in hits.values_list("lead_id", "code") if alone else ():
        codes.setdefault(lead_id, []).append(code)
    return [
        {
            "lead": one.lead,
            "group": one.group,
            "codes": one.group.codes.split(",")
            if one.group and one.group.codes
            else codes.get(one.lead.id, []),
        }
        for one in work
    ]
