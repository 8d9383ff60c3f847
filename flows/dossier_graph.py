"""The nodes of a run as a console shows them: around leads, of all units, in doubt."""

from functools import partial
from pathlib import Path

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
from features.token_rows import NodeKeys, TokenRows
from features.unit_nodes import UNIT_NUMBERS, UNIT_TIES, unit_nodes
from flows.bench import Bench
from flows.catalog import Catalog
from flows.engineer import UNITS
from flows.group import stored_associations, tied_nodes
from flows.job import Job
from flows.link import ENTITIES, TO_JUDGE
from serving.tokens import DIGEST, digests, tokens

# Rows of the tokens that are read to find one key: they are many, and smaller groups
# would make the file's index long.
TOKENS_AT_ONCE = 65_536
# A file on the way to the tokens: values of nodes.
_VALUES = "token_values"
_AT_ONCE = 100_000
_KIND = pa.dictionary(pa.int32(), pa.string())
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
    bench = Bench(catalog)
    units, title = catalog.read(UNITS).select("unit_id"), job.model.spec.unit.title
    made, words = stored_associations(job, catalog), wording(job.model)
    found = unit_nodes(made, units, words, title, bench)
    catalog.write(found.nodes, _VALUES)
    ties, own = catalog.arrow(found.ties), catalog.arrow(found.units)
    for kept in (UNIT_TIES, UNIT_NUMBERS):
        bench.drop(kept)
    # Keys take about as much as the ties.
    with catalog.beside(2 * ties.nbytes):
        named = _node_keys(catalog.path(_VALUES), key)
        rows = TokenRows.made(ties, own, named, found.roles)
    return rows.batches(TOKENS_AT_ONCE)


def _node_keys(values: Path, key: bytes) -> NodeKeys:
    """The keys of the nodes of a file; their values may not fit into memory."""
    file = pq.ParquetFile(values)
    rows = file.metadata.num_rows
    nodes, keys = np.empty(rows, np.int64), np.empty((rows, DIGEST), np.uint8)
    kinds, end = [], 0
    for batch in file.iter_batches(_AT_ONCE):
        said = zip(batch["kind"].to_pylist(), batch["value"].to_pylist(), strict=True)
        made = np.frombuffer(digests(key, said), np.uint8)
        start, end = end, end + batch.num_rows
        nodes[start:end] = batch["node"]
        keys[start:end] = made.reshape(-1, DIGEST)
        kinds.append(batch["kind"].dictionary_encode())
    named = pa.chunked_array(kinds, _KIND).unify_dictionaries().combine_chunks()
    return NodeKeys(nodes, named, keys)


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
