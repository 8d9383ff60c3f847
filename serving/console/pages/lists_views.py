"""Saved views: a list's filters and order under a name."""

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from serving.access.models import User
from serving.console.access import run_or_404, signed_in, user_of
from serving.console.list_filter import LeadFilter
from serving.leads.models import Run
from serving.review.models import SavedView

NAMES = {"order", "size", *LeadFilter.base_filters}
_LONGEST = 4_000  # characters of an address


class ViewForm(forms.Form):
    name = forms.CharField(max_length=100)
    query = forms.CharField(max_length=_LONGEST, required=False)
    shared = forms.BooleanField(required=False)


def kept(query: QueryDict) -> QueryDict:
    """Of a query what narrows and sorts a list: no place in it, and nothing empty."""
    rest = QueryDict(mutable=True)
    for name, values in query.lists():
        if name in NAMES and values[-1].strip():
            rest[name] = values[-1]
    return rest


def address_of(run: Run, query: QueryDict) -> str:
    """The list of a run as a query narrows and sorts it."""
    address = reverse("list", args=[run.id])
    return f"{address}?{query.urlencode()}" if query else address


def views_for(user: User, model: str) -> list[SavedView]:
    """The user's own views of a model's lists, then those that others share."""
    seen = Q(user=user.username) | Q(shared=True)
    found = SavedView.objects.filter(seen, model=model).order_by("name", "user")[:100]
    return sorted(found, key=lambda view: view.user != user.username)


@require_POST
@signed_in
def save(request: HttpRequest, run_id: str) -> HttpResponse:
    """Keep the filters of the list under a name; one's own view of that name is replaced."""
    run = run_or_404(request, run_id)
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the view a name of up to 100 characters."))
        return redirect("list", run.id)
    query = kept(QueryDict(form.cleaned_data["query"]))
    SavedView.objects.update_or_create(
        user=user_of(request).username,
        model=run.model_id,
        name=form.cleaned_data["name"],
        defaults={"query": query.urlencode(), "shared": form.cleaned_data["shared"]},
    )
    messages.success(request, _("The view was saved."))
    return redirect(address_of(run, query))


@require_POST
@signed_in
def delete(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete one's own view."""
    own = SavedView.objects.filter(id=view_id, user=user_of(request).username).first()
    if own is None:
        raise Http404
    own.delete()
    messages.success(request, _("The view was deleted."))
    return redirect("list-newest", model=own.model)
