"""The lead sheet as a PDF."""

from datetime import UTC, datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from serving.access.rights import may
from serving.audit.chain import record
from serving.console.access import lead_or_404, signed_in, user_of
from serving.console.language import language
from serving.console.lead_graph import lead_graph
from serving.console.lead_history import concluded
from serving.console.lead_view import LeadView
from serving.console.source_rows import masked_keys


@signed_in
@never_cache
@require_safe
def sheet(request: HttpRequest, lead_id: int) -> HttpResponse:
    """The sheet, for who may export; it is logged before it is given out."""
    from serving.console.sheet import Sheet  # noqa: PLC0415  reportlab takes a while

    found = lead_or_404(request, lead_id)
    user = user_of(request)
    if not may(user, "export", found.run.model_id, found.office):
        raise PermissionDenied
    view = LeadView(user, found, language())
    keys = masked_keys(view.rows, view.sources)
    picture = lead_graph(view.kept, view.others, None, view.lang)
    pdf = Sheet(view, concluded(found), keys, picture, datetime.now(UTC)).pdf()
    with transaction.atomic():
        record(
            "exported sheet",
            user=user.username,
            model=found.run.model_id,
            run=found.run_id,
            unit=found.unit_id,
            evidence=len(view.evidence),
        )
    name = f"{found.run_id}-{found.rank_fused}.pdf"
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{_plain(name)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _plain(name: str) -> str:
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name
    )
