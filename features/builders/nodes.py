"""From the units to the nodes of the graph, and back."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from ibis.expr.types import Table, Value

from configs.keys import source_column
from features.associations import Associated
from features.links import strong

# Distinct keys to columns of floats, NaN for unknown.
Compute = Callable[[pa.Table], Mapping[str, Any]]


def node_values(associated: Associated, rows: Table, source: str, name: str) -> Value:
    """A role or column of a source as values of nodes; null where unknown or invalid."""
    known = associated.known
    column = source_column(known.spec, source, name, known.model.known.columns)
    return strong(rows, column).cast("string")


def looked_up(
    keyed: Table,
    keys: tuple[str, ...],
    compute: Compute,
    name: str,
    associated: Associated,
) -> Table:
    """The units with what `compute` gives their keys, in place of the keys.

    Each distinct set of keys is computed once; null where a key is null.

    Args:
        keyed: the units with their columns of keys.
        name: what the result is called in the engine.
    """
    known = keyed.select(*keys).drop_null(how="any").distinct()
    rows = associated.engine.arrow(known).combine_chunks()
    found = compute(rows)
    for column, values in found.items():
        rows = rows.append_column(column, pa.array(values, from_pandas=True))
    joined = keyed.left_join(associated.engine.register(name, rows), list(keys))
    units = [column for column in keyed.columns if column not in keys]
    return joined.select(*units, **{column: joined[column] for column in found})
