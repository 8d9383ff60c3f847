"""What a user may do, and which leads a query may find for them.

Rights are part of the query: what a user may not see is not found, so its page answers
404 like one that never was.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from serving.access.models import Grant, User
from serving.leads.models import Group, Lead, Run, SupervisionModel

Role = Literal["analyst", "office_lead", "data_scientist", "auditor", "administrator"]
Action = Literal[
    "see",  # leads with sensitive values masked
    "disclose",  # a sensitive value, with a purpose
    "decide",
    "second",  # agree to another's decision, or return it
    "judge",  # whether two records are one entity
    "assign",
    "export",
    "boards",  # dashboards
    "audit",  # read the audit log
    "manage",  # users, grants, teams, tokens
]
ROLES: tuple[Role, ...] = get_args(Role)

_ANALYST: frozenset[Action] = frozenset(
    ("see", "disclose", "decide", "second", "judge", "export", "boards")
)
ACTIONS: dict[Role, frozenset[Action]] = {
    "analyst": _ANALYST,
    "office_lead": _ANALYST | {"assign"},
    "data_scientist": frozenset(("see", "judge", "boards")),
    "auditor": frozenset(("see", "boards", "audit")),
    "administrator": frozenset(("manage",)),
}

AnyUser = User | AnonymousUser


def grants_for(user: AnyUser, action: Action) -> list[Grant]:
    """The grants by which a user may do this; none when signed out or inactive."""
    if not isinstance(user, User) or not user.is_active:
        return []
    roles = [role for role, actions in ACTIONS.items() if action in actions]
    # Read once for each request: the user object lives no longer.
    held: list[Grant] | None = user.__dict__.get("_grants")
    if held is None:
        held = user.__dict__["_grants"] = list(user.grants.all())
    return [grant for grant in held if grant.role in roles]


def may(
    user: AnyUser, action: Action, model: str = "", office: str | None = None
) -> bool:
    """May the user do this to a lead of the model and office?

    Without a model: to anything at all. A lead without an office belongs to every one.
    """
    return any(
        (not model or grant.model in ("", model))
        and (office is None or grant.office in ("", office))
        for grant in grants_for(user, action)
    )


def models_in_sight(
    user: AnyUser, action: Action = "see"
) -> QuerySet[SupervisionModel]:
    """The supervision models that a user may see something of."""
    named = {grant.model for grant in grants_for(user, action)}
    if "" in named:
        return SupervisionModel.objects.all()
    return SupervisionModel.objects.filter(id__in=named)


def runs_in_sight(user: AnyUser, action: Action = "see") -> QuerySet[Run]:
    """The runs of these models."""
    named = {grant.model for grant in grants_for(user, action)}
    if "" in named:
        return Run.objects.all()
    return Run.objects.filter(model_id__in=named)


def offices_for(user: AnyUser, action: Action, model: str) -> set[str] | None:
    """The offices whose leads of a model the user may see; None means all of them."""
    of_model = [g for g in grants_for(user, action) if g.model in ("", model)]
    offices = {grant.office for grant in of_model}
    return None if "" in offices else offices


def leads_in_sight(
    user: AnyUser, action: Action, model: str, run_id: str = ""
) -> QuerySet[Lead]:
    """The leads of a model, or of one of its runs, that the user may do this to."""
    of_run = Q(run_id=run_id) if run_id else Q(run__model_id=model)
    found = Lead.objects.filter(of_run)
    if not may(user, action, model):
        return found.none()
    offices = offices_for(user, action, model)
    return found if offices is None else found.filter(_of(offices))


def lead_in_sight(user: AnyUser, action: Action, lead_id: int) -> Lead | None:
    """One lead by its number, if the user may do this to it."""
    lead = Lead.objects.select_related("run__model").filter(id=lead_id).first()
    if lead is None or not may(user, action, lead.run.model_id, lead.office):
        return None
    return lead


def groups_in_sight(user: AnyUser, model: str, run_id: str) -> QuerySet[Group]:
    """The groups of a run with at least one lead that the user may see."""
    found = Group.objects.filter(run_id=run_id)
    if not may(user, "see", model):
        return found.none()
    offices = offices_for(user, "see", model)
    if offices is None:
        return found
    seen = Lead.objects.filter(_of(offices), run_id=run_id, group_id__isnull=False)
    return found.filter(group_id__in=seen.values("group_id"))


def _of(offices: Iterable[str]) -> Q:
    return Q(office__in=sorted(offices)) | Q(office__isnull=True)
