"""The tables of one delivered part: what came, what of it is good, what is not and why."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.errors import DeliveryError
from configs.privacy import mask
from configs.tables import REJECTS
from features.contracts import ibis_schema
from features.sources import core, keys, read_columns, rejects, summary, typed
from flows.catalog import Catalog
from flows.delivery import keep_part, read_part
from flows.job import Job, digest_of
from flows.kept import kept
from flows.parts import Batch, Part, file_digest

# In front of a part's tag: its rows as text, as they came; those that meet the contract;
# their keys; problems of values; lines that are no rows; counts.
DELIVERED, CORE, KEYS, REJECTED = "delivered", "part", "keys", "part_rejects"
LINES, COUNTS = "lines", "counts"
_PROVENANCE = {"_file": "string", "_line": "int64", "_batch": "string"}


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One part of a source after reading.

    Attributes:
        tag: what its tables are called by.
        batch: name, sha256 and rows; None for a source that was not delivered.
        malformed: lines that are no rows.
        summary: as `features.sources.summary` has it; times are ISO text.
    """

    tag: str
    batch: dict[str, Any] | None
    malformed: int
    summary: dict[str, Any]


def read_parts(
    job: Job, catalog: Catalog, source: str, parts: Iterable[Part]
) -> list[ReadPart]:
    """Write the tables of all parts of a source; of an empty one, if none was delivered.

    Raises:
        DeliveryError: a part cannot be read, or comes twice.
    """
    found: dict[str, str] = {}
    read = []
    for part in parts:
        one = _read(job, catalog, source, part)
        _check_new(found, one)
        read.append(one)
    return read or [_empty(job, catalog, source)]


def _check_new(found: dict[str, str], part: ReadPart) -> None:
    """The same content twice would count every row twice."""
    batch = part.batch or {}
    other = found.setdefault(batch["sha256"], batch["name"])
    if other != batch["name"]:
        raise DeliveryError(
            f"{other} and {batch['name']} hold the same bytes; remove one of them"
        )


def _read(job: Job, catalog: Catalog, source: str, part: Part) -> ReadPart:
    """A file is known by its bytes before it is read, a database's table after."""
    quiet = job.quiet()
    if part.url:

        def fetching(own: Catalog) -> str:
            raw, batch = _raw(quiet, own, part)
            tag = _tag(quiet, source, part.name, batch.sha256)
            _write(quiet, own, source, tag, raw, batch)
            return tag

        return _told(catalog, catalog.apart(fetching))
    sha256 = file_digest(part.path)
    tag = _tag(job, source, part.name, sha256)

    def reading(own: Catalog) -> None:
        _write(quiet, own, source, tag, *_raw(quiet, own, part))

    def work() -> None:
        catalog.apart(reading)

    def still(folder: Path) -> bool:
        return _holds_today(folder, tag)

    kept(job, f"part-{source}", tag, work, still)
    return _told(catalog, tag)


def _tag(job: Job, source: str, name: str, sha256: str) -> str:
    """What a part's tables depend on: its name, its bytes, and how columns are declared."""
    spec = job.model.spec
    columns = read_columns(spec, source)
    declared = spec.sources[source]
    made_of = [
        *(name, sha256, source == spec.unit.source and spec.unit.key),
        *(declared.key, declared.at, declared.known_at, declared.lag_days),
        {n: c.model_dump(mode="json") for n, c in columns.items()},
    ]
    return f"{source}_{digest_of(made_of)[:16]}"


def _raw(job: Job, catalog: Catalog, part: Part) -> tuple[Table, Batch]:
    source = job.model.spec.sources[part.source]
    columns = read_columns(job.model.spec, part.source)
    return read_part(catalog, part, source, columns)


def _empty(job: Job, catalog: Catalog, source: str) -> ReadPart:
    columns = read_columns(job.model.spec, source)
    schema = {**dict.fromkeys(columns, "string"), **_PROVENANCE}
    tag, quiet = f"{source}_none", job.quiet()

    def reading(own: Catalog) -> None:
        _write(quiet, own, source, tag, ibis.memtable([], schema=schema), None)

    catalog.apart(reading)
    return _told(catalog, tag)


def _write(
    job: Job, catalog: Catalog, source: str, tag: str, raw: Table, batch: Batch | None
) -> None:
    spec = job.model.spec
    key = spec.sources[source].key
    # Called alike for each part: with queries put into words anew, most of the time that
    # a small part takes would be that.
    keep_part(catalog, raw, batch, f"{DELIVERED}_{tag}")
    rows = catalog.read(f"{DELIVERED}_{tag}", f"_{DELIVERED}_{source}")
    made = catalog.view(f"_typing_{source}", lambda: typed(rows, spec, source))
    table = catalog.keep(made, f"_typed_{source}")

    def view(kind: str, of: Callable[[], Table]) -> Table:
        return catalog.view(f"_{kind}_{source}", of)

    counts = catalog.rows(view(COUNTS, lambda: summary(table, spec, source)))[0]
    good = view(CORE, lambda: core(table, spec, source))
    catalog.write(good, f"{CORE}_{tag}")
    bad = view(REJECTED, lambda: rejects(table, spec, source))
    catalog.write(bad, f"{REJECTED}_{tag}")
    if key is not None:
        catalog.write(view(KEYS, lambda: keys(table, key)), f"{KEYS}_{tag}")
    catalog.drop(f"_typed_{source}")
    told: dict[str, Any] = {"batch": None, "malformed": 0, "summary": _plain(counts)}
    if batch is not None:
        own = {"name": batch.name, "sha256": batch.sha256, "rows": batch.rows}
        told |= {"batch": own, "malformed": len(batch.malformed)}
        _write_malformed(catalog, batch, tag)
    catalog.save_json(f"{COUNTS}_{tag}", told)


def _write_malformed(catalog: Catalog, batch: Batch, tag: str) -> None:
    """Lines that were no rows at all join the rejects, none is silently dropped."""
    if not batch.malformed:
        return
    # Masked always: which part of a broken line is a name cannot be known.
    rows = [
        (batch.source, batch.name, bad.line, "(line)", mask(bad.text), bad.cause, "row")
        for bad in batch.malformed
    ]
    table = ibis.memtable(rows, schema=ibis_schema(REJECTS))
    catalog.write(table, f"{LINES}_{tag}")


def _told(catalog: Catalog, tag: str) -> ReadPart:
    told = catalog.load_json(f"{COUNTS}_{tag}")
    return ReadPart(tag, told["batch"], told["malformed"], told["summary"])


def _plain(counts: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO text, counts as whole numbers."""
    return {
        name: value
        if value is None
        else value.isoformat()
        if isinstance(value, datetime)
        else int(value)
        for name, value in counts.items()
    }


def _holds_today(folder: Path, tag: str) -> bool:
    """A row that was to be posted in the future may have been posted by now."""
    told = json.loads((folder / f"{COUNTS}_{tag}.json").read_text())
    coming = told["summary"]["next_known"]
    # The engine's clock may be of another time zone than this one's.
    soon = datetime.now() + timedelta(days=1)
    return coming is None or datetime.fromisoformat(coming) > soon
