"""The page of one person, company or other node, across the supervision models."""

from collections import Counter
from typing import Any

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from serving.access.models import User
from serving.audit.chain import record
from serving.console.access import needs, signed_in
from serving.console.entity import Known, known_of
from serving.console.graph import spoken
from serving.console.review_words import STATE_TITLES


class PurposeForm(forms.Form):
    """Why a masked value is opened; it stands in the audit log."""

    purpose = forms.CharField(label=_("Purpose"), min_length=3, max_length=500)


@signed_in
@require_safe
def entity(request: HttpRequest, key: str) -> HttpResponse:
    """Leads, roles and ties of one node, of the newest run of every model in sight."""
    user = needs(request, "see")
    return _page(request, key, _known_or_404(user, key), PurposeForm())


@signed_in
@require_POST
def entity_disclose(request: HttpRequest, key: str) -> HttpResponse:
    """Show the value of a node to who may see it and says what for."""
    user = needs(request, "disclose")
    known = _known_or_404(user, key)
    opened = next((one for one in known if one.may_disclose), None)
    if opened is None or opened.node is None:
        raise Http404
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return _page(request, key, known, form)
    with transaction.atomic():
        record(
            "disclosed",
            user=user.username,
            model=opened.run.model_id,
            run=opened.run.id,
            key=key,
            kind=opened.node["kind"],
            purpose=form.cleaned_data["purpose"],
        )
    return _page(request, key, known, form, opened.node["value"])


def _known_or_404(user: User, key: str) -> list[Known]:
    known = known_of(user, key)
    if not known:
        raise Http404
    return known


def _page(
    request: HttpRequest,
    key: str,
    known: list[Known],
    form: PurposeForm,
    value: str | None = None,
) -> HttpResponse:
    nodes = [one.node for one in known if one.node]
    counted = Counter(tied.state for one in known for tied in one.leads)
    context: dict[str, Any] = {
        "key": key,
        "known": known,
        "kind": known[0].kind,
        "label": spoken(nodes[0]["label"]) if nodes else None,
        "sensitive": any(node["sensitive"] for node in nodes),
        "may_disclose": any(one.may_disclose for one in known),
        "value": value,
        "form": form,
        "leads": sum(one.leads_found for one in known),
        "states": [
            (STATE_TITLES[state], counted[state], state) for state in sorted(counted)
        ],
        "disclose_url": reverse("entity-disclose", args=[key]),
    }
    return render(request, "console/entity.html", context)
