"""Stage 6: associated suspects become groups, and leads are shown the ways to others."""

import ibis
import pyarrow as pa

from features.association_tables import association_tables
from features.graph import graph
from features.points import unit_points
from features.ties import Tied, wording
from flows.catalog import Catalog
from flows.engineer import ASSOCIATIONS, HITS, UNITS
from flows.job import Job
from flows.score import REASONS, SCORES

# The points of each unit, frozen with the run: look-alikes share them.
POINTS = "points"


def group(job: Job) -> None:
    """Write `groups`, `group_members`, `group_ties`, `paths` and `points`.

    Nothing, where the model declares no associations. Sensitive values are masked.
    """
    if job.model.spec.associations is None:
        return
    job.progress("looking for groups")
    with job.opened() as catalog:
        tied, units = tied_nodes(job, catalog), _units(job, catalog)
        declared = job.model.spec.groups
        tables = association_tables(
            tied,
            units,
            catalog.arrow(catalog.read(HITS)),
            _explained(catalog),
            declared,
        )
        unit_ids = units["unit_id"].combine_chunks()
        tables[POINTS] = unit_points(tied, unit_ids, declared)
        for name, rows in tables.items():
            catalog.write(catalog.register(f"_{name}", rows), name)


def tied_nodes(job: Job, catalog: Catalog) -> Tied:
    """The run's associations beside their graph."""
    rows = catalog.arrow(catalog.read(ASSOCIATIONS))
    declared = job.model.spec.associations
    limits = declared.limits if declared else {}
    return Tied(graph(rows, limits), rows, wording(job.model))


def _units(job: Job, catalog: Catalog) -> pa.Table:
    """`unit_id`, `rank_fused` and `money` of every scored unit."""
    money = job.model.spec.unit.money
    units = catalog.read(UNITS)
    stake = units[money].cast("float64") if money else ibis.null("float64")
    about = units.select("unit_id", money=stake)
    scores = catalog.read(SCORES).select("unit_id", "rank_fused")
    return catalog.arrow(scores.inner_join(about, "unit_id").order_by("unit_id"))


def _explained(catalog: Catalog) -> pa.Array:
    """The leads that get reasons get paths too."""
    shown = catalog.arrow(catalog.read(REASONS).select("unit_id").distinct())
    return shown["unit_id"].combine_chunks().sort()
