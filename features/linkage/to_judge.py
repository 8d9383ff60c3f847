"""The doubtful links of an entity, with all that both records say, for persons to judge."""

import json
from collections.abc import Collection

import pyarrow as pa
from ibis.expr.types import Table

from configs.linkage import role_columns
from configs.schema import EntitySpec, ModelSpec
from configs.tables import DOUBTS
from features.engine import Engine
from features.linkage.names import RECORD
from features.linkage.report import ends
from features.linkage.resolve import Subject

MOST = 500  # links of an entity: nobody judges more between two deliveries
EVEN = 0.5  # the probability that leaves most to a person
SIDES = ("left", "right")
# Without the nodes of the two records, which the associations know.
TO_JUDGE = {n: kind for n, kind in DOUBTS.items() if n not in ("left_key", "right_key")}
SCHEMA = pa.schema({name: pa.type_for_alias(kind) for name, kind in TO_JUDGE.items()})


def to_judge(
    subject: Subject,
    records: Table,
    links: Table,
    engine: Engine,
    *,
    sensitive: Collection[str],
    most: int = MOST,
) -> pa.Table:
    """DOUBTS without keys: links between review and accept, the most doubtful first.

    Args:
        records: one row per record with its attributes as text.
        links: contract ENTITY_LINKS.
        sensitive: attributes whose values are masked where they are shown.
    """
    doubt = links.filter(links["decision"] == "review")
    away = (doubt["probability"] - EVEN).abs()
    both = doubt.order_by(away, "left", "right").limit(most)
    named = ends(both, records)
    for side in SIDES:
        said = {f"_{side}_{name}": named[name] for name in subject.fields}
        both = both.left_join(named.select(**{side: named[RECORD]}, **said), side)
    away = (both["probability"] - EVEN).abs()
    found = engine.arrow(both.order_by(away, "left", "right"))
    names = [name for name in subject.fields if name in sensitive]
    columns = {
        "entity": pa.array([subject.name] * found.num_rows, pa.string()),
        **{n: found[n] for n in ("left", "right", "probability", "found_by")},
        **{f"{side}_says": _said(found, side, subject) for side in SIDES},
        "sensitive": pa.array([",".join(names)] * found.num_rows, pa.string()),
    }
    return pa.table({name: columns[name] for name in TO_JUDGE}).cast(SCHEMA)


def sensitive_attributes(spec: ModelSpec, entity: EntitySpec) -> frozenset[str]:
    """The attributes of an entity that some source declares as sensitive."""
    return frozenset(
        name
        for role in entity.roles
        for name, column in role_columns(role).items()
        if spec.sources[role.source].columns[column].sensitive
    )


def _said(found: pa.Table, side: str, subject: Subject) -> pa.Array:
    told = found.select([f"_{side}_{name}" for name in subject.fields])
    rows = told.rename_columns(list(subject.fields)).to_pylist()
    return pa.array([json.dumps(row, ensure_ascii=False) for row in rows], pa.string())
