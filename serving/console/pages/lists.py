"""The ranked list of a run: narrowed down, sorted, read page by page."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from serving import queries
from serving.access.models import User
from serving.access.rights import (
    Action,
    leads_in_sight,
    may,
    offices_for,
    runs_in_sight,
)
from serving.audit.chain import record
from serving.console.access import run_or_404, signed_in, user_of
from serving.console.language import language
from serving.console.list_choices import choices
from serving.console.list_filter import SEARCHED, LeadFilter
from serving.console.list_query import ORDERS, SIZES, Listing, Order, Page
from serving.console.list_rows import rows_of, source_title
from serving.console.list_search import asked_for, lead_of, looks_personal, said
from serving.console.pages.lists_views import address_of, kept, views_for
from serving.leads.models import Run
from serving.review.assigning import deciders
from serving.scored import unlisted

_PLACES = ("after", "before", "rank")
STALE_DAYS = 8  # a list is made every night, or every week


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the address of the list without it."""

    text: str
    without: str


@require_GET
@signed_in
def newest(request: HttpRequest, model: str) -> HttpResponse:
    """On to the newest list of a supervision model."""
    runs = runs_in_sight(request.user).filter(model_id=model)
    run = runs.order_by("-as_of", "-published_at", "-id").first()
    if run is None:
        raise Http404
    return redirect(address_of(run, request.GET))


@require_GET
@signed_in
def listing(request: HttpRequest, run_id: str) -> HttpResponse:
    run = run_or_404(request, run_id)
    user = user_of(request)
    leads = listing_of(request, run, request.GET)
    size = _size(request.GET)
    page = _page(leads, request.GET, size)
    context = {
        "run": run,
        "listing": leads,
        "filter": leads.filter,
        "rows": rows_of(run, page.leads, language()),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "orders": _orders(request.GET),
        "links": _links(request.GET, page, run, leads.order),
        "chips": [
            Chip(text, _without(request.GET, name))
            for name, text in said(leads.filter, language(), any_seen=bool(page.leads))
        ],
        "query": kept(request.GET).urlencode(),
        "kept": list(kept(request.GET).items()),
        "may_assign": may(user, "assign", run.model_id),
        "may_export": may(user, "export", run.model_id),
    }
    template = "console/list.html"
    htmx = cast(Any, request).htmx
    if htmx and not htmx.history_restore_request:
        template = "console/list_region.html"
    else:
        context |= _heading(run, user)
    response = render(request, template, context)
    response.headers["HX-Push-Url"] = _own_address(request)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@signed_in
def search(request: HttpRequest, run_id: str) -> HttpResponse:
    """What was typed becomes a filter in the address: a token where it identifies."""
    run = run_or_404(request, run_id)
    typed = request.POST.get("q", "")
    query = kept(QueryDict(request.POST.get("query", "")[:4000]))
    for name in SEARCHED:
        query.pop(name, None)
    seen = leads_in_sight(request.user, "see", run.model_id, run.id)
    found = asked_for(seen, run, typed)
    lead = lead_of(seen, typed) if looks_personal(typed) and not found else None
    if lead is not None:
        return redirect("lead", lead_id=lead)
    if "token" in found:
        record(
            "searched",
            user=user_of(request).username,
            model=run.model_id,
            run=run.id,
            token=found["token"],
        )
    elif not found and typed.strip():
        messages.warning(request, _("No unit of this list is tied to this identifier."))
    if set(found) <= {"words"}:
        _tell_unlisted(request, run, " ".join(typed.split()))
    query.update(found)
    return redirect(address_of(run, query))


def _tell_unlisted(request: HttpRequest, run: Run, unit_id: str) -> None:
    """Say where a unit stands that was scored but is not listed.

    Only to who sees the leads of all offices: whose it is stands nowhere.
    """
    if offices_for(user_of(request), "see", run.model_id) is not None:
        return
    found = unlisted(queries.run(run.id), unit_id)
    if found:
        said = _(
            "%(unit)s was scored but is not on this list: rank %(rank)s of %(units)s."
        )
        named = {"rank": intcomma(found.rank_fused), "units": intcomma(run.units)}
        messages.info(request, said % {"unit": unit_id, **named})


def listing_of(
    request: HttpRequest, run: Run, query: QueryDict, action: Action = "see"
) -> Listing:
    """The leads that a query asks for, of those the user may do this to."""
    user = user_of(request)
    offices = offices_for(user, action, run.model_id)
    narrowed = LeadFilter(
        query,
        run=run,
        username=user.username,
        choices=choices(run, offices, language()),
    )
    return Listing(run, user, narrowed, order=_order(query), action=action)


def _order(query: QueryDict) -> Order:
    return next((known for known in ORDERS if known == query.get("order")), "fused")


def _size(query: QueryDict) -> int:
    return next((known for known in SIZES if str(known) == query.get("size")), 50)


def _page(leads: Listing, query: QueryDict, size: int) -> Page:
    before = query.get("before", "")
    if before:
        return leads.back(before, size)
    rank = query.get("rank", "").strip()
    if rank.isdecimal() and len(rank) < 10 and leads.order != "money":
        return leads.ahead(str(max(int(rank) - 1, 0)), size)
    return leads.ahead(query.get("after", ""), size)


def _own_address(request: HttpRequest) -> str:
    """The address of this page without the fields of its form that are empty."""
    query = kept(request.GET)
    query.update({n: request.GET[n] for n in _PLACES if request.GET.get(n)})
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _without(query: QueryDict, name: str) -> str:
    rest = kept(query)
    rest.pop(name, None)
    return f"?{rest.urlencode()}"


def _with(query: QueryDict, **further: str) -> str:
    rest = kept(query)
    rest.update(further)
    return f"?{rest.urlencode()}"


def _links(query: QueryDict, page: Page, run: Run, order: Order) -> dict[str, str]:
    """name of a link between pages -> address; those that lead nowhere are left out."""
    links = {}
    if page.before:
        links["first"] = f"?{kept(query).urlencode()}"
        links["before"] = _with(query, before=page.before)
    if page.after:
        links["after"] = _with(query, after=page.after)
        if order != "money":
            links["last"] = _with(query, before=str(run.units + 1))
    return links


def _orders(query: QueryDict) -> list[dict[str, Any]]:
    titles = {
        "fused": _("Fused"),
        "score": _("Score"),
        "rules": _("Rules"),
        "money": _("Money"),
    }
    chosen = _order(query)
    return [
        {
            "name": name,
            "title": titles[name],
            "link": _with(query, order=name),
            "chosen": name == chosen,
        }
        for name in ORDERS
    ]


def _heading(run: Run, user: User) -> dict[str, Any]:
    runs = runs_in_sight(user).filter(model_id=run.model_id)
    recent = runs.order_by("-as_of", "-published_at", "-id")
    switch = list(recent.only("id", "as_of", "published_at", "units", "counts")[:30])
    days = (timezone.now() - run.published_at).days
    return {
        "as_of": run.as_of.replace(tzinfo=None),
        "runs": [(one, one.as_of.replace(tzinfo=None)) for one in switch],
        "is_newest": bool(switch) and switch[0].id == run.id,
        "days": days,
        "stale": days >= STALE_DAYS,
        "missing": _missing(run, language()),
        "views": views_for(user, run.model_id),
        "people": _takers(run, user),
        "capacity": run.about.get("review", {}).get("weekly_capacity"),
    }


def _takers(run: Run, user: User) -> list[User]:
    """Whom the user may give leads of the list."""
    if not may(user, "assign", run.model_id):
        return []
    return deciders(run.model_id, offices_for(user, "assign", run.model_id))


def _missing(run: Run, lang: str) -> list[str]:
    """The sources that delivered nothing, and so say nothing about any unit."""
    return [
        source_title(run, name, lang)
        for name, about in (run.coverage or {}).items()
        if isinstance(about, dict) and (about.get("missing") or about.get("rows") == 0)
    ]
