"""Dashboards: a card for each model, a board of figures, and its pictures."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from serving.access.models import User
from serving.access.rights import models_in_sight
from serving.console.access import needs, signed_in
from serving.console.boards.board import PERIODS, USUAL_PERIOD, Board, kept, run_lines
from serving.console.boards.figures import Figure, figure, figures
from serving.console.boards.glossary import GLOSSARY
from serving.console.boards.intervals import Share, share
from serving.console.boards.lists import Freshness, freshness_of
from serving.console.boards.work import Load, backlog
from serving.leads.models import SupervisionModel

_RUNS_TO_CHOOSE = 100


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model's card says, and the head of its board."""

    age: int  # days since the newest list was published
    confirmed: Share  # of what was decided within the period
    load: Load
    fresh: Freshness


@signed_in
@require_safe
def boards(request: HttpRequest) -> HttpResponse:
    """A card for each model in sight."""
    user = needs(request, "boards")
    cards = []
    for model in models_in_sight(user, "boards").order_by("id"):
        runs = run_lines(model.id)
        if runs:
            board = Board(user, model.id, runs[0], runs, USUAL_PERIOD, _now())
            cards.append({"model": model, "board": board, "summary": _summary(board)})
    return render(
        request, "console/boards.html", {"cards": cards, "days": USUAL_PERIOD}
    )


@signed_in
@require_safe
def board(request: HttpRequest, model: str) -> HttpResponse:
    """All figures of a model: of one list, and of the reviews of a period."""
    user = needs(request, "boards")
    found, of_model = _board_or_404(request, user, model)
    shown = [_shown(one) for one in figures(found)]
    context = {
        "board": found,
        "model": of_model,
        "summary": _summary(found),
        "periods": PERIODS,
        "choice": found.runs[:_RUNS_TO_CHOOSE],
        "parts": [
            {
                "of_list": of_list,
                "figures": [s for s in shown if s["of_list"] == of_list],
            }
            for of_list in (False, True)
        ],
        "glossary": [(key, *said) for key, said in GLOSSARY.items()],
    }
    return render(request, "console/board.html", context)


@signed_in
@require_safe
def chart(request: HttpRequest, model: str, name: str) -> HttpResponse:
    """One picture as SVG; 304 while nothing has changed that it shows."""
    user = needs(request, "boards")
    found, _of_model = _board_or_404(request, user, model)
    one = figure(found, name)
    if one is None:
        raise Http404
    said = f"{one.key} {translation.get_language()}"
    etag = f'"{hashlib.sha256(said.encode()).hexdigest()[:40]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(one.picture(), content_type="image/svg+xml")
        response.headers["ETag"] = etag
    # May be kept by the user's browser alone, and is asked for each time.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _board_or_404(
    request: HttpRequest, user: User, model: str
) -> tuple[Board, SupervisionModel]:
    """The board of the run and period that the address names."""
    of_model = models_in_sight(user, "boards").filter(id=model).first()
    runs = run_lines(model) if of_model else ()
    asked = request.GET.get("run", "")
    chosen = [run for run in runs if run.id == asked] if asked else runs[:1]
    if of_model is None or not chosen:
        raise Http404
    days = request.GET.get("days", "")
    period = int(days) if days in map(str, PERIODS) else USUAL_PERIOD
    return Board(user, model, chosen[0], runs, period, _now()), of_model


def _now() -> datetime:
    return datetime.now(UTC)


def _shown(one: Figure) -> dict[str, Any]:
    """A figure for the template."""
    query = urlencode({"run": one.board.run.id, "days": one.board.days})
    address = reverse("chart", args=(one.board.model, one.name))
    return {
        "name": one.name,
        "title": one.title,
        "meaning": one.kind.meaning,
        "terms": [(term, GLOSSARY[term][0]) for term in one.kind.terms],
        "of_list": one.kind.of_list,
        "told": one.told(),
        "picture": f"{address}?{query}",
    }


def _summary(of: Board) -> Summary:
    """Counted once while nothing changes."""
    return kept(f"{of.key}-summary", lambda: _summed(of))


def _summed(of: Board) -> Summary:
    held = of.standing
    label = held.label[held.decided_at >= of.since.timestamp()]
    label = label[~np.isnan(label)]
    age = (
        timezone.localtime(of.now).date()
        - timezone.localtime(of.run.published_at).date()
    )
    return Summary(
        age=age.days,
        confirmed=share(float(label.sum()), len(label)),
        load=backlog(of).now,
        fresh=freshness_of(of.chosen),
    )
