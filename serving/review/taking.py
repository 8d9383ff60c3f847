"""Taking units to review oneself, and giving them back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from serving.access.models import User
from serving.access.rights import may
from serving.audit.chain import Act, record_all
from serving.leads.models import Lead
from serving.review.models import UnitState
from serving.review.states import states_of, take_turn

DUE_AFTER = timedelta(days=14)  # a desk result takes one to two weeks


def take(leads: Sequence[Lead], *, user: User) -> list[str]:
    """Give open leads of one run to oneself; the units that nobody else had by then.

    Raises:
        PermissionDenied: the user may not decide on one of them.
    """
    return _give(leads, user, taking=True)


def release(leads: Sequence[Lead], *, user: User) -> list[str]:
    """Give leads of one run back that one has; which they were."""
    return _give(leads, user, taking=False)


def _give(leads: Sequence[Lead], user: User, *, taking: bool) -> list[str]:
    if not leads:
        return []
    run = leads[0].run
    if any(not may(user, "decide", run.model_id, lead.office) for lead in leads):
        raise PermissionDenied
    with transaction.atomic():
        take_turn(run.model_id)
        before = states_of(run.model_id, [lead.unit_id for lead in leads])
        whose = "" if taking else user.username
        given = [
            lead.unit_id
            for lead in leads
            if (before[lead.unit_id].assignee if lead.unit_id in before else "")
            == whose
        ]
        for unit in given:
            state = before.get(unit) or UnitState(
                model=run.model_id, unit_id=unit, version=0
            )
            _write(state, user, taking)
        done = "took" if taking else "gave back"
        record_all(
            [
                Act(done, user.username, model=run.model_id, run=run.id, unit=unit)
                for unit in given
            ]
        )
    return given


def _write(state: UnitState, user: User, taking: bool) -> None:
    now = datetime.now(UTC)
    state.assignee = user.username if taking else ""
    state.assigned_by = user.username
    state.assigned_at = now
    state.due = timezone.localdate() + DUE_AFTER if taking else None
    state.changed_at = now
    state.version += 1
    state.save()
