"""Values that would link everybody or nobody: found before records are compared.

A constant column, a placeholder that thousands share, names in the wrong encoding: each
is named in a warning and left out of the comparison, the rest goes on.
"""

from collections.abc import Mapping
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.linkage import ID
from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import Engine
from features.identifiers import looks_garbled
from features.linkage.masks import masked
from features.linkage.names import KEY, OWNED

FEW = 50  # records; among fewer one value for all is no sign of anything
GARBLED_SHARE = 0.2
_NAMES = frozenset({"person_name", "company_name", "address"})


def without_suspects(
    name: str,
    table: Table,
    fields: Mapping[str, ColumnType],
    spec: LinkSpec,
    engine: Engine,
) -> tuple[Table, set[str], list[str]]:
    """The records with suspect values taken out.

    Returns:
        The records, the attributes that are of no use at all, a sentence about each.
    """
    counts = engine.arrow(_counts(table, fields)).to_pylist()[0]
    warnings: list[str] = []
    dropped: set[str] = set()
    for field, kind in fields.items():
        said = _whole(name, field, kind, counts)
        if said:
            warnings.append(said)
            dropped.add(field)
            table = table.mutate(**{field: ibis.null("string")})
        elif kind in OWNED:
            table, found = _without_shared(name, field, table, spec, engine)
            warnings += found
    if ID in dropped:
        return table.mutate(**{KEY: ibis.null("string")}), dropped, warnings
    table, found = _without_shared(name, KEY, table, spec, engine)
    return table, dropped, warnings + [w for w in found if w not in warnings]


def _counts(table: Table, fields: Mapping[str, ColumnType]) -> Table:
    found: dict[str, Any] = {}
    for field, kind in fields.items():
        column = table[field]
        found[f"known_{field}"] = column.count()
        found[f"first_{field}"], found[f"last_{field}"] = column.min(), column.max()
        bad = looks_garbled(column) if kind in _NAMES else ibis.literal(False)
        found[f"garbled_{field}"] = (column.notnull() & bad).sum().fill_null(0)
    return table.aggregate(**found)


def _whole(name: str, field: str, kind: ColumnType, counts: Mapping[str, Any]) -> str:
    """What is wrong with all of an attribute; empty when nothing is."""
    known = counts[f"known_{field}"]
    if known < FEW:
        return ""
    if counts[f"first_{field}"] == counts[f"last_{field}"]:
        value = masked(counts[f"first_{field}"], kind)
        return (
            f"{name}.{field}: all {known:,} records that have one say {value}; "
            "it is not used to link"
        )
    share = counts[f"garbled_{field}"] / known
    if share >= GARBLED_SHARE:
        return (
            f"{name}.{field}: {share:.0%} of {known:,} values look wrongly encoded; it is "
            "not used to link: deliver the table as UTF-8 or GB18030"
        )
    return ""


def _without_shared(
    name: str, field: str, table: Table, spec: LinkSpec, engine: Engine
) -> tuple[Table, list[str]]:
    """Values of an identifier that more than `max_block` different records bear."""
    known = table.filter(table[field].notnull())
    sizes = known.group_by(field).aggregate(_n=known.count())
    shared = sizes.filter(sizes["_n"] > spec.max_block)
    worst = engine.arrow(
        shared.order_by(shared["_n"].desc(), field).limit(3)
    ).to_pylist()
    if not worst:
        return table, []
    words = ", ".join(f"{masked(row[field])} in {row['_n']:,} records" for row in worst)
    said = f"{name}.{ID if field == KEY else field}: {words}; such values link nobody"
    joined = table.left_join(shared.mutate(_many=True).drop("_n"), field)
    clear = ibis.ifelse(joined["_many"].isnull(), joined[field], ibis.null("string"))
    others = [c for c in table.columns if c != field]
    return joined.select(*others, **{field: clear}), [said]
