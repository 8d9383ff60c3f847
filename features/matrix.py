"""Compose the declared feature steps into the units and the feature matrix."""

from collections.abc import Callable, Mapping
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.keys import source_column
from configs.loading import LoadedModel
from configs.network import ConcentrationSpec, FlowsSpec, RotationSpec, TextSpec
from configs.schema import (
    CoverageSpec,
    DeriveSpec,
    FeatureStep,
    HistorySpec,
    LookupSpec,
    PeersSpec,
)
from configs.vocabulary import COVERAGE
from features.associations import Associated
from features.builders.columns import (
    coverage_feature,
    derive_features,
    levels_features,
    lookup_features,
)
from features.builders.concentration import concentration_features
from features.builders.flows import flows_features
from features.builders.history import history_features
from features.builders.network import network_features
from features.builders.paths import path_features
from features.builders.peers import peers_features
from features.builders.rotation import rotation_features
from features.builders.text import text_features
from features.engine import Engine
from features.known import Known
from features.sources import known_at


def base_units(known: Known) -> Table:
    """One row per unit known at `as_of`, with its id, date and source columns."""
    spec, as_of = known.spec, ibis.literal(known.as_of).cast("timestamp")
    rows = known_at(known.cores[spec.unit.source], as_of)
    at = rows[spec.unit.at] if spec.unit.at else ibis.null("timestamp")
    return rows.mutate(unit_id=rows[spec.unit.key].cast("string"), as_of=as_of, _at=at)


def enriched_units(
    known: Known, engine: Engine, associated: Associated | None = None
) -> Table:
    """The units with every declared column; each step is computed once.

    Args:
        associated: to have the associations that the steps used, if they used any.
    """
    associated = associated or Associated(known, engine)
    units = engine.keep(base_units(known), "units")
    for number, step in enumerate(known.spec.features):
        if step.columns is None:
            units = engine.keep(_extended(units, step, associated), f"units_{number}")
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


def _extended(units: Table, step: FeatureStep, associated: Associated) -> Table:
    if step.network:
        return network_features(units, step.network, associated)
    if step.path:
        return path_features(units, step.path, associated)
    build = _FAMILIES[step.family]
    known, engine = associated.known, associated.engine
    return build(units, getattr(step, step.family), known, engine)


def _levels(units: Table, wanted: tuple[str, ...], known: Known, _: Engine) -> Table:
    return levels_features(units, wanted, known.spec.sources[known.spec.unit.source])


def _derive(
    units: Table, wanted: Mapping[str, DeriveSpec], _known: Known, _: Engine
) -> Table:
    return derive_features(units, wanted)


def _peers(units: Table, step: PeersSpec, _known: Known, _: Engine) -> Table:
    return peers_features(units, step)


def _lookup(units: Table, step: LookupSpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    return lookup_features(units, known.rows(step.of, units), step, tie)


def _history(units: Table, step: HistorySpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    rows = known.rows(step.of, units)
    return history_features(units, rows, step, tie, known.as_of)


def _coverage(units: Table, step: CoverageSpec, known: Known, _: Engine) -> Table:
    for source, role in step.sources.items():
        tie = known.link(source, (step.by,), (role,))
        rows = known.rows(source, units)
        units = coverage_feature(units, rows, COVERAGE + source, tie)
    return units


def _concentration(
    units: Table, step: ConcentrationSpec, known: Known, _: Engine
) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    return concentration_features(units, known.rows(step.of, units), step, tie)


def _flows(units: Table, step: FlowsSpec, known: Known, engine: Engine) -> Table:
    # The unit's party may stand at either end of a payment.
    ties = known.link(step.of, (step.by, step.by), (step.from_, step.to))
    return flows_features(units, known.rows(step.of, units), step, ties, engine)


def _rotation(units: Table, step: RotationSpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, (step.by,), (step.party,))
    columns = known.model.known.columns
    contest = source_column(known.spec, step.of, step.contest, columns)
    return rotation_features(units, known.rows(step.of, units), step, tie, contest)


def _texts(units: Table, step: TextSpec, known: Known, engine: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    if step.within is not None:
        columns = known.model.known.columns
        within = source_column(known.spec, step.of, step.within, columns)
        step = step.model_copy(update={"within": within})
    return text_features(units, known.rows(step.of, units), step, tie, engine)


_FAMILIES: dict[str, Callable[[Table, Any, Known, Engine], Table]] = {
    "levels": _levels,
    "derive": _derive,
    "peers": _peers,
    "lookup": _lookup,
    "history": _history,
    "coverage": _coverage,
    "concentration": _concentration,
    "flows": _flows,
    "rotation": _rotation,
    "text": _texts,
}
