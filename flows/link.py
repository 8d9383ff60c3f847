"""Stage 2: the records of each entity are linked, before anything is counted by them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from configs.linkage import fields_of
from configs.schema import EntitySpec
from features.linkage.candidates import Judgement
from features.linkage.names import NUMBER, OWN
from features.linkage.records import (
    is_renamed,
    linked,
    numbered,
    records,
    renamed,
)
from features.linkage.report import report
from features.linkage.resolve import Model, Resolution, Subject, resolve
from features.linkage.to_judge import sensitive_attributes, to_judge
from flows import shelf
from flows.bench import Bench
from flows.catalog import Catalog
from flows.intake import run_date
from flows.job import Job
from serving.connect import open_store
from serving.judgements import judgements

ENTITIES, ENTITY_LINKS, LINKAGE, LINK_REPORT = (
    "entities",
    "entity_links",
    "linkage",
    "link_report",
)
TO_JUDGE = "links_to_judge"
Learnt = Mapping[str, Mapping[str, Any]]  # entity -> what was learnt at training


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The records of an entity, linked.

    Attributes:
        others: what `renamed` found.
        report: plain data.
        doubts: what persons should judge.
    """

    found: Resolution
    others: Table
    report: dict[str, Any]
    doubts: pa.Table


def link(job: Job, learnt: Learnt | None = None) -> list[dict[str, Any]]:
    """Write `entities`, `entity_links`, `links_to_judge`, the linked core tables, and
    what was learnt.

    Returns one report in plain data for each entity.

    Args:
        learnt: the champion's parameters; estimated on this delivery without them.
    """
    wanted = {n: e for n, e in job.model.spec.entities.items() if e.is_linked}
    if not wanted:
        return []
    job.progress("linking records")
    with job.opened() as catalog:
        bench = Bench(catalog)
        done = {
            name: _resolved(job, catalog, bench, name, entity, (learnt or {}).get(name))
            for name, entity in wanted.items()
        }
        _write(catalog, [one.found for one in done.values()])
        _write_rows(job, catalog, {name: one.others for name, one in done.items()})
        doubts = pa.concat_tables(one.doubts for one in done.values())
        catalog.write(catalog.register(f"_{TO_JUDGE}", doubts), TO_JUDGE)
        reports = [one.report for one in done.values()]
        models = {name: one.found.model for name, one in done.items()}
        catalog.save_json(LINKAGE, {n: asdict(m) for n, m in models.items() if m})
        catalog.save_json(LINK_REPORT, reports)
    return reports


def core_table(catalog: Catalog, source: str) -> Table:
    """A source's rows, with entities as their keys where records were linked."""
    name = f"linked_{source}"
    return catalog.read(name if catalog.path(name).exists() else f"core_{source}")


def learnt_in(catalog: Catalog) -> dict[str, Any]:
    """What the stage learnt or was given, by entity."""
    return catalog.load_json(LINKAGE) if catalog.has_json(LINKAGE) else {}


def link_summary(catalog: Catalog) -> dict[str, Any]:
    """What a published run keeps of the resolution, by entity; no record's values."""
    kept = ("records", "entities", "links", "flagged", "warnings")
    return {
        told["entity"]: {name: told[name] for name in kept}
        for told in link_reports(catalog)
    }


def link_metrics(catalog: Catalog) -> dict[str, float]:
    """Records, entities and links by decision, for the run's record."""
    found: dict[str, float] = {}
    for told in link_reports(catalog):
        name = f"linkage_{told['entity']}"
        found[f"{name}_records"] = told["records"]
        found[f"{name}_entities"] = told["entities"]
        for row in told["links"]:
            key = f"{name}_{row['decision']}_by_{row['how']}"
            found[key] = row["links"]
    return found


def link_reports(catalog: Catalog) -> list[dict[str, Any]]:
    """What the stage told, none where the model links nothing."""
    return catalog.load_json(LINK_REPORT) if catalog.has_json(LINK_REPORT) else []


def judged(job: Job) -> list[dict[str, Any]]:
    """All standing judgements on records of this model, in a fixed order."""
    open_store(job.settings)
    rows = [asdict(row) for row in judgements(job.model_id, job.judged_until)]
    kept = ("entity", "left", "right", "verdict")
    return sorted(
        ({k: r[k] for k in kept} for r in rows), key=lambda r: tuple(r.values())
    )


def _resolved(
    job: Job,
    catalog: Catalog,
    bench: Bench,
    name: str,
    entity: EntitySpec,
    learnt: Mapping[str, Any] | None,
) -> _Resolved:
    spec, as_of = job.model.spec, ibis.literal(run_date(job, catalog)).cast("timestamp")
    cores = {source: catalog.read(f"core_{source}") for source in spec.sources}
    subject = Subject(name, fields_of(spec, entity), entity.link)
    said = catalog.keep(records(spec, entity, cores, as_of), f"_said_{name}")
    told = catalog.keep(numbered(said), f"_told_{name}")
    catalog.drop(f"_said_{name}")
    decided = [
        Judgement(row["left"], row["right"], row["verdict"] == "same")
        for row in judged(job)
        if row["entity"] == name
    ]
    model = None
    if learnt:
        rules = tuple(tuple(rule) for rule in learnt["rules"])
        model = Model(rules, dict(learnt["parameters"]))
    found = resolve(subject, told, bench, judgements=decided, model=model)
    hidden = sensitive_attributes(spec, entity)
    doubts = to_judge(subject, told, found.links, bench, sensitive=hidden)
    said = report(subject, told, found, bench)
    others = renamed(told, found.entities, subject.fields)
    others = catalog.keep(others, f"_others_{name}")
    catalog.drop(f"_told_{name}")
    return _Resolved(found, others, said, doubts)


def _write(catalog: Catalog, found: Sequence[Resolution]) -> None:
    entities = reduce(lambda a, b: a.union(b), (one.entities for one in found))
    # Records are numbered in their order, and numbers are sorted faster.
    catalog.write(entities.order_by("entity", NUMBER).drop(NUMBER, OWN), ENTITIES)
    links = reduce(lambda a, b: a.union(b), (one.links for one in found))
    catalog.write(links.order_by("entity", "left", "right"), ENTITY_LINKS)


def _write_rows(job: Job, catalog: Catalog, others: Mapping[str, Table]) -> None:
    """Write the sources with roles; one whose rows keep their keys gets a second name."""
    spec = job.model.spec
    for source in spec.sources:
        roles = [
            (name, role)
            for name in others
            for role in spec.entities[name].roles
            if role.source == source
        ]
        core = rows = catalog.read(f"core_{source}")
        for name, role in roles:
            fields = fields_of(spec, spec.entities[name])
            if catalog.rows(is_renamed(core, role, fields, others[name])):
                rows = linked(rows, role, fields, others[name])
        if rows is not core:
            catalog.write(rows, f"linked_{source}")
        elif roles:
            shelf.link(catalog.path(f"core_{source}"), catalog.path(f"linked_{source}"))
