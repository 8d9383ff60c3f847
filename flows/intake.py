"""Stage 1: delivered tables to core tables, with a report for each source."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.errors import DeliveryError
from configs.privacy import excluded_columns, mask
from configs.schema import SourceSpec
from configs.tables import REJECTS
from features.contracts import ibis_schema
from features.sources import core, read_columns, rejects, summary, typed
from flows.catalog import Catalog
from flows.delivery import check_location, find_parts, read_part
from flows.job import Job, digest_of
from flows.parts import Batch

REPORT = "intake"
DELIVERED = "delivered"  # in front of a source: its rows as text, as they came
_PROVENANCE = {"_file": "string", "_line": "int64", "_batch": "string"}
_FORMULA = r"^[=@\t\r]|^[+-](?![0-9.,]*$)"


@dataclass(slots=True)
class SourceReport:
    """How one source met its contract; times are ISO text."""

    source: str
    department_en: str
    department_zh: str
    batches: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    malformed: int = 0
    duplicates: int = 0
    future: int = 0
    first_known: str | None = None
    last_known: str | None = None
    unreadable: dict[str, int] = field(default_factory=dict)
    unlinkable: dict[str, int] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    missing: bool = False
    problems: list[str] = field(default_factory=list)


def intake(job: Job) -> list[SourceReport]:
    """Read every source and write `delivered_<source>`, `core_<source>` and `rejects`.

    What is wrong with a source is not raised but stands in its report: `check` shows it
    all, `stop_on_problems` ends a run because of it.

    Raises:
        DeliveryError: there is nothing at all at the delivery's location.
        SourceAwayError: a database does not answer.
    """
    check_location(job.location, job.model.spec.sources)
    with job.opened() as catalog:
        reports = [_source(job, catalog, name) for name in job.model.spec.sources]
        _write_rejects(job, catalog)
        catalog.save_json(REPORT, [_plain(report) for report in reports])
    return reports


def stop_on_problems(reports: list[SourceReport]) -> None:
    """End the run before anything is scored or published.

    Raises:
        DeliveryError: a source is missing, unreadable or past its limits.
    """
    problems = [p for report in reports for p in report.problems]
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise DeliveryError(
            f"The delivery cannot be used:\n{listed}\n"
            "Nothing was scored or published; the last published list stands."
        )


def load_reports(catalog: Catalog) -> list[SourceReport]:
    return [SourceReport(**report) for report in catalog.load_json(REPORT)]


def fingerprints(reports: list[SourceReport]) -> list[dict[str, Any]]:
    """Source, rows and hash of each batch: what a run was made from."""
    return [
        {
            "source": r.source,
            "rows": r.rows,
            "hash": digest_of(r.batches),
            "batches": r.batches,
        }
        for r in reports
    ]


def last_known(reports: list[SourceReport]) -> datetime | None:
    """The newest date on which any department posted a row: the natural `as_of`."""
    times = [r.last_known for r in reports if r.last_known]
    return datetime.fromisoformat(max(times)) if times else None


def _source(job: Job, catalog: Catalog, name: str) -> SourceReport:
    spec = job.model.spec
    source = spec.sources[name]
    report = SourceReport(name, source.department.en, source.department.zh)
    report.excluded = sorted(excluded_columns(spec, source))
    job.progress(f"reading {name}")
    try:
        raw = catalog.write(_raw(job, catalog, name, report), f"{DELIVERED}_{name}")
    except DeliveryError as error:
        report.problems.append(f"{name}: {error}")
        return report
    table = catalog.keep(typed(raw, spec, name), f"typed_{name}")
    _summarise(report, catalog.rows(summary(table, spec, name))[0])
    report.problems += _limit_problems(report, source, rejects_file(job))
    catalog.write(core(table, spec, name), f"core_{name}")
    catalog.write(rejects(table, spec, name), f"rejects_{name}")
    catalog.drop(f"typed_{name}")
    return report


def _raw(job: Job, catalog: Catalog, name: str, report: SourceReport) -> Table:
    """All parts of a source one below the other; empty when it was not delivered."""
    source = job.model.spec.sources[name]
    columns = read_columns(job.model.spec, name)
    parts = find_parts(job.location, name, source)
    read = [read_part(catalog, p, source, columns, i) for i, p in enumerate(parts)]
    report.missing = not read
    _check_distinct([batch for _, batch in read])
    for number, (_, batch) in enumerate(read):
        report.batches.append(
            {"name": batch.name, "sha256": batch.sha256, "rows": batch.rows}
        )
        report.malformed += len(batch.malformed)
        _keep_malformed(catalog, batch, number)
    tables = [table for table, _ in read]
    if not tables:
        schema = dict.fromkeys(columns, "string")
        return ibis.memtable([], schema={**schema, **_PROVENANCE})
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _check_distinct(batches: list[Batch]) -> None:
    """The same content twice would count every row twice."""
    first: dict[str, str] = {}
    for batch in batches:
        other = first.setdefault(batch.sha256, batch.name)
        if other != batch.name:
            raise DeliveryError(
                f"{other} and {batch.name} hold the same bytes; remove one of them"
            )


def _keep_malformed(catalog: Catalog, batch: Batch, number: int) -> None:
    """Lines that were no rows at all join the rejects, none is silently dropped."""
    if not batch.malformed:
        return
    # Masked always: which part of a broken line is a name cannot be known.
    rows = [
        (batch.source, batch.name, bad.line, "(line)", mask(bad.text), bad.cause, "row")
        for bad in batch.malformed
    ]
    table = ibis.memtable(rows, schema=ibis_schema(REJECTS))
    catalog.write(table, f"rejects_{batch.source}_{number}_lines")


def _summarise(report: SourceReport, found: dict[str, Any]) -> None:
    report.rows = found["rows"] + report.malformed
    report.rejected = found["rejected"] + report.malformed
    report.duplicates, report.future = found["duplicates"], found["future"]
    for name in ("first_known", "last_known"):
        setattr(report, name, found[name].isoformat() if found[name] else None)
    report.unreadable = _counts(found, "unreadable_")
    report.unlinkable = _counts(found, "unlinkable_")


def _counts(found: dict[str, Any], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): int(count)
        for name, count in found.items()
        if name.startswith(prefix) and count
    }


def _limit_problems(
    report: SourceReport, source: SourceSpec, rejected: Path
) -> list[str]:
    """Limits of the contract that the source passes, each with what to do."""
    if report.missing:
        return []
    name = ", ".join(batch["name"] for batch in report.batches)
    return [
        *_row_count_problems(report, source, name),
        *_reject_problems(report, source, name, rejected),
        *_unreadable_problems(report, source, name),
    ]


def _reject_problems(
    report: SourceReport, source: SourceSpec, name: str, rejected: Path
) -> list[str]:
    allowed = source.limits.max_reject_share
    share = report.rejected / max(report.rows, 1)
    if share <= allowed:
        return []
    return [
        f"{report.source}: {report.rejected:,} of {report.rows:,} rows of {name} "
        f"({share:.1%}) break the contract, allowed are {allowed:.1%}: "
        f"{_causes(report, source)}. The rejected rows are listed in {rejected}: compare them "
        "with the delivery and ask for a corrected one"
    ]


def _unreadable_problems(
    report: SourceReport, source: SourceSpec, name: str
) -> list[str]:
    allowed = source.limits.max_unreadable_share
    return [
        f"{report.source}: column {_header(source, column)!r} of {name} "
        f"cannot be read in {count:,} of {report.rows:,} rows "
        f"({count / report.rows:.1%}), allowed are {allowed:.1%}; "
        f"expected is {source.columns[column].type} "
        f"({_example(source, column)}): ask for a corrected delivery"
        for column, count in report.unreadable.items()
        if count / max(report.rows, 1) > allowed
    ]


def _header(source: SourceSpec, column: str) -> str:
    return source.columns[column].header or column


def _row_count_problems(
    report: SourceReport, source: SourceSpec, name: str
) -> list[str]:
    limits = source.limits
    if report.rows < limits.min_rows:
        return [
            f"{report.source}: {name} holds {report.rows:,} rows, expected are at least "
            f"{limits.min_rows:,}; the table is empty or was cut: ask for it again"
        ]
    if limits.max_rows is not None and report.rows > limits.max_rows:
        return [
            f"{report.source}: {name} holds {report.rows:,} rows, expected are at most "
            f"{limits.max_rows:,}; was a delivery added twice?"
        ]
    return []


def _causes(report: SourceReport, source: SourceSpec) -> str:
    """What is behind the rejected rows, the most frequent first."""
    counts = {
        f"column {_header(source, column)!r} cannot be read": count
        for column, count in report.unreadable.items()
        if source.columns[column].required or column in (source.key, source.known_at)
    }
    counts["the key of an earlier row is repeated"] = report.duplicates
    counts["the line is no row, with too few or too many columns"] = report.malformed
    found = sorted(((n, cause) for cause, n in counts.items() if n), reverse=True)
    return "; ".join(f"in {count:,} {cause}" for count, cause in found)


def _example(source: SourceSpec, column: str) -> str:
    spec = source.columns[column]
    if spec.type in ("date", "timestamp"):
        return {"ymd": "2024-03-31", "dmy": "31/03/2024", "mdy": "03/31/2024"}[
            spec.order
        ]
    return ", ".join(spec.levels[:4]) if spec.levels else "see the model's model.yaml"


def run_date(job: Job, catalog: Catalog) -> datetime:
    """The date asked for, else the newest date in the delivery, else today."""
    found = job.as_of or last_known(load_reports(catalog))
    return found or datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)


def rejects_file(job: Job) -> Path:
    """Where the rejected rows and values of the last run are listed for people.

    A list that is made again keeps them to itself.
    """
    if job.version is not None:
        return job.folder / "rejects.csv"
    return job.settings.var / "rejects" / f"{job.model_id}.csv"


def _write_rejects(job: Job, catalog: Catalog) -> None:
    """All rejects of the run as one table, and as a CSV file that a clerk can open."""
    found = sorted(job.folder.glob("rejects_*.parquet"))
    tables = [catalog.read(path.stem) for path in found]
    empty = ibis.memtable([], schema=ibis_schema(REJECTS))
    rejected = catalog.write(ibis.union(empty, *tables) if tables else empty, "rejects")
    target = rejects_file(job)
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = catalog.arrow(
        rejected.order_by("source", "file", "line", "column")
    ).to_pandas()
    # A spreadsheet program would run a value that looks like a formula.
    formula = frame["value"].str.contains(_FORMULA, na=False)
    frame["value"] = frame["value"].mask(formula, "'" + frame["value"].astype("str"))
    # The mark lets spreadsheet programs read Chinese text in a UTF-8 file.
    part = job.folder / "rejects.csv"
    frame.to_csv(part, index=False, encoding="utf-8-sig")
    part.replace(target)


def _plain(report: SourceReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in SourceReport.__dataclass_fields__}
