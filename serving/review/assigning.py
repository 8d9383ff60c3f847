"""Giving units to a person who reviews them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from django.db import transaction
from django.db.models import F

from serving.access.models import Grant, User
from serving.access.rights import ACTIONS, may
from serving.audit.chain import record
from serving.leads.models import Lead
from serving.review.models import UnitState
from serving.review.states import take_turn

_TOGETHER = 5_000  # units asked for in one query: SQLite allows 32,766 parameters


class NotAssignable(ValueError):
    """Units that may not be given to this person, or not by this one."""

    def __init__(self, units: Sequence[str], whose: str) -> None:
        super().__init__(
            f"{len(units)} units, such as {units[0]!r}, are not {whose}'s to assign or "
            "to decide; choose a person with a grant for their model and office"
        )
        self.units = tuple(units)
        self.whose = whose


def assign(
    units: Sequence[str], *, model: str, to: str, by: User, due: date | None
) -> int:
    """Give units of a model to a user, all of them or none; how many there were.

    Args:
        to: username; empty takes the units back from whoever has them.

    Raises:
        NotAssignable: `by` may not assign one of the units, or `to` not decide it.
    """
    wanted = sorted(set(units))
    if not wanted:
        return 0
    taker = User.objects.filter(username=to).first() if to else None
    with transaction.atomic():
        take_turn(model)
        offices = offices_of(model, wanted)
        strange = [
            u for u in wanted if u not in offices or not _may(by, u, offices, model)
        ]
        if strange:
            raise NotAssignable(strange, by.username)
        if to:
            _check_taker(taker, to, model, offices)
        _write(wanted, model, to, by.username, due)
        record(
            "assigned",
            user=by.username,
            model=model,
            to=to,
            due=due.isoformat() if due else "",
            count=len(wanted),
            units=wanted,
        )
    return len(wanted)


def offices_of(model: str, units: Sequence[str]) -> dict[str, str | None]:
    """Published unit -> its office in the newest list that has it.

    An older list may name another: who reviewed the unit then has handed it over since.
    """
    offices: dict[str, str | None] = {}
    for start in range(0, len(units), _TOGETHER):
        some = units[start : start + _TOGETHER]
        found = Lead.objects.filter(unit_id__in=some, run__model_id=model)
        newest_last = found.order_by("run__as_of", "run__published_at", "run_id")
        offices.update(newest_last.values_list("unit_id", "office"))
    return offices


def deciders(model: str, offices: set[str] | None) -> list[User]:
    """Who may decide on leads of a model in at least one of the offices, by username.

    Args:
        offices: None for all; who works for others alone is not named.
    """
    roles = [role for role, actions in ACTIONS.items() if "decide" in actions]
    granted = Grant.objects.filter(role__in=roles, model__in=("", model))
    if offices is not None:
        granted = granted.filter(office__in=("", *offices))
    people = User.objects.filter(id__in=granted.values("user"), is_active=True)
    return list(people.filter(is_service=False).order_by("username"))


def _may(by: User, unit: str, offices: dict[str, str | None], model: str) -> bool:
    return may(by, "assign", model, offices[unit])


def _check_taker(
    taker: User | None, to: str, model: str, offices: dict[str, str | None]
) -> None:
    refused = [
        unit
        for unit, office in offices.items()
        if taker is None or not may(taker, "decide", model, office)
    ]
    if refused:
        raise NotAssignable(refused, to)


def _write(
    units: Sequence[str], model: str, to: str, by: str, due: date | None
) -> None:
    now = datetime.now(UTC)
    # Version 0 becomes 1 below: whoever else adds the row meanwhile loses nothing.
    UnitState.objects.bulk_create(
        [UnitState(model=model, unit_id=u, version=0, changed_at=now) for u in units],
        ignore_conflicts=True,
        batch_size=_TOGETHER,
    )
    for start in range(0, len(units), _TOGETHER):
        some = units[start : start + _TOGETHER]
        UnitState.objects.filter(model=model, unit_id__in=some).update(
            assignee=to,
            assigned_by=by,
            assigned_at=now,
            due=due,
            version=F("version") + 1,
            changed_at=now,
        )
