"""Taking a list out as a file; nothing leaves before the audit log says so."""

from typing import cast

from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_GET

from serving.audit.chain import record
from serving.console.access import needs, run_or_404, signed_in
from serving.console.export import Form, exported, mark
from serving.console.language import language
from serving.console.list_filter import FOUND_BY, STATES
from serving.console.pages.lists import listing_of
from serving.console.pages.lists_views import kept

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_GET
@signed_in
def export(request: HttpRequest, run_id: str, form: str) -> FileResponse:
    """The list as it is narrowed down and sorted, as one file."""
    if form not in TYPES:
        raise Http404
    run = run_or_404(request, run_id)
    user = needs(request, "export", run.model_id)
    listing = listing_of(request, run, request.GET, action="export")
    query = kept(request.GET).urlencode()
    now = timezone.localtime()
    marked = mark(run, user.username, f"{now:%Y-%m-%d %H:%M:%S %z}", query)
    words = {name: str(title) for name, title in (*FOUND_BY, *STATES)}
    made = exported(cast(Form, form), listing, marked, words, language())
    record(
        "exported",
        user=user.username,
        model=run.model_id,
        run=run.id,
        form=form,
        filter=query,
        rows=made.rows,
        sha256=made.sha256,
    )
    name = f"{run.id}-{now:%Y%m%d-%H%M%S}.{form}"
    return FileResponse(
        made.file, as_attachment=True, filename=name, content_type=TYPES[form]
    )
