"""All that was said of a unit: conclusions, proposals and answers to them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serving.leads.models import Disposition
from serving.review.models import Answer, Proposal

_TOGETHER = 5_000  # units asked for in one query: SQLite allows 32,766 parameters


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said. `verdict` is that of the proposal where it answers one."""

    kind: Literal["disposition", "proposal", "answer"]
    unit_id: str
    run_id: str
    verdict: str
    cause: str
    reason: str
    user: str
    at: datetime
    agreed: bool | None = None  # of an answer
    seconded_by: str = ""  # of a disposition


def history(model: str, unit_ids: Collection[str]) -> list[Said]:
    """What was said of these units, at most 5,000, in the order of time."""
    units = list(unit_ids)[:_TOGETHER]
    about = {"model": model, "unit_id__in": units}
    answers = Answer.objects.filter(
        **{f"proposal__{name}": value for name, value in about.items()}
    ).select_related("proposal")
    said = [
        *(_proposal(row) for row in Proposal.objects.filter(**about).order_by("id")),
        *(_answer(row) for row in answers.order_by("id")),
        *(
            _disposition(row)
            for row in Disposition.objects.filter(**about).order_by("id")
        ),
    ]
    return sorted(said, key=lambda one: one.at)


def last_said(model: str, unit_ids: Collection[str]) -> dict[str, Said]:
    """The last thing said of each unit of which anything was."""
    return {one.unit_id: one for one in history(model, unit_ids)}


def _disposition(row: Disposition) -> Said:
    return Said(
        *("disposition", row.unit_id, row.run_id, row.verdict, row.cause),
        *(row.reason, row.user, row.at),
        seconded_by=row.seconded_by,
    )


def _proposal(row: Proposal) -> Said:
    return Said(
        *("proposal", row.unit_id, row.run_id, row.verdict, row.cause),
        *(row.reason, row.user, row.at),
    )


def _answer(row: Answer) -> Said:
    of = row.proposal
    return Said(
        *("answer", of.unit_id, of.run_id, of.verdict, of.cause),
        *(row.reason, row.user, row.at),
        agreed=row.agreed,
    )
