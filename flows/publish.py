"""Stage 7: the scored units become a published list in the store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from configs.privacy import mask, sensitive_kinds
from configs.tables import PUBLISHED
from features.association_tables import MEMBERS, TABLES
from features.contracts import conform
from flows.about import about
from flows.archive import frozen_inputs
from flows.catalog import Catalog
from flows.dossier import dossier_files, evidence_of
from flows.engineer import (
    FLAGS,
    FUNNEL,
    HUBS,
    UNITS,
    coverage_shares,
)
from flows.intake import SourceReport, fingerprints, load_reports
from flows.job import Job
from flows.lawful import with_what_data_say
from flows.lead_table import lead_table, listed_units
from flows.link import link_summary
from flows.score import REASONS, SCORED_BY, SCORES, ScoredBy
from flows.slots import slots_of
from serving.connect import open_store
from serving.publication import Publication, PublishedRun
from serving.publish import publish
from serving.tokens import key_of

HUBS_KEPT = 20  # with a run; all of them are in the work folder
# Tables that a stage may have written; empty where it did not.
OPTIONAL = (*TABLES, "parts", "counterfactuals")


def publish_list(job: Job) -> PublishedRun:
    """Publish in one transaction; a rerun of the same inputs changes nothing."""
    open_store(job.settings)
    made = publication_of(job)
    job.progress("publishing the list")
    return publish(made, job.settings)


def publication_of(job: Job) -> Publication:
    """What the finished stages hand to the store."""
    job.progress("writing what a console shows of the leads")
    # Read here: a worker of a cluster has no part in the environment of this process.
    quiet, key = job.quiet(), key_of(job.settings)
    with job.opened() as catalog:
        return catalog.apart(lambda own: _publication(quiet, key, own))


def _publication(job: Job, key: bytes, catalog: Catalog) -> Publication:
    spec, scored = job.model.spec, ScoredBy(**catalog.load_json(SCORED_BY))
    reports, as_of = load_reports(catalog), datetime.fromisoformat(scored.as_of)
    slots, evidence = slots_of(job, catalog), evidence_of(job, catalog)
    listed = _listed(job, catalog, slots)
    return Publication(
        model_id=spec.id,
        title_en=spec.title.en,
        title_zh=spec.title.zh,
        run_id=f"{spec.id}-{as_of:%Y%m%d}-{scored.inputs[:12]}",
        as_of=as_of,
        inputs=scored.inputs,
        config_hash=job.model.config_hash,
        mlflow_run=scored.mlflow_run,
        model_version=str(scored.model_version),
        model_digest=scored.model_digest,
        funnel=catalog.load_json(FUNNEL),
        coverage=_coverage(job, catalog, reports),
        fingerprints=fingerprints(reports),
        rules=_rules(job, catalog),
        kinds=_kinds(job),
        links={"entities": link_summary(catalog), "hubs": _hubs(job, catalog)},
        about=about(job, catalog),
        scores_file=catalog.path(SCORES),
        files=frozen_inputs(job, catalog),
        dossier=dossier_files(job, catalog, key, evidence, listed),
        tables=_tables(job, catalog, evidence, slots, listed),
        listed=spec.review.listed,
    )


def _tables(
    job: Job, catalog: Catalog, evidence: Table, slots: pa.Table, listed: Table
) -> dict[str, pa.Table]:
    """The tables of the listed units: they stay small, however many were scored."""
    units, scores = catalog.read(UNITS), catalog.read(SCORES)
    explained = catalog.read(REASONS)
    optional = {name: _optional_table(catalog, name) for name in OPTIONAL}
    leads = lead_table(job.model, units, scores, listed, optional[MEMBERS])
    tables = {
        "leads": leads.order_by("rank_fused"),
        "rule_hits": with_what_data_say(job.model, catalog, listed, explained),
        "reasons": conform(_with_kind(explained), PUBLISHED["reasons"]).order_by(
            "unit_id", "position"
        ),
        "evidence": _in_order(job, evidence),
    }
    found = {name: catalog.arrow(table) for name, table in (tables | optional).items()}
    return {**found, "slots": slots}


def _listed(job: Job, catalog: Catalog, slots: pa.Table) -> Table:
    """The units that become leads, computed once."""
    drawn = catalog.register("_slots", slots)
    others = drawn, _optional_table(catalog, MEMBERS)
    return catalog.keep(
        listed_units(job.model, catalog.read(SCORES), *others), "_listed"
    )


def _optional_table(catalog: Catalog, name: str) -> Table:
    """What a stage wrote; no rows where there was nothing for it to do."""
    if catalog.path(name).exists():
        return catalog.read(name)
    return catalog.register(f"_{name}", _no_rows(PUBLISHED[name]))


def _no_rows(contract: Mapping[str, str]) -> pa.Table:
    types = {name: pa.type_for_alias(kind) for name, kind in contract.items()}
    return pa.schema(types).empty_table()


def _with_kind(reasons: Table) -> Table:
    """Reasons of an explanation that does not tell kinds apart are about one value."""
    if "kind" in reasons.columns:
        return reasons
    return reasons.mutate(kind=ibis.literal("value"))


def _kinds(job: Job) -> dict[str, dict[str, str]]:
    """The titles of the kinds of nodes, which ties and paths are read with."""
    declared = job.model.spec.associations
    kinds = declared.kinds if declared else {}
    return {kind: {"en": k.title.en, "zh": k.title.zh} for kind, k in kinds.items()}


def _hubs(job: Job, catalog: Catalog) -> list[dict[str, Any]]:
    """The first nodes that tie nobody for having too many neighbours; values masked."""
    if not catalog.path(HUBS).exists():
        return []
    hidden = sensitive_kinds(job.model.spec)
    rows = catalog.rows(catalog.read(HUBS).limit(HUBS_KEPT))
    return [r | {"value": mask(r["value"])} if r["kind"] in hidden else r for r in rows]


def _in_order(job: Job, evidence: Table) -> Table:
    """Source rows of the explained leads, each lead's own row first."""
    elsewhere = evidence["source"] != job.model.spec.unit.source
    return evidence.order_by("unit_id", elsewhere, "source", "batch", "line")


def _rules(job: Job, catalog: Catalog) -> list[dict[str, Any]]:
    flags = catalog.read(FLAGS)
    hits = catalog.rows(
        flags.aggregate(**{r.code: flags[r.code].sum() for r in job.model.rules})
    )
    return [
        {
            "code": rule.code,
            "layer": rule.layer,
            "lawful_en": rule.lawful.en,
            "lawful_zh": rule.lawful.zh,
            "hits": int(hits[0][rule.code] or 0),
        }
        for rule in job.model.rules
    ]


def _coverage(
    job: Job, catalog: Catalog, reports: list[SourceReport]
) -> dict[str, Any]:
    """Per source: what was delivered, and the share of units it says something about."""
    found = coverage_shares(job, catalog)
    return {
        r.source: {
            "rows": r.rows,
            "rejects": r.rejected,
            "missing": r.missing,
            "first_known": r.first_known,
            "last_known": r.last_known,
            "units": found.get(r.source),
        }
        for r in reports
    }
