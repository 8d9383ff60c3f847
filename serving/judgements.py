"""What people judged of two records: the same entity, or different ones.

Judgements belong to no run. They are only ever added; of several on the same two records
the one added last holds. `serving.connect.open_store` must have been called once in the
process.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from django.db.models import Max

import serving.connect  # noqa: F401  sets Django up, which the models below need
from configs.errors import StoreError, nearest
from serving.leads.models import LinkJudgement

# A person who is unsure says that a judgement made before holds no longer.
Verdict = Literal["same", "different", "unsure"]


@dataclass(frozen=True, slots=True)
class JudgementRecord:
    """A judgement on two records of an entity, the lesser digest on the left."""

    model: str
    entity: str
    left: str
    right: str
    verdict: str
    note: str
    user: str
    at: datetime  # UTC


_JUDGEMENT = [field.name for field in fields(JudgementRecord)]


def judge(
    model: str,
    entity: str,
    records: tuple[str, str],
    verdict: Verdict,
    *,
    user: str,
    note: str,
) -> JudgementRecord:
    """Add a judgement; one that was added before on the same records no longer holds.

    Args:
        records: digests of two records, as in the table ENTITY_LINKS, in any order.

    Raises:
        StoreError: a text is empty, the verdict unknown, or both records are one.
    """
    left, right = sorted(records)
    record = JudgementRecord(
        model, entity, left, right, verdict, note, user, datetime.now(UTC)
    )
    _check(record)
    LinkJudgement.objects.create(**{n: getattr(record, n) for n in _JUDGEMENT})
    return record


def judgements(model: str, until: datetime | None = None) -> list[JudgementRecord]:
    """The judgements that hold for a model: of each two records the last, unless unsure.

    They come in the order of entity and records. With `until` (UTC) those that held then.
    """
    return [said for said in last_words(model, until) if said.verdict != "unsure"]


def last_words(model: str, until: datetime | None = None) -> list[JudgementRecord]:
    """As `judgements`, with those of persons who were unsure."""
    made = LinkJudgement.objects.filter(model=model)
    if until is not None:
        made = made.filter(at__lte=until)
    pairs = made.values("entity", "left", "right")
    last = pairs.annotate(last=Max("id")).values("last")
    rows = LinkJudgement.objects.filter(id__in=last)
    ordered = rows.order_by("entity", "left", "right").values(*_JUDGEMENT)
    return [JudgementRecord(**row) for row in ordered]


def judged_between(model: str, first: datetime, last: datetime) -> list[datetime]:
    """When judgements were added in this time (UTC), the latest first."""
    made = LinkJudgement.objects.filter(model=model, at__gt=first, at__lte=last)
    return list(made.order_by("-at").values_list("at", flat=True))


def _check(record: JudgementRecord) -> None:
    for name in ("model", "entity", "left", "right", "note", "user"):
        text = getattr(record, name)
        if not text.strip() or "\x00" in text:
            raise StoreError(
                f"judgement.{name}: got {text!r}; give the model, the entity, two "
                "records, a note that says why, and the user"
            )
    if record.left == record.right:
        raise StoreError(
            f"judgement: got record {record.left!r} twice; name two different records"
        )
    verdicts: Any = get_args(Verdict)
    if record.verdict not in verdicts:
        raise StoreError(
            f"judgement.verdict: got {record.verdict!r}{nearest(record.verdict, verdicts)}"
        )
