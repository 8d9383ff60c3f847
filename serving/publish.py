"""Publishing a run: all of it, once, in one transaction.

The Parquet copy is finished before the transaction and renamed inside it. The run's row
comes last; until the commit nothing of the run can be seen, so a process killed at any
moment leaves at most a file that belongs to no run, and publishing again completes.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import pyarrow as pa
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from configs.errors import StoreError
from configs.settings import Settings
from serving.bulk import insert_rows
from serving.connect import explained, open_store
from serving.contract import exact_tables, scored_units
from serving.digest import FORM, KEYS, NUMBERED, SECTIONS, RunDigest
from serving.leads.models import Group, Lead, Run, RunRule, SupervisionModel
from serving.publication import Publication, PublishedRun
from serving.run_files import SCORES, FileCopy, copied_files

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
        sources = {
            SCORES: publication.scores_file,
            **publication.files,
            **publication.dossier,
        }
        with copied_files(sources, folder) as copies:
            return _publish_once(publication, tables, copies)


def published_before(publication: Publication) -> str | None:
    """Id of the run of the same model, as-of date and inputs."""
    same = Run.objects.filter(
        model_id=publication.model_id,
        as_of=_utc(publication),
        inputs=publication.inputs,
    )
    return same.values_list("id", flat=True).first()


def _publish_once(
    publication: Publication,
    tables: dict[str, pa.Table],
    copies: dict[str, FileCopy],
) -> PublishedRun:
    with transaction.atomic(durable=True):
        _wait_for_turn()
        known = published_before(publication)
        if known:
            return PublishedRun(known, new=False)
        if Run.objects.filter(id=publication.run_id).exists():
            _refuse_run_id(publication)
        for copy in copies.values():
            copy.keep()
        _insert_model(publication)
        digest = _insert_tables(publication.run_id, tables)
        rules = _insert_rules(publication)
        sums = {name: copy.sha256 for name, copy in copies.items()}
        insert_run(run_fields(publication, tables, sums), rules, digest)
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


def _insert_tables(run_id: str, tables: dict[str, pa.Table]) -> RunDigest:
    """Insert all rows of the run; the digest of them."""
    digest = RunDigest()
    last = {"lead": _last_id(Lead), "group": _last_id(Group)}
    for name in SECTIONS:
        digest.begin(name)
        for batch in _batches(tables[name]):
            digest.add(_rows(batch))
            if name in NUMBERED:
                stored = _numbered(name, batch, run_id, last)
            else:
                stored = _hung(batch, last)
            insert_rows(name, tuple(stored), _rows(stored))
    return digest


def _last_id(model: type[Lead] | type[Group]) -> int:
    return model.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _numbered(
    name: str, batch: dict[str, list[Any]], run_id: str, last: dict[str, int]
) -> dict[str, list[Any]]:
    """Leads or groups with their own ids, which follow their ranks."""
    ranks = batch[NUMBERED[name]]
    after = next(last[key] for key, (owner, _) in KEYS.items() if owner == name)
    ids = [after + rank for rank in ranks]
    return {"id": ids, "run_id": [run_id] * len(ids), **batch}


def _hung(batch: dict[str, list[Any]], last: dict[str, int]) -> dict[str, list[Any]]:
    """Rows with the ids of what they hang on in place of its rank."""
    ids = {
        f"{key}_id": [last[key] + rank for rank in batch[key]]
        for key in last.keys() & batch.keys()
    }
    return {
        **ids,
        **{name: values for name, values in batch.items() if name not in last},
    }


def _batches(table: pa.Table) -> Iterator[dict[str, list[Any]]]:
    for batch in table.to_batches(max_chunksize=BATCH):
        yield batch.to_pydict()


def _rows(batch: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*batch.values(), strict=True))


def _insert_rules(publication: Publication) -> list[dict[str, Any]]:
    rules = exact_rules(publication)
    RunRule.objects.bulk_create(
        RunRule(run_id=publication.run_id, **rule) for rule in rules
    )
    return rules


def exact_rules(publication: Publication) -> list[dict[str, Any]]:
    """The rules as they are stored and digested."""
    return [
        {
            "code": str(rule["code"]),
            "layer": int(rule["layer"]),
            "lawful_en": str(rule["lawful_en"] or ""),
            "lawful_zh": str(rule["lawful_zh"] or ""),
            "hits": int(rule["hits"]),
        }
        for rule in publication.rules
    ]


def run_fields(
    publication: Publication, tables: dict[str, pa.Table], sums: Mapping[str, str]
) -> dict[str, Any]:
    """The run's own row, but for its digest.

    Args:
        sums: file kept with the run -> its SHA-256, the scores among them.
    """
    given = (
        *("model_id", "inputs", "config_hash"),
        *("mlflow_run", "model_version", "model_digest"),
    )
    plain = ("funnel", "coverage", "fingerprints", "kinds", "links", "about")
    place = f"{publication.model_id}/{publication.run_id}"
    files = {
        name: {"path": f"{place}/{name}.parquet", "sha256": found}
        for name, found in sums.items()
    }
    scores = files.pop(SCORES)
    return {
        "id": publication.run_id,
        "as_of": _utc(publication),
        "units": scored_units(publication),
        "form": FORM,
        "files": files,
        "counts": {name: table.num_rows for name, table in tables.items()},
        "scores_path": scores["path"],
        "scores_sha256": scores["sha256"],
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
