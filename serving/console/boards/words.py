"""Words that several figures share."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ORDER_WORDS = {
    "fused": gettext_lazy("Fused order"),
    "rules": gettext_lazy("Rules alone"),
    "score": gettext_lazy("Score alone"),
}
STEP_WORDS = {
    "listed": gettext_lazy("Listed"),
    "taken": gettext_lazy("Taken up"),
    "decided": gettext_lazy("Decided"),
    "confirmed": gettext_lazy("Confirmed"),
    "transferred": gettext_lazy("Transferred"),
}
_LAYERS = {
    0: gettext_lazy("All units"),
    1: gettext_lazy("1 scope"),
    2: gettext_lazy("2 trait"),
    3: gettext_lazy("3 aggregate"),
    4: gettext_lazy("4 cross-table confirmation"),
}


def layer_words(layer: int) -> str:
    """A layer by its number and name."""
    known = _LAYERS.get(layer)
    return str(known) if known else _("Layer %(number)s") % {"number": str(layer)}
