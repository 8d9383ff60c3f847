"""What a stage works at: the catalog's engine as `features` knows it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from ibis.expr.types import Table

from features.engine import Compute
from flows.catalog import Catalog

_UNITS = "units"


class Bench:
    """The catalog's engine for one stage; its tables are named with an underscore.

    Of the units only the newest state is kept in memory.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._units: str | None = None

    def keep(self, table: Table, name: str) -> Table:
        is_units = name.startswith(_UNITS)
        result = self._catalog.keep(table, f"_{name}", ordered=not is_units)
        if is_units:
            if self._units:
                self._catalog.drop(self._units)
            self._units = f"_{name}"
        return result

    def drop(self, name: str) -> None:
        self._catalog.drop(f"_{name}")

    def following(self, tables: Sequence[Table], by: Sequence[str]) -> Table:
        return self._catalog.following(tables, by)

    def computed(self, compute: Compute, *tables: Table) -> Mapping[str, Table]:
        made = self._catalog.computed(_Prefixed(compute), *tables)
        return {name.removeprefix("_"): table for name, table in made.items()}

    def memory(self) -> int | None:
        return self._catalog.memory()

    def arrow(self, table: Table) -> pa.Table:
        return self._catalog.arrow(table)

    def register(self, name: str, data: pa.Table) -> Table:
        return self._catalog.register(f"_{name}", data)

    @property
    def dialect(self) -> str:
        return self._catalog.dialect

    def splink(self) -> Any:
        return self._catalog.splink()

    def named(self, name: str) -> Table:
        return self._catalog.named(name)


class _Prefixed:
    """A function of tables whose results are named as those of a bench."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def __call__(self, *tables: pa.Table) -> dict[str, pa.Table]:
        return {f"_{name}": made for name, made in self._compute(*tables).items()}
