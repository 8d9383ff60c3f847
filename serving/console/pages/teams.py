"""Teams: who shares the work of a model and office, and how much of it in a week."""

from collections.abc import Iterable
from itertools import product
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from serving.access.models import Grant, User
from serving.access.rights import (
    ACTIONS,
    Action,
    may,
    models_in_sight,
    offices_for,
)
from serving.audit.chain import record
from serving.console.access import signed_in, user_of
from serving.console.language import language
from serving.leads.models import SupervisionModel
from serving.review.models import Team

_EDIT: tuple[Action, ...] = ("assign", "manage")


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A team of people who may decide on leads of its model and office."""

    class Meta:
        model = Team
        fields = ("name", "model", "office", "weekly_capacity", "members")
        labels = {  # noqa: RUF012  as Django reads it
            "name": _("Name"),
            "office": _("Office"),
            "weekly_capacity": _("Leads a week"),
            "members": _("Members"),
        }
        help_texts = {"office": _("As it stands in the lists; empty: all offices.")}  # noqa: RUF012
        widgets = {"members": forms.CheckboxSelectMultiple}  # noqa: RUF012

    model = forms.ChoiceField(label=_("Supervision model"))
    office = forms.CharField(label=_("Office"), required=False, max_length=200)
    weekly_capacity = forms.IntegerField(
        label=_("Leads a week"), min_value=0, max_value=100_000
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.user = user
        title = f"title_{language()}"
        models = editable_models(user)
        self._field("model").choices = [(m.id, getattr(m, title)) for m in models]
        people = self._field("members")
        people.queryset = _deciders(user, models)
        people.required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        model, office = data.get("model"), data.get("office", "")
        if not model:
            return data
        if not may_edit(self.user, model, office):
            self.add_error("office", _("You lead no team of this model and office."))
        strange = [m for m in data.get("members", ()) if not _decides(m, model, office)]
        if strange:
            names = ", ".join(str(member) for member in strange)
            self.add_error(
                "members",
                _("These may not decide on leads of this model and office: %(names)s")
                % {"names": names},
            )
        return data

    def _field(self, name: str) -> Any:
        return self.fields[name]


def may_edit(user: User, model: str, office: str) -> bool:
    """May the user set up teams there? One of all offices needs all of them."""
    return any(
        may(user, action, model, office or None)
        and (office != "" or offices_for(user, action, model) is None)
        for action in _EDIT
    )


def editable_models(user: User) -> list[SupervisionModel]:
    """The models for which the user may set up a team."""
    found = {m.id: m for action in _EDIT for m in models_in_sight(user, action)}
    return [found[name] for name in sorted(found)]


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def teams_page(request: HttpRequest) -> HttpResponse:
    """The teams that the user may change, and the form of one of them."""
    user = user_of(request)
    if not any(may(user, action) for action in _EDIT):
        raise PermissionDenied
    teams = [
        team
        for team in Team.objects.prefetch_related("members").order_by("name")
        if may_edit(user, team.model, team.office)
    ]
    chosen = _chosen(teams, request.GET.get("team", ""))
    if request.method == "POST" and "delete" in request.POST and chosen:
        return _delete(request, user, chosen)
    form = TeamForm(user, request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        return _save(request, user, form)
    titles = {m.id: m for m in editable_models(user)}
    rows = [{"team": team, "model": titles[team.model]} for team in teams]
    context = {"rows": rows, "form": form, "chosen": chosen}
    status = 422 if request.method == "POST" else 200
    return render(request, "console/teams.html", context, status=status)


def _chosen(teams: Iterable[Team], asked: str) -> Team | None:
    if not asked:
        return None
    for team in teams:
        if str(team.pk) == asked:
            return team
    raise Http404


def _save(request: HttpRequest, user: User, form: TeamForm) -> HttpResponse:
    with transaction.atomic():
        team = form.save()
        record(
            "changed team",
            user=user.username,
            model=team.model,
            team=team.name,
            office=team.office,
            weekly_capacity=team.weekly_capacity,
            members=sorted(team.members.values_list("username", flat=True)),
        )
    messages.success(request, _("The team was saved."))
    return redirect("teams")


def _delete(request: HttpRequest, user: User, team: Team) -> HttpResponse:
    with transaction.atomic():
        record("deleted team", user=user.username, model=team.model, team=team.name)
        team.delete()
    messages.success(request, _("The team was deleted."))
    return redirect("teams")


def _deciders(user: User, models: Iterable[SupervisionModel]) -> Any:
    """Who may decide on leads for which the user sets up teams; others are not named."""
    roles = [role for role, actions in ACTIONS.items() if "decide" in actions]
    theirs = Q(pk__in=())
    for model, action in product([m.id for m in models], _EDIT):
        if may(user, action, model):
            offices = offices_for(user, action, model)
            of_model = Q(model__in=("", model))
            theirs |= of_model if offices is None else of_model & _in(offices)
    granted = Grant.objects.filter(theirs, role__in=roles)
    people = User.objects.filter(id__in=granted.values("user"), is_active=True)
    return people.filter(is_service=False).order_by("username")


def _in(offices: Iterable[str]) -> Q:
    return Q(office__in=("", *sorted(offices)))


def _decides(member: User, model: str, office: str) -> bool:
    return may(member, "decide", model, office or None)
