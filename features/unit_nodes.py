"""Which nodes all units of a run are tied to directly, and as what.

It is the engine's work, on numbers; only the keys of nodes are made outside of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from configs.spec import Text
from features.associations import ENDS, Associations
from features.engine import Engine
from features.ties import Wording

_KINDS = tuple(f"{end}_kind" for end in ENDS)
# What the engine keeps: who is tied to what, and the numbers of the units.
UNIT_TIES, UNIT_NUMBERS = "unit_ties", "unit_numbers"


@dataclass(frozen=True)
class UnitNodes:
    """Which unit is tied to which node, and as what; each unit to itself, too.

    Attributes:
        ties: `unit`, `node` (numbers of nodes) and `role`, each once; the engine keeps it.
        units: `unit` and `unit_id`; the engine keeps it.
        nodes: `node`, `kind` and `value` of every node that some unit is tied to.
        roles: `role_en` and `role_zh` by the role's number; null without title.
    """

    ties: Table
    units: Table
    nodes: Table
    roles: pa.Table


def unit_nodes(
    made: Associations, units: Table, wording: Wording, title: Text, engine: Engine
) -> UnitNodes:
    """Every node that these units are tied to directly, once for each role.

    Args:
        units: with `unit_id`.
        title: what a unit is called.
    """
    own = made.of_kind(wording.unit).select(unit="node", unit_id="value")
    own = engine.keep(own.semi_join(units, "unit_id"), UNIT_NUMBERS)
    rows = made.with_kinds(made.rows)
    said, roles = _roles(rows, wording, title, engine)
    rows = rows.inner_join(said, ("source", *_KINDS))
    tied = own.select(unit="unit", node="unit", role=ibis.literal(0, "int64"))
    for one, other in (ENDS, ENDS[::-1]):
        seen = rows.select(unit=f"{one}_node", node=f"{other}_node", role="role")
        tied = tied.union(seen.semi_join(own, "unit"))
    ties = engine.keep(tied.distinct(), UNIT_TIES)
    named = made.nodes.semi_join(ties, "node").select("node", "kind", "value")
    return UnitNodes(ties, own, named, _words(roles))


def _roles(
    rows: Table, wording: Wording, title: Text, engine: Engine
) -> tuple[Table, Sequence[Text | None]]:
    """The number of the role of each source and pair of kinds, and the roles.

    0 is the unit itself, 1 a role without a title; the others come in the order of the
    first row that has them.
    """
    first = ibis.struct({"left": rows["left_node"], "right": rows["right_node"]})
    seen = rows.group_by("source", *_KINDS).aggregate(first=first.min())
    seen = engine.arrow(seen.order_by("first", "source").drop("first"))
    roles: list[Text | None] = [title, None]
    numbers = []
    for said in seen.to_pylist():
        role = wording.roles.get((said["source"], *(said[kind] for kind in _KINDS)))
        if role not in roles[1:]:
            roles.append(role)
        numbers.append(roles.index(role, 1))
    numbered = seen.append_column("role", pa.array(numbers, pa.int64()))
    return engine.register("unit_roles", numbered), roles


def _words(roles: Sequence[Text | None]) -> pa.Table:
    en, zh = ([getattr(r, name) if r else None for r in roles] for name in ("en", "zh"))
    texts = [pa.array(said, pa.string()) for said in (en, zh)]
    return pa.table(texts, names=["role_en", "role_zh"])
