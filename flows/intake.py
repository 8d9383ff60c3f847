"""Stage 1: delivered tables to core tables, with a report for each source.

Each delivered part is read and typed by itself and kept by its content: of a night with
one new file, one file is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.errors import DeliveryError
from configs.privacy import excluded_columns
from configs.schema import SourceSpec
from configs.tables import REJECTS
from features.contracts import ibis_schema
from features.repeated import all_rejects, repeated, without
from features.sources import BROKEN
from flows import shelf
from flows.catalog import Catalog
from flows.delivery import check_location, find_parts
from flows.job import Job, digest_of
from flows.kept import kept
from flows.part_tables import CORE, DELIVERED, KEYS, REJECTED, ReadPart, read_parts

REPORT = "intake"
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
    parts: list[str] = field(default_factory=list)  # what their tables are called by


def intake(job: Job) -> list[SourceReport]:
    """Read every source and write `core_<source>`, `rejects` and the tables of its parts.

    What is wrong with a source is not raised but stands in its report: `check` shows it
    all, `stop_on_problems` ends a run because of it.

    Raises:
        DeliveryError: there is nothing at all at the delivery's location.
        SourceAwayError: a database does not answer.
    """
    check_location(job.location, job.model.spec.sources)
    with job.opened() as catalog:
        reports = [_source(job, catalog, name) for name in job.model.spec.sources]
        _write_rejects(job, catalog, reports)
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


def delivered_rows(catalog: Catalog, source: str) -> Table:
    """The rows of a source as text, as they came."""
    reports = {report.source: report for report in load_reports(catalog)}
    return _together(catalog, DELIVERED, reports[source].parts)


def _source(job: Job, catalog: Catalog, name: str) -> SourceReport:
    spec = job.model.spec
    source = spec.sources[name]
    report = SourceReport(name, source.department.en, source.department.zh)
    report.excluded = sorted(excluded_columns(spec, source))
    job.progress(f"reading {name}")
    try:
        found = find_parts(job.location, name, source)
        parts = read_parts(job, catalog, name, found)
    except DeliveryError as error:
        report.problems.append(f"{name}: {error}")
        return report
    report.missing = not found
    report.parts = [part.tag for part in parts]
    report.batches = [part.batch for part in parts if part.batch]
    made_of = [report.parts, source.model_dump(mode="json")]
    kept(
        job,
        f"source-{name}",
        made_of,
        lambda: _put_together(catalog, name, report, source),
    )
    _summarise(report, parts, catalog.load_json(f"repeated_{name}"))
    report.problems += _limit_problems(report, source, rejects_file(job))
    return report


def _put_together(
    catalog: Catalog, name: str, report: SourceReport, source: SourceSpec
) -> None:
    """Write `core_<source>`, `rejects_<source>` and how many keys are repeated."""
    core = _together(catalog, CORE, report.parts)
    rejects = _together(catalog, REJECTED, report.parts)
    counts = {"rows": 0, BROKEN: 0}
    if source.key is None:
        rejects = rejects.select(*REJECTS)
    else:
        keys = _together(catalog, KEYS, report.parts)
        again = catalog.keep(repeated(keys), f"_repeated_{name}")
        counts = catalog.rows(
            again.aggregate(rows=again.count(), **{BROKEN: again[BROKEN].sum()})
        )[0]
        if counts["rows"]:
            core = without(core, again)
        rejects = all_rejects(rejects, again, name, source)
    if len(report.parts) == 1 and not counts["rows"]:
        only = catalog.path(f"{CORE}_{report.parts[0]}")
        shelf.link(only, catalog.path(f"core_{name}"))
    else:
        catalog.write(core, f"core_{name}")
    catalog.write(rejects, f"rejects_{name}")
    catalog.save_json(f"repeated_{name}", {k: int(n or 0) for k, n in counts.items()})


def _together(catalog: Catalog, table: str, tags: Iterable[str]) -> Table:
    """The tables of all parts of a source one below the other."""
    parts = [catalog.read(f"{table}_{tag}") for tag in tags]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _summarise(
    report: SourceReport, parts: list[ReadPart], again: dict[str, int]
) -> None:
    malformed = sum(part.malformed for part in parts)
    told = [part.summary for part in parts]
    report.malformed = malformed
    report.rows = sum(s["rows"] for s in told) + malformed
    # A repeated row may be broken besides; it is rejected once.
    whole = again["rows"] - again[BROKEN]
    report.rejected = sum(s["broken"] for s in told) + whole + malformed
    report.duplicates = again["rows"]
    report.future = sum(s["future"] for s in told)
    first = [s["first_known"] for s in told if s["first_known"]]
    last = [s["last_known"] for s in told if s["last_known"]]
    report.first_known = min(first) if first else None
    report.last_known = max(last) if last else None
    report.unreadable = _counts(told, "unreadable_")
    report.unlinkable = _counts(told, "unlinkable_")


def _counts(told: list[dict[str, Any]], prefix: str) -> dict[str, int]:
    names = [name for name in told[0] if name.startswith(prefix)] if told else []
    sums = {name.removeprefix(prefix): sum(s[name] for s in told) for name in names}
    return {name: count for name, count in sums.items() if count}


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


def _write_rejects(job: Job, catalog: Catalog, reports: list[SourceReport]) -> None:
    """All rejects of the run as one table, and as a CSV file that a clerk can open."""
    names = [f"rejects_{report.source}" for report in reports if report.parts]
    lines = [f"lines_{tag}" for report in reports for tag in report.parts]
    names += [name for name in lines if catalog.path(name).exists()]
    tables = [catalog.read(name) for name in sorted(names)]
    empty = ibis.memtable([], schema=ibis_schema(REJECTS))
    catalog.write(ibis.union(empty, *tables) if tables else empty, "rejects")
    quiet = job.quiet()
    catalog.apart(lambda own: _list_rejects(quiet, own))


def _list_rejects(job: Job, catalog: Catalog) -> None:
    target, rejected = rejects_file(job), catalog.read("rejects")
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = catalog.arrow(
        rejected.order_by("source", "file", "line", "column")
    ).to_pandas()
    # A spreadsheet program would run a value that looks like a formula.
    formula = frame["value"].str.contains(_FORMULA, na=False)
    frame["value"] = frame["value"].mask(formula, "'" + frame["value"].astype("str"))
    # The mark lets spreadsheet programs read Chinese text in a UTF-8 file.
    # Beside its place: work folders may lie on another disk.
    part = target.with_name(f"{target.name}.part-{job.folder.name}")
    frame.to_csv(part, index=False, encoding="utf-8-sig")
    part.replace(target)


def _plain(report: SourceReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in SourceReport.__dataclass_fields__}
