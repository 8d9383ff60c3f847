"""From the units to the nodes of the graph, and back."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table, Value

from features.associations import Associated, Associations
from features.found import UNIT, Found
from features.graph import UNKNOWN, graph
from features.links import strong

# A graph and distinct keys to columns of floats, NaN for unknown. Further tables follow.
Compute = Callable[..., Mapping[str, Any]]


def node_values(associated: Associated, rows: Table, source: str, name: str) -> Value:
    """A role or column of a source as values of nodes; null where unknown or invalid."""
    known = associated.known
    column = known.column(source, name)
    return strong(rows, column).cast("string")


def with_numbers(
    rows: Table, value: str, kind: str, name: str, made: Associations
) -> Table:
    """The rows with the numbers of their nodes of one kind.

    UNKNOWN where nothing ties the node; null where its value is null.

    Args:
        value: column of values.
        name: what the column of numbers is called.
    """
    nodes = made.of_kind(kind).select(_value=ibis._["value"], _number=ibis._["node"])
    joined = rows.left_join(nodes, rows[value] == nodes["_value"])
    number = joined["_number"].cast("int64").fill_null(UNKNOWN)
    number = ibis.ifelse(joined[value].notnull(), number, ibis.null())
    return joined.select(*rows.columns, **{name: number})


def looked_up(
    keyed: Table,
    keys: tuple[str, ...],
    compute: Compute,
    name: str,
    associated: Associated,
    kinds: Collection[str],
    *others: Table,
) -> Found:
    """What `compute` gives the keys of the units.

    Each distinct set of keys is computed once; null where a key is null.

    Args:
        keyed: the units with their columns of keys, and with those that ties name.
        compute: of the graph, the distinct keys, and the other tables.
        name: what the result is called in the engine.
        kinds: the graph has the ties between these; all, where none is named.
    """
    made = associated.made(keyed)
    pairs, sizes = made.pairs_among(kinds or made.sizes), made.sizes
    known = keyed.select(*keys).drop_null(how="any").distinct()

    def whole(pairs: pa.Table, hubs: pa.Table, *tables: pa.Table) -> Any:
        rows, *more = (table.combine_chunks() for table in tables)
        found = compute(graph(pairs, hubs["node"].to_numpy(), sizes), rows, *more)
        for column, values in found.items():
            rows = rows.append_column(column, pa.array(values, from_pandas=True))
        return {name: rows}

    hubs = made.hubs.select("node")
    found = associated.engine.computed(whole, pairs, hubs, known, *others)[name]
    joined = keyed.left_join(found, list(keys))
    features = [column for column in found.columns if column not in keys]
    # Computed at once: with what finds the nodes of each unit in the query that joins it,
    # too, that query would hold more tables than fit into a small memory.
    table = associated.engine.keep(joined.select(UNIT, *features), f"{name}_units")
    return Found.by_unit(table, lambda units: {n: units[n] for n in features})
