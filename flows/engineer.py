"""Stage 2: core tables to units, feature matrix, rule flags, rule hits and funnel."""

from datetime import datetime

import pyarrow as pa
from ibis.expr.types import Table

from configs.vocabulary import COVERAGE
from features.matrix import Known, enriched_units, feature_matrix
from features.rules import funnel, rule_flags, rule_hits
from flows.catalog import Catalog, opened
from flows.intake import last_known, load_reports
from flows.job import Job

UNITS, MATRIX, FLAGS, HITS, FUNNEL = (
    "units",
    "feature_matrix",
    "rule_flags",
    "rule_hits",
    "funnel",
)


def run_date(job: Job, catalog: Catalog) -> datetime:
    """The date asked for, else the newest date in the delivery, else today."""
    found = job.as_of or last_known(load_reports(catalog))
    return found or datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)


def known_tables(job: Job, catalog: Catalog) -> Known:
    """The core tables as known on the run's date."""
    cores = {name: catalog.read(f"core_{name}") for name in job.model.spec.sources}
    return Known(job.model, cores, run_date(job, catalog))


def engineer(job: Job) -> None:
    """Write `units`, `feature_matrix`, `rule_flags`, `rule_hits` and `funnel`."""
    with opened(job.folder) as catalog:
        known = known_tables(job, catalog)
        job.progress("building features")
        units = catalog.write(enriched_units(known, _Bench(catalog)), UNITS)
        catalog.write(feature_matrix(units, job.model).order_by("unit_id"), MATRIX)
        job.progress("applying rules")
        rules = job.model.rules
        flags = catalog.write(rule_flags(units, rules).order_by("unit_id"), FLAGS)
        hits = rule_hits(units, flags, rules)
        catalog.write(
            hits.order_by("unit_id", "layer", hits["code"].length(), "code"), HITS
        )
        counts = catalog.rows(funnel(flags, rules))[0]
        catalog.save_json(FUNNEL, {"as_of": known.as_of.isoformat(), **counts})


def coverage_shares(job: Job, catalog: Catalog) -> dict[str, float]:
    """By source, the share of units that it says something about."""
    units = catalog.read(UNITS)
    flags = [c.name for c in job.model.known.features if c.family == "coverage"]
    if not flags:
        return {}
    shares = catalog.rows(units.aggregate(**{n: units[n].mean() for n in flags}))[0]
    return {name.removeprefix(COVERAGE): share for name, share in shares.items()}


class _Bench:
    """The catalog's engine, keeping only the newest state of the units in memory."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._units: str | None = None

    def keep(self, table: Table, name: str) -> Table:
        result = self._catalog.keep(table, f"_{name}")
        if name.startswith(UNITS):
            if self._units:
                self._catalog.drop(self._units)
            self._units = f"_{name}"
        return result

    def arrow(self, table: Table) -> pa.Table:
        return self._catalog.arrow(table)

    def register(self, name: str, data: pa.Table) -> Table:
        return self._catalog.register(f"_{name}", data)
