"""The audit log as one user may read it, and what its words mean."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from serving.access.models import User
from serving.access.rights import grants_for, models_in_sight, offices_for
from serving.audit.models import Entry
from serving.console.lead_words import PURPOSES
from serving.console.review_words import CAUSE_TITLES, VERDICT_TITLES
from serving.leads.models import Lead, SupervisionModel

COLUMNS = ("id", "at", "user", "action", "model", "run", "unit", "detail", "hash")
HIDDEN_NAME = 3  # characters shown of a name that nobody has: it may be a password

ACTIONS = {
    "signed in": _("signed in"),
    "signed out": _("signed out"),
    "changed own password": _("changed own password"),
    "set up a second factor": _("set up a second factor"),
    "removed own second factor": _("removed own second factor"),
    "made a user": _("made a user"),
    "made a service": _("made a service"),
    "set a password": _("set a password"),
    "granted": _("granted"),
    "revoked": _("revoked"),
    "activated": _("activated"),
    "deactivated": _("deactivated"),
    "unlocked": _("unlocked"),
    "reset a second factor": _("reset a second factor"),
    "made a token": _("made a token"),
    "revoked a token": _("revoked a token"),
    "disclosed": _("disclosed"),
    "exported": _("exported"),
    "exported sheet": _("exported a lead sheet"),
    "exported audit log": _("exported the audit log"),
    "decided": _("decided"),
    "proposed": _("proposed"),
    "seconded": _("seconded"),
    "agreed": _("agreed to a proposal"),
    "returned": _("returned"),
    "assigned": _("assigned leads"),
    "judged": _("judged"),
    "changed team": _("changed a team"),
    "deleted team": _("deleted a team"),
    "searched": _("searched"),
}
DETAILS = {
    "whom": _("whom"),
    "role": _("role"),
    "office": _("office"),
    "token": _("token"),
    "purpose": _("purpose"),
    "verdict": _("verdict"),
    "cause": _("cause"),
    "at": _("at"),
    "seconded_by": _("seconded by"),
    "reason": _("reason"),
    "entity": _("entity"),
    "left": _("one record"),
    "right": _("other record"),
    "key": _("node"),
    "kind": _("kind"),
    "rows": _("rows"),
    "filters": _("filter"),
    "sha256": _("SHA-256"),
    "fields": _("fields"),
    "assignee": _("assignee"),
    "to": _("assignee"),
    "due": _("due on"),
    "count": _("number of leads"),
    "units": _("units"),
    "evidence": _("rows of evidence"),
    "note": _("note"),
    "team": _("team"),
    "members": _("members"),
    "weekly_capacity": _("leads a week"),
    "sources": _("sources, columns and rows"),
}
# Details whose values are codes, and what these are called.
_VALUES = {
    "verdict": VERDICT_TITLES,
    "cause": CAUSE_TITLES,
    "purpose": PURPOSES,
}


class FilterForm(forms.Form):
    """What of the log is asked for; every field may be empty."""

    user = forms.CharField(label=_("User"), required=False, max_length=100)
    action = forms.CharField(label=_("Action"), required=False, max_length=100)
    model = forms.ChoiceField(label=_("Supervision model"), required=False)
    unit = forms.CharField(label=_("Unit"), required=False, max_length=10_000)
    since = forms.DateField(
        label=_("Since"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, data: Any, user: User, language: str) -> None:
        super().__init__(data)
        models = models_in_sight(user, "audit").order_by("id")
        titles = [(one.id, getattr(one, f"title_{language}")) for one in models]
        choice: Any = self.fields["model"]
        choice.choices = [("", _("Any")), *titles]
        for name, part in self.fields.items():
            part.widget.attrs["aria-label"] = part.label
            part.widget.attrs["id"] = f"id_{name}"


def sees_all(user: User) -> bool:
    """May the user read entries of every model, and those of none?"""
    grants = grants_for(user, "audit")
    return any(not grant.model and not grant.office for grant in grants)


def entries_in_sight(user: User) -> QuerySet[Entry]:
    """The entries that the user may read.

    An auditor of a model reads what was done in it; one of an office what was done to
    leads of the office.
    """
    if sees_all(user):
        return Entry.objects.all()
    seen = Q(pk__in=())
    for model in models_in_sight(user, "audit"):
        of_model = Q(model=model.id)
        offices = offices_for(user, "audit", model.id)
        if offices is not None:
            theirs = Q(office__in=sorted(offices)) | Q(office__isnull=True)
            same = {"run_id": OuterRef("run"), "unit_id": OuterRef("unit")}
            of_model &= Q(Exists(Lead.objects.filter(theirs, **same)))
        seen |= of_model
    return Entry.objects.filter(seen)


def chosen(entries: QuerySet[Entry], asked: dict[str, Any]) -> QuerySet[Entry]:
    """The entries that a valid filter asks for; days are those of the installation."""
    for name in ("user", "action", "model", "unit"):
        if asked.get(name):
            entries = entries.filter(**{name: asked[name]})
    if asked.get("since"):
        entries = entries.filter(at__gte=_midnight(asked["since"]))
    if asked.get("until"):
        last = _midnight(asked["until"]) + timedelta(days=1)
        entries = entries.filter(at__lt=last)
    return entries


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it."""

    entry: Entry
    action: Any
    model: str  # its title; empty where an entry is of none
    details: list[tuple[Any, str]]


def lines(entries: Iterable[Entry], language: str) -> list[Line]:
    """What the page shows of entries, in `en` or `zh`."""
    titles = dict(SupervisionModel.objects.values_list("id", f"title_{language}"))
    return [
        Line(
            entry=entry,
            action=ACTIONS.get(entry.action, entry.action),
            model=titles.get(entry.model, entry.model) or "",
            details=[(DETAILS.get(n, n), _told(n, v)) for n, v in entry.detail.items()],
        )
        for entry in entries
    ]


def csv_rows(entries: QuerySet[Entry]) -> Iterator[list[str]]:
    """The entries as texts, under COLUMNS."""
    for row in entries.values_list(*COLUMNS).iterator():
        number, at, *texts, detail, digest = row
        told = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        yield [str(number), at.isoformat(), *texts, told, digest]


def hidden_name(username: str | None, known: set[str]) -> str:
    """A name that was tried; what no user is called may be a password, typed too early."""
    if not username or username in known:
        return username or ""
    return f"{username[:HIDDEN_NAME]}***"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _told(name: str, value: Any) -> str:
    """The value of a detail: codes by their titles, times as the clock here shows."""
    if isinstance(value, str):
        if name == "at" and (at := parse_datetime(value)) and timezone.is_aware(at):
            return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
        return str(_VALUES.get(name, {}).get(value, value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return _text(value)


def _text(value: Any) -> str:
    plain = isinstance(value, str | int | float)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)
