"""Changes of a publication that a test says in one line."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from serving.publication import Publication
from tests.serving.publications import with_column, with_table
from tests.serving.rings import as_table

Change = Callable[[Publication], Publication]


def column(table: str, name: str, values: object) -> Change:
    return lambda publication: with_column(publication, table, name, values)


def table(name: str, change: Callable[[pa.Table], pa.Table]) -> Change:
    return lambda publication: with_table(publication, name, change)


def fields(**changes: object) -> Change:
    return lambda publication: replace(publication, **changes)  # type: ignore[arg-type]


def rows(name: str, number: int, **changes: object) -> Change:
    """The table with some values of one of its rows changed."""

    def change(found: pa.Table) -> pa.Table:
        listed = found.to_pylist()
        listed[number].update(changes)
        return as_table(name, listed)

    return table(name, change)
