"""Leads: the list of a run, and all that explains one."""

from dataclasses import asdict
from typing import Literal

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from serving import queries
from serving.access.rights import leads_in_sight, offices_for
from serving.api.fields import Asked, Name, Paged, RowId, RunId
from serving.api.problems import ON_ONE, Problem
from serving.api.rows import Row, disposition_rows, lead_rows, page_of
from serving.api.schemas import LeadDetailOut, LeadPage, PlaceOut
from serving.console.access import lead_or_404, run_or_404
from serving.console.source_rows import Sources, masked_keys, tie_key
from serving.dossier import dossier
from serving.leads.models import Disposition, Lead, RuleHit
from serving.records import LeadDetail
from serving.review.models import UnitState
from serving.review.states import State
from serving.scored import PLACE, unlisted

router = Router(tags=["leads"])


class LeadsAsked(Paged):
    """Which leads, and in which of the three orders."""

    order: Literal["fused", "score", "rules"] = "fused"
    found_by: Literal["both", "rules", "score", "neither"] | SkipJsonSchema[None] = None
    code: Name | SkipJsonSchema[None] = Field(
        None, description="on which this rule fired"
    )
    office: Name | SkipJsonSchema[None] = Field(
        None, description="that this office reviews"
    )
    state: State | SkipJsonSchema[None] = Field(
        None, description="whose review stands there"
    )


@router.get(
    "/runs/{run_id}/leads",
    response={200: LeadPage, ON_ONE: Problem},
    operation_id="leads",
    summary="The ranked list of a run",
)
def leads(request: HttpRequest, run_id: RunId, asked: Query[LeadsAsked]) -> Row:
    """Leads of other offices are left out; the ranks stay those of the whole run."""
    run = run_or_404(request, run_id)
    rank = f"rank_{asked.order}"
    seen = leads_in_sight(request.user, "see", run.model_id, run.id)
    found = _filtered(seen, asked, run.model_id).filter(**{f"{rank}__gt": asked.after})
    page, more = page_of(found.order_by(rank), asked.limit)
    return {
        "items": lead_rows(page, run.model_id),
        "next": getattr(page[-1], rank) if more else None,
    }


def _filtered(
    found: QuerySet[Lead], asked: LeadsAsked, model_id: str
) -> QuerySet[Lead]:
    same = {"found_by": asked.found_by, "office": asked.office}
    found = found.filter(**{name: v for name, v in same.items() if v is not None})
    if asked.code is not None:
        hits = RuleHit.objects.filter(code=asked.code)
        found = found.filter(id__in=hits.values("lead_id"))
    if asked.state is None:
        return found
    touched = UnitState.objects.filter(model=model_id)
    if asked.state == "open":  # what nobody touched has no row
        closed = touched.exclude(state="open")
        return found.exclude(unit_id__in=closed.values("unit_id"))
    return found.filter(unit_id__in=touched.filter(state=asked.state).values("unit_id"))


class PlaceAsked(Asked):
    """Which unit."""

    unit: Name


@router.get(
    "/runs/{run_id}/place",
    response={200: PlaceOut, ON_ONE: Problem},
    operation_id="place",
    summary="Where a unit of a run stands, listed or not",
)
def place(request: HttpRequest, run_id: RunId, asked: Query[PlaceAsked]) -> Row:
    """A unit that is not listed is found by who sees the leads of all offices."""
    run = run_or_404(request, run_id)
    seen = leads_in_sight(request.user, "see", run.model_id, run.id)
    lead = seen.filter(unit_id=asked.unit).first()
    if lead is not None:
        row = {name: getattr(lead, name) for name in PLACE}
        return {**row, "units": run.units, "lead": lead.id}
    everywhere = offices_for(request.user, "see", run.model_id) is None
    found = unlisted(queries.run(run.id), asked.unit) if everywhere else None
    if found is None:
        raise Http404
    return {**asdict(found), "units": run.units, "lead": None}


@router.get(
    "/leads/{lead_id}",
    response={200: LeadDetailOut, ON_ONE: Problem},
    operation_id="lead",
    summary="One lead and all that explains it",
)
def lead(request: HttpRequest, lead_id: RowId) -> Row:
    """Sensitive values are masked; what the source rows hold is not given."""
    seen = lead_or_404(request, lead_id)
    detail = queries.lead(seen.run_id, seen.unit_id)
    said = Disposition.objects.filter(model=seen.run.model_id, unit_id=seen.unit_id)
    return {
        **lead_rows([seen], seen.run.model_id)[0],
        "as_of": detail.lead.as_of,
        **{
            name: [asdict(row) for row in getattr(detail, name)]
            for name in ("hits", "reasons", "parts", "counterfactuals")
        },
        "evidence": _evidence(seen, detail),
        "paths": _paths(request, seen, detail),
        "dispositions": disposition_rows(list(said.order_by("at", "id"))),
    }


def _paths(request: HttpRequest, lead: Lead, detail: LeadDetail) -> list[Row]:
    """The paths to leads that the user may see as well."""
    others = [path.other for path in detail.paths]
    found = leads_in_sight(request.user, "see", lead.run.model_id, lead.run_id)
    seen = set(found.filter(unit_id__in=others).values_list("unit_id", flat=True))
    paths = [asdict(path) for path in detail.paths if path.other in seen]
    for step in (step for path in paths for step in path["steps"]):
        step["row_key"] = tie_key(step["row_key"], step["left"], step["right"])
    return paths


def _evidence(lead: Lead, detail: LeadDetail) -> list[Row]:
    """Where its source rows stand, with keys masked that a person's number is part of."""
    sources = Sources(lead.run.about.get("sources", {}), tuple, "en")
    keys = masked_keys(dossier(lead.run).rows(lead.unit_id), sources)
    rows = [asdict(row) for row in detail.evidence]
    for row in rows:
        named = row["source"], row["row_key"]
        row["row_key"] = keys.get(named, row["row_key"])
    return rows
