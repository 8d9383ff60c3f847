"""What the terms of the figures mean."""

from django.utils.translation import gettext_lazy as _

GLOSSARY = {
    "capacity": (
        _("Weekly capacity"),
        _(
            "How many leads are reviewed in a week, as the supervision model declares it. "
            "The head of a list is its first so many leads in the fused order."
        ),
    ),
    "precision": (
        _("Share confirmed"),
        _(
            "Confirmed units divided by decided ones. The last disposition of a unit holds. "
            "Confirmed counts as such; excluded, and a confirmation that was withdrawn, "
            "count as not confirmed; needs information and transferred are not decided. A "
            "unit counts in the list in which its review began."
        ),
    ),
    "interval": (
        _("Interval"),
        _(
            "Wilson's interval at the level of 0.95: with so few cases the true share may "
            "well lie anywhere between its ends. Compare intervals, not the points in them."
        ),
    ),
    "drawn": (
        _("Drawn below the capacity"),
        _(
            "Some units are drawn at random from the rest of a list with a known chance. "
            "Weighted by one divided by that chance they tell what share of the rest would "
            "be confirmed."
        ),
    ),
    "lift": (
        _("Lift"),
        _(
            "Confirmed units within the capacity of the fused order, divided by those within "
            "the capacity of the order of rules alone, or of the score alone. A unit counts "
            "once, however many lists it stood on."
        ),
    ),
    "rule": (
        _("Precision of a rule"),
        _(
            "Confirmed among the decided leads that the rule fired on, by month of the "
            "decision. Rules of layer 1 say what is looked at, and are left out."
        ),
    ),
    "waits": (
        _("Time to disposition"),
        _(
            "From the publication of the list in which the review began until the standing "
            "verdict was first given; confirmed, excluded and transferred units."
        ),
    ),
    "backlog": (
        _("Backlog"),
        _(
            "Units with an assignee that are not closed; overdue ones are past their day; "
            "others wait for a second person's answer. Of a unit that was assigned anew, "
            "only the time since then is known."
        ),
    ),
    "conversions": (
        _("Taken up, decided, confirmed, transferred"),
        _(
            "Taken up: assigned, or something was said of it. Decided: confirmed, excluded, "
            "transferred, or a confirmation withdrawn. Confirmed includes those that were "
            "transferred afterwards."
        ),
    ),
    "funnel": (
        _("Funnel"),
        _(
            "A unit is left after a layer when a rule fired in that layer and in all before "
            "it. The outline shows the units with a hit in the layer alone."
        ),
    ),
    "spots": (
        _("Excess"),
        _(
            "Share of a place's units within the first tenth of the list, less that share "
            "of all units, in percentage points. Ordered by the lower end of the interval, "
            "so that small places do not shout."
        ),
    ),
    "psi": (
        _("PSI, population stability index"),
        _(
            "Sum over bins of (share now − share then) × ln(share now ÷ share then). Up to "
            "0.1 stable, up to 0.25 moving, above shifted (Siddiqi 2006). Features are "
            "compared by deciles and the share missing."
        ),
    ),
    "freshness": (
        _("Days behind"),
        _(
            "From the last day on which a row became known to the date of the list. A "
            "source without a row of the last 31 days is marked as stale, one that was not "
            "delivered as missing."
        ),
    ),
}
