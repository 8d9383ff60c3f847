"""What the page of a group shows to one user, and what its form means."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from serving.access.models import User
from serving.access.rights import leads_in_sight, may
from serving.console.graph import Picture, drawn, of_store, spoken
from serving.console.review_words import CAUSE_TITLES, VERDICT_TITLES, Text
from serving.console.source_rows import Sources
from serving.leads.models import Group, GroupTie, Lead
from serving.review.deciding import Choice, Conflict, Moved
from serving.review.models import Proposal, UnitState
from serving.review.states import CLOSED, states_of

MOST_MEMBERS, MOST_TIES, MOST_NODES = 1_000, 5_000, 60
LEAVE = "leave"  # the exception that a lead is left as it is
_SETTLED = (*CLOSED, "awaiting")

Key = tuple[str, str]  # kind and label of a node


@dataclass(frozen=True, slots=True)
class Member:
    """A lead of the group, with where its review stands."""

    lead: Lead
    state: str
    version: int
    may: bool  # the user may decide on it


@dataclass(frozen=True, slots=True)
class Point:
    """A node that ties members to each other."""

    kind: str  # its title
    label: str
    members: int  # that are tied to it directly
    roles: str
    departments: str
    rows: int
    probability: float  # of the surest tie


class GroupView:
    """A group as a user sees it: the members in their sight, and how many are not."""

    def __init__(self, user: User, group: Group, lang: str) -> None:
        self.user = user
        self.group = group
        self.lang = lang

    @property
    def model_title(self) -> str:
        return str(getattr(self.group.run.model, f"title_{self.lang}"))

    @property
    def reason(self) -> str:
        return str(getattr(self.group, f"reason_{self.lang}"))

    @property
    def as_of(self) -> datetime:
        return self.group.run.as_of.replace(tzinfo=None)

    @property
    def codes(self) -> list[str]:
        """Rules that fired on at least half of the members."""
        return [code.strip() for code in self.group.codes.split(",") if code]

    @cached_property
    def members(self) -> list[Member]:
        """Those in sight, the best rank first."""
        group, run = self.group, self.group.run
        seen = leads_in_sight(self.user, "see", run.model_id, run.id)
        rows = seen.filter(group_id=group.group_id).order_by("rank_fused")
        leads = list(rows[:MOST_MEMBERS])
        states = states_of(run.model_id, [lead.unit_id for lead in leads])
        return [self._member(lead, states.get(lead.unit_id)) for lead in leads]

    @property
    def unseen(self) -> int:
        """How many members there are of which the user may see nothing."""
        return max(self.group.units - len(self.members), 0)

    @cached_property
    def ties(self) -> list[GroupTie]:
        """Those that name no member out of sight."""
        rows = list(self.group.ties.order_by("position")[:MOST_TIES])
        if not self.unseen:
            return rows
        members = Lead.objects.filter(run=self.group.run, group_id=self.group.group_id)
        hidden = set(members.values_list("unit_id", flat=True)) - self._units
        return [row for row in rows if not hidden & {row.left, row.right}]

    @cached_property
    def points(self) -> list[Point]:
        """What members share, what ties most of them first."""
        tied: dict[Key, list[tuple[str, GroupTie]]] = defaultdict(list)
        for tie in self.ties:
            ends = (tie.left_kind, tie.left), (tie.right_kind, tie.right)
            for node, other in (ends, ends[::-1]):
                if node[1] not in self._units:
                    tied[node].append((other[1], tie))
        points = [self._point(node, found) for node, found in tied.items()]
        return sorted(
            points, key=lambda point: (-point.members, point.kind, point.label)
        )

    @cached_property
    def waiting(self) -> list[Proposal]:
        """Proposals on members that wait for a second person."""
        units = [m.lead.unit_id for m in self.members if m.state == "awaiting"]
        if not units:
            return []
        found = Proposal.objects.filter(
            model=self.group.run.model_id, unit_id__in=units, answer=None
        )
        # Of several on a unit the last one is waited for.
        return list({row.unit_id: row for row in found.order_by("id")}.values())

    @property
    def to_second(self) -> list[Proposal]:
        """Those of them that the user may answer."""
        model = self.group.run.model_id
        offices = {m.lead.unit_id: m.lead.office for m in self.members}
        return [
            proposal
            for proposal in self.waiting
            if proposal.user != self.user.username
            and may(self.user, "second", model, offices[proposal.unit_id])
        ]

    @property
    def states(self) -> list[tuple[str, int]]:
        """How many members in sight are in each state."""
        return Counter(member.state for member in self.members).most_common()

    @property
    def may_decide(self) -> bool:
        return any(member.may for member in self.members)

    def choices(self, said: Mapping[str, Any], sent: Mapping[str, str]) -> list[Choice]:
        """What a sent form decides: for each member its exception, else the same."""
        return [
            choice
            for member in self.members
            if member.may and (choice := self._choice(member, said, sent)) is not None
        ]

    def rows(self, typed: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The members as the form shows them, with what was typed of each."""
        return [
            {
                "member": member,
                "lead": member.lead,
                "chosen": typed.get(
                    f"except-{member.lead.id}",
                    LEAVE if member.state in _SETTLED else "",
                ),
                "note": typed.get(f"note-{member.lead.id}", ""),
            }
            for member in self.members
        ]

    def moved(self, conflict: Conflict) -> list[tuple[Lead, Moved]]:
        """What others changed, with the leads that it is about."""
        leads = {member.lead.unit_id: member.lead for member in self.members}
        return [(leads[moved.unit_id], moved) for moved in conflict.moved]

    def picture(self) -> Picture | None:
        """The ring as a graph; the points that tie most when there are too many."""
        nodes, ties = of_store(self.ties, self.lang)
        if not nodes:
            return None
        sources = Sources(self.group.run.about.get("sources", {}), list, self.lang)
        ties = [replace(tie, source=sources.title(tie.source)) for tie in ties]
        degree = Counter(end for tie in ties for end in (tie.left, tie.right))
        leads = {member.lead.unit_id: member.lead for member in self.members}
        known = [
            replace(
                node, lead_id=leads[node.label].id, rank=leads[node.label].rank_fused
            )
            if node.label in leads
            else node
            for node in sorted(nodes, key=lambda node: (-degree[node.key], node.key))
        ]
        shown = {node.key for node in known[:MOST_NODES]}
        left_out = sum(not {tie.left, tie.right} <= shown for tie in ties)
        return drawn(
            known[:MOST_NODES],
            ties,
            self.group.run.kinds,
            self.lang,
            (len(known[MOST_NODES:]), left_out),
        )

    @cached_property
    def _units(self) -> set[str]:
        return {member.lead.unit_id for member in self.members}

    def _member(self, lead: Lead, state: UnitState | None) -> Member:
        lead.run = self.group.run
        return Member(
            lead=lead,
            state=state.state if state else "open",
            version=state.version if state else 0,
            may=may(self.user, "decide", lead.run.model_id, lead.office),
        )

    def _choice(
        self, member: Member, said: Mapping[str, Any], sent: Mapping[str, str]
    ) -> Choice | None:
        number = member.lead.id
        exception = sent.get(f"except-{number}", LEAVE)
        if exception == LEAVE:
            return None
        verdict, _, cause = exception.partition(":")
        if not exception:
            verdict, cause = said["verdict"], said["cause"]
        seen = sent.get(f"seen-{number}", "")
        note = sent.get(f"note-{number}", "").strip() if exception else ""
        return Choice(
            lead=member.lead,
            verdict=verdict,
            cause=cause,
            reason=note or said["reason"],
            seen=int(seen)
            if seen.isascii() and seen.isdigit() and len(seen) < 10
            else -1,
        )

    def _point(self, node: Key, found: list[tuple[str, GroupTie]]) -> Point:
        kinds = self.group.run.kinds
        roles = dict.fromkeys(self._word(tie, "role") for _, tie in found)
        departments = dict.fromkeys(self._word(tie, "department") for _, tie in found)
        return Point(
            kind=kinds.get(node[0], {}).get(self.lang, node[0]),
            label=spoken(node[1]),
            members=len({other for other, _ in found} & self._units),
            roles=", ".join(filter(None, roles)),
            departments=", ".join(filter(None, departments)),
            rows=sum(tie.rows for _, tie in found),
            probability=max(tie.probability for _, tie in found),
        )

    def _word(self, tie: GroupTie, name: str) -> str:
        return getattr(tie, f"{name}_{self.lang}") or ""


def exception_choices() -> list[tuple[str, Text, list[tuple[str, Text]]]]:
    """What may be chosen for one member instead: value, title, and causes below it."""
    causes: list[tuple[str, Text]] = [
        (f"excluded:{name}", title) for name, title in CAUSE_TITLES.items()
    ]
    return [
        (name, title, causes if name == "excluded" else [])
        for name, title in VERDICT_TITLES.items()
    ]
