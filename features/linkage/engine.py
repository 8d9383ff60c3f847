"""What entity resolution needs of the engine besides computing tables."""

from typing import Any, Protocol

from ibis.expr.types import Table

from features.engine import Engine


class LinkEngine(Engine, Protocol):
    """An engine that Splink runs on too."""

    @property
    def dialect(self) -> str:
        """Of its SQL: `duckdb` or `spark`."""

    def splink(self) -> Any:
        """Splink's database API over this engine's connection."""

    def named(self, name: str) -> Table:
        """A table of the engine by its name."""


def stem(table: Table) -> str:
    """The name that an engine's table was kept by."""
    return str(table.op().name.strip("_"))
