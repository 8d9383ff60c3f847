"""What analysts concluded of units; only ever added to, of no run's immutability.

Of several on one unit the last in time holds. `serving.connect.open_store` must have been
called once in the process.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal, get_args

from django.db import transaction

import serving.connect  # noqa: F401  sets Django up, which the models below need
from configs.errors import StoreError, nearest
from serving.audit.chain import Act, record_all
from serving.leads.models import Disposition, Lead, Run
from serving.records import DispositionRecord
from serving.review.states import settle

Verdict = Literal[
    "confirmed", "excluded", "needs_information", "transferred", "withdrawn"
]
VERDICTS: tuple[str, ...] = get_args(Verdict)
Cause = Literal[
    "lawful",  # the lawful explanation holds
    "register_error",  # a department's register is wrong, not the unit
    "insufficient",  # nothing more can be found out
    "duplicate",  # of what is dealt with elsewhere
    "other",
]
CAUSES: tuple[str, ...] = get_args(Cause)

_FIELDS = [field.name for field in fields(DispositionRecord)]
_TOGETHER = 5_000  # units asked for in one query: SQLite allows 32,766 parameters
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_AHEAD = timedelta(minutes=5)  # by which clocks of one office may differ


def dispose(
    model: str, run_id: str, unit_id: str, verdict: Verdict, *, user: str, reason: str
) -> DispositionRecord:
    """Add one disposition, made now; StoreError as `add_dispositions`."""
    now = datetime.now(UTC)
    record = DispositionRecord(model, run_id, unit_id, verdict, reason, user, now)
    add_dispositions([record])
    return record


def add_dispositions(records: Sequence[DispositionRecord]) -> None:
    """Add dispositions, all of them or none; set the units' states, and log each.

    Raises:
        StoreError: a text is empty, a verdict unknown, a cause unknown or of another
            verdict than `excluded`, a time without zone or in the future, or a unit not
            in that published run of the model.
    """
    for record in records:
        _check(record)
    with transaction.atomic():
        _check_units(records)
        Disposition.objects.bulk_create(map(_row, records))
        for model, units in _units(records).items():
            settle(model, units)
        record_all([_act(record) for record in records])


def dispositions(model: str) -> list[DispositionRecord]:
    """All dispositions of a model, in the order of time."""
    return _records(Disposition.objects.filter(model=model))


def dispositions_of(model: str, unit_id: str) -> list[DispositionRecord]:
    """The dispositions of one unit, in the order of time: the last one stands."""
    return _records(Disposition.objects.filter(model=model, unit_id=unit_id))


def units_among(run_id: str, unit_ids: Iterable[str]) -> set[str]:
    """Which of these units are in a run."""
    return set(groups_among(run_id, unit_ids))


def groups_among(run_id: str, unit_ids: Iterable[str]) -> dict[str, str | None]:
    """Those of the units that are in a run, each with its group there."""
    found: dict[str, str | None] = {}
    asked = iter(unit_ids)
    while some := list(islice(asked, _TOGETHER)):
        rows = Lead.objects.filter(run_id=run_id, unit_id__in=some)
        found.update(rows.values_list("unit_id", "group_id"))
    return found


def _row(record: DispositionRecord) -> Disposition:
    return Disposition(**{name: getattr(record, name) for name in _FIELDS})


def _units(records: Sequence[DispositionRecord]) -> dict[str, dict[str, None]]:
    """model -> its units, each once, in their order."""
    units: dict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        units[record.model][record.unit_id] = None
    return units


def _act(record: DispositionRecord) -> Act:
    said = {name: getattr(record, name) for name in ("verdict", "cause", "seconded_by")}
    return Act(
        "decided",
        record.user,
        model=record.model,
        run=record.run_id,
        unit=record.unit_id,
        detail={"at": record.at.isoformat(), **{n: v for n, v in said.items() if v}},
    )


def _records(rows: Any) -> list[DispositionRecord]:
    # Of two at the same moment the one added later is the later one.
    return [DispositionRecord(**r) for r in rows.order_by("at", "id").values(*_FIELDS)]


def _check(record: DispositionRecord) -> None:
    where = f"disposition of {record.unit_id!r}"
    for name in ("model", "run_id", "unit_id", "reason", "user"):
        text = getattr(record, name)
        if not text.strip() or not _can_be_kept(text):
            raise StoreError(
                f"{where}: {name} is {text!r}; give the model, the run, the unit, a "
                "reason, and the user"
            )
    if record.verdict not in VERDICTS:
        raise StoreError(
            f"{where}: verdict is {record.verdict!r}{nearest(record.verdict, VERDICTS)}"
        )
    _check_cause(where, record)
    if record.at.tzinfo is None or record.at > datetime.now(UTC) + _AHEAD:
        raise StoreError(
            f"{where}: at is {record.at.isoformat()}; give a time that has passed, with "
            "its zone"
        )


def _check_cause(where: str, record: DispositionRecord) -> None:
    if not record.cause:
        return
    if record.cause not in CAUSES:
        raise StoreError(
            f"{where}: cause is {record.cause!r}{nearest(record.cause, CAUSES)}"
        )
    if record.verdict != "excluded":
        raise StoreError(
            f"{where}: cause is {record.cause!r} and verdict {record.verdict!r}; give a "
            "cause with 'excluded' alone"
        )


def _can_be_kept(text: str) -> bool:
    """Neither NUL nor half a surrogate pair, which no database takes."""
    return _UNKEEPABLE.search(text) is None


def _check_units(records: Sequence[DispositionRecord]) -> None:
    by_run: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records:
        by_run[record.model, record.run_id].add(record.unit_id)
    for (model, run_id), units in by_run.items():
        if not Run.objects.filter(id=run_id, model_id=model).exists():
            known = Run.objects.filter(model_id=model).order_by("-as_of")
            hint = nearest(run_id, known.values_list("id", flat=True)[:1000])
            raise StoreError(f"{model}: no run {run_id!r} is published{hint}")
        strange = sorted(units - units_among(run_id, units))
        if strange:
            raise StoreError(
                f"{model}: {len(strange)} units are not listed in run {run_id!r}, such as "
                f"{strange[0]!r}; dispose of units of a published list"
            )
