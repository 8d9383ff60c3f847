"""What verdicts, causes and states of a review are called on the pages."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from serving.dispositions import VERDICTS

Text = str | Promise

VERDICT_TITLES = {
    "confirmed": _("Confirmed"),
    "excluded": _("Excluded"),
    "needs_information": _("Needs information"),
    "transferred": _("Transferred"),
    "withdrawn": _("Withdrawn"),
}
VERDICT_HELP = {
    "confirmed": _("the suspicion holds"),
    "excluded": _("it does not hold; name the cause"),
    "needs_information": _("something must be asked for first"),
    "transferred": _("another office deals with it"),
    "withdrawn": _("undo what was concluded before"),
}
CAUSE_TITLES = {
    "lawful": _("Lawful explanation"),
    "register_error": _("Register error"),
    "insufficient": _("Not enough to go on"),
    "duplicate": _("Dealt with elsewhere"),
    "other": _("Other cause"),
}
STATE_TITLES = {
    **VERDICT_TITLES,
    "open": _("Open"),
    "awaiting": _("Awaits a second person"),
}
REFUSED = {
    "verdict": _("Choose a verdict."),
    "reason": _("Say why, in at most 10,000 characters."),
    "cause": _("Name the cause of the exclusion."),
    "nothing_to_withdraw": _("Nothing was concluded that could be withdrawn."),
    "waiting": _("A proposal waits for a second person, who has to answer first."),
    "answered": _("This was answered already, or is no longer waited for."),
    "own": _("Another person has to agree to your proposal."),
}


@dataclass(frozen=True, slots=True)
class VerdictChoice:
    """A verdict as a form offers it, with its key on the keyboard."""

    value: str
    key: int
    title: Text
    help: Text
    second: bool  # a second person has to agree


def verdict_choices(second: Iterable[str]) -> list[VerdictChoice]:
    """The verdicts in their order; `second` are those that need a second person."""
    needed = set(second)
    return [
        VerdictChoice(
            name, key, VERDICT_TITLES[name], VERDICT_HELP[name], name in needed
        )
        for key, name in enumerate(VERDICTS, 1)
    ]
