"""Groups of a run: units that an analyst opens together."""

from django.forms.models import model_to_dict
from django.http import HttpRequest
from ninja import Query, Router

from serving.access.rights import groups_in_sight, leads_in_sight
from serving.api.fields import MOST, Paged, RowId, RunId
from serving.api.problems import ON_ONE, Problem
from serving.api.rows import Row, group_row, lead_rows, page_of
from serving.api.schemas import GroupDetailOut, GroupPage
from serving.console.access import group_or_404, run_or_404
from serving.console.source_rows import tie_key
from serving.leads.models import Group, GroupTie, Lead

router = Router(tags=["groups"])


@router.get(
    "/runs/{run_id}/groups",
    response={200: GroupPage, ON_ONE: Problem},
    operation_id="groups",
    summary="The groups of a run, by rank",
)
def groups(request: HttpRequest, run_id: RunId, asked: Query[Paged]) -> Row:
    """Those with at least one lead that you may see."""
    run = run_or_404(request, run_id)
    seen = groups_in_sight(request.user, run.model_id, run.id)
    found = seen.filter(rank__gt=asked.after).order_by("rank")
    page, more = page_of(found, asked.limit)
    return {
        "items": [group_row(group, run.model_id) for group in page],
        "next": page[-1].rank if more else None,
    }


@router.get(
    "/groups/{group_id}",
    response={200: GroupDetailOut, ON_ONE: Problem},
    operation_id="group",
    summary="One group, its members and what ties them",
)
def group(request: HttpRequest, group_id: RowId) -> Row:
    """Members of other offices, and ties that name them, are left out."""
    found = group_or_404(request, group_id)
    model = found.run.model_id
    all_members = Lead.objects.filter(membership__group=found)
    in_sight = leads_in_sight(request.user, "see", model, found.run_id)
    members = in_sight.filter(membership__group=found).order_by("membership__position")
    shown = list(members[:MOST])
    hidden = set(
        all_members.exclude(id__in=members.values("id")).values_list(
            "unit_id", flat=True
        )
    )
    return {
        **group_row(found, model),
        "members": lead_rows(shown, model),
        "hidden": found.units - len(shown),
        "ties": _ties(found, hidden),
    }


def _ties(group: Group, hidden: set[str]) -> list[Row]:
    """The ties that name none of these units."""
    ties = GroupTie.objects.filter(group=group).order_by("position")
    rows = [
        model_to_dict(tie)
        for tie in ties.iterator()
        if not {tie.left, tie.right} & hidden
    ]
    for row in rows:
        row["row_key"] = tie_key(row["row_key"], row["left"], row["right"])
        for name in ("event_at", "known_at"):
            row[name] = row[name].replace(tzinfo=None) if row[name] else None
    return rows[:MOST]
