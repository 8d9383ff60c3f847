"""Other leads that a lead's page speaks of: those of its run that the user may see."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.access.models import User
from serving.access.rights import leads_in_sight
from serving.console.bars import percent
from serving.leads.models import Lead
from serving.review.models import UnitState

_READ = ("id", "unit_id", "title", "rank_fused")


@dataclass(frozen=True, slots=True)
class Other:
    """Another lead, as it is spoken of."""

    id: int
    unit_id: str
    title: str
    rank_fused: int


@dataclass(slots=True)
class Others:
    """Leads of one run by unit, asked for once each."""

    user: User
    lead: Lead
    _found: dict[str, Other | None] = field(init=False)
    _expected: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        own = Other(**{name: getattr(self.lead, name) for name in _READ})
        self._found = {own.unit_id: own}

    def expect(self, units: Iterable[str]) -> None:
        """These will be spoken of: ask for them when others are asked for."""
        self._expected.update(units)

    def seen(self, units: Collection[str]) -> dict[str, Other]:
        """Those of the units that the user may see."""
        missing = [unit for unit in units if unit not in self._found]
        if missing:
            missing = list({*missing, *self._expected} - set(self._found))
            model, run = self.lead.run.model_id, self.lead.run_id
            rows = leads_in_sight(self.user, "see", model, run)
            rows = rows.filter(unit_id__in=missing)
            self._found.update(dict.fromkeys(missing))
            self._found.update(
                (row["unit_id"], Other(**row)) for row in rows.values(*_READ)
            )
        found = ((unit, self._found[unit]) for unit in units)
        return {unit: other for unit, other in found if other is not None}


@dataclass(frozen=True, slots=True)
class Alike:
    """A unit like the lead's, why, and where its review stands."""

    other: Other
    text: str
    likeness: float
    state: str

    @property
    def percent(self) -> str:
        return percent(self.likeness)

    @property
    def confirmed(self) -> bool:
        return self.state == "confirmed"


def alike(
    likes: list[dict[str, Any]],
    others: Others,
    states: Mapping[str, UnitState],
    lang: str,
) -> list[Alike]:
    """Rows of `Dossier.likes`: confirmed ones first, then the most alike."""
    seen = others.seen([row["other"] for row in likes])
    found = [
        Alike(
            other=seen[row["other"]],
            text=row[f"text_{lang}"] or "",
            likeness=row["likeness"],
            state=states[row["other"]].state if row["other"] in states else "open",
        )
        for row in likes
        if row["other"] in seen
    ]
    return sorted(found, key=lambda one: not one.confirmed)
