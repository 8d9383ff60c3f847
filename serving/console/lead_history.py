"""What became of a lead's unit: earlier lists, and what people concluded."""

from dataclasses import dataclass
from datetime import datetime

from serving.access.models import User
from serving.access.rights import leads_in_sight
from serving.console.bars import Spark, spark
from serving.leads.models import Disposition, Lead

MOST_RUNS, MOST_WORDS = 30, 50


@dataclass(frozen=True, slots=True)
class Place:
    """The unit in one run of the model."""

    id: int
    run_id: str
    as_of: datetime  # without a zone
    rank_fused: int
    score: float
    units: int


def places(user: User, lead: Lead) -> list[Place]:
    """The unit in the model's runs that the user may see, newest first."""
    found = leads_in_sight(user, "see", lead.run.model_id)
    rows = found.filter(unit_id=lead.unit_id).order_by("-run__as_of", "-id")
    columns = ("id", "run_id", "rank_fused", "score", "run__as_of", "run__units")
    return [
        Place(
            id=row["id"],
            run_id=row["run_id"],
            as_of=row["run__as_of"].replace(tzinfo=None),
            rank_fused=row["rank_fused"],
            score=row["score"],
            units=row["run__units"],
        )
        for row in rows.values(*columns)[:MOST_RUNS]
    ]


def ranks(found: list[Place]) -> Spark | None:
    """The ranks as a line; None of a single run."""
    if len(found) < 2:
        return None
    return spark([place.rank_fused for place in reversed(found)])


def concluded(lead: Lead) -> list[Disposition]:
    """The dispositions of the unit in this model, newest first."""
    found = Disposition.objects.filter(model=lead.run.model_id, unit_id=lead.unit_id)
    return list(found.order_by("-at", "-id")[:MOST_WORDS])
