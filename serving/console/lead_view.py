"""All that the store says of a lead, in the words of one language."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.db.models import OuterRef, Q, Subquery

from serving.about import About
from serving.access.models import User
from serving.access.rights import leads_in_sight
from serving.console.bars import Bars, above, bars, percent
from serving.console.graph import bare, spoken
from serving.console.lead_others import Other, Others
from serving.console.lead_words import REASON_KINDS, amount
from serving.console.list_choices import layer_title
from serving.console.source_rows import Sources, tie_key
from serving.dossier import dossier
from serving.leads.models import (
    Counterfactual,
    Evidence,
    Group,
    Lead,
    Part,
    PathStep,
    Reason,
    RuleHit,
    RunRule,
)
from serving.review.models import UnitState
from serving.review.states import states_of

_NO_WORDS = ("", "none", "无")  # by which a rule says that it knows of none
_MIDDLE = 0.5
_CODE = re.compile(r"[A-Za-z0-9_-]+")  # a rule's, in a text of either language
STRIP = 120  # width of the strip that shows where a value stands among all units


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired, and the lawful explanation to rule out."""

    code: str
    layer: int
    reason: str
    lawful: str
    says: str  # what the data say of it; empty when they say nothing

    @property
    def layer_title(self) -> str:
        return layer_title(self.layer)


@dataclass(frozen=True, slots=True)
class Why:
    """A reason with its numbers."""

    text: str
    kind: str
    kind_title: str
    feature: str  # its title, where the text does not say it
    value: str | None
    median: str | None
    percentile: float | None
    x: float | None  # of the percentile on the strip

    @property
    def low(self) -> bool:
        return self.percentile is not None and self.percentile < _MIDDLE

    @property
    def percent(self) -> str:
        """Of the units that it lies above, or below where it is low."""
        share = self.percentile
        if share is None:
            return ""
        return percent(1 - share if self.low else share)

    @property
    def new_value(self) -> str:
        """The value, where the text does not say it."""
        return "" if self.value is None or self.value in self.text else self.value

    @property
    def new_median(self) -> str:
        return "" if self.median is None or self.median in self.text else self.median


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way to another lead."""

    left: str
    left_kind: str
    right: str
    right_kind: str
    role: str
    department: str
    source: str
    row_key: str
    event_at: Any
    known_at: Any
    probability: float

    @property
    def percent(self) -> str:
        return percent(self.probability)


@dataclass(frozen=True, slots=True)
class Way:
    other: Other
    steps: tuple[Step, ...]


class LeadView:
    """A lead with what hangs on it; each part is read when it is first asked for."""

    def __init__(self, user: User, lead: Lead, lang: str) -> None:
        self.user, self.lead, self.lang = user, lead, lang
        self.run, self.model = lead.run, lead.run.model
        self.about = cast(About, lead.run.about or {})
        self.others = Others(user, lead)
        self.kept = dossier(lead.run)

    def words(self, row: Any, name: str) -> str:
        """`<name>_en` or `<name>_zh` of a row."""
        return getattr(row, f"{name}_{self.lang}") or ""

    @cached_property
    def as_of(self) -> Any:
        return bare(self.run.as_of)

    @cached_property
    def model_title(self) -> str:
        return self.words(self.model, "title")

    @cached_property
    def unit(self) -> str:
        """What a unit is called; empty in runs that do not say."""
        return self._called("unit")

    @cached_property
    def peers(self) -> str:
        return self._called("peers")

    def _called(self, name: str) -> str:
        words: Any = self.about.get(name)
        return str(words[self.lang]) if words else ""

    @property
    def peer_percent(self) -> str:
        return str(above(self.lead.peer_percentile or 0.0))

    @property
    def band_low(self) -> str:
        return percent(self.lead.band_low or 0.0)

    @property
    def band_high(self) -> str:
        return percent(self.lead.band_high or 0.0)

    @cached_property
    def state(self) -> UnitState | None:
        return self.states.get(self.lead.unit_id)

    @cached_property
    def states(self) -> dict[str, UnitState]:
        """States of the lead and of the units like it."""
        alike = (row["other"] for row in self.likes)
        return states_of(self.run.model_id, [self.lead.unit_id, *alike])

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Its source rows, unmasked: for masking and dating alone."""
        return self.kept.rows(self.lead.unit_id)

    @cached_property
    def likes(self) -> list[dict[str, Any]]:
        """Rows of the units like it; those that the user may not see among them."""
        return self.kept.likes(self.lead.unit_id)

    def look_ahead(self) -> None:
        """Let all leads that ways and likes speak of be asked for at once."""
        self.others.expect(row.other for row in self.steps)
        self.others.expect(row["other"] for row in self.likes)

    @cached_property
    def group(self) -> Group | None:
        if self.lead.group_id is None:
            return None
        return Group.objects.filter(members__lead_id=self.lead.id).first()

    @property
    def before(self) -> Lead | None:
        """The lead that the user sees next above this one in the list."""
        rank = self.lead.rank_fused
        return next((lead for lead in self._beside if lead.rank_fused < rank), None)

    @property
    def after(self) -> Lead | None:
        rank = self.lead.rank_fused
        return next((lead for lead in self._beside if lead.rank_fused > rank), None)

    @cached_property
    def _beside(self) -> list[Lead]:
        rank = self.lead.rank_fused
        seen = leads_in_sight(self.user, "see", self.run.model_id, self.run.id)
        above = seen.filter(rank_fused__lt=rank).order_by("-rank_fused")
        below = seen.filter(rank_fused__gt=rank).order_by("rank_fused")
        ids = Q(id=Subquery(above.values("id")[:1]))
        ids |= Q(id=Subquery(below.values("id")[:1]))
        return list(Lead.objects.filter(ids).only("id", "title", "rank_fused"))

    @cached_property
    def hits(self) -> list[Hit]:
        """The rules that fired, the strongest layer first."""
        rules = RunRule.objects.filter(run_id=self.run.id, code=OuterRef("code"))
        lawful = Subquery(rules.values(f"lawful_{self.lang}")[:1])
        fired = RuleHit.objects.filter(lead_id=self.lead.id).annotate(lawful=lawful)
        return [
            Hit(
                code=hit.code,
                layer=hit.layer,
                reason=self.words(hit, "reason"),
                lawful=hit.lawful or "",
                says=self.words(hit, "says"),
            )
            for hit in fired.order_by("-layer", "code")
        ]

    @property
    def lawful(self) -> list[Hit]:
        """The rules that fired and name a lawful explanation."""
        return [hit for hit in self.hits if hit.lawful.strip().lower() not in _NO_WORDS]

    @cached_property
    def reasons(self) -> list[Why]:
        rows = Reason.objects.filter(lead_id=self.lead.id).order_by("position")
        return [self._why(row) for row in rows]

    def _why(self, row: Reason) -> Why:
        about: Any = self.about.get("features", {}).get(row.feature, {})
        title, text = about.get(self.lang) or row.feature, self.words(row, "text")
        place = row.percentile
        return Why(
            text=text,
            kind=row.kind,
            kind_title=str(REASON_KINDS.get(row.kind, row.kind)),
            feature="" if title in text else title,
            value=amount(row.value, self.lang),
            median=amount(row.peer_median, self.lang),
            percentile=place,
            x=None if place is None else round(6 + place * (STRIP - 12), 1),
        )

    @cached_property
    def parts(self) -> Bars | None:
        rows = Part.objects.filter(lead_id=self.lead.id).order_by("position")
        values = [
            (self._told(self.words(row, "text")), row.contribution) for row in rows
        ]
        return bars(values) if values else None

    def _told(self, text: str) -> str:
        """The text of a part; where it names a rule that fired, with what it found."""
        words = set(_CODE.findall(text))
        found = next((hit for hit in self.hits if hit.code in words), None)
        colon = "：" if self.lang == "zh" else ": "
        return f"{text}{colon}{found.reason}" if found else text

    @cached_property
    def falls(self) -> list[tuple[str, int]]:
        """What would lower the place, each with the rank it would fall to."""
        rows = Counterfactual.objects.filter(lead_id=self.lead.id).order_by("position")
        return [(self.words(row, "text"), row.rank) for row in rows]

    @cached_property
    def evidence(self) -> list[Evidence]:
        return list(Evidence.objects.filter(lead_id=self.lead.id).order_by("id"))

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.about.get("sources", {}), lambda: self.evidence, self.lang)

    @property
    def stands(self) -> list[tuple[str, Evidence]]:
        """Where its rows stand, each with the title of its source."""
        return [(self.sources.title(row.source), row) for row in self.evidence]

    @property
    def explained(self) -> bool:
        """Only the first leads of a list are: the others have their numbers alone."""
        return bool(self.reasons or self.parts or self.evidence)

    @cached_property
    def silent(self) -> list[tuple[str, str]]:
        """Title and department of the sources that have no row about the unit."""
        names = (name.strip() for name in self.lead.silent.split(","))
        return [
            (self.sources.title(name), self.sources.department(name))
            for name in names
            if name
        ]

    @cached_property
    def steps(self) -> list[PathStep]:
        rows = PathStep.objects.filter(lead_id=self.lead.id)
        return list(rows.order_by("path", "step"))

    @cached_property
    def ways(self) -> list[Way]:
        """Ways to other leads that the user may see, the most telling first."""
        by_path: dict[tuple[int, str], list[PathStep]] = defaultdict(list)
        for row in self.steps:
            by_path[row.path, row.other].append(row)
        seen = self.others.seen([other for _path, other in by_path])
        return [
            Way(seen[other], tuple(self._step(row) for row in rows))
            for (_path, other), rows in by_path.items()
            if other in seen
        ]

    @cached_property
    def unseen_ways(self) -> int:
        return len({(row.path, row.other) for row in self.steps}) - len(self.ways)

    def _step(self, row: PathStep) -> Step:
        kinds = self.run.kinds
        return Step(
            left=spoken(row.left),
            left_kind=kinds.get(row.left_kind, {}).get(self.lang, row.left_kind),
            right=spoken(row.right),
            right_kind=kinds.get(row.right_kind, {}).get(self.lang, row.right_kind),
            role=self.words(row, "role"),
            department=self.words(row, "department"),
            source=self.sources.title(row.source),
            row_key=tie_key(row.row_key, row.left, row.right),
            event_at=bare(row.event_at),
            known_at=bare(row.known_at),
            probability=row.probability,
        )
