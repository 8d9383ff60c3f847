"""A run that was made again, beside the one that was published: what differs?"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from configs.settings import Settings
from serving import queries
from serving.connect import explained, open_store
from serving.contract import exact_tables
from serving.digest import RULE_FIELDS, RUN_FIELDS, RunDigest, sections
from serving.leads.models import Run, RunRule
from serving.publication import Publication
from serving.publish import BATCH, exact_rules, run_fields
from serving.run_files import SCORES, file_sha256
from serving.verify import stored_rows

Rows = Iterable[Sequence[Any]]
# When it was published is no result, and in which form says only by which Leadline.
_GIVEN = ("published_at", "form")


def differences(publication: Publication, settings: Settings) -> list[str]:
    """What of the published run is not so in the publication; nothing when identical.

    Files come first, by their bytes, then the tables row by row, then the run's own
    fields. Nothing is published.

    Raises:
        StoreError: no such run stands in the store, or the publication breaks the
            contract.
    """
    tables = exact_tables(publication)
    open_store(settings)
    queries.run(publication.run_id)
    with explained(settings, "read"):
        run: dict[str, Any] = dict(Run.objects.values().get(id=publication.run_id))
        rules = list(RunRule.objects.filter(run_id=run["id"]).values(*RULE_FIELDS))
        found = list(_different(publication, tables, run, rules))
        if not found and _digest(publication, tables, run) != run["digest"]:
            found = ["digest"]
    return found


def _different(
    publication: Publication,
    tables: dict[str, pa.Table],
    run: dict[str, Any],
    rules: list[dict[str, Any]],
) -> Iterator[str]:
    fields = _fields(publication, tables, run)
    if fields["scores_sha256"] != run["scores_sha256"]:
        yield f"{SCORES}.parquet"
    for name, file in run["files"].items():
        if fields["files"].get(name) != file:
            yield f"{name}.parquet"
    for section, columns in sections(run["form"]).items():
        stored = RunDigest(run["form"])
        stored.begin(section)
        for rows in stored_rows(section, columns, run["id"]):
            stored.add(rows)
        if _section(run["form"], section, tables[section]).so_far() != stored.so_far():
            yield f"table {section}"
    if _sorted(exact_rules(publication)) != _sorted(rules):
        yield "rules"
    named = set(RUN_FIELDS) - {"files", "scores_sha256"}
    for name in (n for n in RUN_FIELDS if n in named):
        if not _same(fields[name], run[name]):
            yield f"run.{name}"


def _digest(
    publication: Publication, tables: dict[str, pa.Table], run: dict[str, Any]
) -> str:
    """The digest that the publication would have had at the time of the run."""
    digest = RunDigest(run["form"])
    for section in sections(run["form"]):
        _add(digest, run["form"], section, tables[section])
    return digest.finish(_fields(publication, tables, run), exact_rules(publication))


def _fields(
    publication: Publication, tables: dict[str, pa.Table], run: dict[str, Any]
) -> dict[str, Any]:
    """The run's own row as it would be, published at the same time in the same form."""
    sources = {SCORES: publication.scores_file}
    made = {**publication.files, **publication.dossier}
    sources |= {name: made[name] for name in run["files"] if name in made}
    sums = {name: file_sha256(path) for name, path in sources.items()}
    fields = run_fields(publication, tables, sums)
    fields["counts"] = {name: fields["counts"].get(name) for name in run["counts"]}
    return fields | {name: run[name] for name in _GIVEN}


def _section(form: int, section: str, table: pa.Table) -> RunDigest:
    digest = RunDigest(form)
    _add(digest, form, section, table)
    return digest


def _add(digest: RunDigest, form: int, section: str, table: pa.Table) -> None:
    digest.begin(section)
    columns = table.select(list(sections(form)[section]))
    for batch in columns.to_batches(max_chunksize=BATCH):
        digest.add(list(zip(*batch.to_pydict().values(), strict=True)))


def _sorted(rules: list[dict[str, Any]]) -> list[list[Any]]:
    return sorted([rule[name] for name in RULE_FIELDS] for rule in rules)


def _same(made: Any, stored: Any) -> bool:
    """Equal, where a time may have lost its zone on the way through SQLite."""
    if hasattr(made, "tzinfo"):
        return bool(made.replace(tzinfo=None) == stored.replace(tzinfo=None))
    return bool(made == stored)
