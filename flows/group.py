"""Stage 6: associated suspects become groups, and leads are shown the ways to others."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import ibis
import pyarrow as pa

from features.adjacency import Numbers
from features.association_tables import association_tables
from features.associations import NODES, PAIRS, ROWS, Associations, sizes_of
from features.graph import UNKNOWN, graph
from features.points import unit_points
from features.tied_tables import TiedTables
from features.ties import Tied, wording
from flows.bench import Bench
from flows.catalog import Catalog
from flows.engineer import HITS, HUBS, UNITS
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
    quiet = job.quiet()
    with job.opened() as catalog:
        catalog.apart(lambda own: _group(quiet, own))


def _group(job: Job, catalog: Catalog) -> None:
    with tied_nodes(job, catalog) as tied:
        _write(job, catalog, tied)


def _write(job: Job, catalog: Catalog, tied: Tied) -> None:
    units = ranked_units(job, catalog, tied)
    declared = job.model.spec.groups

    def hits(unit_ids: pa.Array) -> pa.Table:
        asked = catalog.register("_members", pa.table({"unit_id": unit_ids}))
        found = catalog.read(HITS).semi_join(asked, "unit_id")
        return catalog.arrow(found.select("unit_id", "code", "layer"))

    leads = _explained(catalog, tied)
    tables = association_tables(tied, units, hits, leads, declared)
    for name, rows in tables.items():
        catalog.write(catalog.register(f"_{name}", rows), name)
    parts = unit_points(tied, units, declared)
    catalog.write_batches(_batches(parts), POINTS)


def stored_associations(job: Job, catalog: Catalog) -> Associations:
    """The run's associations, as the features made them."""
    declared = job.model.spec.associations
    nodes, listed = catalog.read(NODES), catalog.read(HUBS).drop("degree")
    hubs = nodes.inner_join(listed, ("kind", "value")).select("node", "degree", "limit")
    sizes = sizes_of(nodes, declared.kinds if declared else (), Bench(catalog))
    return Associations(nodes, catalog.read(ROWS), catalog.read(PAIRS), hubs, sizes)


@contextmanager
def tied_nodes(job: Job, catalog: Catalog) -> Iterator[Tied]:
    """The graph of the run's associations beside their tables, which get less memory."""
    made = stored_associations(job, catalog)
    hubs = catalog.arrow(made.hubs.select("node"))["node"].to_numpy()
    whole = graph(catalog.arrow(made.pairs), hubs, made.sizes)
    with catalog.beside(whole.nbytes):
        yield Tied(whole, TiedTables(made, Bench(catalog)), wording(job.model))


def ranked_units(job: Job, catalog: Catalog, tied: Tied) -> pa.Table:
    """`unit_id`, `node`, `rank_fused` and `money` of every scored unit."""
    money = job.model.spec.unit.money
    units = catalog.read(UNITS)
    stake = units[money].cast("float64") if money else ibis.null("float64")
    about = units.select("unit_id", money=stake)
    scores = catalog.read(SCORES).select("unit_id", "rank_fused")
    nodes = tied.tables.made.of_kind(tied.unit)
    found = scores.inner_join(about, "unit_id")
    found = found.left_join(nodes, found["unit_id"] == nodes["value"])
    return catalog.arrow(found.drop("value").order_by("unit_id"))


def _explained(catalog: Catalog, tied: Tied) -> Numbers:
    """The leads that get reasons get paths too."""
    shown = catalog.arrow(catalog.read(REASONS).select("unit_id").distinct())
    nodes = tied.tables.numbers_of(tied.unit, shown["unit_id"].combine_chunks())
    known: Numbers = nodes[nodes != UNKNOWN]
    return known


def _batches(parts: Iterator[pa.Table]) -> pa.RecordBatchReader:
    """A table that is made a part at a time."""
    first = next(parts)
    found = (batch for part in chain([first], parts) for batch in part.to_batches())
    return pa.RecordBatchReader.from_batches(first.schema, found)
