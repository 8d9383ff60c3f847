"""Associations for the tests of groups, ties and paths."""

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa

from configs.spec import Text
from configs.tables import ASSOCIATIONS
from features.graph import graph
from features.ties import Tied, Wording

KINDS = ("claim", "company", "household", "person", "phone")
POSTED = datetime(2024, 1, 2)
Node = tuple[str, str]


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
    types = {name: pa.type_for_alias(kind) for name, kind in ASSOCIATIONS.items()}
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def tied(pairs: Iterable[tuple[Node, Node]], limit: int = 50) -> Tied:
    return tied_from(associations(pairs), limit)


def tied_from(rows: pa.Table, limit: int = 50) -> Tied:
    return Tied(graph(rows, dict.fromkeys(KINDS, limit)), rows, WORDS)


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
