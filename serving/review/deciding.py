"""Deciding on leads: nobody overwrites another, and some verdicts need a second person.

A decision names the version of the unit's state that its author saw. When somebody else
changed the unit since, nothing is recorded and `Conflict` tells what the other one did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from configs.errors import LeadlineError
from serving.access.models import User
from serving.access.rights import may
from serving.audit.chain import Act, record_all
from serving.dispositions import CAUSES, VERDICTS, add_dispositions
from serving.leads.models import Lead, Run
from serving.records import DispositionRecord
from serving.review.assigning import offices_of
from serving.review.models import Answer, Proposal, UnitState
from serving.review.said import Said, last_said
from serving.review.states import move, settle, states_of, take_turn

Why = Literal[
    "verdict",  # unknown
    "reason",  # none given, or longer than LONGEST
    "cause",  # none given with `excluded`, or given with another verdict
    "nothing_to_withdraw",
    "waiting",  # for a second person, who has to answer first
    "answered",  # or no longer waited for
    "own",  # one's own proposal cannot be agreed to
]
LONGEST = 10_000  # characters of a note
NOTHING_SAID = ("open", "withdrawn")  # states with nothing to withdraw


class Refused(LeadlineError):
    """What was sent cannot be recorded; `why` says which part of it."""

    def __init__(self, why: Why, unit_id: str) -> None:
        super().__init__(f"{unit_id}: {why}")
        self.why: Why = why
        self.unit_id = unit_id


@dataclass(frozen=True, slots=True)
class Moved:
    """A unit that somebody changed meanwhile."""

    unit_id: str
    version: int
    state: str
    assignee: str
    assigned: bool  # it was given to somebody, or taken back, after `said`
    said: Said | None  # the last thing said of it


class Conflict(LeadlineError):
    """Others changed these units since they were looked at; nothing was recorded."""

    def __init__(self, moved: Sequence[Moved]) -> None:
        super().__init__(", ".join(one.unit_id for one in moved))
        self.moved = tuple(moved)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user decides on a lead, having seen a version of its state (0 = none)."""

    lead: Lead
    verdict: str
    cause: str
    reason: str
    seen: int


@dataclass(frozen=True, slots=True)
class Outcome:
    unit_id: str
    kind: Literal["decided", "awaiting"]
    again: bool = False  # it was recorded before, by the same request sent twice


def decide(
    lead: Lead, *, verdict: str, cause: str, reason: str, user: User, seen: int
) -> Outcome:
    """Record a decision on one lead, in the run that it was looked at in.

    Raises:
        PermissionDenied: the user may not decide on this lead.
        Refused: the decision is not complete or not possible.
        Conflict: somebody else changed the unit since.
    """
    choice = Choice(lead, verdict, cause, reason.strip(), seen)
    return decide_all([choice], user=user)[0]


def decide_all(choices: Sequence[Choice], *, user: User) -> list[Outcome]:
    """Record decisions on leads of one run, all of them or none; errors as `decide`."""
    run = choices[0].lead.run
    offices = offices_of(run.model_id, [c.lead.unit_id for c in choices])
    for choice in choices:
        _check(choice, user, offices)
    with transaction.atomic():
        take_turn(run.model_id)
        states = states_of(run.model_id, [c.lead.unit_id for c in choices])
        if moved := [c for c in choices if _version(states, c) != c.seen]:
            return _recognised(choices, moved, states, user)
        needed = second_review(run)
        _check_possible(choices, states)
        now = datetime.now(UTC)
        proposed = [c for c in choices if c.verdict in needed]
        decided = [c for c in choices if c.verdict not in needed]
        add_dispositions([_disposition(c, user, now) for c in decided])
        _propose(run, proposed, user, now)
    return [
        Outcome(c.lead.unit_id, "awaiting" if c.verdict in needed else "decided")
        for c in choices
    ]


def second_review(run: Run) -> frozenset[str]:
    """The verdicts for which the supervision model demands a second person.

    What the newest list demands holds for older ones, too: else the page of a lead in an
    older list would be a way around the second person.
    """
    runs = Run.objects.filter(model_id=run.model_id)
    newest = runs.order_by("-as_of", "-published_at", "-id")
    demanded = newest.values_list("about__review__second_review", flat=True).first()
    own = run.about.get("review", {}).get("second_review", [])
    return frozenset((*own, *(demanded or ())))


def waiting(model: str, unit_id: str) -> Proposal | None:
    """The proposal on a unit that waits for a second person."""
    state = states_of(model, [unit_id]).get(unit_id)
    if state is None or state.state != "awaiting":
        return None
    found = Proposal.objects.filter(model=model, unit_id=unit_id, answer=None)
    return found.select_related("run").order_by("-id").first()


def answer(proposal: Proposal, *, agreed: bool, reason: str, user: User) -> Outcome:
    """Agree to a proposal, which makes it a disposition, or return it with a note."""
    return answer_all([proposal], agreed=agreed, reason=reason, user=user)[0]


def answer_all(
    proposals: Sequence[Proposal], *, agreed: bool, reason: str, user: User
) -> list[Outcome]:
    """Answer proposals of one model, all of them or none.

    Who proposed may not agree, but may take the proposal back, which returns it.

    Raises:
        PermissionDenied: the user may not answer one of them.
        Refused: a return has no note, a proposal is the user's own, or is not waited for.
    """
    for proposal in proposals:
        _check_answer(proposal, agreed, reason, user)
    model = proposals[0].model
    with transaction.atomic():
        take_turn(model)
        same = Answer.objects.filter(
            proposal__in=proposals, user=user.username, agreed=agreed
        )
        if same.count() == len(proposals):  # sent twice
            return [Outcome(p.unit_id, "decided", again=True) for p in proposals]
        for proposal in proposals:
            if waiting(model, proposal.unit_id) != proposal:
                raise Refused("answered", proposal.unit_id)
        now = datetime.now(UTC)
        _answer(
            proposals, Answer(agreed=agreed, reason=reason, user=user.username, at=now)
        )
    return [Outcome(p.unit_id, "decided") for p in proposals]


def _check(choice: Choice, user: User, offices: Mapping[str, str | None]) -> None:
    lead, unit = choice.lead, choice.lead.unit_id
    # Then as now: another office may have the unit since.
    for office in {lead.office, offices[unit]}:
        if not may(user, "decide", lead.run.model_id, office):
            raise PermissionDenied
    if choice.verdict not in VERDICTS:
        raise Refused("verdict", unit)
    if not choice.reason.strip() or len(choice.reason) > LONGEST:
        raise Refused("reason", unit)
    causes = CAUSES if choice.verdict == "excluded" else ("",)
    if choice.cause not in causes:
        raise Refused("cause", unit)


def _check_possible(choices: Iterable[Choice], states: dict[str, UnitState]) -> None:
    for choice in choices:
        unit = choice.lead.unit_id
        state = states[unit].state if unit in states else "open"
        if state == "awaiting":
            raise Refused("waiting", unit)
        if choice.verdict == "withdrawn" and state in NOTHING_SAID:
            raise Refused("nothing_to_withdraw", unit)


def _version(states: dict[str, UnitState], choice: Choice) -> int:
    state = states.get(choice.lead.unit_id)
    return state.version if state else 0


def _recognised(
    choices: Sequence[Choice],
    moved: Sequence[Choice],
    states: dict[str, UnitState],
    user: User,
) -> list[Outcome]:
    """What was sent twice, such as after a lost connection; Conflict for all else."""
    model = choices[0].lead.run.model_id
    said = last_said(model, [choice.lead.unit_id for choice in moved])
    if len(moved) == len(choices) and all(
        _version(states, c) == c.seen + 1
        and _is_same(said.get(c.lead.unit_id), c, user)
        for c in moved
    ):
        kinds = {unit: states[unit].state == "awaiting" for unit in said}
        return [
            Outcome(unit, "awaiting" if kinds[unit] else "decided", again=True)
            for unit in (choice.lead.unit_id for choice in choices)
        ]
    raise Conflict([_moved(states, c, said.get(c.lead.unit_id)) for c in moved])


def _is_same(said: Said | None, choice: Choice, user: User) -> bool:
    if said is None or said.kind == "answer" or said.user != user.username:
        return False
    sent = (choice.verdict, choice.cause, choice.reason.strip())
    return (said.verdict, said.cause, said.reason) == sent


def _moved(states: dict[str, UnitState], choice: Choice, said: Said | None) -> Moved:
    unit = choice.lead.unit_id
    state = states.get(unit) or UnitState(unit_id=unit, version=0)
    given = state.assigned_at
    assigned = given is not None and (said is None or given > said.at)
    return Moved(unit, state.version, state.state, state.assignee, assigned, said)


def _disposition(choice: Choice, user: User, now: datetime) -> DispositionRecord:
    return DispositionRecord(
        model=choice.lead.run.model_id,
        run_id=choice.lead.run_id,
        unit_id=choice.lead.unit_id,
        verdict=choice.verdict,
        reason=choice.reason.strip(),
        user=user.username,
        at=now,
        cause=choice.cause,
    )


def _propose(run: Run, choices: Sequence[Choice], user: User, now: datetime) -> None:
    if not choices:
        return
    rows = [
        Proposal(
            model=run.model_id,
            run=run,
            unit_id=c.lead.unit_id,
            verdict=c.verdict,
            cause=c.cause,
            reason=c.reason.strip(),
            user=user.username,
            at=now,
        )
        for c in choices
    ]
    Proposal.objects.bulk_create(rows)
    move(run.model_id, dict.fromkeys((row.unit_id for row in rows), "awaiting"))
    record_all(
        [
            _act("proposed", row, user, verdict=row.verdict, cause=row.cause)
            for row in rows
        ]
    )


def _check_answer(proposal: Proposal, agreed: bool, reason: str, user: User) -> None:
    unit = proposal.unit_id
    office = offices_of(proposal.model, [unit])[unit]
    own = proposal.user == user.username
    if not may(user, "decide" if own else "second", proposal.model, office):
        raise PermissionDenied
    if own and agreed:
        raise Refused("own", unit)
    if len(reason) > LONGEST or not (agreed or reason.strip()):
        raise Refused("reason", unit)


def _answer(proposals: Sequence[Proposal], said: Answer) -> None:
    model, units = proposals[0].model, [p.unit_id for p in proposals]
    Answer.objects.bulk_create(
        Answer(
            proposal=p,
            agreed=said.agreed,
            reason=said.reason,
            user=said.user,
            at=said.at,
        )
        for p in proposals
    )
    done = "agreed" if said.agreed else "returned"
    record_all([_act(done, p, said.user, verdict=p.verdict) for p in proposals])
    if not said.agreed:
        settle(model, units, answered=True)
        _back_to_proposers(proposals, said)
        return
    add_dispositions(
        [
            DispositionRecord(
                model=p.model,
                run_id=p.run_id,
                unit_id=p.unit_id,
                verdict=p.verdict,
                reason=p.reason,
                user=p.user,
                at=said.at,
                cause=p.cause,
                seconded_by=said.user,
            )
            for p in proposals
        ]
    )


def _back_to_proposers(proposals: Sequence[Proposal], said: Answer) -> None:
    """What was returned comes up again in the queue of who proposed it."""
    for proposal in proposals:
        free = UnitState.objects.filter(
            model=proposal.model, unit_id=proposal.unit_id, assignee=""
        )
        free.update(assignee=proposal.user, assigned_by=said.user, assigned_at=said.at)


def _act(action: str, of: Proposal, user: User | str, **detail: Any) -> Act:
    return Act(
        action,
        user if isinstance(user, str) else user.username,
        model=of.model,
        run=of.run_id,
        unit=of.unit_id,
        detail={name: value for name, value in detail.items() if value},
    )
