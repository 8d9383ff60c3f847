"""Compose the declared feature steps into the units and the feature matrix."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from features.builders.history import history_features, moving_features
from features.builders.network import network_features
from features.builders.paths import path_features
from features.builders.peers import peers_features
from features.builders.rotation import rotation_features
from features.builders.text import text_features
from features.engine import Engine
from features.known import Known
from features.links import Link
from features.reads import reads
from features.sources import known_at

# Joins of one query at most: each holds a table in memory, and nests the text deeper.
_TOGETHER = 20


@dataclass(frozen=True, slots=True)
class Units:
    """The units between two steps.

    Attributes:
        kept: as computed last, or as they came; steps that read units as rows read these.
        made: with the columns of all steps so far.
    """

    kept: Table
    made: Table

    def holds(self, columns: frozenset[str] | None) -> bool:
        """Whether these columns (None: all so far) are computed."""
        wanted = self.made.columns if columns is None else columns
        return self.kept is self.made or set(wanted) <= set(self.kept.columns)


def base_units(known: Known) -> Table:
    """One row per unit known at `as_of`, with its id, date and source columns."""
    spec, as_of = known.spec, ibis.literal(known.as_of).cast("timestamp")
    rows = known_at(known.cores[spec.unit.source], as_of)
    at = rows[spec.unit.at] if spec.unit.at else ibis.null("timestamp")
    return rows.mutate(unit_id=rows[spec.unit.key].cast("string"), as_of=as_of, _at=at)


def enriched_units(
    known: Known, engine: Engine, associated: Associated | None = None
) -> Table:
    """The units with every declared column, the last of them still to be computed.

    Steps that do not read each other's columns of the units become one query: writing
    all columns anew for each step costs more than most steps.

    Args:
        associated: to have the associations that the steps used, if they used any.
    """
    associated = associated or Associated(known, engine)
    base = base_units(known)
    units, together = Units(base, base), 0
    for number, step in enumerate(known.spec.features):
        if step.columns is not None:
            continue
        together += len(step.coverage.sources) if step.coverage else 1
        if together > _TOGETHER or not units.holds(reads(step, known)):
            kept, together = engine.keep(units.made, f"units_{number}"), 1
            units = Units(kept, kept)
        units = Units(units.kept, _extended(units, step, associated))
    return units.made


def feature_matrix(units: Table, model: LoadedModel) -> Table:
    """`unit_id`, `as_of` and one column per feature, in the dictionary's order."""
    features = {
        column.name: units[column.name].cast(
            "boolean" if column.kind == "boolean" else "float64"
        )
        for column in model.known.features
    }
    return units.select("unit_id", "as_of", **features)


def _extended(units: Units, step: FeatureStep, associated: Associated) -> Table:
    if step.network:
        return network_features(units.kept, step.network, associated)
    if step.path:
        return path_features(units.kept, step.path, associated)
    build = _FAMILIES[step.family]
    known, engine = associated.known, associated.engine
    return build(units, getattr(step, step.family), known, engine)


def _rows(units: Units, of: str, tie: Link, known: Known) -> Table:
    """The known rows of a source; of another than the units' own, those they share.

    A national register holds many more persons than have claims, and to sort or group
    them all costs more than to leave out those that nobody asks for (to see that there
    is one does not).
    """
    rows, kept = known.rows(of, units.kept), units.kept
    asked = {own for own, _ in tie.pairs}
    if of == known.spec.unit.source or not asked <= set(kept.columns):
        return rows
    keys = kept.select(**tie.unit_keys(kept))
    return rows.mutate(**tie.source_keys(rows)).semi_join(keys, tie.keys)


def _levels(units: Units, wanted: tuple[str, ...], known: Known, _: Engine) -> Table:
    source = known.spec.sources[known.spec.unit.source]
    return levels_features(units.made, wanted, source)


def _derive(
    units: Units, wanted: Mapping[str, DeriveSpec], _known: Known, _: Engine
) -> Table:
    return derive_features(units.made, wanted)


def _peers(units: Units, step: PeersSpec, _known: Known, _: Engine) -> Table:
    return peers_features(units.made, units.kept, step)


def _lookup(units: Units, step: LookupSpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    return lookup_features(units.made, _rows(units, step.of, tie, known), step, tie)


def _history(units: Units, step: HistorySpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    rows = _rows(units, step.of, tie, known)
    if step.anchor == "as_of":
        return history_features(units.made, rows, step, tie, known.as_of)
    markers = None if _among(known, step, tie) else units.kept
    return moving_features(units.made, rows, step, tie, markers)


def _among(known: Known, step: HistorySpec, tie: Link) -> bool:
    """Whether each unit is itself one of the rows, with the same key and date."""
    unit = known.spec.unit
    return (
        step.of == unit.source
        and step.where is None
        and unit.at == known.spec.sources[unit.source].event_column
        and all(own == other for own, other in tie.pairs)
    )


def _coverage(units: Units, step: CoverageSpec, known: Known, _: Engine) -> Table:
    made = units.made
    for source, role in step.sources.items():
        tie = known.link(source, (step.by,), (role,))
        rows = known.rows(source, units.kept)
        made = coverage_feature(made, rows, COVERAGE + source, tie)
    return made


def _concentration(
    units: Units, step: ConcentrationSpec, known: Known, _: Engine
) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    rows = _rows(units, step.of, tie, known)
    return concentration_features(units.made, rows, step, tie)


def _flows(units: Units, step: FlowsSpec, known: Known, engine: Engine) -> Table:
    # The unit's party may stand at either end of a payment.
    ties = known.link(step.of, (step.by, step.by), (step.from_, step.to))
    rows = known.rows(step.of, units.kept)
    return flows_features(units.kept, rows, step, ties, engine)


def _rotation(units: Units, step: RotationSpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, (step.by,), (step.party,))
    columns = known.model.known.columns
    contest = source_column(known.spec, step.of, step.contest, columns)
    rows = known.rows(step.of, units.kept)
    return rotation_features(units.kept, rows, step, tie, contest)


def _texts(units: Units, step: TextSpec, known: Known, engine: Engine) -> Table:
    tie = known.link(step.of, step.by, step.as_)
    if step.within is not None:
        columns = known.model.known.columns
        within = source_column(known.spec, step.of, step.within, columns)
        step = step.model_copy(update={"within": within})
    rows = known.rows(step.of, units.kept)
    return text_features(units.kept, rows, step, tie, engine)


_FAMILIES: dict[str, Callable[[Units, Any, Known, Engine], Table]] = {
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
