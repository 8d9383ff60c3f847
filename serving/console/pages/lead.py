"""The lead page, which answers why a unit is on the list, and its parts."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from serving.access.rights import may
from serving.audit.chain import record
from serving.console.access import lead_or_404, signed_in, user_of
from serving.console.language import language
from serving.console.lead_graph import lead_graph
from serving.console.lead_history import concluded, places, ranks
from serving.console.lead_others import alike
from serving.console.lead_view import LeadView
from serving.console.lead_words import PURPOSES
from serving.console.pages.decide import panel
from serving.console.source_rows import opened_columns, tables
from serving.console.timeline import timeline


class PurposeForm(forms.Form):
    """Why sensitive fields are opened; it is kept in the audit log."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=[*PURPOSES.items()])
    note = forms.CharField(
        label=_("In your own words"),
        max_length=500,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("purpose") == "other" and not data.get("note", "").strip():
            self.add_error("note", _("Say what you open the fields for."))
        return data


@signed_in
@never_cache
@require_safe
def lead(request: HttpRequest, lead_id: int) -> HttpResponse:
    """The page; `?open=` names the opened nodes of the graph."""
    found = lead_or_404(request, lead_id)
    view = LeadView(user_of(request), found, language())
    return render(request, "console/lead.html", _page(request, view))


@signed_in
@never_cache
@require_safe
def graph(request: HttpRequest, lead_id: int) -> HttpResponse:
    """The link graph alone, for htmx; without it the page with the same nodes open."""
    found = lead_or_404(request, lead_id)
    view = LeadView(user_of(request), found, language())
    if not getattr(request, "htmx", False):
        return render(request, "console/lead.html", _page(request, view))
    context = {"view": view, **_graph(request, view)}
    return render(request, "console/lead_graph.html", context)


@signed_in
@never_cache
@require_POST
def disclose(request: HttpRequest, lead_id: int) -> HttpResponse:
    """The source rows with sensitive fields opened, in this answer only, and logged."""
    found = lead_or_404(request, lead_id)
    user = user_of(request)
    if not may(user, "disclose", found.run.model_id, found.office):
        raise PermissionDenied
    view = LeadView(user, found, language())
    form = PurposeForm(request.POST)
    opened = form.is_valid()
    with transaction.atomic():
        rows = _rows(view, opened)
        if opened:
            record(
                "disclosed",
                user=user.username,
                model=found.run.model_id,
                run=found.run_id,
                unit=found.unit_id,
                purpose=form.cleaned_data["purpose"],
                note=form.cleaned_data["note"],
                sources=opened_columns(rows["tables"]),
            )
    context = {"view": view, "lead": found, **rows, "form": form}
    if getattr(request, "htmx", False):
        return render(request, "console/lead_rows.html", context)
    page = {**_page(request, view), **context}
    return render(request, "console/lead.html", page)


def _page(request: HttpRequest, view: LeadView) -> dict[str, Any]:
    view.look_ahead()
    earlier = places(view.user, view.lead)
    return {
        "view": view,
        "lead": view.lead,
        "run": view.run,
        "kept": "rows" in view.run.files,
        **_graph(request, view),
        **_rows(view, False),
        "timeline": timeline(view.rows, view.sources, view.as_of)
        if view.rows
        else None,
        "alike": alike(view.likes, view.others, view.states, view.lang),
        "places": earlier,
        "ranks": ranks(earlier),
        "concluded": concluded(view.lead),
        "may_export": _may(view, "export"),
        **panel(request, view.lead),
    }


def _may(view: LeadView, action: Any) -> bool:
    return may(view.user, action, view.run.model_id, view.lead.office)


def _graph(request: HttpRequest, view: LeadView) -> dict[str, Any]:
    asked = request.GET.getlist("open") if "open" in request.GET else None
    return {"picture": lead_graph(view.kept, view.others, asked, view.lang)}


def _rows(view: LeadView, opened: bool) -> dict[str, Any]:
    shown = tables(view.rows, view.sources, opened)
    return {
        "tables": shown,
        "opened": opened,
        "form": PurposeForm(),
        "may_disclose": _may(view, "disclose") and any(t.masked for t in shown),
    }
