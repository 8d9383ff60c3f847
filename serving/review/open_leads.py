"""The leads of a run that a user may still decide on, in the order of the list.

Leads are found office by office, each by its index in the order of ranks: a list of a
million leads is not read, however many of its first ones are done.
"""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from serving.access.models import User
from serving.access.rights import leads_in_sight, offices_for
from serving.leads.models import Lead, Run
from serving.review.models import UnitState
from serving.review.states import CLOSED

_DONE = (*CLOSED, "awaiting")


def open_leads(
    user: User,
    run: Run,
    *,
    after: int = 0,
    limit: int = 1,
    office: str = "",
    without_groups: Collection[str] = (),
) -> list[Lead]:
    """The first open leads behind a rank_fused that nobody else has taken.

    Args:
        office: only its leads, and those of no office; empty for all in sight.
        without_groups: names of groups whose members are left out.
    """
    found: list[Lead] = []
    for shelf in _shelves(user, run, office):
        rows = shelf.filter(~taken(user, run, "unit_id"), rank_fused__gt=after)
        if without_groups:
            rows = rows.exclude(group_id__in=without_groups)
        found += rows.order_by("rank_fused")[:limit]
    return sorted(found, key=lambda lead: lead.rank_fused)[:limit]


def taken(user: User, run: Run, unit: str) -> Exists:
    """Done, or another's to do; `unit` names the column with the unit."""
    states = UnitState.objects.filter(model=run.model_id, unit_id=OuterRef(unit))
    others = ~Q(assignee__in=("", user.username))
    return Exists(states.filter(Q(state__in=_DONE) | others))


def _shelves(user: User, run: Run, office: str) -> list[QuerySet[Lead]]:
    """The leads that the user may decide on, one query for each office."""
    found = leads_in_sight(user, "decide", run.model_id, run.id)
    offices = offices_for(user, "decide", run.model_id)
    if office:
        offices = {office} if offices is None else offices & {office}
    if offices is None:
        return [found]
    named = [found.filter(office=one) for one in sorted(offices)]
    return [*named, found.filter(office__isnull=True)]
