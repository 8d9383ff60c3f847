"""What a list can be narrowed down by: the form, and the condition on its leads.

Columns of indexes stand in expressions here on purpose. A list is read along its ranks,
and stops when a page is full; a planner that saw an index on, say, `office` might read
and sort half a million leads instead. What an index answers well is asked in `list_few`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat, Replace
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from serving.leads.models import Lead, RuleHit, Run
from serving.review.models import UnitState

STATES = (
    ("open", _("Open")),
    ("awaiting", _("Awaits a second person")),
    ("needs_information", _("Needs information")),
    ("confirmed", _("Confirmed")),
    ("excluded", _("Excluded")),
    ("transferred", _("Transferred")),
    ("withdrawn", _("Withdrawn")),
)
FOUND_BY = (
    ("both", _("Both")),
    ("rules", _("Rules only")),
    ("score", _("Score only")),
    ("neither", _("Below the capacity")),
)
ME, NOBODY = "me", "nobody"
# Set by the search, not by the form.
SEARCHED = ("token", "unit", "group", "words")
LONGEST = 200  # characters of what is searched for
_TOKEN = re.compile(r"[0-9a-f]{24}")


def _searched(method: str) -> filters.CharFilter:
    return filters.CharFilter(
        method=method, max_length=LONGEST, widget=forms.HiddenInput
    )


def plain(column: str) -> Coalesce:
    """A text column, empty where null, out of the sight of indexes."""
    return Coalesce(column, Value(""), output_field=TextField())


class LeadFilter(filters.FilterSet):  # type: ignore[misc]  # has no types
    """The filters of a list, of `run` and for `username`.

    Args:
        choices: what can be chosen in `rule`, `layer`, `silent` and `office`.
    """

    state = filters.ChoiceFilter(label=_("State"), choices=STATES, method="by_state")
    found_by = filters.ChoiceFilter(
        label=_("Found by"), choices=FOUND_BY, method="by_finder"
    )
    rule = filters.ChoiceFilter(label=_("Rule"), choices=(), method="by_rule")
    layer = filters.ChoiceFilter(label=_("Layer"), choices=(), method="by_layer")
    assignee = filters.CharFilter(
        label=_("Assigned to"),
        max_length=100,
        method="by_assignee",
        widget=forms.TextInput({"list": "assignees", "autocomplete": "off"}),
    )
    grouped = filters.ChoiceFilter(
        label=_("In a group"),
        choices=(("yes", _("Yes")), ("no", _("No"))),
        method="by_grouped",
    )
    money = filters.NumberFilter(
        label=_("Money from"),
        method="by_money",
        min_value=0,
        widget=forms.NumberInput({"min": 0, "step": "any"}),
    )
    silent = filters.ChoiceFilter(
        label=_("Without data of"), choices=(), method="by_silent"
    )
    office = filters.ChoiceFilter(label=_("Office"), choices=(), method="by_office")
    low = filters.NumberFilter(
        label=_("Fused score from"),
        method="by_low",
        widget=forms.NumberInput({"min": 0, "max": 1, "step": "any"}),
    )
    high = filters.NumberFilter(
        label=_("Fused score to"),
        method="by_high",
        widget=forms.NumberInput({"min": 0, "max": 1, "step": "any"}),
    )
    token = _searched("found_already")
    unit = _searched("by_unit")
    group = _searched("by_group")
    words = _searched("by_words")

    def __init__(
        self,
        data: QueryDict,
        *,
        run: Run,
        username: str,
        choices: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        super().__init__(data, queryset=Lead.objects.all())
        self.run = run
        self.username = username
        for name, listed in choices.items():
            self.filters[name].extra["choices"] = listed
            self.filters[name].extra["empty_label"] = _("Any")
        for name in ("state", "found_by", "grouped"):
            self.filters[name].extra["empty_label"] = _("Any")

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that say something, by name; those that are not valid do not."""
        self.form.is_valid()
        given = self.form.cleaned_data.items()
        asked = {name: value for name, value in given if value not in (None, "")}
        if not _TOKEN.fullmatch(asked.get("token", "")):
            asked.pop("token", None)
        return asked

    def narrowed(self, leads: QuerySet[Lead]) -> QuerySet[Lead]:
        """Those of the leads that fit all filters."""
        for name, value in self.asked.items():
            leads = self.filters[name].filter(leads, value)
        return leads

    def by_state(self, leads: Any, name: str, value: str) -> Any:
        touched = self._states()
        if value == "open":
            return leads.filter(~Exists(touched.exclude(state="open")))
        return leads.filter(Exists(touched.filter(state=value)))

    def by_assignee(self, leads: Any, name: str, value: str) -> Any:
        touched = self._states()
        if value == NOBODY:
            return leads.filter(~Exists(touched.exclude(assignee="")))
        return leads.filter(Exists(touched.filter(assignee=self.username_of(value))))

    def username_of(self, assignee: str) -> str:
        return self.username if assignee == ME else assignee

    def by_rule(self, leads: Any, name: str, value: str) -> Any:
        return leads.filter(Exists(_hits().filter(code=value)))

    def by_layer(self, leads: Any, name: str, value: str) -> Any:
        return leads.filter(Exists(_hits().filter(layer=int(value))))

    def by_finder(self, leads: Any, name: str, value: str) -> Any:
        return leads.alias(finder=plain("found_by")).filter(finder=value)

    def by_grouped(self, leads: Any, name: str, value: str) -> Any:
        named = leads.alias(group_name=plain("group_id"))
        alone = Q(group_name="")
        return named.filter(~alone if value == "yes" else alone)

    def by_money(self, leads: Any, name: str, value: Any) -> Any:
        return leads.alias(amount=F("money") + 0.0).filter(amount__gte=float(value))

    def by_silent(self, leads: Any, name: str, value: str) -> Any:
        comma = Value(",", TextField())
        names = Replace("silent", Value(" "), Value(""), output_field=TextField())
        listed = Concat(comma, names, comma)
        return leads.alias(without=listed).filter(without__contains=f",{value},")

    def by_office(self, leads: Any, name: str, value: str) -> Any:
        return leads.alias(of_office=plain("office")).filter(of_office=value)

    def by_low(self, leads: Any, name: str, value: Any) -> Any:
        return leads.filter(fused__gte=float(value))

    def by_high(self, leads: Any, name: str, value: Any) -> Any:
        return leads.filter(fused__lte=float(value))

    def by_unit(self, leads: Any, name: str, value: str) -> Any:
        return leads.filter(unit_id__startswith=value)

    def by_group(self, leads: Any, name: str, value: str) -> Any:
        return leads.alias(group_name=plain("group_id")).filter(group_name=value)

    def by_words(self, leads: Any, name: str, value: str) -> Any:
        for word in value.split():
            leads = leads.filter(title__icontains=word)
        return leads

    def found_already(self, leads: Any, name: str, value: str) -> Any:
        """The units of a token stand in a file: `list_few` finds them there."""
        return leads

    def _states(self) -> QuerySet[UnitState]:
        own = UnitState.objects.filter(model=self.run.model_id)
        return own.filter(unit_id=OuterRef("unit_id"))


def _hits() -> QuerySet[RuleHit]:
    return RuleHit.objects.filter(lead_id=OuterRef("id"))
