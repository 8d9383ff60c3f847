"""Giving many leads of a list to one person at once."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from serving.access.rights import may
from serving.console.access import needs, run_or_404, signed_in, user_of
from serving.console.pages.lists_views import address_of, kept
from serving.leads.models import Lead, Run
from serving.review.assigning import NotAssignable, assign

MOST = 1_000  # leads in one go


class AssignForm(forms.Form):
    to = forms.CharField(max_length=100, required=False)
    due = forms.DateField(required=False)


@require_POST
@signed_in
def assign_leads(request: HttpRequest, run_id: str) -> HttpResponse:
    """Assign the ticked leads; all of them or, with a message, none."""
    run = run_or_404(request, run_id)
    user = needs(request, "assign", run.model_id)
    units = _units(request, run)
    form = AssignForm(request.POST)
    query = kept(QueryDict(request.POST.get("query", "")[:4000]))
    back = redirect(address_of(run, query))
    if not units:
        messages.warning(request, _("Tick the leads to assign first."))
        return back
    if not form.is_valid():
        messages.error(request, _("Give the due date as a date."))
        return back
    to, due = form.cleaned_data["to"], form.cleaned_data["due"]
    try:
        count = assign(units, model=run.model_id, to=to, by=user, due=due)
    except NotAssignable as refused:
        _say_refused(request, refused)
        return back
    said = ngettext(
        "%(count)s lead was assigned.", "%(count)s leads were assigned.", count
    )
    messages.success(request, said % {"count": count})
    return back


def _units(request: HttpRequest, run: Run) -> list[str]:
    """The units of the ticked leads; 404 when one is not the user's to assign."""
    ticked = request.POST.getlist("lead")[: MOST + 1]
    if len(ticked) > MOST or not all(t.isdecimal() and len(t) < 19 for t in ticked):
        raise Http404
    # Without the run in the query: SQLite would read all leads of the run for it.
    found = list(Lead.objects.filter(id__in=[int(number) for number in ticked]))
    theirs = [
        lead.unit_id
        for lead in found
        if lead.run_id == run.id
        and may(user_of(request), "assign", run.model_id, lead.office)
    ]
    if len(theirs) != len(set(ticked)):
        raise Http404
    return theirs


def _say_refused(request: HttpRequest, refused: NotAssignable) -> None:
    said = ngettext(
        "Nothing was assigned: %(whose)s may not take %(count)s of these leads.",
        "Nothing was assigned: %(whose)s may not take %(count)s of these leads.",
        len(refused.units),
    )
    messages.error(
        request, said % {"whose": refused.whose, "count": len(refused.units)}
    )
