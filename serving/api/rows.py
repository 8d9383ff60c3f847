"""From rows of the store to what the API answers, a few queries for a whole page."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.functions import Length

from serving.api.schemas import StateOut
from serving.leads.models import Disposition, Group, Lead, RuleHit, Slot
from serving.review.models import UnitState
from serving.review.states import states_of

Row = dict[str, Any]
Stored = TypeVar("Stored", bound=Model)

_LEAD = (
    *("id", "run_id", "unit_id", "title", "money", "score", "rules", "fused"),
    *("rank_score", "rank_rules", "rank_fused", "found_by", "office"),
    *("peer_percentile", "band_low", "band_high"),
)
_GROUP = (
    *("id", "run_id", "group_id", "rank", "score", "title", "units", "money"),
    *("density", "reason_en", "reason_zh"),
)
_DISPOSITION = (
    *("id", "model", "run_id", "unit_id", "verdict", "cause", "reason", "user", "at"),
    "seconded_by",
)
# Before a conclusion nobody may learn that a unit was drawn: it would bias them.
_CONCLUDED = ("confirmed", "excluded")


def page_of(ordered: QuerySet[Stored], limit: int) -> tuple[list[Stored], bool]:
    """The first rows, and whether there are more behind them."""
    rows = list(ordered[: limit + 1])
    return rows[:limit], len(rows) > limit


def lead_rows(leads: Sequence[Lead], model_id: str) -> list[Row]:
    """Leads of one run, in their order."""
    codes = _codes(lead.id for lead in leads)
    groups = _group_numbers(leads)
    states = states_of(model_id, [lead.unit_id for lead in leads])
    return [
        {
            **{name: getattr(lead, name) for name in _LEAD},
            "model_id": model_id,
            "codes": codes[lead.id],
            "group": groups.get(lead.group_id),
            "silent": listed(lead.silent),
            "review": state_row(states.get(lead.unit_id)),
        }
        for lead in leads
    ]


def state_row(state: UnitState | None) -> StateOut:
    """Where the review of a unit stands; nobody touched one without a row."""
    return StateOut.from_orm(state) if state else StateOut(state="open", version=0)


def group_row(group: Group, model_id: str) -> Row:
    """A group, without its members."""
    shown = {name: getattr(group, name) for name in _GROUP}
    return {**shown, "model_id": model_id, "codes": listed(group.codes)}


def disposition_rows(dispositions: Sequence[Disposition]) -> list[Row]:
    """Dispositions of one model, each with its lead and how that came to be reviewed."""
    units = {d.unit_id for d in dispositions}
    runs = {d.run_id for d in dispositions}
    found = Lead.objects.filter(run_id__in=runs, unit_id__in=units)
    leads = {
        (run, unit): n for n, run, unit in found.values_list("id", "run", "unit_id")
    }
    slots = {s.lead_id: s for s in Slot.objects.filter(lead_id__in=leads.values())}
    return [
        _disposition_row(d, leads.get((d.run_id, d.unit_id)), slots)
        for d in dispositions
    ]


def _disposition_row(
    said: Disposition, lead: int | None, slots: dict[int, Slot]
) -> Row:
    slot = slots.get(lead or 0) if said.verdict in _CONCLUDED else None
    return {
        **{name: getattr(said, name) for name in _DISPOSITION},
        "lead": lead,
        "kind": slot.kind if slot else None,
        "propensity": slot.propensity if slot else None,
    }


def listed(text: str) -> list[str]:
    """What stands in one column, separated by commas."""
    return [name.strip() for name in text.split(",") if name]


def _codes(lead_ids: Iterable[int]) -> dict[int, list[str]]:
    hits = RuleHit.objects.filter(lead_id__in=list(lead_ids))
    codes: dict[int, list[str]] = defaultdict(list)
    ordered = hits.order_by("layer", Length("code"), "code")
    for lead_id, code in ordered.values_list("lead_id", "code"):
        codes[lead_id].append(code)
    return codes


def _group_numbers(leads: Sequence[Lead]) -> dict[str | None, int]:
    named = {lead.group_id for lead in leads if lead.group_id is not None}
    if not named:
        return {}
    found = Group.objects.filter(run_id=leads[0].run_id, group_id__in=named)
    return dict(found.values_list("group_id", "id"))
