"""What kinds, marks and purposes are called on the pages about a lead."""

from django.utils.translation import gettext_lazy as _

_CHINESE = {"yes": "是", "no": "否"}
_UNITS = ((" yuan", "元"), (" days", "天"))

FOUND_BY = {
    "both": _("Rules and score"),
    "rules": _("Rules only"),
    "score": _("Score only"),
    "neither": _("Below both tops"),
}
REASON_KINDS = {
    "value": _("Value"),
    "relation": _("Combination"),
    "peers": _("Peer group"),
    "network": _("Network"),
}
PURPOSES = {
    "identity": _("Check who a person is"),
    "registers": _("Compare with another register"),
    "contact": _("Contact a party or a department"),
    "decision": _("Found a conclusion on the records"),
    "review": _("Second review"),
    "other": _("Another purpose (say which)"),
}


def amount(text: str | None, lang: str) -> str | None:
    """A value of a reason, which the store has in English, in the page's language."""
    if text is None or lang == "en":
        return text
    for english, chinese in _UNITS:
        if text.endswith(english):
            return text.removesuffix(english) + chinese
    return _CHINESE.get(text, text)
