"""How a page finds what its user may see: 404 for the rest, as if it never was."""

from django.contrib.auth.decorators import login_required as signed_in
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from serving.access.models import User
from serving.access.rights import (
    Action,
    groups_in_sight,
    lead_in_sight,
    may,
    runs_in_sight,
)
from serving.leads.models import Group, Lead, Run

__all__ = ["group_or_404", "lead_or_404", "needs", "run_or_404", "signed_in", "user_of"]


def user_of(request: HttpRequest) -> User:
    """The user of a page that needs one."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def run_or_404(request: HttpRequest, run_id: str, action: Action = "see") -> Run:
    """The run, if the user may see anything of its model."""
    if "\x00" in run_id:  # which PostgreSQL does not even look for
        raise Http404
    found = runs_in_sight(request.user, action).select_related("model")
    run = found.filter(id=run_id).first()
    if run is None:
        raise Http404
    return run


def lead_or_404(request: HttpRequest, lead_id: int, action: Action = "see") -> Lead:
    """The lead, if the user may do this to it."""
    lead = lead_in_sight(request.user, action, lead_id)
    if lead is None:
        raise Http404
    return lead


def group_or_404(request: HttpRequest, group_id: int) -> Group:
    """The group by its number, if the user may see one of its leads."""
    group = Group.objects.select_related("run__model").filter(id=group_id).first()
    if group is None:
        raise Http404
    seen = groups_in_sight(request.user, group.run.model_id, group.run_id)
    if not seen.filter(id=group_id).exists():
        raise Http404
    return group


def needs(request: HttpRequest, action: Action, model: str = "") -> User:
    """The user, who may do this; 403 otherwise."""
    user = user_of(request)
    if not may(user, action, model):
        raise PermissionDenied
    return user
