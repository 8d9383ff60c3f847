"""Concluding on a lead: once, on what was seen, and with a second person where needed."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.params.functions import Header
from pydantic import Field

from serving.access.models import User
from serving.api.fields import LARGEST, NO_NUL, Given, RowId
from serving.api.once import AGAIN, CREATED, Answered, KeyUsed, once
from serving.api.problems import ON_ONE, Problem
from serving.api.rows import state_row
from serving.api.schemas import SaidOut, StateOut
from serving.console.access import lead_or_404, user_of
from serving.dispositions import Cause, Verdict
from serving.leads.models import Lead
from serving.review.deciding import LONGEST, Conflict, Outcome, Refused, Why, decide
from serving.review.said import last_said
from serving.review.states import states_of

router = Router(tags=["dispositions"])

PROPOSED = 202


class DecisionIn(Given):
    """What is concluded of a lead."""

    verdict: Verdict
    cause: Cause | None = Field(None, description="with `excluded`, and only then")
    reason: str = Field(min_length=1, max_length=LONGEST, pattern=NO_NUL)
    seen: int = Field(
        ge=0, le=LARGEST, description="`version` of the lead's `review` as you read it"
    )


class DecisionOut(Schema):
    """What was recorded: a disposition, or a proposal that waits for a second person."""

    lead: int
    unit_id: str
    review: StateOut
    said: SaidOut


class ConflictOut(Problem):
    """How the review stands by now."""

    review: StateOut
    said: SaidOut | None = Field(description="the last thing said of the unit")


_KEY = Header(
    ...,
    alias="Idempotency-Key",
    min_length=8,
    max_length=200,
    pattern="^[!-~]+$",
    description="a text of your own for this decision: sent again with it, the decision "
    "is not taken twice",
)
_INCOMPLETE = {
    "verdict": "unknown",
    "reason": "give one",
    "cause": "give one with `excluded`, and none with another verdict",
}
_IMPOSSIBLE = {
    "waiting": "a second person has to answer first",
    "nothing_to_withdraw": "nothing stands that could be withdrawn",
}


@router.post(
    "/leads/{lead_id}/dispositions",
    response={
        frozenset({200, 201, 202}): DecisionOut,
        409: ConflictOut,
        ON_ONE | {400, 413}: Problem,
    },
    operation_id="decide",
    summary="Conclude on a lead",
    description="""201: recorded. 202: proposed, where the supervision model demands a
second person. 200: recorded before, by the same request. 409: somebody else changed the
review since `seen`, or it does not stand where this is possible; read the lead again. 422
with the key in `where`: the key was used for another decision.""",
)
def decision(
    request: HttpRequest,
    lead_id: RowId,
    given: DecisionIn,
    key: Annotated[str, _KEY],
) -> Status[Any]:
    """Recorded, with its entry in the audit log, before the answer is sent."""
    lead = lead_or_404(request, lead_id)
    user = user_of(request)
    asked = {"lead": lead_id, **given.model_dump()}
    try:
        status, answer = once(user, key, asked, lambda: _decided(lead, given, user))
    except KeyUsed:
        detail = "this key was used for another decision; take a new one"
        return Status(422, Problem(detail=detail, where=["header.Idempotency-Key"]))
    except Refused as error:
        return _refusal(lead, error.why)
    except Conflict:
        return Status(409, _conflict(lead, "the review changed since you read it"))
    return Status(status, answer)


def _decided(lead: Lead, given: DecisionIn, user: User) -> Answered:
    outcome = decide(
        lead, user=user, **(given.model_dump() | {"cause": given.cause or ""})
    )
    said = last_said(lead.run.model_id, [lead.unit_id])[lead.unit_id]
    answer = DecisionOut(
        lead=lead.id,
        unit_id=lead.unit_id,
        review=_review(lead),
        said=SaidOut.from_orm(said),
    )
    return _status(outcome), answer.model_dump(mode="json")


def _status(outcome: Outcome) -> int:
    if outcome.kind == "awaiting":
        return PROPOSED
    return AGAIN if outcome.again else CREATED


def _refusal(lead: Lead, why: Why) -> Status[Any]:
    if why in _IMPOSSIBLE:
        return Status(409, _conflict(lead, _IMPOSSIBLE[why]))
    return Status(422, Problem(detail=_INCOMPLETE[why], where=[f"body.{why}"]))


def _conflict(lead: Lead, detail: str) -> ConflictOut:
    said = last_said(lead.run.model_id, [lead.unit_id]).get(lead.unit_id)
    return ConflictOut(
        detail=detail,
        where=["body.seen"],
        review=_review(lead),
        said=SaidOut.from_orm(said) if said else None,
    )


def _review(lead: Lead) -> StateOut:
    return state_row(states_of(lead.run.model_id, [lead.unit_id]).get(lead.unit_id))
