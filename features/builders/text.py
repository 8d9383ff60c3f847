"""How many texts of other units say nearly the same as the unit's.

A lawyer's own template shows `within` her cases; a template that goes round shows
`across` lawyers.
"""

from collections.abc import Callable, Mapping

import ibis
import pyarrow as pa
from ibis.expr.types import Table, Value

from configs.network import TextSpec
from features.builders.aggregates import number
from features.builders.columns import first_rows
from features.engine import Engine
from features.expressions import compile_text
from features.found import Found
from features.links import Link, strong
from features.near_duplicates import NO_CLUSTER, near_duplicates

_TEXT, _WITHIN, _CLUSTER, _SIMILARITY = "_text", "_within", "_cluster", "_similarity"


def text_found(
    units: Table, rows: Table, step: TextSpec, link: Link, engine: Engine
) -> Found:
    """One column `<named>_<stat>` per statistic.

    Null without a text; `within` and `across` also where the unit's own value of
    `within` is unknown. Units that share a row share its text, which counts once.

    Args:
        rows: of the source, already limited to what was known at `as_of`.
        step: with `within` as a column of the source, not as a role.
    """
    name = f"text_{step.named}"
    made = engine.computed(
        lambda texts: {name: _clustered(texts, step)}, _texts(units, rows, step, link)
    )
    found = made[name]
    counted = found.mutate(
        _texts=found.count().over(ibis.window(group_by=_CLUSTER)),
        _valued=found[_WITHIN].count().over(ibis.window(group_by=_CLUSTER)),
        _same=found.count().over(ibis.window(group_by=[_CLUSTER, _WITHIN])),
    )
    features = {f"{step.named}_{stat}": _STATS[stat](counted) for stat in step.stats}
    table = counted.select(*link.keys, **features)
    return Found.by_link(table, link, lambda units: {n: units[n] for n in features})


def _texts(units: Table, rows: Table, step: TextSpec, link: Link) -> Table:
    """One text per key that a unit has, that of its latest row."""
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    columns = {
        _TEXT: rows[step.column],
        _WITHIN: strong(rows, step.within or step.column),
    }
    latest = first_rows(rows, columns, link, latest=True)
    wanted = units.select(**link.unit_keys(units)).distinct()
    return latest.semi_join(wanted, link.keys)


def _clustered(texts: pa.Table, step: TextSpec) -> pa.Table:
    """The keys and the value of `within` with each text's cluster and similarity."""
    found = near_duplicates(
        texts[_TEXT],
        ngram=step.ngram,
        similar=step.similar,
        numbers=step.numbers,
        min_length=step.min_length,
    )
    known = texts.drop_columns(_TEXT).append_column(_CLUSTER, pa.array(found.cluster))
    known = known.append_column(_SIMILARITY, pa.array(found.similarity))
    return known.filter(pa.array(found.cluster != NO_CLUSTER))


def _near_duplicates(found: Table) -> Value:
    return number(found["_texts"] - 1)


def _same_value(found: Table) -> Value:
    return _where_valued(found, found["_same"] - 1)


def _another_value(found: Table) -> Value:
    return _where_valued(found, found["_valued"] - found["_same"])


def _where_valued(found: Table, value: Value) -> Value:
    return number(ibis.ifelse(found[_WITHIN].notnull(), value, ibis.null()))


def _similarity(found: Table) -> Value:
    return number(found[_SIMILARITY])


_STATS: Mapping[str, Callable[[Table], Value]] = {
    "near_duplicates": _near_duplicates,
    "within": _same_value,
    "across": _another_value,
    "similarity": _similarity,
}
