"""Dispositions with the leads that they are about, as arrays, and what stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import F, QuerySet

from serving.leads.models import Lead

Texts = npt.NDArray[np.object_]
Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_DECIDES = ["confirmed", "excluded"]
_ENDS = [*_DECIDES, "withdrawn"]
_COLUMNS = {
    "unit": F("unit_id"),
    "verdict": F("run__dispositions__verdict"),
    "at": F("run__dispositions__at"),
    "run": F("run_id"),
    "lead": F("id"),
    "fused": F("rank_fused"),
    "kind": F("slot__kind"),
    "chance": F("slot__propensity"),
}


@dataclass(frozen=True, slots=True)
class History:
    """Dispositions of leads in sight, by unit and time; arrays of one length each."""

    unit: Texts
    verdict: Texts
    at: Numbers  # seconds since 1970, UTC
    run: Texts
    lead: Counts
    fused: Counts  # rank in the run, from 1
    kind: Texts  # 'top', 'explore', or None where no slot was kept
    chance: Numbers  # of the draw; NaN without a slot


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of each unit that was disposed of; arrays of one length each.

    The run, lead and slot are those in which the review began that led to it.
    """

    unit: Texts
    verdict: Texts  # the last one
    label: Numbers  # 1 confirmed, 0 not, NaN while neither stands
    was_confirmed: npt.NDArray[np.bool_]  # the last decision was a confirmation
    decided_at: Numbers  # when the verdict was first given, seconds since 1970
    run: Texts
    lead: Counts
    fused: Counts
    kind: Texts
    chance: Numbers


def read_history(leads: QuerySet[Lead], model: str) -> History:
    """The dispositions of a model on these leads, in one query."""
    found = leads.filter(
        run__dispositions__model=model, run__dispositions__unit_id=F("unit_id")
    ).order_by("unit_id", "run__dispositions__at", "run__dispositions__id")
    named = {f"of_{name}": column for name, column in _COLUMNS.items()}
    rows = list(found.annotate(**named).values_list(*named))
    columns = dict(
        zip(
            _COLUMNS,
            zip(*rows, strict=True) if rows else [()] * len(_COLUMNS),
            strict=True,
        )
    )
    return History(**{name: _array(name, values) for name, values in columns.items()})


def _array(name: str, values: tuple[Any, ...]) -> Any:
    if name == "at":
        return np.array([_seconds(value) for value in values], dtype=np.float64)
    if name == "chance":
        return np.array(values, dtype=np.float64)
    kind = object if name in ("unit", "verdict", "run", "kind") else np.int64
    return np.array(values, dtype=kind)


def _seconds(at: datetime) -> float:
    return at.timestamp()


def standing(said: History) -> Standing:
    """What holds of each unit, by the rule by which training reads its labels.

    The last disposition holds: confirmed is 1, excluded 0, a withdrawn one 0 where it
    withdraws a confirmation, and others give no label. A review begins with the first
    disposition of a unit, or with another verdict after a closed one.
    """
    if not len(said.unit):
        return _stood(said, *[np.empty(0, np.int64)] * 4)
    here = np.arange(len(said.unit))
    first = np.concatenate([[True], said.unit[1:] != said.unit[:-1]])
    before = np.concatenate([[None], said.verdict[:-1]])
    changed = first | (said.verdict != before)
    begins = first | (np.isin(before.astype(str), _ENDS) & changed)
    decides = np.isin(said.verdict.astype(str), _DECIDES)
    decision = np.maximum.accumulate(np.where(decides, here, -1))
    own = decision >= _latest(first, here)  # not one of the unit before
    last = np.flatnonzero(np.concatenate([first[1:], [True]]))
    decided = np.where(own, decision, -1)[last]
    origin = _latest(begins, here)[np.where(decided >= 0, decided, last)]
    return _stood(said, last, decided, origin, _latest(changed, here)[last])


def _latest(marks: npt.NDArray[np.bool_], here: Counts) -> Counts:
    """For each row the last marked one up to it."""
    return np.maximum.accumulate(np.where(marks, here, 0))


def _stood(
    said: History, last: Counts, decided: Counts, origin: Counts, given: Counts
) -> Standing:
    verdict = said.verdict[last]
    decision = said.verdict[decided] if len(last) else verdict
    was = (decided >= 0) & (decision == "confirmed")
    zero = (verdict == "excluded") | ((verdict == "withdrawn") & was)
    label = np.select([verdict == "confirmed", zero], [1.0, 0.0], np.nan)
    names = ("run", "lead", "fused", "kind", "chance")
    return Standing(
        unit=said.unit[last],
        verdict=verdict,
        label=np.asarray(label, dtype=np.float64).reshape(len(last)),
        was_confirmed=np.asarray(was, dtype=bool),
        decided_at=said.at[given],
        **{name: getattr(said, name)[origin] for name in names},
    )
