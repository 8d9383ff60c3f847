"""Associations for the tests of groups, ties and paths."""

import atexit
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import ibis
import pyarrow as pa

from configs.spec import Text
from configs.tables import ASSOCIATIONS, GRAPH_NODES, GRAPH_PAIRS, NUMBERED
from features.adjacency import Numbers
from features.associations import Associations
from features.graph import UNKNOWN, Graph, graph
from features.tied_tables import TiedTables
from features.ties import Tied, Wording
from flows.bench import Bench
from flows.catalog import Catalog

KINDS = ("claim", "company", "household", "person", "phone")
POSTED = datetime(2024, 1, 2)
Node = tuple[str, str]
ENDS = ("left", "right")
HUBS = {"node": "int64", "degree": "int64", "limit": "int64"}


def word(text: str) -> Text:
    return Text(en=text, zh=f"{text}中")


WORDS = Wording(
    unit="claim",
    kinds={kind: word(kind) for kind in KINDS},
    departments={"register": word("office")},
    roles={("register", "claim", "person"): word("claimant")},
    sensitive=frozenset({"person", "phone"}),
)


def associations(pairs: Iterable[tuple[Node, Node]]) -> pa.Table:
    """One row a pair, as the contract says: ends in order, all from one source."""
    once = sorted({tuple(sorted(pair)) for pair in pairs})
    rows = [
        {
            "left_kind": left[0],
            "left": left[1],
            "right_kind": right[0],
            "right": right[1],
            "source": "register",
            "row_key": f"r{number}",
            "rows": 1,
            "event_at": POSTED,
            "known_at": POSTED,
            "probability": 1.0,
        }
        for number, (left, right) in enumerate(once)
    ]
    return pa.Table.from_pylist(rows, schema=_schema(ASSOCIATIONS))


def tied(pairs: Iterable[tuple[Node, Node]], limit: int = 50) -> Tied:
    return tied_from(associations(pairs), limit)


def tied_from(rows: pa.Table, limit: int = 50) -> Tied:
    """The graph of these rows beside them, in an engine of the tests."""
    tables, whole = numbered(rows, dict.fromkeys(KINDS, limit))
    held = {name: ibis.memtable(table) for name, table in tables.items()}
    made = Associations(**held, sizes=whole.sizes)
    return Tied(whole, TiedTables(made, Bench(engine())), WORDS)


def ranked(unit_ids: Iterable[str]) -> pa.Table:
    """The units in the order of their ranks, 100 yuan each."""
    ids = list(unit_ids)
    return pa.table(
        {
            "unit_id": pa.array(ids, pa.string()),
            "rank_fused": pa.array(range(1, len(ids) + 1), pa.int64()),
            "money": pa.array([100.0] * len(ids), pa.float64()),
        }
    )


def units_of(of: Tied, table: pa.Table) -> pa.Table:
    """The units with their nodes."""
    nodes = of.tables.numbers_of(of.unit, table["unit_id"].combine_chunks())
    return table.append_column("node", pa.array(nodes, mask=nodes == UNKNOWN))


def nodes_of(of: Tied, ids: Iterable[str]) -> Numbers:
    """The nodes of these units; without those that nothing ties."""
    nodes = of.tables.numbers_of(of.unit, pa.array(ids, pa.string()))
    return nodes[nodes != UNKNOWN]


@cache
def engine() -> Catalog:
    """One for all tests of a process, closed with it."""
    folder = tempfile.TemporaryDirectory()
    opened = Catalog(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(opened.close)
    return opened


def numbered(
    rows: pa.Table, limits: Mapping[str, int]
) -> tuple[dict[str, pa.Table], Graph]:
    """What the engine makes of rows with named ends, made without it.

    Returns:
        the tables of `Associations` by name, and the graph of the same nodes.
    """
    said = rows.to_pylist()
    ends = [[(r[f"{end}_kind"], r[end]) for r in said] for end in ENDS]
    nodes = sorted({node for end in ends for node in end}, key=_bytes)
    number = {node: at for at, node in enumerate(nodes)}
    sure: dict[tuple[int, int], float] = {}
    for row, *both in zip(said, *ends, strict=True):
        left, right = sorted(number[node] for node in both)
        row |= {"left_node": left, "right_node": right}
        sure[left, right] = max(row["probability"], sure.get((left, right), 0.0))
    degree = dict.fromkeys(range(len(nodes)), 0)
    for pair in sure:
        for at in pair:
            degree[at] += 1
    pairs = [
        {"left": a, "right": b, "probability": sure[a, b]} for a, b in sorted(sure)
    ]
    named = [
        {"node": at, "kind": kind, "value": value, "degree": degree[at]}
        for (kind, value), at in number.items()
    ]
    hubs = [
        {"node": n["node"], "degree": n["degree"], "limit": limits[n["kind"]]}
        for n in named
        if n["degree"] > limits[n["kind"]]
    ]
    sizes = {kind: sum(k == kind for k, _ in nodes) for kind in sorted(limits)}
    tables = {
        "nodes": (named, GRAPH_NODES),
        "rows": (said, NUMBERED),
        "pairs": (pairs, GRAPH_PAIRS),
        "hubs": (hubs, HUBS),
    }
    arrow = {n: pa.Table.from_pylist(r, _schema(c)) for n, (r, c) in tables.items()}
    whole = graph(arrow["pairs"], arrow["hubs"]["node"].to_numpy(), sizes)
    return arrow, whole


def _bytes(node: Node) -> tuple[bytes, bytes]:
    return node[0].encode(), node[1].encode()


def _schema(contract: Mapping[str, str]) -> pa.Schema:
    return pa.schema(
        [(name, pa.type_for_alias(kind)) for name, kind in contract.items()]
    )
