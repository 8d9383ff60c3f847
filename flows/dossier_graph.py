"""The nodes of a run as a console shows them: around leads, of all units, in doubt."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.nodes import entity_kind
from configs.privacy import sensitive_kinds
from configs.tables import DOSSIER
from features.association_tables import MEMBERS
from features.graph import UNKNOWN, Graph, Numbers
from features.keyed import Keyed
from features.linkage.to_judge import EVEN
from features.neighbourhood import around, node_rows, tie_rows
from features.ties import Tied
from features.unit_nodes import token_rows, unit_nodes
from flows.catalog import Catalog
from flows.engineer import ASSOCIATIONS, UNITS
from flows.group import tied_nodes
from flows.job import Job
from flows.link import ENTITIES, TO_JUDGE
from serving.tokens import key_of, tokens

# The two ends of a link that is in doubt, by the columns that name their nodes.
_SIDES = {"left_key": "left", "right_key": "right"}


def graph_tables(job: Job, catalog: Catalog, unit_ids: pa.Array) -> dict[str, pa.Table]:
    """`nodes`, `ties`, `tokens` and `doubts`, as far as the model has them.

    Args:
        unit_ids: of the leads.
    """
    doubts = None
    if catalog.path(TO_JUDGE).exists():
        doubts = catalog.arrow(catalog.read(TO_JUDGE))
    if not catalog.path(ASSOCIATIONS).exists():
        return {} if doubts is None else {"doubts": _with_keys(doubts, {})}
    tied, units = tied_nodes(job, catalog), _unit_ids(catalog, UNITS)
    members = _unit_ids(catalog, MEMBERS)
    found = around(tied, _nodes(tied, unit_ids), _nodes(tied, members))
    direct = unit_nodes(tied, _nodes(tied, units), job.model.spec.unit.title)
    ends = {} if doubts is None else _ends(job, catalog, tied.graph, doubts)
    keyed = _keyed(job, tied.graph, [found.nodes, direct.node, *ends.values()])
    hidden = sensitive_kinds(job.model.spec)
    tables = {
        "nodes": node_rows(tied, found.nodes, keyed, units, hidden),
        "ties": tie_rows(tied, found, keyed),
        "tokens": token_rows(tied.graph, tied.unit, direct, keyed),
    }
    if doubts is not None:
        keys = {name: keyed.of(nodes) for name, nodes in ends.items()}
        tables["doubts"] = _with_keys(doubts, keys)
    return tables


def _unit_ids(catalog: Catalog, name: str) -> pa.Array:
    """The units that a table of the run names."""
    found = catalog.arrow(catalog.read(name).select("unit_id").distinct())
    return found["unit_id"].combine_chunks().sort()


def _nodes(tied: Tied, unit_ids: pa.Array) -> Numbers:
    """The nodes that these units are; without those that nothing ties."""
    numbers = tied.graph.nodes(tied.unit, unit_ids)
    tied_ones: Numbers = numbers[numbers != UNKNOWN]
    return tied_ones


def _keyed(job: Job, graph: Graph, parts: list[Numbers]) -> Keyed:
    nodes, key = np.concatenate(parts), key_of(job.settings)
    nodes = nodes[nodes != UNKNOWN]
    return Keyed.made(graph, nodes, lambda kind, said: tokens(key, kind, said))


def _ends(
    job: Job, catalog: Catalog, graph: Graph, doubts: pa.Table
) -> dict[str, Numbers]:
    """By column the node of each record's entity; UNKNOWN where nothing ties it."""
    spec, columns = job.model.spec, job.model.known.columns
    kinds = {name: entity_kind(spec, name, columns) for name in spec.entities}
    owners = _owners(catalog, doubts)
    found = {}
    for column, side in _SIDES.items():
        numbers = np.full(doubts.num_rows, UNKNOWN, dtype=np.int64)
        named = zip(doubts["entity"].to_pylist(), doubts[side].to_pylist(), strict=True)
        for row, (entity, record) in enumerate(named):
            kind = kinds[entity]
            if kind is not None:
                owner = pa.array([owners[entity, record]], pa.string())
                numbers[row] = graph.nodes(kind, owner)[0]
        found[column] = numbers
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
