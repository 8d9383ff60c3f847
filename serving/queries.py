"""Every question that is asked of the store; who may ask is decided here, later.

`serving.connect.open_store` must have been called once in the process.
"""

from collections import defaultdict
from dataclasses import fields
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal, TypeVar

from django.db.models import Count, F, Max
from django.db.models.functions import Length

import serving.connect  # noqa: F401  sets Django up, which the models below need
from configs.errors import StoreError, nearest
from serving.leads.models import Evidence, Lead, Reason, RuleHit, Run, RunRule
from serving.leads.models import SupervisionModel as Model
from serving.records import (
    EvidenceRecord,
    HitRecord,
    LeadDetail,
    LeadRecord,
    ModelRecord,
    ReasonRecord,
    RuleRecord,
    RunRecord,
)

Order = Literal["fused", "score", "rules"]
Record = TypeVar("Record", ReasonRecord, EvidenceRecord)
ORDERS: tuple[Order, ...] = ("fused", "score", "rules")

_OF_LEAD = {
    record: [field.name for field in fields(record)]
    for record in (ReasonRecord, EvidenceRecord, RuleRecord)
}
_HIT = ("code", "layer", "reason_en", "reason_zh")
_TITLES = {"title_en": F("model__title_en"), "title_zh": F("model__title_zh")}
_RUN = [field.name for field in fields(RunRecord) if field.name not in _TITLES]
_LEAD = [
    field.name
    for field in fields(LeadRecord)
    if field.name not in ("model_id", "as_of", "published_at", "codes")
]


def models() -> list[ModelRecord]:
    """The supervision models that have published, by id."""
    found = Model.objects.annotate(count=Count("runs"), newest=Max("runs__as_of"))
    rows = found.filter(count__gt=0).order_by("id")
    return [
        ModelRecord(m.id, m.title_en, m.title_zh, m.count, _bare(m.newest))
        for m in rows
    ]


def runs(model: str | None = None) -> list[RunRecord]:
    """Published runs, newest first; of one model when it is named."""
    chosen = Run.objects.order_by("-as_of", "-published_at", "-id")
    if model is not None:
        _check_model(model)
        chosen = chosen.filter(model_id=model)
    return [_run(row) for row in chosen.values(*_RUN, **_TITLES)]


def latest_run(model: str) -> RunRecord:
    """The newest run of a model: latest as-of date, then latest publication."""
    return runs(model)[0]


def run(run_id: str) -> RunRecord:
    """One published run."""
    row = Run.objects.filter(id=run_id).values(*_RUN, **_TITLES).first()
    if row is None:
        known = Run.objects.order_by("-published_at").values_list("id", flat=True)
        raise StoreError(
            f"no run {run_id!r} is published{nearest(run_id, known[:1000])}; publish one "
            "with `leadline score MODEL --data DIR`"
        )
    return _run(row)


def rules(run_id: str) -> list[RuleRecord]:
    """The rules of a run with their hits, layer by layer."""
    of_run = RunRule.objects.filter(run_id=run(run_id).id).order_by("layer", "code")
    return [RuleRecord(**row) for row in of_run.values(*_OF_LEAD[RuleRecord])]


def leads(run_id: str, top: int, order: Order = "fused") -> list[LeadRecord]:
    """The first `top` leads of a run in one of the three orders."""
    if order not in ORDERS:
        raise StoreError(f"order: got {order!r}{nearest(order, ORDERS)}")
    if top < 1:
        raise StoreError(f"top: got {top!r}; ask for at least 1 lead")
    of_run = run(run_id)
    rank = f"rank_{order}"
    rows = Lead.objects.filter(run_id=run_id, **{f"{rank}__lte": top}).order_by(rank)
    codes = _codes(lead__run_id=run_id, **{f"lead__{rank}__lte": top})
    return [
        _lead(row, of_run, tuple(codes[row["id"]])) for row in rows.values("id", *_LEAD)
    ]


def lead(run_id: str, unit_id: str) -> LeadDetail:
    """One unit of a run with its rule hits, reasons and source rows."""
    of_run = run(run_id)
    row = (
        Lead.objects.filter(run_id=run_id, unit_id=unit_id).values("id", *_LEAD).first()
    )
    if row is None:
        like = unit_ids_like(run_id, unit_id)
        hint = f"; did you mean {', '.join(map(repr, like))}?" if like else ""
        raise StoreError(
            f"unit {unit_id!r} is not among the {of_run.units} of run {run_id!r}{hint}"
        )
    hits = _hits(row["id"], run_id)
    return LeadDetail(
        lead=_lead(row, of_run, tuple(hit.code for hit in hits)),
        hits=hits,
        reasons=_of_lead(Reason.objects.order_by("position"), row["id"], ReasonRecord),
        evidence=_of_lead(Evidence.objects.order_by("id"), row["id"], EvidenceRecord),
    )


def unit_ids_like(run_id: str, text: str, limit: int = 5) -> list[str]:
    """Units of a run whose id resembles the text, the most similar first.

    One slip of the pen lies in one third of an id, so that the other two agree.
    """
    third = max(len(text) // 3, 1)
    patterns = (
        {"unit_id__icontains": text},
        {"unit_id__istartswith": text[:third], "unit_id__iendswith": text[-third:]},
        {"unit_id__istartswith": text[: 2 * third]},
        {"unit_id__iendswith": text[-2 * third :]},
    )
    found: set[str] = set()
    for pattern in patterns:  # each with its own limit: ids may all begin alike
        like = Lead.objects.filter(run_id=run_id, **pattern).order_by("rank_fused")
        found.update(like.values_list("unit_id", flat=True)[:500])
    return sorted(found, key=lambda known: (-_likeness(text, known), known))[:limit]


def _check_model(model: str) -> None:
    if Run.objects.filter(model_id=model).exists():
        return
    known = [record.id for record in models()]
    there = nearest(model, known) if known else "; no model has published yet"
    raise StoreError(
        f"no run of model {model!r} is published{there}; publish one with "
        f"`leadline score {model} --data DIR`"
    )


def _likeness(text: str, known: str) -> float:
    return SequenceMatcher(None, text.casefold(), known.casefold()).ratio()


def _bare(time: datetime) -> datetime:
    return time.replace(tzinfo=None)


def _run(row: dict[str, Any]) -> RunRecord:
    return RunRecord(**{**row, "as_of": _bare(row["as_of"])})


def _lead(row: dict[str, Any], of_run: RunRecord, codes: tuple[str, ...]) -> LeadRecord:
    shown = {name: row[name] for name in _LEAD}
    shown["silent"] = tuple(name.strip() for name in row["silent"].split(",") if name)
    return LeadRecord(
        model_id=of_run.model_id,
        as_of=of_run.as_of,
        published_at=of_run.published_at,
        codes=codes,
        **shown,
    )


def _codes(**which: Any) -> dict[int, list[str]]:
    """Rule codes by lead, layer by layer."""
    codes: dict[int, list[str]] = defaultdict(list)
    hits = RuleHit.objects.filter(**which).order_by("layer", Length("code"), "code")
    for lead_id, code in hits.values_list("lead_id", "code"):
        codes[lead_id].append(code)
    return codes


def _hits(lead_id: int, run_id: str) -> tuple[HitRecord, ...]:
    lawful = {rule.code: rule for rule in rules(run_id)}
    hits = RuleHit.objects.filter(lead_id=lead_id)
    rows = hits.order_by("layer", Length("code"), "code").values(*_HIT)
    return tuple(
        HitRecord(
            **row,
            lawful_en=lawful[row["code"]].lawful_en,
            lawful_zh=lawful[row["code"]].lawful_zh,
        )
        for row in rows
    )


def _of_lead(rows: Any, lead_id: int, record: type[Record]) -> tuple[Record, ...]:
    found = rows.filter(lead_id=lead_id).values(*_OF_LEAD[record])
    return tuple(record(**row) for row in found)
