"""The nodes of a run as a console shows them: around leads, of all units, in doubt."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.nodes import entity_kind
from configs.privacy import sensitive_kinds
from configs.tables import DOSSIER
from features.adjacency import Numbers
from features.association_tables import MEMBERS
from features.associations import ROWS
from features.graph import UNKNOWN
from features.keyed import Keyed
from features.linkage.to_judge import EVEN
from features.neighbourhood import Around, around, node_rows, tie_rows
from features.ties import Tied, wording
from features.unit_nodes import token_table, unit_nodes
from flows.bench import Bench
from flows.catalog import Catalog
from flows.engineer import UNITS
from flows.group import stored_associations, tied_nodes
from flows.job import Job
from flows.link import ENTITIES, TO_JUDGE
from serving.tokens import token, tokens

# Rows of the tokens that are read to find one key: they are many, and smaller groups
# would make the file's index long.
TOKENS_AT_ONCE = 65_536
# Files on the way to the tokens: values of nodes, their keys, and the rows in order.
_VALUES, _KEYS, _SORTED = "token_values", "token_keys", "token_rows"
_AT_ONCE = 100_000
_KEY_SCHEMA = pa.schema(
    [("node", pa.int64()), ("kind", pa.string()), ("key", pa.string())]
)
# The two ends of a link that is in doubt, by the columns that name their nodes.
_SIDES = {"left_key": "left", "right_key": "right"}


def graph_tables(
    job: Job, catalog: Catalog, key: bytes, unit_ids: pa.Array
) -> dict[str, pa.Table | pa.RecordBatchReader]:
    """`nodes`, `ties`, `tokens` and `doubts`, as far as the model has them.

    Args:
        key: of the tokens, see `serving.tokens`.
        unit_ids: of the leads.
    """
    doubts = None
    if catalog.path(TO_JUDGE).exists():
        doubts = catalog.arrow(catalog.read(TO_JUDGE))
    if not catalog.path(ROWS).exists():
        return {} if doubts is None else {"doubts": _with_keys(doubts, {})}
    shown = _shown(job, catalog, key, unit_ids, doubts)
    # The graph is gone by now: the tokens are many, and need all that the engine may hold.
    return {**shown, "tokens": _tokens(job, catalog, key)}


def _shown(
    job: Job, catalog: Catalog, key: bytes, unit_ids: pa.Array, doubts: pa.Table | None
) -> dict[str, pa.Table]:
    """`nodes` and `ties`, and `doubts` where there are some."""
    with tied_nodes(job, catalog) as tied:
        members = catalog.arrow(catalog.read(MEMBERS).select("unit_id").distinct())
        found = around(tied, _nodes(tied, unit_ids), _nodes(tied, members["unit_id"]))
        ends = {} if doubts is None else _ends(job, catalog, tied, doubts)
        nodes = np.concatenate([found.nodes, *ends.values()])
        keyed = Keyed.made(tied, nodes[nodes != UNKNOWN], partial(tokens, key))
        hidden = sensitive_kinds(job.model.spec)
        units = _units_among(catalog, tied, found)
        tables = {
            "nodes": node_rows(tied, found.nodes, keyed, units, hidden),
            "ties": tie_rows(tied, found, keyed),
        }
        if doubts is not None:
            keys = {name: keyed.of(nodes) for name, nodes in ends.items()}
            tables["doubts"] = _with_keys(doubts, keys)
        return tables


def _nodes(tied: Tied, unit_ids: pa.Array) -> Numbers:
    """The nodes that these units are; without those that nothing ties."""
    numbers = tied.tables.numbers_of(tied.unit, unit_ids)
    tied_ones: Numbers = np.unique(numbers[numbers != UNKNOWN])
    return tied_ones


def _units_among(catalog: Catalog, tied: Tied, found: Around) -> pa.Array:
    """Ids of the scored units among the nodes that are shown."""
    span = tied.graph.span(tied.unit)
    nodes = found.nodes[(found.nodes >= span.start) & (found.nodes < span.stop)]
    shown = pa.table({"unit_id": tied.tables.values(nodes)})
    asked = catalog.register("_shown", shown)
    units = catalog.read(UNITS).select("unit_id").semi_join(asked, "unit_id")
    return catalog.arrow(units)["unit_id"].combine_chunks()


def _tokens(job: Job, catalog: Catalog, key: bytes) -> pa.RecordBatchReader:
    """TOKENS of all units, in parts: there are as many as associations."""
    units, title = catalog.read(UNITS).select("unit_id"), job.model.spec.unit.title
    made, words = stored_associations(job, catalog), wording(job.model)
    found = unit_nodes(made, units, words, title, Bench(catalog))
    catalog.write(found.nodes, _VALUES)
    with pq.ParquetWriter(catalog.path(_KEYS), _KEY_SCHEMA) as file:
        for batch in pq.ParquetFile(catalog.path(_VALUES)).iter_batches(_AT_ONCE):
            file.write_batch(_with_tokens(batch, key))
    catalog.write(token_table(found, catalog.read(_KEYS)), _SORTED)
    sorted_ = pq.ParquetFile(catalog.path(_SORTED))
    batches = sorted_.iter_batches(TOKENS_AT_ONCE)
    return pa.RecordBatchReader.from_batches(sorted_.schema_arrow, batches)


def _with_tokens(batch: pa.RecordBatch, key: bytes) -> pa.RecordBatch:
    """The nodes by number and kind, with the keys of their values."""
    kinds, values = batch["kind"].to_pylist(), batch["value"].to_pylist()
    keys = [token(key, *said) for said in zip(kinds, values, strict=True)]
    columns = [
        batch["node"].cast(pa.int64()),
        batch["kind"],
        pa.array(keys, pa.string()),
    ]
    return pa.record_batch(columns, schema=_KEY_SCHEMA)


def _ends(
    job: Job, catalog: Catalog, tied: Tied, doubts: pa.Table
) -> dict[str, Numbers]:
    """By column the node of each record's entity; UNKNOWN where nothing ties it."""
    spec, columns = job.model.spec, job.model.known.columns
    kinds = {name: entity_kind(spec, name, columns) for name in spec.entities}
    owners, entities = _owners(catalog, doubts), doubts["entity"].to_pylist()
    found = {}
    for column, side in _SIDES.items():
        named = zip(entities, doubts[side].to_pylist(), strict=True)
        values = [owners[end] if kinds[end[0]] else None for end in named]
        said = pa.array([kinds[entity] for entity in entities], pa.string())
        found[column] = tied.tables.numbers(said, pa.array(values, pa.string()))
    return found


def _owners(catalog: Catalog, doubts: pa.Table) -> dict[tuple[str, str], str]:
    """The entity that each doubtful record belongs to so far."""
    ends = [*doubts["left"].chunks, *doubts["right"].chunks]
    records = pa.chunked_array(ends, pa.string())
    named = catalog.register("_in_doubt", pa.table({"record": records.unique()}))
    found = catalog.rows(catalog.read(ENTITIES).semi_join(named, "record"))
    return {(row["entity"], row["record"]): row["entity_id"] for row in found}


def _with_keys(doubts: pa.Table, keys: dict[str, pa.Array]) -> pa.Table:
    """DOUBTS, the most doubtful of all entities first."""
    none = pa.nulls(doubts.num_rows, pa.string())
    for name in _SIDES:
        doubts = doubts.append_column(name, keys.get(name, none))
    away = pc.abs(pc.subtract(doubts["probability"], EVEN))
    order = [(name, "ascending") for name in ("_away", "entity", "left", "right")]
    ordered = doubts.append_column("_away", away).sort_by(order)
    return ordered.select(list(DOSSIER["doubts"]))
