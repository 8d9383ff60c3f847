"""What a console shows of a run beside its list: Parquet files, kept with the run.

Their columns are `configs.tables.DOSSIER`. Sensitive values stand in them unmasked, but
for labels; who reads them masks the rest. The same inputs give the same bytes.
"""

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from features.evidence import evidence
from features.source_rows import row_table, source_rows
from flows.catalog import Catalog
from flows.dossier_graph import TOKENS_AT_ONCE, graph_tables
from flows.engineer import FLAGS, MATRIX, UNITS, known_tables
from flows.frozen import Population, likeness_of, scored_units
from flows.group import POINTS
from flows.intake import delivered_rows
from flows.job import Job
from flows.like_words import like_rows
from flows.look_alikes import LookAlikes, Points, points_in
from flows.score import REASONS
from training.likeness import SAMPLE_ROWS

ALIKE = 5  # look-alikes of a lead
# Rows that are read to find one key.
ROWS_AT_ONCE = 8_192
# Columns of few different values; a dictionary of others would only cost.
_REPEATED = frozenset(
    {
        *("kind", "role_en", "role_zh", "source", "department_en", "department_zh"),
        *("batch", "how", "entity", "found_by", "sensitive"),
    }
)


def dossier_files(
    job: Job, catalog: Catalog, key: bytes, named: Table, listed: Table
) -> dict[str, Path]:
    """Write the tables of DOSSIER into the work folder; name -> file.

    A model without associations has no nodes, ties and tokens, and one that links no
    records has no doubts.

    Args:
        key: of the tokens, see `serving.tokens`.
        named: the source rows behind the leads, see `evidence_of`.
        listed: the `unit_id` of every lead.
    """
    leads = catalog.arrow(catalog.read(REASONS).select("unit_id").distinct())
    unit_ids = leads["unit_id"].combine_chunks().sort()
    tables = {
        "rows": _rows(job, catalog, named),
        "likes": _likes(job, catalog, unit_ids, listed),
        **graph_tables(job, catalog, key, unit_ids),
    }
    return {name: written(catalog, name, table) for name, table in tables.items()}


def written(
    catalog: Catalog, name: str, table: pa.Table | pa.RecordBatchReader
) -> Path:
    """A table of DOSSIER as a file in which one key is found without reading it all."""
    path = catalog.path(f"dossier_{name}")
    part = path.with_suffix(".part")
    repeated = sorted(_REPEATED.intersection(table.schema.names))
    with pq.ParquetWriter(
        part, table.schema, compression="zstd", use_dictionary=repeated
    ) as file:
        for rows in [table] if isinstance(table, pa.Table) else table:
            file.write(rows, TOKENS_AT_ONCE if name == "tokens" else ROWS_AT_ONCE)
    part.replace(path)
    return path


def evidence_of(job: Job, catalog: Catalog) -> Table:
    """The EVIDENCE of the explained leads, which is computed once and kept."""
    shown = catalog.read(UNITS).semi_join(catalog.read(REASONS), "unit_id")
    return catalog.keep(evidence(known_tables(job, catalog), shown), "_evidence")


def _rows(job: Job, catalog: Catalog, named: Table) -> pa.Table:
    """The source rows that the evidence names, as delivered."""
    spec, known = job.model.spec, known_tables(job, catalog)
    delivered = {name: delivered_rows(catalog, name) for name in spec.sources}
    parts = source_rows(known, named, delivered).values()
    return row_table([catalog.arrow(part) for part in parts], spec.unit.source)


def _likes(job: Job, catalog: Catalog, unit_ids: pa.Array, listed: Table) -> pa.Table:
    """The nearest of each explained lead among the listed units.

    What is ordinary is learnt from units of the whole run. Takes 5 seconds of the
    processor for 300 leads among 100,000 units.
    """
    declared = job.model.spec.associations
    kinds = declared.kinds if declared else {}
    units = _population(job, catalog, listed, "listed")
    compared = LookAlikes(
        units,
        likeness_of(_population(job, catalog, _evenly(catalog), "ordinary")),
        _points(catalog, listed, units),
        {name: {"en": k.title.en, "zh": k.title.zh} for name, k in kinds.items()},
    )
    return like_rows(compared.of(unit_ids.to_pylist(), ALIKE))


def _population(job: Job, catalog: Catalog, chosen: Table, name: str) -> Population:
    """Some units alone: all that a run scored may not fit into memory."""
    files = {table: f"_{name}_{table}" for table in (MATRIX, FLAGS)}
    for table, file in files.items():
        rows = catalog.read(table).semi_join(chosen, "unit_id")
        catalog.write(rows.order_by("unit_id"), file)
    return scored_units(job, catalog, files[MATRIX], files[FLAGS])


def _points(catalog: Catalog, listed: Table, units: Population) -> Points | None:
    if not catalog.path(POINTS).exists():
        return None
    file = f"_listed_{POINTS}"
    catalog.write(catalog.read(POINTS).semi_join(listed, "unit_id"), file)
    return points_in(catalog.path(file), units)


def _evenly(catalog: Catalog) -> Table:
    """The units that `likeness_of` would take of all scored ones."""
    units = catalog.read(MATRIX).select("unit_id")
    count = catalog.rows(units.aggregate(n=units.count()))[0]["n"]
    step = max(count // SAMPLE_ROWS, 1)
    place = ibis.row_number().over(ibis.window(order_by="unit_id"))
    return units.mutate(_place=place).filter(ibis._["_place"] % step == 0)
