"""Every question that is asked of the store; who may ask is decided here, later.

`serving.connect.open_store` must have been called once in the process.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal, NoReturn, TypeVar

from django.db.models import Count, F, Max, Q
from django.db.models.functions import Length

import serving.connect  # noqa: F401  sets Django up, which the models below need
from configs.errors import StoreError, nearest
from serving.dispositions import dispositions_of
from serving.leads.models import (
    Counterfactual,
    Evidence,
    Group,
    GroupTie,
    Lead,
    Part,
    PathStep,
    Reason,
    RuleHit,
    Run,
    RunRule,
    Slot,
)
from serving.leads.models import SupervisionModel as Model
from serving.records import (
    CounterfactualRecord,
    EvidenceRecord,
    GroupDetail,
    GroupRecord,
    HitRecord,
    LeadDetail,
    LeadRecord,
    ModelRecord,
    PartRecord,
    PathRecord,
    ReasonRecord,
    RuleRecord,
    RunRecord,
    ScoredRecord,
    SlotRecord,
    TieRecord,
    WorkRecord,
)
from serving.scored import unlisted

Order = Literal["fused", "score", "rules"]
Record = TypeVar(
    "Record", ReasonRecord, EvidenceRecord, PartRecord, CounterfactualRecord
)
ORDERS: tuple[Order, ...] = ("fused", "score", "rules")

_OF_LEAD = {
    record: [field.name for field in fields(record)]
    for record in (
        *(ReasonRecord, EvidenceRecord, RuleRecord),
        *(PartRecord, CounterfactualRecord),
    )
}
_HIT = ("code", "layer", "reason_en", "reason_zh", "says_en", "says_zh")
_TITLES = {"title_en": F("model__title_en"), "title_zh": F("model__title_zh")}
_RUN = [field.name for field in fields(RunRecord) if field.name not in _TITLES]
_AGE = ("model_id", "as_of", "published_at")
_LEAD = [
    field.name for field in fields(LeadRecord) if field.name not in (*_AGE, "codes")
]
_GROUP = [field.name for field in fields(GroupRecord) if field.name not in _AGE]
_TIE = [field.name for field in fields(TieRecord)]
_SLOT = [field.name for field in fields(SlotRecord) if field.name != "unit_id"]


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


def model_digests(mlflow_run: str) -> set[str]:
    """What published runs say of the files that one training made; all the same, or none."""
    found = Run.objects.filter(mlflow_run=mlflow_run).exclude(model_digest="")
    return set(found.values_list("model_digest", flat=True).distinct())


def rules(run_id: str) -> list[RuleRecord]:
    """The rules of a run with their hits, layer by layer."""
    of_run = RunRule.objects.filter(run_id=run(run_id).id).order_by("layer", "code")
    return [RuleRecord(**row) for row in of_run.values(*_OF_LEAD[RuleRecord])]


def leads(run_id: str, top: int, order: Order = "fused") -> list[LeadRecord]:
    """The first `top` leads of a run in one of the three orders."""
    if order not in ORDERS:
        raise StoreError(f"order: got {order!r}{nearest(order, ORDERS)}")
    _check_top(top)
    of_run = run(run_id)
    rank = f"rank_{order}"
    rows = Lead.objects.filter(run_id=run_id, **{f"{rank}__lte": top}).order_by(rank)
    codes = _codes(lead__run_id=run_id, **{f"lead__{rank}__lte": top})
    return _leads(rows.values("id", *_LEAD), of_run, codes)


def lead(run_id: str, unit_id: str) -> LeadDetail:
    """One unit of a run with its rule hits, reasons and source rows."""
    of_run = run(run_id)
    row = (
        Lead.objects.filter(run_id=run_id, unit_id=unit_id).values("id", *_LEAD).first()
    )
    if row is None:
        _refuse_unit(of_run, unit_id)
    hits = _hits(row["id"], run_id)
    return LeadDetail(
        lead=_lead(row, of_run, tuple(hit.code for hit in hits)),
        hits=hits,
        reasons=_of_lead(Reason.objects.order_by("position"), row["id"], ReasonRecord),
        parts=_of_lead(Part.objects.order_by("position"), row["id"], PartRecord),
        counterfactuals=_of_lead(
            Counterfactual.objects.order_by("position"), row["id"], CounterfactualRecord
        ),
        evidence=_of_lead(Evidence.objects.order_by("id"), row["id"], EvidenceRecord),
        disposition=next(iter(dispositions_of(of_run.model_id, unit_id)[::-1]), None),
        group=_group_of(of_run, row["group_id"]),
        paths=_paths(row["id"], run_id),
    )


def unit(run_id: str, unit_id: str) -> LeadDetail | ScoredRecord:
    """One unit of a run: all of a lead, the places of one that is not listed."""
    if not Lead.objects.filter(run_id=run_id, unit_id=unit_id).exists():
        found = unlisted(run(run_id), unit_id)
        if found:
            return found
    return lead(run_id, unit_id)


def groups(run_id: str, top: int) -> list[GroupRecord]:
    """The first `top` groups of a run by their rank."""
    _check_top(top)
    return _groups(run(run_id), rank__lte=top)


def group(run_id: str, group_id: str) -> GroupDetail:
    """One group of a run with its members and what ties them."""
    of_run = run(run_id)
    found = _group_of(of_run, group_id) or _refuse_group(run_id, group_id)
    row_id = Group.objects.get(run_id=run_id, group_id=group_id).id
    members = Lead.objects.filter(membership__group_id=row_id)
    rows = members.order_by("membership__position").values("id", *_LEAD)
    codes = _codes(lead__membership__group_id=row_id)
    ties = GroupTie.objects.filter(group_id=row_id).order_by("position")
    return GroupDetail(
        group=found,
        members=tuple(_leads(rows, of_run, codes)),
        ties=tuple(_tie(row) for row in ties.values(*_TIE)),
    )


def worklist(run_id: str, top: int) -> list[WorkRecord]:
    """The first `top` things to open: leads that stand alone, and each group once.

    They come by rank_fused; a group stands where the best of its members does. Units
    drawn from below the top are marked, and follow where they are not opened by then.
    """
    _check_top(top)
    of_run = run(run_id)
    first = _first_to_open(of_run, top)
    shown = {_opens(work) for work in first}
    marks: dict[tuple[str | None, str | None], list[SlotRecord]] = defaultdict(list)
    rest = []
    for slot, lead in _drawn(of_run):
        place = (lead.group_id, None) if lead.group_id else (None, lead.unit_id)
        if place in shown:
            marks[place].append(slot)
        else:
            rest.append(WorkRecord(0, lead.rank_fused, None, lead, (slot,)))
    marked = [replace(work, drawn=tuple(marks[_opens(work)])) for work in first]
    return [replace(work, position=n) for n, work in enumerate(marked + rest, 1)]


def _drawn(of_run: RunRecord) -> list[tuple[SlotRecord, LeadRecord]]:
    """The units drawn from below the top, in the order of their slots."""
    drawn = [slot for slot in slots(of_run.id) if slot.kind == "explore"]
    units = [slot.unit_id for slot in drawn]
    rows = Lead.objects.filter(run_id=of_run.id, unit_id__in=units)
    codes = _codes(lead__run_id=of_run.id, lead__unit_id__in=units)
    leads = {
        lead.unit_id: lead for lead in _leads(rows.values("id", *_LEAD), of_run, codes)
    }
    return [(slot, leads[slot.unit_id]) for slot in drawn]


def _opens(work: WorkRecord) -> tuple[str | None, str | None]:
    """The group or the unit that is opened."""
    group, lead = work.group, work.lead
    return (group.group_id if group else None), (lead.unit_id if lead else None)


def _first_to_open(of_run: RunRecord, top: int) -> list[WorkRecord]:
    opened = Q(group_id=None) | Q(membership__position=1)
    rows = Lead.objects.filter(opened, run_id=of_run.id).order_by("rank_fused")
    first = list(rows.values("id", *_LEAD)[:top])
    last = first[-1]["rank_fused"]
    codes = _codes(lead__run_id=of_run.id, lead__rank_fused__lte=last)
    best = {"members__position": 1, "members__lead__rank_fused__lte": last}
    rings = {ring.group_id: ring for ring in _groups(of_run, **best)}
    return [
        WorkRecord(
            position=position,
            rank_fused=lead.rank_fused,
            group=rings[lead.group_id] if lead.group_id is not None else None,
            lead=lead if lead.group_id is None else None,
        )
        for position, lead in enumerate(_leads(first, of_run, codes), 1)
    ]


def slots(run_id: str) -> list[SlotRecord]:
    """What is to be reviewed of a run, in the order of the slots."""
    of_run = Slot.objects.filter(lead__run_id=run(run_id).id).order_by("position")
    rows = of_run.values(*_SLOT, unit_id=F("lead__unit_id"))
    return [SlotRecord(**row) for row in rows]


def listed_units(run_id: str) -> set[str]:
    """The units of a run that are leads."""
    leads = Lead.objects.filter(run_id=run(run_id).id)
    return set(leads.values_list("unit_id", flat=True).iterator())


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


def _check_top(top: int) -> None:
    if top < 1:
        raise StoreError(f"top: got {top!r}; ask for at least 1")


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


def _age(of_run: RunRecord) -> dict[str, Any]:
    return {name: getattr(of_run, name) for name in _AGE}


def _leads(
    rows: Iterable[dict[str, Any]], of_run: RunRecord, codes: dict[int, list[str]]
) -> list[LeadRecord]:
    return [_lead(row, of_run, tuple(codes[row["id"]])) for row in rows]


def _lead(row: dict[str, Any], of_run: RunRecord, codes: tuple[str, ...]) -> LeadRecord:
    shown = {name: row[name] for name in _LEAD}
    shown["silent"] = _listed(row["silent"])
    return LeadRecord(codes=codes, **_age(of_run), **shown)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name)


def _groups(of_run: RunRecord, **which: Any) -> list[GroupRecord]:
    rows = Group.objects.filter(run_id=of_run.id, **which).order_by("rank")
    return [
        GroupRecord(**{**row, "codes": _listed(row["codes"])}, **_age(of_run))
        for row in rows.values(*_GROUP)
    ]


def _group_of(of_run: RunRecord, group_id: str | None) -> GroupRecord | None:
    return next(iter(_groups(of_run, group_id=group_id)), None)


def _refuse_unit(of_run: RunRecord, unit_id: str) -> NoReturn:
    scored = unlisted(of_run, unit_id)
    if scored:
        raise StoreError(
            f"unit {unit_id!r} is not on the list of run {of_run.id!r}: it stands at rank "
            f"{scored.rank_fused:,} of {of_run.units:,}, of which {of_run.listed:,} are "
            "listed; ask for one of these, or list more (review.listed) in the next run"
        )
    like = unit_ids_like(of_run.id, unit_id)
    hint = f"; did you mean {', '.join(map(repr, like))}?" if like else ""
    raise StoreError(
        f"unit {unit_id!r} is not among the {of_run.units} of run {of_run.id!r}{hint}"
    )


def _refuse_group(run_id: str, group_id: str) -> NoReturn:
    of_run = Group.objects.filter(run_id=run_id).order_by("rank")
    known = list(of_run.values_list("group_id", flat=True)[:1000])
    there = nearest(group_id, known) if known else "; it has no groups"
    raise StoreError(f"group {group_id!r} is not among those of run {run_id!r}{there}")


def _paths(lead_id: int, run_id: str) -> tuple[PathRecord, ...]:
    steps = PathStep.objects.filter(lead_id=lead_id).order_by("path", "step")
    ways: dict[tuple[int, str], list[TieRecord]] = defaultdict(list)
    for row in steps.values("path", "other", *_TIE):
        ways[row.pop("path"), row.pop("other")].append(_tie(row))
    others = Lead.objects.filter(run_id=run_id, unit_id__in={unit for _, unit in ways})
    ranks = dict(others.values_list("unit_id", "rank_fused"))
    return tuple(
        PathRecord(path, other, ranks[other], tuple(ties))
        for (path, other), ties in ways.items()
    )


def _tie(row: dict[str, Any]) -> TieRecord:
    times = {n: _bare(row[n]) if row[n] else None for n in ("event_at", "known_at")}
    return TieRecord(**{**row, **times})


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
