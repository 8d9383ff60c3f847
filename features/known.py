"""What feature steps work from: a declaration and the tables as known on a date."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import ibis
from ibis.expr.types import Table

from configs.keys import source_column
from configs.loading import LoadedModel
from configs.schema import ModelSpec
from features.engine import Engine, row_count
from features.links import Link, link
from features.sources import known_at

# A source with more than this many rows a unit is a register.
_MANY = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What the steps work from: the declaration and the tables as known at `as_of`.

    Attributes:
        registers: sources with many more rows than there are units.
        units: rows of the unit's source; 0 where they were not counted.
    """

    model: LoadedModel
    cores: Mapping[str, Table]
    as_of: datetime
    registers: frozenset[str] = frozenset()
    units: int = 0

    @property
    def spec(self) -> ModelSpec:
        return self.model.spec

    def rows(self, source: str, units: Table) -> Table:
        """The source's rows; of the unit's own source, the units as enriched so far."""
        if source == self.spec.unit.source:
            return units
        return known_at(self.cores[source], ibis.literal(self.as_of).cast("timestamp"))

    def column(self, source: str, name: str) -> str:
        """The column of a source that a role or a name of the declaration means."""
        return source_column(self.spec, source, name, self.model.known.columns)

    def link(self, of: str, by: tuple[str, ...], as_: tuple[str, ...]) -> Link:
        return link(self.spec, of, by, as_, self.model.known.columns)


def counted(known: Known, engine: Engine) -> Known:
    """The same, with its sources counted."""
    rows = {name: row_count(core, engine) for name, core in known.cores.items()}
    units = rows[known.spec.unit.source]
    large = frozenset(name for name, count in rows.items() if count > _MANY * units)
    return replace(known, registers=large, units=units)
