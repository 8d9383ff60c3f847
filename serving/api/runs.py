"""Supervision models and their published runs."""

from dataclasses import asdict

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from serving import queries
from serving.access.rights import models_in_sight, runs_in_sight
from serving.api.fields import Asked, Name, RunId
from serving.api.problems import ANY, ON_ONE, Problem
from serving.api.rows import Row, page_of
from serving.api.schemas import ModelOut, RunDetailOut, RunPage
from serving.console.access import run_or_404

router = Router(tags=["runs"])


class RunsAsked(Asked):
    """Which runs."""

    model: Name | SkipJsonSchema[None] = Field(
        None, description="of this supervision model alone"
    )
    after: int = Field(0, ge=0, le=1_000_000, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200, description="items of a page")


@router.get(
    "/models",
    response={200: list[ModelOut], ANY: Problem},
    operation_id="models",
    summary="The supervision models that you may see",
)
def models(request: HttpRequest) -> list[Row]:
    """By id; only those that have published."""
    seen = set(models_in_sight(request.user).values_list("id", flat=True))
    return [asdict(model) for model in queries.models() if model.id in seen]


@router.get(
    "/runs",
    response={200: RunPage, ANY: Problem},
    operation_id="runs",
    summary="Published runs, the newest first",
)
def runs(request: HttpRequest, asked: Query[RunsAsked]) -> Row:
    """A model that you may not see has no runs."""
    found = runs_in_sight(request.user).select_related("model")
    if asked.model is not None:
        found = found.filter(model_id=asked.model)
    # What is large, and what only one run's own page shows, is not read.
    found = found.defer("funnel", "coverage", "fingerprints", "links", "about")
    ordered = found.order_by("-as_of", "-published_at", "-id")
    page, more = page_of(ordered[asked.after :], asked.limit)
    items = [
        {
            "title_en": run.model.title_en,
            "title_zh": run.model.title_zh,
            "as_of": run.as_of.replace(tzinfo=None),
            **{n: getattr(run, n) for n in ("id", "model_id", "published_at", "units")},
            **{n: getattr(run, n) for n in ("listed", "model_version")},
        }
        for run in page
    ]
    return {"items": items, "next": asked.after + asked.limit if more else None}


@router.get(
    "/runs/{run_id}",
    response={200: RunDetailOut, ON_ONE: Problem},
    operation_id="run",
    summary="One run, what it was made from, and its rules",
)
def run(request: HttpRequest, run_id: RunId) -> Row:
    """The digest is over all that was published: it never changes."""
    seen = run_or_404(request, run_id)
    rules = [asdict(rule) for rule in queries.rules(seen.id)]
    return {**asdict(queries.run(seen.id)), "listed": seen.listed, "rules": rules}
