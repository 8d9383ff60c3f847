"""The API put together, and the document that describes it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.responses import Response

from serving.api import deciding, dispositions, groups, leads, runs
from serving.api.auth import RATE, WAYS_IN, PerUser
from serving.api.problems import handle_problems

_SAYS = f"""Ranked leads with their reasons, and what analysts concluded of them.

A service sends `Authorization: Bearer <token>`; an administrator makes tokens. What the
user or service may not see is not found (404). Texts come in both languages. Pages: send
`next` of an answer as `after`. At most {RATE.split("/")[0]} requests a minute.
"""

api = NinjaAPI(
    title="Leadline",
    version="1",
    description=_SAYS,
    openapi_url=None,  # below, for those who may ask
    docs_url=None,  # a page of scripts from elsewhere
    urls_namespace="api",
    auth=WAYS_IN,
    throttle=[PerUser(RATE)],
)
handle_problems(api)
for part in (runs, leads, groups, dispositions, deciding):
    api.add_router("", part.router)


@api.get("/openapi.json", include_in_schema=False, url_name="openapi")
def openapi(request: HttpRequest) -> HttpResponse:
    """This description as OpenAPI."""
    described: dict[str, Any] = api.get_openapi_schema()
    return Response(described)
