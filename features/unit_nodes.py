"""Which nodes all units of a run are tied to directly, and as what."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.spec import Text
from configs.tables import TOKENS
from features.graph import UNKNOWN, Graph, Numbers
from features.keyed import Keyed
from features.ties import Tied


@dataclass(frozen=True)
class UnitNodes:
    """Which unit is tied to which node, and as what; each unit to itself, too."""

    unit: Numbers
    node: Numbers
    role: Numbers
    roles: tuple[Text | None, ...]


def unit_nodes(tied: Tied, units: Numbers, title: Text) -> UnitNodes:
    """Every node that these units are tied to directly, once for each role.

    Args:
        units: numbers of nodes, without UNKNOWN.
        title: what a unit is called.
    """
    is_unit = np.zeros(tied.graph.size, dtype=np.bool_)
    is_unit[units] = True
    role, roles = _roles(tied, title)
    ends = ((tied.left, tied.right), (tied.right, tied.left))
    parts = [(units, units, np.zeros(len(units), dtype=np.int64))]
    for own, other in ends:
        kept = is_unit[own]
        parts.append((own[kept], other[kept], role[kept]))
    unit, node, said = (np.concatenate(column) for column in zip(*parts, strict=True))
    return UnitNodes(unit, node, said, roles)


def _roles(tied: Tied, title: Text) -> tuple[Numbers, tuple[Text | None, ...]]:
    """The number of each row's role; 0 is the unit itself, 1 a role without a title."""
    keys = pc.binary_join_element_wise(
        *(
            tied.rows[name].cast(pa.string())
            for name in ("source", "left_kind", "right_kind")
        ),
        "\0",
    )
    found = keys.combine_chunks().dictionary_encode()
    roles: list[Text | None] = [title, None]
    numbers = []
    for key in found.dictionary.to_pylist():
        source, left, right = key.split("\0")
        role = tied.wording.roles.get((source, left, right))
        if role not in roles[1:]:
            roles.append(role)
        numbers.append(roles.index(role, 1))
    place = np.array(numbers, dtype=np.int64)
    return place[found.indices.to_numpy()], tuple(roles)


def token_rows(graph: Graph, unit: str, found: UnitNodes, keyed: Keyed) -> pa.Table:
    """TOKENS, by key, unit and role, each once."""
    rank = keyed.rank_of(found.node)
    order = np.lexsort((found.role, found.unit, rank))
    same = np.ones(len(order), dtype=np.bool_)
    for column in (rank, found.unit, found.role):
        same &= np.diff(column[order], prepend=UNKNOWN) == 0
    kept = order[~same]
    node, role = found.node[kept], pa.array(found.role[kept])
    kinds = pa.array(graph.kinds, pa.string())
    values = graph.values[graph.kinds.index(unit)]
    place = pa.array(found.unit[kept] - graph.span(unit).start)
    said = {
        "role_en": [role.en if role else None for role in found.roles],
        "role_zh": [role.zh if role else None for role in found.roles],
    }
    columns = {
        "key": keyed.of(node),
        "kind": kinds.take(pa.array(graph.kind[node])),
        "unit_id": values.take(place).cast(pa.string()),
        **{
            name: pa.array(words, pa.string()).take(role)
            for name, words in said.items()
        },
    }
    types = {name: pa.type_for_alias(kind) for name, kind in TOKENS.items()}
    return pa.table(columns).cast(pa.schema(types))
