"""Compose the declared feature steps into the units and the feature matrix."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import ibis
from ibis.expr.types import Table

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
    covered,
    derive_features,
    levels_features,
    lookup_found,
)
from features.builders.concentration import concentration_found
from features.builders.flows import flows_features
from features.builders.history import history_found, moving_found
from features.builders.network import network_found
from features.builders.paths import path_found
from features.builders.peers import peers_found
from features.builders.rotation import rotation_features
from features.builders.text import text_found
from features.engine import Engine
from features.found import Found, joined
from features.known import Known
from features.links import Link
from features.plan import computed_before
from features.sources import known_at


@dataclass(frozen=True, slots=True)
class Units:
    """The units between two steps.

    Attributes:
        kept: as computed last, or as they came; steps that read units as rows read these.
        base: with the columns of the steps so far, but for what is still to be joined.
        found: still to be joined.
    """

    kept: Table
    base: Table
    found: tuple[Found, ...] = ()

    @property
    def made(self) -> Table:
        """With the columns of all steps so far."""
        return joined(self.base, self.found) if self.found else self.base

    def with_found(self, *found: Found) -> "Units":
        reads = frozenset[str]().union(*(one.reads for one in found))
        if reads <= set(self.base.columns):
            return replace(self, found=(*self.found, *found))
        return Units(self.kept, self.made, found)


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

    Steps that do not read each other's columns of the units become one query, see
    `features.plan`.

    Args:
        associated: to have the associations that the steps used, if they used any.
    """
    associated = associated or Associated(known, engine)
    base = base_units(known)
    units, cuts = Units(base, base), computed_before(known, engine)
    for number, step in enumerate(known.spec.features):
        if step.columns is not None:
            continue
        if number in cuts:
            kept = engine.keep(units.made, f"units_{number}")
            units = Units(kept, kept)
        units = _extended(units, step, associated)
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


def _extended(units: Units, step: FeatureStep, associated: Associated) -> Units:
    kept, known, said = units.kept, associated.known, getattr(step, step.family)
    if step.family in _GRAPH:
        return units.with_found(_GRAPH[step.family](kept, said, associated))
    if step.text:
        found = _text(kept, step.text, known, associated.engine)
        return units.with_found(found)
    if step.coverage:
        return _coverage(units, step.coverage, known)
    if step.family in _ROW_BY_ROW:
        return Units(kept, _ROW_BY_ROW[step.family](units.made, said, known))
    if step.family in _JOINED:
        return units.with_found(*_JOINED[step.family](kept, said, known))
    return Units(kept, _FAMILIES[step.family](kept, said, known, associated.engine))


def _rows(units: Table, of: str, tie: Link, known: Known) -> Table:
    """The known rows of a source; of a register, those that the units share.

    A national register holds many more persons than have claims, and to sort or group
    them all costs more than to leave out those that nobody asks for.
    """
    rows = known.rows(of, units)
    if of not in known.registers:
        return rows
    keys = units.select(**tie.unit_keys(units))
    return rows.mutate(**tie.source_keys(rows)).semi_join(keys, tie.keys)


def _levels(units: Table, wanted: tuple[str, ...], known: Known) -> Table:
    return levels_features(units, wanted, known.spec.sources[known.spec.unit.source])


def _derive(units: Table, wanted: Mapping[str, DeriveSpec], _: Known) -> Table:
    return derive_features(units, wanted)


def _peers(units: Table, step: PeersSpec, _: Known) -> Iterable[Found]:
    return peers_found(units, step)


def _lookup(units: Table, step: LookupSpec, known: Known) -> Iterable[Found]:
    tie = known.link(step.of, step.by, step.as_)
    yield lookup_found(_rows(units, step.of, tie, known), step, tie)


def _history(units: Table, step: HistorySpec, known: Known) -> Iterable[Found]:
    tie = known.link(step.of, step.by, step.as_)
    rows = _rows(units, step.of, tie, known)
    if step.anchor == "as_of":
        yield history_found(rows, step, tie, known.as_of)
    else:
        markers = None if _among(known, step, tie) else units
        yield moving_found(rows, step, tie, markers)


def _among(known: Known, step: HistorySpec, tie: Link) -> bool:
    """Whether each unit is itself one of the rows, with the same key and date."""
    unit = known.spec.unit
    return (
        step.of == unit.source
        and step.where is None
        and unit.at == known.spec.sources[unit.source].event_column
        and all(own == other for own, other in tie.pairs)
    )


def _coverage(units: Units, step: CoverageSpec, known: Known) -> Units:
    made = units.made
    flags = {}
    for source, role in step.sources.items():
        tie = known.link(source, (step.by,), (role,))
        # Keys alone are soon seen: to leave some out first would cost more.
        rows = known.rows(source, units.kept)
        flags[COVERAGE + source] = covered(made, rows, tie)
    return Units(units.kept, made.mutate(**flags))


def _concentration(
    units: Table, step: ConcentrationSpec, known: Known
) -> Iterable[Found]:
    tie = known.link(step.of, step.by, step.as_)
    return concentration_found(_rows(units, step.of, tie, known), step, tie)


def _flows(units: Table, step: FlowsSpec, known: Known, engine: Engine) -> Table:
    # The unit's party may stand at either end of a payment.
    ties = known.link(step.of, (step.by, step.by), (step.from_, step.to))
    return flows_features(units, known.rows(step.of, units), step, ties, engine)


def _rotation(units: Table, step: RotationSpec, known: Known, _: Engine) -> Table:
    tie = known.link(step.of, (step.by,), (step.party,))
    contest = known.column(step.of, step.contest)
    return rotation_features(units, known.rows(step.of, units), step, tie, contest)


def _text(units: Table, step: TextSpec, known: Known, engine: Engine) -> Found:
    tie = known.link(step.of, step.by, step.as_)
    if step.within is not None:
        within = known.column(step.of, step.within)
        step = step.model_copy(update={"within": within})
    return text_found(units, known.rows(step.of, units), step, tie, engine)


# By the graph of the associations.
_GRAPH: dict[str, Callable[[Table, Any, Associated], Found]] = {
    "network": network_found,
    "path": path_found,
}
# Of the units as made so far, row by row.
_ROW_BY_ROW: dict[str, Callable[[Table, Any, Known], Table]] = {
    "levels": _levels,
    "derive": _derive,
}
# From the units as computed last to what is joined to them.
_JOINED: dict[str, Callable[[Table, Any, Known], Iterable[Found]]] = {
    "peers": _peers,
    "lookup": _lookup,
    "history": _history,
    "concentration": _concentration,
}
# Of the units as computed last, with an engine.
_FAMILIES: dict[str, Callable[[Table, Any, Known, Engine], Table]] = {
    "flows": _flows,
    "rotation": _rotation,
}
