"""Verifying the store: is what stands there what was published, and all of it?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.db import connection

from configs.settings import Settings
from serving.bulk import TABLES
from serving.connect import explained, open_store
from serving.digest import (
    NUMBERED,
    RULE_FIELDS,
    RUN_FIELDS,
    SECTIONS,
    RunDigest,
    sections,
)
from serving.leads.immutability import OF_GROUP, OF_LEAD, OF_RUN, missing_guards
from serving.leads.models import Run, RunRule
from serving.publish import BATCH
from serving.run_files import PART, SCORES, file_sha256

# What a row hangs on: how it is joined, and the rank that stands for it.
_JOINS = {
    "lead": ("leads_lead", "rank_fused"),
    "group": ("leads_group", "rank"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was published.

    Harmless findings are leftovers of processes that were killed; they may be deleted.
    """

    where: str
    message: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def verify(settings: Settings) -> list[Finding]:
    """All findings of the store and the published files beside it; none when sound."""
    open_store(settings)
    with explained(settings, "verified"):
        return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    for name in missing_guards(connection):
        yield Finding(
            "store", f"trigger {name} is missing, so that rows can be changed"
        )
    yield from _orphans()
    runs: list[dict[str, Any]] = [
        dict(row) for row in Run.objects.order_by("published_at").values()
    ]
    for run in runs:
        yield from _run_findings(run)
        yield from _file_findings(run, settings)
    kept = {
        settings.published / f["path"] for run in runs for f in _files(run).values()
    }
    yield from _leftovers(settings.published, kept)


def _orphans() -> Iterator[Finding]:
    owners = [(table, "run_id", "leads_run") for table in OF_RUN]
    owners += [(table, "lead_id", "leads_lead") for table in OF_LEAD]
    owners += [(table, "group_id", "leads_group") for table in OF_GROUP]
    for table, key, owner in owners:
        rows = _count(
            f"SELECT count(*) FROM {table} c LEFT JOIN {owner} o ON o.id = c.{key}"
            " WHERE o.id IS NULL"
        )
        if rows:
            yield Finding(table, f"{rows} rows belong to no published run")


def _run_findings(run: dict[str, Any]) -> Iterator[Finding]:
    where = f"run {run['id']}"
    counts = {name: _rows_of_run(name, run["id"]) for name in TABLES}
    for name, rows in counts.items():
        # A run of an earlier form knows nothing of the tables that came later.
        said = run["counts"].get(name, 0 if name not in sections(run["form"]) else None)
        if rows != said:
            yield Finding(where, f"{rows} rows in {name}; {said} were published")
    if not 0 < counts["leads"] <= run["units"]:
        yield Finding(where, f"{counts['leads']} leads of {run['units']} units")
    if run_digest(run) != run["digest"]:
        yield Finding(where, "its rows are not those published: the digest differs")


def run_digest(run: dict[str, Any]) -> str:
    """The digest of a run, computed anew from all its rows."""
    digest = RunDigest(run["form"])
    for section, columns in sections(run["form"]).items():
        digest.begin(section)
        for rows in stored_rows(section, columns, run["id"]):
            digest.add(rows)
    rules = RunRule.objects.filter(run_id=run["id"]).values(*RULE_FIELDS)
    return digest.finish({name: run[name] for name in RUN_FIELDS}, rules)


def stored_rows(
    section: str, columns: tuple[str, ...], run_id: str
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a section of a run in the order in which they are digested."""
    order = [f'c."{NUMBERED[section]}"'] if section in NUMBERED else []
    order = order or [_stored(columns[0]), "c.id"]
    picked = ", ".join(map(_stored, columns))
    sql = f"SELECT {picked} {_rows_of(section)} ORDER BY {', '.join(order)}"
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [run_id] * sql.count("%s"))
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _stored(column: str) -> str:
    if column in _JOINS:
        return f'"{column}"."{_JOINS[column][1]}"'
    return f'c."{column}"'


def _rows_of(section: str) -> str:
    """The rows of a section of which all that they hang on is of the run."""
    keys = [column for column in SECTIONS[section] if column in _JOINS]
    joins = [
        f'JOIN {_JOINS[key][0]} "{key}" ON "{key}".id = c.{key}_id' for key in keys
    ]
    of_run = [f'"{key}".run_id = %s' for key in keys] or ["c.run_id = %s"]
    return f"FROM {TABLES[section]} c {' '.join(joins)} WHERE {' AND '.join(of_run)}"


def _rows_of_run(name: str, run_id: str) -> int:
    sql = f"SELECT count(*) {_rows_of(name)}"
    return _count(sql, *[run_id] * sql.count("%s"))


def _count(sql: str, *values: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0])


def _file_findings(run: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    for name, file in _files(run).items():
        path = settings.published / file["path"]
        if not path.is_file():
            yield Finding(f"run {run['id']}", f"its {name} file is missing: {path}")
        elif file_sha256(path) != file["sha256"]:
            yield Finding(f"run {run['id']}", f"its {name} file was changed: {path}")
        elif name == SCORES and (rows := _rows_in(path)) != run["units"]:
            # The digest holds the file's, which has a row for each unit.
            said = f"{run['units']} units; its scores are of {rows}"
            yield Finding(f"run {run['id']}", said)


def _rows_in(path: Path) -> int:
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def _files(run: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The files kept with a run: its scores, and the inputs frozen with it."""
    scores = {"path": run["scores_path"], "sha256": run["scores_sha256"]}
    return {SCORES: scores, **run["files"]}


def _leftovers(published: Path, kept: set[Path]) -> Iterator[Finding]:
    for path in sorted(published.rglob("*")):
        if path.is_dir() or path in kept:
            continue
        what = "unfinished copy" if path.suffix == PART else "file of no published run"
        yield Finding(str(path), f"{what}, left by a killed process", harmless=True)
