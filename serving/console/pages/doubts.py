"""Judging doubtful links: are two records one person or company?"""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from serving.access.models import User
from serving.audit.chain import record
from serving.console.access import needs, signed_in
from serving.console.doubtful import Doubt, doubts_in_sight, may_open, opened
from serving.console.entity import newest_runs
from serving.console.pages.entities import PurposeForm
from serving.judgements import judge as add_judgement
from serving.leads.models import Run

ON_PAGE = 10
BAR = 120  # pixels of the bar that shows a probability
VERDICTS = {"same": _("the same"), "different": _("different"), "unsure": _("unsure")}
HOW = {
    "same": _("same"),
    "close": _("nearly the same"),
    "differs": _("differs"),
    "missing": _("one says nothing"),
}
ATTRIBUTES = {
    "id": _("number"),
    "name": _("name"),
    "given_name": _("given name"),
    "family_name": _("family name"),
    "phone": _("phone"),
    "address": _("address"),
    "birth": _("birth date"),
    "birth_date": _("birth date"),
    "account": _("account"),
    "legal_person": _("legal representative"),
    "founded": _("founded"),
}


# Parts of an attribute by which records were found to be alike.
PARTS = {
    "masked": _("unmasked digits"),
    "head": _("beginning"),
    "tail": _("end"),
    "first": _("first characters"),
    "sound": _("sound"),
    "core": _("core of the name"),
    "building": _("building"),
    "street": _("street"),
    "start": _("beginning"),
    "day": _("day"),
    "month": _("month"),
}


class JudgeForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("They are"), choices=list(VERDICTS.items()), widget=forms.RadioSelect
    )
    note = forms.CharField(label=_("Why"), max_length=2_000)


@signed_in
@require_safe
def doubts(request: HttpRequest) -> HttpResponse:
    """The doubtful links of one model, those nobody judged first."""
    return _page(request, needs(request, "judge"))


@signed_in
@require_POST
def judge(request: HttpRequest) -> HttpResponse:
    """Keep what the user says of two records; the next run links by it."""
    user, run, doubt = _asked(request)
    form = JudgeForm(request.POST)
    if not form.is_valid():
        return _answer(request, user, run, doubt, judge_form=form)
    with transaction.atomic():
        kept = add_judgement(
            doubt.model,
            doubt.entity,
            (doubt.left, doubt.right),
            form.cleaned_data["verdict"],
            user=user.username,
            note=form.cleaned_data["note"],
        )
        record("judged", user=user.username, model=doubt.model, run=run.id,
               entity=doubt.entity, left=kept.left, right=kept.right,
               verdict=kept.verdict)  # fmt: skip
    if not request.headers.get("HX-Request"):
        messages.success(
            request, _("Your judgement is kept; the next run links by it.")
        )
        return redirect(f"{reverse('doubts')}?model={doubt.model}")
    return _answer(request, user, run, _again(user, run, doubt))


@signed_in
@require_POST
def doubt_disclose(request: HttpRequest) -> HttpResponse:
    """Show both records unmasked to who may see them and says what for."""
    user, run, doubt = _asked(request)
    if not may_open(user, run, doubt):
        raise Http404
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return _answer(request, user, run, doubt, purpose_form=form)
    record(
        "disclosed",
        user=user.username,
        model=doubt.model,
        run=run.id,
        entity=doubt.entity,
        left=doubt.left,
        right=doubt.right,
        purpose=form.cleaned_data["purpose"],
    )
    return _answer(request, user, run, opened(run, doubt), is_open=True)


def _asked(request: HttpRequest) -> tuple[User, Run, Doubt]:
    """The doubtful link that a form names, if the user may judge it."""
    user = needs(request, "judge")
    wanted = tuple(request.POST.get(name, "") for name in ("entity", "left", "right"))
    for run in newest_runs(user, "judge"):
        if run.model_id == request.POST.get("model", ""):
            for doubt in doubts_in_sight(user, run):
                if doubt.named == wanted:
                    return user, run, doubt
    raise Http404


def _again(user: User, run: Run, doubt: Doubt) -> Doubt:
    """The same link with the newest word on it."""
    found = (one for one in doubts_in_sight(user, run) if one.named == doubt.named)
    return next(found, doubt)


def _answer(
    request: HttpRequest, user: User, run: Run, doubt: Doubt, **forms_: Any
) -> HttpResponse:
    """One link alone, for htmx in place of the one on the page."""
    cards = [_card(user, run, doubt, **forms_)]
    if request.headers.get("HX-Request"):
        context = {"card": cards[0], "fresh": True}
        return render(request, "console/doubt.html", context)
    return render(request, "console/doubts.html", {"cards": cards, "run": run})


def _card(user: User, run: Run, doubt: Doubt, **forms_: Any) -> dict[str, Any]:
    hidden = any(one.sensitive for one in doubt.attributes)
    return {
        "doubt": doubt,
        "width": f"{BAR * min(max(doubt.probability, 0), 1):.0f}",
        "rows": [
            {
                "one": one,
                "title": ATTRIBUTES.get(one.name, one.name),
                "how": HOW[one.how],
            }
            for one in doubt.attributes
        ],
        "found_by": ", ".join(map(_title, (doubt.found_by or "").split(", "))),
        "verdict": VERDICTS.get(doubt.said.verdict) if doubt.said else None,
        "may_disclose": hidden and may_open(user, run, doubt),
        "judge_form": JudgeForm(auto_id=False),
        "purpose_form": PurposeForm(auto_id=False),
        "verdicts": VERDICTS.items(),
        **forms_,
    }


def _title(name: str) -> str:
    """An attribute such as `id`, or a part of one such as `id_tail`, in words."""
    whole, _sep, part = name.rpartition("_")
    if name in ATTRIBUTES or part not in PARTS:
        return str(ATTRIBUTES.get(name, name))
    return f"{ATTRIBUTES.get(whole, whole)} ({PARTS[part]})"


def _page(request: HttpRequest, user: User) -> HttpResponse:
    runs = newest_runs(user, "judge")
    asked = request.GET.get("model") or (runs[0].model_id if runs else "")
    run = next((one for one in runs if one.model_id == asked), None)
    if run is None and asked:
        raise Http404
    found = doubts_in_sight(user, run) if run else []
    judged = [doubt for doubt in found if doubt.said]
    open_ = [doubt for doubt in found if not doubt.said]
    show = "judged" if request.GET.get("show") == "judged" else "open"
    chosen = judged if show == "judged" else open_
    start = _number(request.GET.get("start", ""))
    page = chosen[start : start + ON_PAGE]
    context = {
        "runs": runs,
        "run": run,
        "kept": run is not None and "doubts" in run.files,
        "show": show,
        "counts": {"open": len(open_), "judged": len(judged)},
        "cards": [_card(user, run, doubt) for doubt in page if run],
        "start": start,
        "before": max(0, start - ON_PAGE) if start else None,
        "after": start + ON_PAGE if start + ON_PAGE < len(chosen) else None,
    }
    return render(request, "console/doubts.html", context)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0
