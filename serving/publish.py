"""Publishing a run: all of it, once, in one transaction.

The Parquet copy is finished before the transaction and renamed inside it. The run's row
comes last; until the commit nothing of the run can be seen, so a process killed at any
moment leaves at most a file that belongs to no run, and publishing again completes.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import pyarrow as pa
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from configs.errors import StoreError
from configs.settings import Settings
from configs.tables import LEADS
from serving.bulk import insert_rows
from serving.connect import explained, open_store
from serving.contract import ORDERS, exact_tables
from serving.digest import SECTIONS, RunDigest
from serving.leads.models import Lead, Run, RunRule, SupervisionModel
from serving.publication import Publication, PublishedRun
from serving.scores_file import ScoresCopy, copied_scores

BATCH = 5_000  # rows: larger batches were no faster, and cost memory
_PUBLISH_LOCK = 0x1EAE  # key of PostgreSQL's advisory lock around publishing


def publish(publication: Publication, settings: Settings) -> PublishedRun:
    """Write the run to the store, or find that the same run already stands there."""
    tables = exact_tables(publication)
    open_store(settings)
    with explained(settings, "written"):
        known = published_before(publication)
        if known:
            return PublishedRun(known, new=False)
        folder = settings.published / publication.model_id / publication.run_id
        with copied_scores(publication.scores_file, folder) as scores:
            return _publish_once(publication, tables, scores)


def published_before(publication: Publication) -> str | None:
    """Id of the run of the same model, as-of date and inputs."""
    same = Run.objects.filter(
        model_id=publication.model_id,
        as_of=_utc(publication),
        inputs=publication.inputs,
    )
    return same.values_list("id", flat=True).first()


def _publish_once(
    publication: Publication, tables: dict[str, pa.Table], scores: ScoresCopy
) -> PublishedRun:
    with transaction.atomic(durable=True):
        _wait_for_turn()
        known = published_before(publication)
        if known:
            return PublishedRun(known, new=False)
        if Run.objects.filter(id=publication.run_id).exists():
            _refuse_run_id(publication)
        scores.keep()
        _insert_model(publication)
        digest = _insert_leads(publication.run_id, tables)
        rules = _insert_rules(publication)
        insert_run(_run_fields(publication, tables, scores), rules, digest)
    return PublishedRun(publication.run_id, new=True)


def _wait_for_turn() -> None:
    # On SQLite the transaction itself, begun IMMEDIATE, lets one writer in at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PUBLISH_LOCK])


def _refuse_run_id(publication: Publication) -> NoReturn:
    raise StoreError(
        f"run {publication.run_id!r} is published already, from other inputs than "
        f"{publication.inputs!r}; give this run an id of its own"
    )


def _insert_model(publication: Publication) -> None:
    titles = {"title_en": publication.title_en, "title_zh": publication.title_zh}
    SupervisionModel.objects.update_or_create(id=publication.model_id, defaults=titles)


def _insert_leads(run_id: str, tables: dict[str, pa.Table]) -> RunDigest:
    """Insert leads and what hangs on them; the digest of all that."""
    digest = RunDigest()
    last = Lead.objects.order_by("-id").values_list("id", flat=True).first() or 0
    digest.begin("leads")
    columns = ("id", "run_id", *LEADS)
    for batch in _batches(tables["leads"]):
        digest.add(_rows(batch))
        ids = [last + rank for rank in batch["rank_fused"]]
        runs = [run_id] * len(ids)
        insert_rows(
            "leads", columns, list(zip(ids, runs, *batch.values(), strict=True))
        )
    for name in ORDERS:
        _insert_children(name, tables[name], digest, last)
    return digest


def _insert_children(name: str, table: pa.Table, digest: RunDigest, last: int) -> None:
    digest.begin(name)
    columns = ("lead_id", *SECTIONS[name][1:])
    for batch in _batches(table):
        digest.add(_rows(batch))
        batch["rank"] = [last + rank for rank in batch["rank"]]
        insert_rows(name, columns, _rows(batch))


def _batches(table: pa.Table) -> Iterator[dict[str, list[Any]]]:
    for batch in table.to_batches(max_chunksize=BATCH):
        yield batch.to_pydict()


def _rows(batch: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*batch.values(), strict=True))


def _insert_rules(publication: Publication) -> list[dict[str, Any]]:
    rules = [
        {
            "code": str(rule["code"]),
            "layer": int(rule["layer"]),
            "lawful_en": str(rule["lawful_en"] or ""),
            "lawful_zh": str(rule["lawful_zh"] or ""),
            "hits": int(rule["hits"]),
        }
        for rule in publication.rules
    ]
    RunRule.objects.bulk_create(
        RunRule(run_id=publication.run_id, **rule) for rule in rules
    )
    return rules


def _run_fields(
    publication: Publication, tables: dict[str, pa.Table], scores: ScoresCopy
) -> dict[str, Any]:
    given = ("model_id", "inputs", "config_hash", "mlflow_run", "model_version")
    plain = ("funnel", "coverage", "fingerprints")
    return {
        "id": publication.run_id,
        "as_of": _utc(publication),
        "units": tables["leads"].num_rows,
        "counts": {name: table.num_rows for name, table in tables.items()},
        "scores_path": f"{publication.model_id}/{publication.run_id}/{scores.path.name}",
        "scores_sha256": scores.sha256,
        "published_at": datetime.now(UTC),
        **{name: getattr(publication, name) for name in given},
        **{name: _plain(name, getattr(publication, name)) for name in plain},
    }


def insert_run(
    fields: dict[str, Any], rules: list[dict[str, Any]], digest: RunDigest
) -> None:
    """Insert the run's own row, after which the database lets nothing be added."""
    Run.objects.create(**fields, digest=digest.finish(fields, rules))


def _utc(publication: Publication) -> datetime:
    return publication.as_of.replace(tzinfo=UTC)


def _plain(name: str, value: Any) -> Any:
    """The value as JSON gives it back: dates as text, keys as text."""
    try:
        text = json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"publication.{name}: cannot be kept as JSON ({error}); give numbers other "
            "than NaN, texts, dates, lists and dicts"
        ) from error
    # PostgreSQL cannot hold NUL, neither here nor in a text column.
    return json.loads(text.replace("\\u0000", "\\ufffd"))
