"""What analysts concluded of units: one at a time, or many from a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import DeliveryError, LeadlineError, StoreError, nearest
from configs.settings import Settings
from flows.judge import judging
from flows.reading_dispositions import Mistake, mistakes_error, read_dispositions
from serving import queries
from serving.connect import explained, open_store
from serving.dispositions import (
    Verdict,
    add_dispositions,
    dispositions,
    units_among,
)
from serving.records import DispositionRecord, RunRecord

# A desk result takes one to two weeks (domain.md, 10.3).
REVIEWED_WITHIN = pd.Timedelta(days=14)


def dispose(
    name: str, settings: Settings, unit: str, verdict: Verdict, reason: str, run: str
) -> DispositionRecord:
    """Add one disposition.

    Args:
        run: the list that the unit was reviewed in; empty: the newest one of the last two
            weeks that asks for its review, else the newest one that has it.

    Raises:
        LeadlineError: no published run of the model has the unit, nobody is known to be
            reviewing, or the store refuses the disposition.
    """
    open_store(settings)
    rows = pd.DataFrame({"unit_id": [unit], "at": [pd.Timestamp(datetime.now(UTC))]})
    runs = _runs(name, run)
    (reviewed,) = _reviewed_in(rows, runs)
    if pd.isna(reviewed):
        raise LeadlineError(_unknown_unit(unit, runs))
    record = DispositionRecord(
        *(name, str(reviewed), unit, verdict, reason),
        user=judging(settings),
        at=rows["at"][0].to_pydatetime(),
    )
    with explained(settings, "written"):
        add_dispositions([record])
    return record


def dispose_many(
    name: str, settings: Settings, file: Path, run: str
) -> list[DispositionRecord]:
    """Add the dispositions of a CSV file, all of them or none.

    A row without `user` or `at` is by whoever runs this, now. The list that a unit was
    reviewed in is found as in `dispose`, among those published by the time of the row.

    Raises:
        DeliveryError: the file cannot be read, or rows are wrong; names file, line and
            column of the first mistakes.
        LeadlineError: as `dispose`.
    """
    rows = read_dispositions(file)
    open_store(settings)
    runs = _runs(name, run)
    rows["at"] = rows["at"].fillna(pd.Timestamp(datetime.now(UTC)))
    if (rows["user"] == "").any():
        rows["user"] = rows["user"].replace("", judging(settings))
    rows["run_id"] = _reviewed_in(rows, runs)
    strange = rows[rows["run_id"].isna()]
    if len(strange):
        raise _strange_units(file, strange, runs)
    said = rows[["run_id", "unit_id", "verdict", "reason", "user", "at", "cause"]]
    records = [
        DispositionRecord(
            *(name, run_id, unit, verdict, reason, user, at.to_pydatetime()),
            cause=cause,
        )
        for run_id, unit, verdict, reason, user, at, cause in said.itertuples(
            index=False
        )
    ]
    with explained(settings, "written"):
        add_dispositions(records)
    return records


def disposition_rows(name: str, settings: Settings) -> list[dict[str, Any]]:
    """All dispositions of a model in the order of time, and which of them stand."""
    open_store(settings)
    _runs(name, "")
    found = dispositions(name)
    last = {record.unit_id: number for number, record in enumerate(found)}
    return [
        {
            "at": f"{record.at:%Y-%m-%d %H:%M}",
            "unit": record.unit_id,
            "verdict": record.verdict,
            "cause": record.cause,
            "stands": "yes" if last[record.unit_id] == number else "",
            "reason": record.reason,
            "user": record.user,
            "run": record.run_id,
        }
        for number, record in enumerate(found)
    ]


def _runs(name: str, run: str) -> list[RunRecord]:
    """The published runs of a model, newest first; one of them when it is named."""
    runs = queries.runs(name)
    if not run:
        return runs
    named = [record for record in runs if record.id == run]
    if not named:
        raise StoreError(
            f"{name}: no run {run!r} is published{nearest(run, [r.id for r in runs])}"
        )
    return named


def _reviewed_in(rows: pd.DataFrame, runs: Sequence[RunRecord]) -> pd.Series:
    """The run of each row: the newest that asked for its unit not long before its time.

    Lists come out while one is worked through: a unit that was drawn for an earlier one
    is reviewed for that draw. Where none asked, the newest run that has the unit and was
    published by then, else the oldest one that has it; null where none has.
    """
    asked = _asked_in(rows, runs)
    return asked.where(asked.notna(), _listed_in(rows, runs))


def _asked_in(rows: pd.DataFrame, runs: Sequence[RunRecord]) -> pd.Series:
    """The newest run, published by then and not long before, with a slot for the unit."""
    found = pd.Series(None, rows.index, dtype="object")
    for run in runs:
        age = rows["at"] - run.published_at
        recent = found.isna() & age.between(pd.Timedelta(0), REVIEWED_WITHIN)
        if recent.any():
            slots = {slot.unit_id for slot in queries.slots(run.id)}
            found[recent & rows["unit_id"].isin(slots)] = run.id
    return found


def _listed_in(rows: pd.DataFrame, runs: Sequence[RunRecord]) -> pd.Series:
    found = pd.Series(None, rows.index, dtype="object")
    oldest = found.copy()
    for run in runs:
        searched = found.isna()
        if not searched.any():
            break
        units = units_among(run.id, rows["unit_id"][searched].unique())
        there = searched & rows["unit_id"].isin(units)
        oldest[there] = run.id
        found[there & (rows["at"] >= run.published_at)] = run.id
    return found.where(found.notna(), oldest)


def _strange_units(
    file: Path, rows: pd.DataFrame, runs: Sequence[RunRecord]
) -> DeliveryError:
    first = zip(rows["line"], rows["unit_id"], strict=True)
    mistakes = [
        Mistake(line, "unit_id", _unknown_unit(unit, runs))
        for line, unit in list(first)[: Mistake.SHOWN]
    ]
    return mistakes_error(file, mistakes, len(rows))


def _unknown_unit(unit: str, runs: Sequence[RunRecord]) -> str:
    newest = runs[0]
    like = queries.unit_ids_like(newest.id, unit, limit=1)
    hint = f"; did you mean {like[0]!r}?" if like else ""
    lists = (
        f"run {newest.id!r}" if len(runs) == 1 else f"the {len(runs)} published runs"
    )
    return f"got {unit!r}, which is not among the leads of {lists}{hint}"
