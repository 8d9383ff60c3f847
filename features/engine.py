"""What features need of whoever holds the engine; `flows.catalog` has it."""

from typing import Protocol

import pyarrow as pa
from ibis.expr.types import Table


class Engine(Protocol):
    """Computes tables, and takes arrays back that a graph or text library made."""

    def keep(self, table: Table, name: str) -> Table:
        """Compute a table once; later steps use it several times."""

    def arrow(self, table: Table) -> pa.Table:
        """The rows of a table, in memory."""

    def register(self, name: str, data: pa.Table) -> Table:
        """Rows in memory as a table of the engine."""


def row_count(table: Table, engine: Engine) -> int:
    """How many rows a table has, counted by the engine."""
    return int(engine.arrow(table.aggregate(n=table.count()))["n"][0].as_py())
