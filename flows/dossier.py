"""What a console shows of a run beside its list: Parquet files, kept with the run.

Their columns are `configs.tables.DOSSIER`. Sensitive values stand in them unmasked, but
for labels; who reads them masks the rest. The same inputs give the same bytes.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.evidence import evidence
from features.source_rows import row_table, source_rows
from flows.catalog import Catalog
from flows.dossier_graph import graph_tables
from flows.engineer import UNITS, known_tables
from flows.frozen import scored_units
from flows.group import POINTS
from flows.intake import DELIVERED
from flows.job import Job
from flows.like_words import like_rows
from flows.look_alikes import LookAlikes, points_in
from flows.score import REASONS

ALIKE = 5  # look-alikes of a lead
# Rows that are read to find one key: few, but where all units stand in a file smaller
# groups would make its index long.
ROWS_AT_ONCE, TOKENS_AT_ONCE = 8_192, 65_536
# Columns of few different values; a dictionary of others would only cost.
_REPEATED = frozenset(
    {
        *("kind", "role_en", "role_zh", "source", "department_en", "department_zh"),
        *("batch", "how", "entity", "found_by", "sensitive"),
    }
)


def dossier_files(job: Job, catalog: Catalog) -> dict[str, Path]:
    """Write the tables of DOSSIER into the work folder; name -> file.

    A model without associations has no nodes, ties and tokens, and one that links no
    records has no doubts.
    """
    job.progress("writing what a console shows of the leads")
    leads = catalog.arrow(catalog.read(REASONS).select("unit_id").distinct())
    unit_ids = leads["unit_id"].combine_chunks().sort()
    tables = {
        "rows": _rows(job, catalog, unit_ids),
        "likes": _likes(job, catalog, unit_ids),
        **graph_tables(job, catalog, unit_ids),
    }
    return {name: written(catalog, name, table) for name, table in tables.items()}


def written(catalog: Catalog, name: str, table: pa.Table) -> Path:
    """A table of DOSSIER as a file in which one key is found without reading it all."""
    path = catalog.path(f"dossier_{name}")
    part = path.with_suffix(".part")
    pq.write_table(
        table,
        part,
        row_group_size=TOKENS_AT_ONCE if name == "tokens" else ROWS_AT_ONCE,
        compression="zstd",
        use_dictionary=sorted(_REPEATED.intersection(table.column_names)),
    )
    part.replace(path)
    return path


def _rows(job: Job, catalog: Catalog, unit_ids: pa.Array) -> pa.Table:
    """The source rows of the leads that `evidence` chooses."""
    spec, known = job.model.spec, known_tables(job, catalog)
    leads = catalog.register("_leads", pa.table({"unit_id": unit_ids}))
    shown = catalog.read(UNITS).semi_join(leads, "unit_id")
    chosen = catalog.keep(evidence(known, shown), "_evidence")
    delivered = {name: catalog.read(f"{DELIVERED}_{name}") for name in spec.sources}
    parts = source_rows(known, chosen, delivered).values()
    return row_table([catalog.arrow(part) for part in parts], spec.unit.source)


def _likes(job: Job, catalog: Catalog, unit_ids: pa.Array) -> pa.Table:
    """The nearest of each lead among all scored units."""
    units, declared = scored_units(job, catalog), job.model.spec.associations
    file, kinds = catalog.path(POINTS), declared.kinds if declared else {}
    compared = LookAlikes.among(
        units,
        points_in(file, units) if file.exists() else None,
        {name: {"en": k.title.en, "zh": k.title.zh} for name, k in kinds.items()},
    )
    return like_rows(compared.of(unit_ids.to_pylist(), ALIKE))
