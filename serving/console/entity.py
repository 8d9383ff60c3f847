"""What the newest lists say of one person, company or other node, as a user may see it.

A lead of another office is not found here either, nor what is known through it alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from itertools import islice
from typing import Any

from configs.privacy import MASK
from serving.access.rights import (
    Action,
    AnyUser,
    leads_in_sight,
    models_in_sight,
    offices_for,
)
from serving.console.graph import spoken
from serving.dossier import Dossier, Rows, dossier
from serving.leads.models import Lead, Run
from serving.review.states import states_of

LEADS_SHOWN = 100
TIES_SHOWN = 200
UNITS_READ = 5_000  # of one node: a bank or a hospital may be tied to more
_TELLING = 4  # characters from which a value within a row's key gives it away
_TOGETHER = 2_000  # units asked for in one query


@dataclass(frozen=True, slots=True)
class TiedLead:
    """A lead that the entity is tied to, by which roles, and where its review stands."""

    lead: Lead
    roles_en: str
    roles_zh: str
    state: str


@dataclass(frozen=True, slots=True)
class Tied:
    """A tie of the entity and the node at its other end."""

    tie: dict[str, Any]
    kind: dict[str, str]  # title of the other node's kind
    label: str  # masked where sensitive
    lead: Lead | None  # when the other node is a lead in sight
    source: Mapping[str, Any]  # its titles
    row_key: str  # masked where it would give a sensitive value away


@dataclass(frozen=True, slots=True)
class Known:
    """What the newest run of one model says."""

    run: Run
    kind: dict[str, str]
    node: dict[str, Any] | None  # None where the run kept none of it
    leads: list[TiedLead]
    leads_found: int  # of which `leads` are the first
    has_more: bool  # the node is tied to more units than were looked at
    ties: list[Tied]
    ties_found: int
    neighbours: int  # other nodes at the ends of these ties
    doubts: int  # links of this node that a person should judge
    may_disclose: bool

    @property
    def as_of(self) -> datetime:
        """Without a zone, as in the tables."""
        return self.run.as_of.replace(tzinfo=None)


def newest_runs(user: AnyUser, action: Action) -> list[Run]:
    """The newest run of every model that the user may do this in, by model."""
    found = []
    for model in models_in_sight(user, action).order_by("id"):
        runs = Run.objects.filter(model=model).select_related("model")
        newest = runs.order_by("-as_of", "-published_at", "-id").first()
        if newest is not None:
            found.append(newest)
    return found


def known_of(user: AnyUser, key: str) -> list[Known]:
    """What is known of the node with this key; nothing where no lead in sight has it."""
    found = (_known(user, key, run) for run in newest_runs(user, "see"))
    return [known for known in found if known is not None]


def seen_units(
    user: AnyUser, action: Action, run: Run, units: Iterable[str]
) -> dict[str, Lead]:
    """The leads of a run, by unit, that the user may do this to."""
    seen = leads_in_sight(user, action, run.model_id, run.id)
    return {
        lead.unit_id: lead
        for some in _parts(units)
        for lead in seen.filter(unit_id__in=some)
    }


def seen_keys(
    user: AnyUser, action: Action, run: Run, keys: Collection[str]
) -> set[str]:
    """Those of the nodes that are tied to a lead that the user may do this to."""
    if offices_for(user, action, run.model_id) is None:
        return set(keys)
    rows = dossier(run).units_tied_to(keys)
    seen = seen_units(user, action, run, dict.fromkeys(r["unit_id"] for r in rows))
    return {row["key"] for row in rows if row["unit_id"] in seen}


def kind_of(run: Run, kind: str) -> dict[str, str]:
    """The titles of a kind of node; its name where the run has none."""
    return run.kinds.get(kind) or {"en": kind, "zh": kind}


def _known(user: AnyUser, key: str, run: Run) -> Known | None:
    kept = dossier(run)
    node, tied = kept.nodes([key]).get(key), kept.units_of(key)[:UNITS_READ]
    roles = _roles(tied, node)
    seen = seen_units(user, "see", run, roles)
    if not seen:
        return None
    first = nsmallest(LEADS_SHOWN, seen.values(), key=lambda lead: lead.rank_fused)
    ties = _ties(user, run, kept, key)
    kind = node["kind"] if node else tied[0]["kind"]
    return Known(
        run=run,
        kind=kind_of(run, kind),
        node=node,
        leads=_with_states(run.model_id, first, roles),
        leads_found=len(seen),
        has_more=len(tied) == UNITS_READ,
        ties=ties[:TIES_SHOWN],
        ties_found=len(ties),
        neighbours=len({tied.tie["other"] for tied in ties}),
        doubts=sum(key in (d["left_key"], d["right_key"]) for d in kept.doubts()),
        may_disclose=bool(node and node["sensitive"])
        and bool(seen_units(user, "disclose", run, [lead.unit_id for lead in first])),
    )


def _roles(rows: Rows, node: dict[str, Any] | None) -> dict[str, dict[str, set[str]]]:
    """unit -> the roles that the entity has in it, by language."""
    roles: dict[str, dict[str, set[str]]] = defaultdict(
        lambda: {"en": set(), "zh": set()}
    )
    for row in rows:
        for language in ("en", "zh"):
            roles[row["unit_id"]][language].add(row[f"role_{language}"])
    if node and node["unit_id"] is not None:
        _ = roles[node["unit_id"]]  # the node is the unit, in no role
    return dict(roles)


def _with_states(
    model: str, leads: list[Lead], roles: dict[str, dict[str, set[str]]]
) -> list[TiedLead]:
    states = states_of(model, [lead.unit_id for lead in leads])
    return [
        TiedLead(
            lead=lead,
            roles_en=", ".join(sorted(roles[lead.unit_id]["en"])),
            roles_zh="、".join(sorted(roles[lead.unit_id]["zh"])),
            state=states[lead.unit_id].state if lead.unit_id in states else "open",
        )
        for lead in leads
    ]


def _ties(user: AnyUser, run: Run, kept: Dossier, key: str) -> list[Tied]:
    """The ties in sight, the latest first; those without a time last."""
    ties = kept.ties([key])
    nodes = kept.nodes({key, *(tie["other"] for tie in ties)})
    units = [node["unit_id"] for node in nodes.values() if node["unit_id"] is not None]
    leads = seen_units(user, "see", run, units)
    others = {name for name, node in nodes.items() if node["unit_id"] is None}
    points = seen_keys(user, "see", run, others)
    found = []
    for tie in ties:
        node = nodes.get(tie["other"])
        if node is None:
            continue
        lead = leads.get(node["unit_id"])
        if lead is not None or node["key"] in points:
            found.append(_tied(run, tie, node, nodes.get(key), lead))
    return sorted(found, key=_latest_first)


def _tied(
    run: Run,
    tie: dict[str, Any],
    other: dict[str, Any],
    node: dict[str, Any] | None,
    lead: Lead | None,
) -> Tied:
    hidden = [end["value"] for end in (other, node) if end and end["sensitive"]]
    told = any(len(v) >= _TELLING and v in tie["row_key"] for v in hidden)
    return Tied(
        tie=tie,
        kind=kind_of(run, other["kind"]),
        label=spoken(other["label"]),
        lead=lead,
        source=_source(run, tie["source"]),
        row_key=MASK if told else tie["row_key"],
    )


def _source(run: Run, name: str) -> Mapping[str, Any]:
    known: Mapping[str, Any] = run.about.get("sources", {})
    return known.get(name) or {"en": name, "zh": name}


def _latest_first(tied: Tied) -> tuple[bool, float]:
    at = tied.tie["event_at"]
    return (at is None, 0.0 if at is None else -at.timestamp())


def _parts(units: Iterable[str]) -> Iterator[list[str]]:
    asked = iter(units)
    while some := list(islice(asked, _TOGETHER)):
        yield some
