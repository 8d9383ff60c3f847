"""What analysts concluded."""

from datetime import UTC, datetime
from typing import Annotated

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema

from serving.access.rights import leads_in_sight, models_in_sight
from serving.api.fields import Name, Paged
from serving.api.problems import ON_ONE, Problem
from serving.api.rows import Row, disposition_rows, page_of
from serving.api.schemas import DispositionPage
from serving.leads.models import Disposition

router = Router(tags=["dispositions"])


def _in_utc(at: datetime) -> datetime:
    """A moment that every store can compare with."""
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("lies outside the calendar") from error


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class DispositionsAsked(Paged):
    """Which dispositions."""

    model: Name = Field(description="the supervision model")
    since: Moment | SkipJsonSchema[None] = Field(
        None, description="made at this time or later; UTC where no zone is given"
    )


@router.get(
    "/dispositions",
    response={200: DispositionPage, ON_ONE: Problem},
    operation_id="dispositions",
    summary="What analysts concluded, in the order in which it was added",
)
def dispositions(request: HttpRequest, asked: Query[DispositionsAsked]) -> Row:
    """With how each unit came to be reviewed, once it is confirmed or excluded."""
    if not models_in_sight(request.user).filter(id=asked.model).exists():
        raise Http404
    seen = leads_in_sight(request.user, "see", asked.model)
    found = Disposition.objects.filter(model=asked.model, id__gt=asked.after)
    if asked.since is not None:
        found = found.filter(at__gte=asked.since)
    of_unit = seen.filter(run_id=OuterRef("run_id"), unit_id=OuterRef("unit_id"))
    ordered = found.filter(Exists(of_unit)).order_by("id")
    page, more = page_of(ordered, asked.limit)
    return {"items": disposition_rows(page), "next": page[-1].id if more else None}
