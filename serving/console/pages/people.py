"""People and rights: users, their roles, passwords, second factors and tokens."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from configs.errors import StoreError
from serving.access import accounts, tokens
from serving.access.managing import (
    covers,
    locked_out,
    managed,
    manages,
    offices_offered,
    with_factor,
)
from serving.access.models import Grant, ServiceToken, User
from serving.console.access import needs, signed_in
from serving.console.language import language
from serving.leads.models import SupervisionModel

ROLES = {
    "analyst": _("analyst"),
    "office_lead": _("office lead"),
    "data_scientist": _("data scientist"),
    "auditor": _("auditor"),
    "administrator": _("administrator"),
}
Shown = dict[str, str]  # what is shown once


class GrantForm(forms.Form):
    """A role of a model and office; empty means all of them."""

    role = forms.ChoiceField(label=_("Role"), choices=list(ROLES.items()))
    model = forms.ChoiceField(label=_("Supervision model"), required=False)
    office = forms.CharField(
        label=_("Office"),
        required=False,
        max_length=500,
        widget=forms.TextInput({"list": "offices", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        title = f"title_{language()}"
        models = SupervisionModel.objects.order_by("id").values_list("id", title)
        choice: Any = self.fields["model"]
        choice.choices = [("", _("all models")), *models]

    def wanted(self) -> tuple[str, str, str]:
        """Role, model, office."""
        asked = self.cleaned_data
        return asked["role"], asked["model"], asked["office"].strip()


class AddForm(GrantForm):
    """A new user with the first role."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("person", _("person")), ("service", _("service, by token"))],
    )
    username = forms.CharField(label=_("User name"), max_length=100)
    name = forms.CharField(label=_("Full name"), max_length=200, required=False)

    field_order = ("kind", "username", "name", "role", "model", "office")


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name of the token"), max_length=100)


@never_cache
@signed_in
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """All users whom the administrator manages."""
    return _people(request, needs(request, "manage"), AddForm())


@never_cache
@signed_in
@require_POST
def people_add(request: HttpRequest) -> HttpResponse:
    """Make a user; the password is in the answer and nowhere else."""
    admin = needs(request, "manage")
    form = AddForm(request.POST)
    if not form.is_valid():
        return _people(request, admin, form)
    role, model, office = form.wanted()
    if not covers(admin, model, office):
        raise PermissionDenied
    password = accounts.random_password()
    name, by = form.cleaned_data["username"], admin.username
    try:
        with transaction.atomic():
            if form.cleaned_data["kind"] == "service":
                person = accounts.add_service(name, by=by)
                password = ""
            else:
                full = form.cleaned_data["name"]
                person = accounts.add_person(name, password, by=by, name=full)
            accounts.grant(person, role, model, office, by=by)
    except StoreError as error:
        form.add_error("username", str(error))
        return _people(request, admin, form)
    return _person(request, admin, person, {"password": password} if password else {})


@never_cache
@signed_in
@require_safe
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One user: roles, second factor, tokens."""
    admin = needs(request, "manage")
    return _person(request, admin, _person_or_404(admin, user_id), {})


@never_cache
@signed_in
@require_POST
def person_change(request: HttpRequest, user_id: int) -> HttpResponse:
    """One change of a user, named by `what`; nobody changes their own rights."""
    admin = needs(request, "manage")
    changed = _person_or_404(admin, user_id)
    if changed.id == admin.id:
        raise PermissionDenied
    change = _CHANGES.get(request.POST.get("what", ""))
    if change is None:
        raise Http404
    try:
        shown = change(request, admin, changed)
    except StoreError as error:
        messages.error(request, str(error))
        shown = {}
    if shown:
        return _person(request, admin, changed, shown)
    return redirect("person", user_id=changed.id)


def _grant(request: HttpRequest, admin: User, changed: User) -> Shown:
    form = GrantForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, _("This role was not given: choose a role and a model.")
        )
        return {}
    role, model, office = form.wanted()
    if not covers(admin, model, office):
        raise PermissionDenied
    accounts.grant(changed, role, model, office, by=admin.username)
    offered = offices_offered()
    among = [offered.get(model, [])] if model else offered.values()
    if office and not any(office in offices for offices in among):
        messages.warning(
            request, _("Given, but no lead of a newest list belongs to this office.")
        )
    return {}


def _revoke(request: HttpRequest, admin: User, changed: User) -> Shown:
    held = _owned(changed.grants, request.POST.get("grant", ""))
    if not covers(admin, held.model, held.office):
        raise PermissionDenied
    accounts.revoke(held, by=admin.username)
    return {}


def _password(request: HttpRequest, admin: User, changed: User) -> Shown:
    password = accounts.random_password()
    accounts.set_password(changed, password, by=admin.username)
    return {"password": password}


def _active(request: HttpRequest, admin: User, changed: User) -> Shown:
    active = request.POST.get("active") == "yes"
    accounts.set_active(changed, active, by=admin.username)
    return {}


def _factor(request: HttpRequest, admin: User, changed: User) -> Shown:
    accounts.reset_factor(changed, by=admin.username)
    return {}


def _unlock(request: HttpRequest, admin: User, changed: User) -> Shown:
    accounts.unlock(changed, by=admin.username)
    return {}


def _token(request: HttpRequest, admin: User, changed: User) -> Shown:
    form = TokenForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the token a name of up to 100 characters."))
        return {}
    name = form.cleaned_data["name"]
    return {"token": tokens.new_token(changed, name, by=admin.username)}


def _revoke_token(request: HttpRequest, admin: User, changed: User) -> Shown:
    kept = _owned(changed.tokens, request.POST.get("token", ""))
    tokens.revoke_token(kept, by=admin.username)
    return {}


_CHANGES: dict[str, Callable[[HttpRequest, User, User], Shown]] = {
    "grant": _grant,
    "revoke": _revoke,
    "password": _password,
    "active": _active,
    "factor": _factor,
    "unlock": _unlock,
    "token": _token,
    "revoke-token": _revoke_token,
}


def _owned(rows: Any, number: str) -> Any:
    """One of a user's own rows by its number."""
    if not number.isdecimal() or len(number) > 18:
        raise Http404
    found = rows.filter(id=int(number)).first()
    if found is None:
        raise Http404
    return found


def _person_or_404(admin: User, user_id: int) -> User:
    found = User.objects.filter(id=user_id).prefetch_related("grants").first()
    if found is None or not manages(admin, found):
        raise Http404
    return found


def _people(request: HttpRequest, admin: User, form: AddForm) -> HttpResponse:
    word = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    factors, locked = with_factor(), locked_out()
    rows = [
        {
            "user": one,
            "roles": [_held(held) for held in one.grants.all()],
            "has_factor": one.id in factors,
            "is_locked": one.username in locked,
        }
        for one in managed(admin, word)
    ]
    context = {"rows": rows, "form": form, "word": word, "offices": _offices()}
    return render(request, "console/people.html", context)


def _person(
    request: HttpRequest, admin: User, shown: User, once: Shown
) -> HttpResponse:
    held = Grant.objects.filter(user=shown).order_by("role", "model", "office")
    kept = ServiceToken.objects.filter(user=shown).order_by("-id")
    context = {
        "person": shown,
        "once": once,
        "is_self": shown.id == admin.id,
        "grants": [{"id": one.id, "words": _held(one)} for one in held],
        "tokens": kept,
        "has_factor": shown.id in with_factor(),
        "is_locked": shown.username in locked_out(),
        "grant_form": GrantForm(),
        "token_form": TokenForm(),
        "offices": _offices(),
    }
    return render(request, "console/person.html", context)


def _offices() -> list[str]:
    return sorted({office for found in offices_offered().values() for office in found})


def _held(held: Grant) -> dict[str, Any]:
    return {
        "role": ROLES.get(held.role, held.role),
        "model": held.model or gettext("all models"),
        "office": held.office or gettext("all offices"),
    }
