"""The forms in which a user decides on a lead or answers a proposal."""

from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from serving.console.review_words import CAUSE_TITLES, REFUSED, VERDICT_TITLES
from serving.review.deciding import LONGEST

_SALT = "author of a form"
_AUTHOR_FOR = 7 * 24 * 3600  # seconds for which a form may lie open

_note = {
    "rows": 5,
    "maxlength": LONGEST,
    "aria-keyshortcuts": "e",
    "autocomplete": "off",
}


class DecideForm(forms.Form):
    """A verdict with its cause and note. `seen` is the version of the state shown."""

    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=[*VERDICT_TITLES.items()],
        error_messages={"required": REFUSED["verdict"]},
    )
    cause = forms.ChoiceField(
        label=_("Cause of the exclusion"),
        choices=[("", _("Choose one")), *CAUSE_TITLES.items()],
        required=False,
    )
    reason = forms.CharField(
        label=_("Note"),
        max_length=LONGEST,
        widget=forms.Textarea(_note),
        error_messages={"required": REFUSED["reason"]},
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("verdict") != "excluded":
            data["cause"] = ""
        elif not data.get("cause") and "cause" not in self.errors:
            self.add_error("cause", REFUSED["cause"])
        return data


class GroupForm(DecideForm):
    """The same for all leads of a group, each of which has a version of its own."""

    seen = None  # type: ignore[assignment]


class AnswerForm(forms.Form):
    """What a second person says of a proposal."""

    agreed = forms.ChoiceField(choices=[("yes", _("Agree")), ("no", _("Return"))])
    reason = forms.CharField(
        label=_("Note"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(_note),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("agreed") == "no" and not data.get("reason"):
            self.add_error("reason", _("Say why you return it."))
        return data


def signed_author(username: str, about: str) -> str:
    """Who a form was made for, so that it is theirs also when the session has ended."""
    return signing.dumps([username, about], salt=_SALT)


def author_of(signed: str, about: str) -> str:
    """The username of a signed author; empty when it is not one of this form."""
    try:
        username, signed_about = signing.loads(signed, salt=_SALT, max_age=_AUTHOR_FOR)
    except (signing.BadSignature, ValueError):
        return ""
    return str(username) if signed_about == about else ""
