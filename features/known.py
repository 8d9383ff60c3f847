"""What feature steps work from: a declaration and the tables as known on a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis
from ibis.expr.types import Table

from configs.loading import LoadedModel
from configs.schema import ModelSpec
from features.links import Link, link
from features.sources import known_at


@dataclass(frozen=True, slots=True)
class Known:
    """What the steps work from: the declaration and the tables as known at `as_of`."""

    model: LoadedModel
    cores: Mapping[str, Table]
    as_of: datetime

    @property
    def spec(self) -> ModelSpec:
        return self.model.spec

    def rows(self, source: str, units: Table) -> Table:
        """The source's rows; of the unit's own source, the units as enriched so far."""
        if source == self.spec.unit.source:
            return units
        return known_at(self.cores[source], ibis.literal(self.as_of).cast("timestamp"))

    def link(self, of: str, by: tuple[str, ...], as_: tuple[str, ...]) -> Link:
        return link(self.spec, of, by, as_, self.model.known.columns)
