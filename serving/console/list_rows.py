"""What a row of a list shows beside its lead: rules, state, age, group.

A page of any size takes three queries.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Min
from django.db.models.functions import Length
from django.utils import timezone

from serving.console.bars import above
from serving.leads.models import Lead, RuleHit, Run
from serving.review.models import UnitState
from serving.review.states import CLOSED

_HIT = ("lead_id", "layer", "code", "reason_en", "reason_zh")


@dataclass(frozen=True, slots=True)
class Hit:
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Layer:
    number: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One lead as the list shows it."""

    lead: Lead
    group: int | None  # Group.id, of the group that the lead is opened with
    layers: tuple[Layer, ...]
    silent: tuple[str, ...]  # titles of the sources without a row about the unit
    state: str
    assignee: str
    due: date | None
    first_listed: datetime  # when a list of the model first showed the unit

    @property
    def days(self) -> int:
        return (timezone.now() - self.first_listed).days

    @property
    def above(self) -> int | None:
        """Above so many per cent of its peers."""
        share = self.lead.peer_percentile
        return None if share is None else above(share)

    @property
    def strongest(self) -> str:
        """What the first rule of the highest layer found; the scope is no finding."""
        above = [layer for layer in self.layers if layer.number > 1]
        return above[-1].hits[0].reason if above else ""

    @property
    def overdue(self) -> bool:
        due = self.due is not None and self.due < timezone.localdate()
        return due and self.state not in CLOSED


def rows_of(run: Run, leads: Sequence[Lead], lang: str) -> list[Row]:
    """The rows of leads of a run, in their order.

    Args:
        leads: as a page of `list_query` has them.
        lang: `en` or `zh`, in which reasons and titles are.
    """
    units = [lead.unit_id for lead in leads]
    layers = _layers([lead.id for lead in leads], lang)
    states = UnitState.objects.filter(model=run.model_id, unit_id__in=units)
    of_unit = {state.unit_id: state for state in states}
    listed = _first_listed(run, units)
    return [
        _row(lead, layers[lead.id], of_unit.get(lead.unit_id), listed, (run, lang))
        for lead in leads
    ]


def _row(
    lead: Any,
    layers: tuple[Layer, ...],
    state: UnitState | None,
    listed: dict[str, datetime],
    shown: tuple[Run, str],
) -> Row:
    return Row(
        lead=lead,
        group=lead.in_group,
        layers=layers,
        silent=silent_titles(*shown, lead.silent),
        state=state.state if state else "open",
        assignee=state.assignee if state else "",
        due=state.due if state else None,
        first_listed=listed[lead.unit_id],
    )


def silent_titles(run: Run, lang: str, silent: str) -> tuple[str, ...]:
    """What the sources in `Lead.silent` are called."""
    names = [name.strip() for name in silent.split(",") if name.strip()]
    return tuple(source_title(run, name, lang) for name in names)


def source_title(run: Run, name: str, lang: str) -> str:
    """What a source is called, by its department; its own name when it has no title."""
    about = run.about.get("sources", {}).get(name, {})
    title, department = about.get(lang), about.get(f"department_{lang}")
    return f"{title} ({department})" if title and department else title or name


def _layers(ids: Sequence[int], lang: str) -> dict[int, tuple[Layer, ...]]:
    hits = RuleHit.objects.filter(lead_id__in=ids)
    found: dict[int, dict[int, list[Hit]]] = defaultdict(lambda: defaultdict(list))
    for hit in hits.order_by("layer", Length("code"), "code").values(*_HIT):
        said = Hit(hit["code"], hit[f"reason_{lang}"])
        found[hit["lead_id"]][hit["layer"]].append(said)
    layers: dict[int, tuple[Layer, ...]] = defaultdict(tuple)
    for lead, of_lead in found.items():
        layers[lead] = tuple(Layer(n, tuple(some)) for n, some in of_lead.items())
    return layers


def _first_listed(run: Run, units: Sequence[str]) -> dict[str, datetime]:
    leads = Lead.objects.filter(unit_id__in=units, run__model_id=run.model_id)
    first = leads.values("unit_id").annotate(first=Min("run__published_at"))
    return {row["unit_id"]: row["first"] for row in first}
