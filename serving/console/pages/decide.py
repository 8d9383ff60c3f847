"""The panel in which a lead is decided on, and what it sends."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import date as shown_date
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from serving.access.models import User
from serving.access.rights import lead_in_sight, may
from serving.console.access import lead_or_404, user_of
from serving.console.decide_form import (
    AnswerForm,
    DecideForm,
    author_of,
    signed_author,
)
from serving.console.review_words import REFUSED, VERDICT_TITLES, verdict_choices
from serving.leads.models import Lead
from serving.review import drafts
from serving.review.deciding import (
    NOTHING_SAID,
    Conflict,
    Outcome,
    Refused,
    answer,
    decide,
    second_review,
    waiting,
)
from serving.review.models import Draft, Proposal, UnitState
from serving.review.open_leads import open_leads
from serving.review.said import last_said
from serving.review.states import states_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of what was sent; empty when the page is only looked at."""

    form: Form | None = None
    conflict: Conflict | None = None
    refused: str | Promise = ""
    done: str = ""


def panel(
    request: HttpRequest, lead: Lead, shown: Shown | None = None
) -> dict[str, Any]:
    """What `console/decide.html` shows of a lead, and which files it needs."""
    user, shown = user_of(request), shown or Shown()
    model, unit = lead.run.model_id, lead.unit_id
    state = states_of(model, [unit]).get(unit)
    proposal = waiting(model, unit) if state and state.state == "awaiting" else None
    draft = (
        None if shown.form or shown.done else drafts.kept(user.username, model, unit)
    )
    sent = shown.form if isinstance(shown.form, DecideForm) else None
    form = sent or _form(state, draft)
    return {
        "decide_template": "console/decide.html",
        "decide_scripts": ["console/decide.js"],
        "decide_styles": ["console/reviews.css"],
        "deciding": {
            "lead": lead,
            "form": form,
            "choices": verdict_choices(second_review(lead.run)),
            "chosen": form["verdict"].value(),
            "state": state.state if state else "open",
            "undoable": state is not None and state.state not in NOTHING_SAID,
            "version": state.version if state else 0,
            "said": last_said(model, [unit]).get(unit),
            "proposal": proposal,
            "may": may(user, "decide", model, lead.office),
            **_answering(user, lead, proposal, shown.form),
            "conflict": shown.conflict,
            "refused": shown.refused,
            "done": shown.done,
            "draft": draft,
            "author": signed_author(user.username, _about(lead.id)),
            "next": next(iter(open_leads(user, lead.run, after=lead.rank_fused)), None),
        },
    }


@never_cache
@require_http_methods(["GET", "POST"])
def decide_page(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Record a decision; GET gives the panel as it stands now."""
    if not isinstance(request.user, User):
        return _kept_for_later(request, lead_id)
    lead = _lead_to(request, lead_id, "decide")
    if request.method == "GET":
        return _answered(request, lead, Shown())
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _answered(request, lead, Shown(form), status=422)
    try:
        outcome = decide(lead, user=request.user, **form.cleaned_data)
    except Conflict as conflict:
        # Where a proposal waits now, the panel has no place for what was typed.
        _keep(request, lead)
        return _answered(request, lead, Shown(form, conflict), status=409)
    except Refused as refused:
        _keep(request, lead)
        return _answered(request, lead, Shown(form, refused=REFUSED[refused.why]), 409)
    drafts.drop(request.user.username, lead.run.model_id, [lead.unit_id])
    return _done(request, lead, _told(outcome, form.cleaned_data["verdict"]))


@never_cache
@require_POST
def second_page(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Agree to the proposal that waits on a lead, or return it."""
    if not isinstance(request.user, User):
        return _kept_for_later(request, lead_id)
    lead = lead_or_404(request, lead_id)
    form = AnswerForm(request.POST)
    found = Proposal.objects.filter(model=lead.run.model_id, unit_id=lead.unit_id)
    number = request.POST.get("proposal", "")
    proposal = found.filter(id=number).first() if _is_number(number) else None
    if proposal is None or not form.is_valid():
        refused = "" if proposal else REFUSED["answered"]
        return _answered(request, lead, Shown(form, refused=refused), status=422)
    agreed = form.cleaned_data["agreed"] == "yes"
    reason = form.cleaned_data["reason"]
    try:
        answer(proposal, agreed=agreed, reason=reason, user=request.user)
    except Refused as refused:
        return _answered(request, lead, Shown(form, refused=REFUSED[refused.why]), 409)
    drafts.drop(request.user.username, lead.run.model_id, [lead.unit_id])
    done = _("Agreed: the conclusion is recorded.") if agreed else _("Returned.")
    return _done(request, lead, done)


@never_cache
@require_POST
def draft_page(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Keep what is typed, or forget it; answers one line that says so."""
    if not isinstance(request.user, User):
        _keep_for_author(request, lead_id)
        return text_line(
            _("Your session has ended. What you typed is kept: sign in again.")
        )
    lead = lead_or_404(request, lead_id)
    user = request.user
    if "discard" in request.POST:
        drafts.drop(user.username, lead.run.model_id, [lead.unit_id])
        return _answered(request, lead, Shown())
    kept = drafts.keep(user.username, lead.run.model_id, lead.unit_id, _typed(request))
    return text_line(kept_line(kept))


def kept_line(kept: bool) -> str:
    """What is said once a draft was kept."""
    time = shown_date(timezone.localtime(), "H:i:s")
    return _("Draft kept at %(time)s.") % {"time": time} if kept else ""


def send_to_sign_in(request: HttpRequest, back: str) -> HttpResponse:
    """To the page where one signs in, and from there to `back`."""
    address = f"{reverse('sign-in')}?{urlencode({'next': back})}"
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _keep(request: HttpRequest, lead: Lead) -> bool:
    username, model = user_of(request).username, lead.run.model_id
    return drafts.keep(username, model, lead.unit_id, _typed(request))


def _kept_for_later(request: HttpRequest, lead_id: int) -> HttpResponse:
    """The session has ended: what was typed waits for the one who typed it."""
    _keep_for_author(request, lead_id)
    return send_to_sign_in(request, reverse("lead", args=[lead_id]))


def _keep_for_author(request: HttpRequest, lead_id: int) -> None:
    username = author_of(request.POST.get("author", ""), _about(lead_id))
    author = User.objects.filter(username=username).first() if username else None
    lead = lead_in_sight(author, "see", lead_id) if author else None
    if lead is not None:
        drafts.keep(username, lead.run.model_id, lead.unit_id, _typed(request))


def text_line(text: str) -> HttpResponse:
    """A line of text that htmx puts into the page."""
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _typed(request: HttpRequest) -> dict[str, str]:
    # NUL and halves of surrogate pairs, which no database takes, come from no keyboard.
    return {
        name: request.POST.get(name, "").replace("\x00", "") for name in drafts.FIELDS
    }


def _about(lead_id: int) -> str:
    return f"lead {lead_id}"


def _lead_to(request: HttpRequest, lead_id: int, action: Any) -> Lead:
    lead = lead_or_404(request, lead_id)
    if not may(request.user, action, lead.run.model_id, lead.office):
        raise PermissionDenied
    return lead


def _form(state: UnitState | None, draft: Draft | None) -> DecideForm:
    typed = draft.form if draft else {}
    return DecideForm(initial={**typed, "seen": state.version if state else 0})


def _answering(
    user: User, lead: Lead, proposal: Proposal | None, sent: Form | None
) -> dict[str, Any]:
    """What the panel needs where a proposal waits."""
    if proposal is None:
        return {}
    own = proposal.user == user.username
    draft = drafts.kept(user.username, lead.run.model_id, lead.unit_id)
    typed = {"reason": draft.form.get("reason", "")} if draft else {}
    return {
        "own": own,
        "may_answer": not own and may(user, "second", proposal.model, lead.office),
        "answer_form": sent
        if isinstance(sent, AnswerForm)
        else AnswerForm(initial=typed),
    }


def _answered(
    request: HttpRequest, lead: Lead, shown: Shown, status: int = 200
) -> HttpResponse:
    """The panel; for a browser without scripts a page with it."""
    if shown.conflict and isinstance(shown.form, DecideForm):
        shown = Shown(_to_send_again(shown.form, shown.conflict), shown.conflict)
    context = panel(request, lead, shown)
    if getattr(request, "htmx", False):
        return render(request, "console/decide.html", context)
    if status == 200:
        return redirect("lead", lead.id)
    context["lead"] = lead
    return render(request, "console/decide_page.html", context, status=status)


def _to_send_again(form: DecideForm, conflict: Conflict) -> DecideForm:
    """The same form, which has seen now what the other one did."""
    data = {name: form.data.get(name) for name in form.fields}
    return DecideForm({**data, "seen": conflict.moved[0].version})


def _done(request: HttpRequest, lead: Lead, said: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        context = panel(request, lead, Shown(done=said))
        return render(request, "console/decide.html", context)
    messages.success(request, said)
    return redirect("lead", lead.id)


def _told(outcome: Outcome, verdict: str) -> str:
    title = VERDICT_TITLES[verdict]
    if outcome.kind == "awaiting":
        return _("Proposed: %(verdict)s. A second person has to agree.") % {
            "verdict": title
        }
    return _("Recorded: %(verdict)s.") % {"verdict": title}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
