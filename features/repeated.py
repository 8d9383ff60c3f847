"""Keys that stand in several rows of a source: the first row counts, the others do not.

Cost: one grouping of the keys; only those that are repeated are sorted.
"""

import ibis
from ibis.expr.types import Table

from configs.schema import SourceSpec
from configs.tables import REJECTS
from features.contracts import conform
from features.sources import BATCH, BROKEN, FILE, LINE, reject_rows, shown

_PLACE = (BATCH, LINE)


def repeated(keys: Table) -> Table:
    """The rows whose key stands in an earlier row, by file and line.

    A row that is left out anyway does not shut out a good one with the same key.

    Args:
        keys: of all parts, as `features.sources.keys` has them.
    """
    known = keys.filter(keys["key"].notnull())
    counted = known.group_by("key").aggregate(_rows=known.count())
    often = known.semi_join(counted.filter(counted["_rows"] > 1), "key")
    order = ibis.window(group_by="key", order_by=[BROKEN, FILE, LINE])
    placed = often.mutate(_place=ibis.row_number().over(order))
    return placed.filter(placed["_place"] > 0).drop("_place")


def without(core: Table, again: Table) -> Table:
    """The rows of a source that stay when the repeated ones are left out."""
    return core.anti_join(again, _PLACE)


def all_rejects(found: Table, again: Table, source: str, declared: SourceSpec) -> Table:
    """The contract REJECTS: problems of values, then keys that are repeated.

    Args:
        found: as `features.sources.rejects` has them, of all parts.
        again: as `repeated` has them.
    """
    key = str(declared.key)
    column = declared.columns[key]
    places = again.select(*_PLACE, _again=ibis.literal(True))
    joined = found.left_join(
        places, [found[BATCH] == places[BATCH], found["line"] == places[LINE]]
    )
    whole = joined["_again"].fill_null(False)
    values = joined.mutate(action=ibis.ifelse(whole, "row", joined["action"]))
    others = reject_rows(
        again,
        source,
        column=column.header or key,
        value=shown(again["text"], column),
        cause=ibis.literal("repeats the key of an earlier row"),
        action=ibis.literal("row"),
    )
    return conform(values, REJECTS).union(conform(others, REJECTS))
