"""The audit log: read, filtered, verified and exported; nothing here changes it."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from axes.models import AccessFailureLog
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from serving.access.models import User
from serving.audit import chain
from serving.console.access import needs, signed_in
from serving.console.audit_log import (
    ACTIONS,
    COLUMNS,
    FilterForm,
    chosen,
    csv_rows,
    entries_in_sight,
    hidden_name,
    lines,
    sees_all,
)
from serving.console.export import plain
from serving.console.language import language

ON_PAGE = 50
MOST = 200_000  # entries of one file
FINDINGS_SHOWN = 50


@signed_in
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The entries, the newest first, a page after an entry's number."""
    user = needs(request, "audit")
    form = _form(request, user)
    entries = entries_in_sight(user).order_by("-id")
    entries = chosen(entries, form.cleaned_data if form.is_valid() else {})
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        entries = entries.filter(id__lt=int(before))
    page = list(entries[: ON_PAGE + 1])
    asked = {n: v for n, v in request.GET.items() if v and n != "before"}
    context = {
        "form": form,
        "lines": lines(page[:ON_PAGE], language()),
        "older": str(page[ON_PAGE - 1].id) if len(page) > ON_PAGE else None,
        "is_newest": not before,
        "query": urlencode(asked),
        "actions": ACTIONS.items(),
        "sees_all": sees_all(user),
    }
    return render(request, "console/audit.html", context)


@signed_in
@require_safe
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Recompute the chain and say what was found."""
    needs(request, "audit")
    number, digest = chain.head()
    findings = chain.unguarded() + chain.findings()
    context = {
        "number": number,
        "digest": digest,
        "findings": findings[:FINDINGS_SHOWN],
        "more": max(0, len(findings) - FINDINGS_SHOWN),
        "when": datetime.now(UTC),
    }
    partial = bool(request.headers.get("HX-Request"))
    page = "audit_verified" if partial else "audit_verified_page"
    return render(request, f"console/{page}.html", context)


@signed_in
@require_safe
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """What the filter shows, as CSV without anything that a spreadsheet calculates."""
    user = needs(request, "audit")
    form = _form(request, user)
    asked = form.cleaned_data if form.is_valid() else {}
    entries = chosen(entries_in_sight(user), asked).order_by("-id")
    told = {name: str(value) for name, value in asked.items() if value}
    chain.record("exported audit log", user=user.username, filters=told)
    name = f"leadline-audit-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"
    return StreamingHttpResponse(
        _csv(csv_rows(entries[:MOST])),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@signed_in
@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Sign-ins that failed, the newest first; for auditors of all models."""
    user = needs(request, "audit")
    if not sees_all(user):
        raise PermissionDenied
    before = request.GET.get("before", "")
    failed = AccessFailureLog.objects.order_by("-id")
    if before.isdecimal() and len(before) < 19:
        failed = failed.filter(id__lt=int(before))
    page = list(failed[: ON_PAGE + 1])
    tried = {one.username for one in page}
    known = set(
        User.objects.filter(username__in=tried).values_list("username", flat=True)
    )
    context = {
        "rows": [
            {"failed": one, "name": hidden_name(one.username, known)}
            for one in page[:ON_PAGE]
        ],
        "older": str(page[ON_PAGE - 1].id) if len(page) > ON_PAGE else None,
        "sees_all": True,
    }
    return render(request, "console/audit_sign_ins.html", context)


def _form(request: HttpRequest, user: User) -> FilterForm:
    return FilterForm(request.GET, user, language())


def _csv(rows: Iterator[list[str]]) -> Iterator[bytes]:
    yield "\ufeff".encode()  # by which spreadsheets know UTF-8
    yield _line(list(COLUMNS))
    for row in rows:
        yield _line([plain(cell) for cell in row])


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")
