"""Compose the declared feature steps into the units and the feature matrix."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis
from ibis.expr.types import Table

from configs.loading import LoadedModel
from configs.schema import (
    CoverageSpec,
    FeatureStep,
    HistorySpec,
    LookupSpec,
    ModelSpec,
)
from configs.vocabulary import COVERAGE
from features.builders.columns import (
    coverage_feature,
    derive_features,
    levels_features,
    lookup_features,
)
from features.builders.history import history_features
from features.builders.peers import peers_features
from features.engine import Engine
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


def base_units(known: Known) -> Table:
    """One row per unit known at `as_of`, with its id, date and source columns."""
    spec, as_of = known.spec, ibis.literal(known.as_of).cast("timestamp")
    rows = known_at(known.cores[spec.unit.source], as_of)
    at = rows[spec.unit.at] if spec.unit.at else ibis.null("timestamp")
    return rows.mutate(unit_id=rows[spec.unit.key].cast("string"), as_of=as_of, _at=at)


def enriched_units(known: Known, engine: Engine) -> Table:
    """The units with every declared column; each step is computed once."""
    units = engine.keep(base_units(known), "units")
    for number, step in enumerate(known.spec.features):
        if step.columns is None:
            units = engine.keep(_extended(units, step, known), f"units_{number}")
    return units


def feature_matrix(units: Table, model: LoadedModel) -> Table:
    """`unit_id`, `as_of` and one column per feature, in the dictionary's order."""
    features = {
        column.name: units[column.name].cast(
            "boolean" if column.kind == "boolean" else "float64"
        )
        for column in model.known.features
    }
    return units.select("unit_id", "as_of", **features)


def _extended(units: Table, step: FeatureStep, known: Known) -> Table:
    match step.family:
        case "levels":
            source = known.spec.sources[known.spec.unit.source]
            return levels_features(units, step.levels or (), source)
        case "derive":
            return derive_features(units, step.derive or {})
        case "peers" if step.peers:
            return peers_features(units, step.peers)
        case "lookup" if step.lookup:
            return _lookup(units, step.lookup, known)
        case "history" if step.history:
            return _history(units, step.history, known)
        case "coverage" if step.coverage:
            return _coverage(units, step.coverage, known)
    raise AssertionError(f"feature family without a builder: {step.family}")


def _lookup(units: Table, step: LookupSpec, known: Known) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    return lookup_features(units, known.rows(step.of, units), step, tie)


def _history(units: Table, step: HistorySpec, known: Known) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    rows = known.rows(step.of, units)
    return history_features(units, rows, step, tie, known.as_of)


def _coverage(units: Table, step: CoverageSpec, known: Known) -> Table:
    for source, role in step.sources.items():
        tie = known.link(source, (step.by,), (role,))
        rows = known.rows(source, units)
        units = coverage_feature(units, rows, COVERAGE + source, tie)
    return units
