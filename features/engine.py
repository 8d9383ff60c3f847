"""What features need of whoever holds the engine; `flows.catalog` has it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa
from ibis.expr.types import Table

# From whole tables in memory to others, by the names they get in the engine.
Compute = Callable[..., Mapping[str, pa.Table]]


class Engine(Protocol):
    """Computes tables, also by a graph or text library that works on arrays."""

    def keep(self, table: Table, name: str) -> Table:
        """Compute a table once; later steps use it several times."""

    def drop(self, name: str) -> None:
        """Forget a table that was kept; its room is free again."""

    def following(self, tables: Sequence[Table], by: Sequence[str]) -> Table:
        """The rows of tables that are sorted by these columns and follow each other."""

    def computed(self, compute: Compute, *tables: Table) -> Mapping[str, Table]:
        """What a function makes of whole tables, in one process that has room for them.

        It is called with the rows of each table, in their order, and may be called
        elsewhere, and again: it must depend on nothing else and change nothing.
        """

    def memory(self) -> int | None:
        """Bytes that it may hold before it writes to disk; None where many machines do."""

    def arrow(self, table: Table) -> pa.Table:
        """A result that does not grow with the rows, in memory."""

    def register(self, name: str, data: pa.Table) -> Table:
        """Rows in memory as a table of the engine."""


def row_count(table: Table, engine: Engine) -> int:
    """How many rows a table has, counted by the engine."""
    return int(engine.arrow(table.aggregate(n=table.count()))["n"][0].as_py())
