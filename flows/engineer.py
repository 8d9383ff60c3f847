"""Stage 3: core tables to units and feature matrix, and these to flags, hits and funnel."""

from ibis.expr.types import Table

from configs.vocabulary import COVERAGE
from features.associations import Associated
from features.known import Known, counted
from features.matrix import enriched_units, feature_matrix
from features.rules import funnel, rule_flags, rule_hits
from flows.bench import Bench
from flows.catalog import Catalog
from flows.intake import run_date
from flows.job import Job
from flows.link import core_table

UNITS, ASSOCIATIONS, HUBS = "units", "associations", "hubs"
MATRIX, FLAGS, HITS, FUNNEL = (
    "feature_matrix",
    "rule_flags",
    "rule_hits",
    "funnel",
)


def known_tables(job: Job, catalog: Catalog) -> Known:
    """The core tables, linked, as known on the run's date."""
    cores = {name: core_table(catalog, name) for name in job.model.spec.sources}
    return Known(job.model, cores, run_date(job, catalog))


def engineer(job: Job) -> None:
    """Write `units` and `feature_matrix`.

    Where the model declares ties, their nodes, pairs, rows and hubs too.
    """
    with job.opened() as catalog:
        known = counted(known_tables(job, catalog), catalog)
        job.progress("building features")
        associated = Associated(known, Bench(catalog), catalog.write)
        enriched = enriched_units(known, associated.engine, associated)
        units = catalog.write(enriched, UNITS, ordered=False)
        _write_associations(catalog, units, associated)
        catalog.write(feature_matrix(units, job.model).order_by("unit_id"), MATRIX)


def apply_rules(job: Job) -> None:
    """Write `rule_flags`, `rule_hits` and `funnel` of the units."""
    with job.opened() as catalog:
        job.progress("applying rules")
        units, rules = catalog.read(UNITS), job.model.rules
        flags = catalog.write(rule_flags(units, rules).order_by("unit_id"), FLAGS)
        hits = rule_hits(units, flags, rules)
        catalog.write(
            hits.order_by("unit_id", "layer", hits["code"].length(), "code"), HITS
        )
        counts = catalog.rows(funnel(flags, rules))[0]
        as_of = run_date(job, catalog).isoformat()
        catalog.save_json(FUNNEL, {"as_of": as_of, **counts})


def _write_associations(catalog: Catalog, units: Table, associated: Associated) -> None:
    if associated.known.spec.associations is not None:
        catalog.write(associated.made(units).listed_hubs(), HUBS)


def coverage_shares(job: Job, catalog: Catalog) -> dict[str, float]:
    """By source, the share of units that it says something about."""
    units = catalog.read(UNITS)
    flags = [c.name for c in job.model.known.features if c.family == "coverage"]
    if not flags:
        return {}
    shares = catalog.rows(units.aggregate(**{n: units[n].mean() for n in flags}))[0]
    return {name.removeprefix(COVERAGE): share for name, share in shares.items()}
