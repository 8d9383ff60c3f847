"""The page of a group, and one decision for all of its leads with exceptions."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from serving.access.models import User
from serving.access.rights import groups_in_sight
from serving.console.access import group_or_404, signed_in, user_of
from serving.console.decide_form import AnswerForm, GroupForm, author_of, signed_author
from serving.console.group_view import GroupView, exception_choices
from serving.console.language import language
from serving.console.pages.decide import kept_line, send_to_sign_in, text_line
from serving.console.review_words import REFUSED, verdict_choices
from serving.leads.models import Group
from serving.review import drafts
from serving.review.deciding import (
    Conflict,
    Outcome,
    Refused,
    answer_all,
    decide_all,
    second_review,
)


@signed_in
@never_cache
@require_safe
def group_page(request: HttpRequest, group_id: int) -> HttpResponse:
    """The ring as a picture and a table, what its members share, and the form."""
    return _page(request, _view(request, group_id))


@never_cache
@require_POST
def decide_page(request: HttpRequest, group_id: int) -> HttpResponse:
    """Decide on all members at once, or on none of them."""
    if not isinstance(request.user, User):
        _keep_for_author(request, group_id)
        return send_to_sign_in(request, reverse("group", args=[group_id]))
    view = _view(request, group_id)
    if not any(member.may for member in view.members):
        raise PermissionDenied
    form = GroupForm(request.POST)
    if not form.is_valid():
        return _page(request, view, form=form, status=422)
    choices = view.choices(form.cleaned_data, request.POST)
    if not choices:
        refused = _("Every lead is left as it is: there is nothing to record.")
        return _page(request, view, form=form, refused=refused, status=422)
    try:
        outcomes = decide_all(choices, user=request.user)
    except Conflict as conflict:
        view = _view(request, group_id)  # as it stands now
        return _page(request, view, form=form, conflict=conflict, status=409)
    except Refused as error:
        refused = f"{error.unit_id}: {REFUSED[error.why]}"
        return _page(request, view, form=form, refused=refused, status=409)
    _forget(request.user, view.group)
    return _done(request, view.group, _told(outcomes))


@never_cache
@require_POST
def second_page(request: HttpRequest, group_id: int) -> HttpResponse:
    """Agree to what was proposed of the members, or return all of it."""
    if not isinstance(request.user, User):
        _keep_for_author(request, group_id)
        return send_to_sign_in(request, reverse("group", args=[group_id]))
    view = _view(request, group_id)
    form = AnswerForm(request.POST)
    asked = set(request.POST.getlist("proposal"))
    proposals = [p for p in view.to_second if str(p.id) in asked]
    if not form.is_valid() or len(proposals) != len(asked) or not asked:
        refused = "" if proposals else REFUSED["answered"]
        return _page(request, view, answer=form, refused=refused, status=422)
    agreed = form.cleaned_data["agreed"] == "yes"
    reason = form.cleaned_data["reason"]
    try:
        answer_all(proposals, agreed=agreed, reason=reason, user=request.user)
    except Refused as error:
        refused = f"{error.unit_id}: {REFUSED[error.why]}"
        return _page(request, view, answer=form, refused=refused, status=409)
    _forget(request.user, view.group)
    done = (
        ngettext(
            "Agreed to %(n)d conclusion.", "Agreed to %(n)d conclusions.", len(asked)
        )
        if agreed
        else ngettext(
            "Returned %(n)d proposal.", "Returned %(n)d proposals.", len(asked)
        )
    )
    return _done(request, view.group, done % {"n": len(asked)})


@never_cache
@require_POST
def draft_page(request: HttpRequest, group_id: int) -> HttpResponse:
    """Keep what is typed of a group; answers one line that says so."""
    if not isinstance(request.user, User):
        _keep_for_author(request, group_id)
        return text_line(
            _("Your session has ended. What you typed is kept: sign in again.")
        )
    group = group_or_404(request, group_id)
    if "discard" in request.POST:
        _forget(request.user, group)
        return _done(request, group, _("Discarded."))
    model, unit = group.run.model_id, drafts.key_of_group(group.id)
    kept = drafts.keep(request.user.username, model, unit, _typed(request))
    return text_line(kept_line(kept))


def _view(request: HttpRequest, group_id: int) -> GroupView:
    group = group_or_404(request, group_id)
    return GroupView(user_of(request), group, language())


def _page(  # noqa: PLR0913  each is one thing that may have gone wrong
    request: HttpRequest,
    view: GroupView,
    *,
    form: GroupForm | None = None,
    answer: Form | None = None,
    conflict: Conflict | None = None,
    refused: str | Promise = "",
    status: int = 200,
) -> HttpResponse:
    user, group = user_of(request), view.group
    sent = dict(request.POST.items()) if form else {}
    draft = drafts.kept(
        user.username, group.run.model_id, drafts.key_of_group(group.id)
    )
    typed: dict[str, Any] = sent or (draft.form if draft else {})
    form = form or GroupForm(initial=typed)
    context = {
        "view": view,
        "group": group,
        "run": group.run,
        "form": form,
        "choices": verdict_choices(second_review(group.run)),
        "chosen": form["verdict"].value(),
        "members": view.rows(typed),
        "exceptions": exception_choices(),
        "answer_form": answer or AnswerForm(initial=typed),
        "conflict": conflict,
        "moved": view.moved(conflict) if conflict else [],
        "refused": refused,
        "draft": None if sent else draft,
        "author": signed_author(user.username, _about(group.id)),
    }
    if getattr(request, "htmx", False):
        return render(request, "console/group_decide.html", context)
    context["picture"] = view.picture()
    return render(request, "console/group.html", context, status=status)


def _done(request: HttpRequest, group: Group, said: str) -> HttpResponse:
    messages.success(request, said)
    back = reverse("group", args=[group.id])
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


def _told(outcomes: list[Outcome]) -> str:
    waits = sum(outcome.kind == "awaiting" for outcome in outcomes)
    done = len(outcomes) - waits
    said = []
    if done:
        said.append(
            ngettext("Recorded for %(n)d lead.", "Recorded for %(n)d leads.", done)
            % {"n": done}
        )
    if waits:
        said.append(
            ngettext(
                "Proposed for %(n)d lead: a second person has to agree.",
                "Proposed for %(n)d leads: a second person has to agree.",
                waits,
            )
            % {"n": waits}
        )
    return " ".join(said)


def _forget(user: User, group: Group) -> None:
    drafts.drop(user.username, group.run.model_id, [drafts.key_of_group(group.id)])


def _keep_for_author(request: HttpRequest, group_id: int) -> None:
    """The session has ended: what was typed waits for the one who typed it."""
    username = author_of(request.POST.get("author", ""), _about(group_id))
    author = User.objects.filter(username=username).first() if username else None
    group = Group.objects.select_related("run").filter(id=group_id).first()
    if author is None or group is None:
        return
    model = group.run.model_id
    if groups_in_sight(author, model, group.run_id).filter(id=group_id).exists():
        drafts.keep(username, model, drafts.key_of_group(group_id), _typed(request))


def _typed(request: HttpRequest) -> dict[str, str]:
    return {
        name: request.POST.get(name, "").replace("\x00", "")
        for name in request.POST
        if name in drafts.FIELDS or name.startswith(("except-", "note-"))
    }


def _about(group_id: int) -> str:
    return f"group {group_id}"
