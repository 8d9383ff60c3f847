"""The leads that a filter leaves, when an index or a file names them and they are few.

A rare thing looked for along a million ranks would be found after seconds. Each function
here answers the ids of the leads of a run by one index, or None when there are many: then
the way along the ranks meets them soon enough.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet

from serving.console.list_filter import NOBODY, LeadFilter
from serving.dossier import dossier
from serving.leads.models import Lead, RuleHit, Run, RunRule
from serving.review.models import UnitState

FEW = 2_000  # of a million leads: a page of 50 fills after some 25,000 ranks
TOGETHER = 5_000  # ids asked for in one query: SQLite allows 32,766 parameters
_MANY = "many"
_DAY = 24 * 3600
_LAST = "\U0010ffff"  # sorts behind every other character

Ids = set[int]


def few(leads: LeadFilter, offices: set[str] | None) -> Ids | None:
    """The ids of leads among which all that fit are; None when no filter leaves few.

    Args:
        offices: whose leads are in sight, None for all; filters them when they are few.
    """
    found: Ids | None = None
    for name, value in leads.asked.items():
        ask = _ASKED.get(name)
        ids = ask(leads, value) if ask else None
        if ids is not None:
            found = ids if found is None else found & ids
    if found is None and offices is not None:
        found = _of_offices(leads.run, offices)
    return found


def _by_state(leads: LeadFilter, value: str) -> Ids | None:
    if value == "open":
        return None
    return _touched(leads.run, state=value)


def _by_assignee(leads: LeadFilter, value: str) -> Ids | None:
    if value == NOBODY:
        return None
    return _touched(leads.run, assignee=leads.username_of(value))


def _touched(run: Run, **which: str) -> Ids | None:
    states = UnitState.objects.filter(model=run.model_id, **which)
    units = list(states.values_list("unit_id", flat=True)[: FEW + 1])
    return _of_units(run, units) if len(units) <= FEW else None


def _by_rule(leads: LeadFilter, value: str) -> Ids | None:
    return _hit(leads.run, Q(code=value))


def _by_layer(leads: LeadFilter, value: str) -> Ids | None:
    return _hit(leads.run, Q(layer=int(value)))


def _hit(run: Run, which: Q) -> Ids | None:
    rules = list(RunRule.objects.filter(which, run=run).values_list("code", "hits"))
    if sum(hits for _, hits in rules) > FEW:
        return None
    ids = (
        Lead.objects.filter(run=run).order_by("rank_fused").values_list("id", flat=True)
    )
    # Ids follow the ranks, and between those of a run there is none of another.
    hits = RuleHit.objects.filter(
        code__in=[code for code, _ in rules],
        lead_id__gte=ids[0],
        lead_id__lte=ids.reverse()[0],
    )
    return set(hits.values_list("lead_id", flat=True))


def _by_finder(leads: LeadFilter, value: str) -> Ids | None:
    return _capped(leads.run, Q(found_by=value), "rank_fused")


def _by_grouped(leads: LeadFilter, value: str) -> Ids | None:
    if value == "no":
        return None
    return _capped(leads.run, Q(group_id__isnull=False), "group_id")


def _by_group(leads: LeadFilter, value: str) -> Ids | None:
    return _capped(leads.run, Q(group_id=value), "group_id")


def _by_money(leads: LeadFilter, value: Any) -> Ids | None:
    return _capped(leads.run, Q(money__gte=float(value)), "-money")


def _by_office(leads: LeadFilter, value: str) -> Ids | None:
    return _capped(leads.run, Q(office=value), "rank_fused")


def _of_offices(run: Run, offices: Iterable[str]) -> Ids | None:
    """Read once for a run, which never changes: every page of such a user asks it."""
    named = sorted(offices)
    said = sha256("\n".join(named).encode()).hexdigest()
    known = cache.get(key := f"few:{run.digest}:{said}")
    if known is None:
        own = _capped(run, Q(office__in=named))
        nobodys = _capped(run, Q(office__isnull=True))
        few = own is not None and nobodys is not None
        known = (own or set()) | (nobodys or set()) if few else _MANY
        cache.set(key, known, _DAY)
    ids: Ids | None = None if known == _MANY else known
    return ids


def _by_unit(leads: LeadFilter, value: str) -> Ids | None:
    """The unit of exactly this name, else those whose names begin so."""
    exact = _capped(leads.run, Q(unit_id=value), "unit_id")
    if exact:
        return exact
    which = Q(unit_id__startswith=value)
    if connection.vendor == "sqlite":  # whose LIKE uses no index
        which &= Q(unit_id__gte=value, unit_id__lt=value + _LAST)
    return _capped(leads.run, which, "unit_id")


def _by_token(leads: LeadFilter, value: str) -> Ids | None:
    return _of_units(leads.run, units_of(leads.run, value))


def units_of(run: Run, token: str) -> list[str]:
    """The units that are tied to the node of a token, each once."""
    return sorted({row["unit_id"] for row in dossier(run).units_of(token)})


def _capped(run: Run, which: Q, *order: str) -> Ids | None:
    """Ids by an index of (run, the column of `which`); None when there are many."""
    rows: QuerySet[Lead] = Lead.objects.filter(which, run=run).order_by(*order)
    ids = set(rows.values_list("id", flat=True)[: FEW + 1])
    return ids if len(ids) <= FEW else None


def _of_units(run: Run, units: Sequence[str]) -> Ids:
    ids: Ids = set()
    for start in range(0, len(units), TOGETHER):
        some = units[start : start + TOGETHER]
        rows = Lead.objects.filter(run=run, unit_id__in=some)
        ids.update(rows.values_list("id", flat=True))
    return ids


_ASKED: dict[str, Callable[[LeadFilter, Any], Ids | None]] = {
    "state": _by_state,
    "assignee": _by_assignee,
    "rule": _by_rule,
    "layer": _by_layer,
    "found_by": _by_finder,
    "grouped": _by_grouped,
    "group": _by_group,
    "money": _by_money,
    "office": _by_office,
    "unit": _by_unit,
    "token": _by_token,
}
