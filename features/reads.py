"""Which of the units' columns a step reads beyond those of its own row.

A step that only joins columns to each unit can be put together with the steps before it
into one query. A step that reads the units as a table (a shop's other claims, a peer
group) needs what it reads computed before.
"""

from collections.abc import Iterable, Iterator, Mapping

from configs.expressions import names, parse
from configs.network import (
    ConcentrationSpec,
    MarkedSpec,
    NetworkSpec,
    PathSpec,
    TextSpec,
)
from configs.schema import CoverageSpec, FeatureStep, HistorySpec, LookupSpec
from features.known import Known

_ROW_BY_ROW = frozenset({"levels", "derive"})


def reads(step: FeatureStep, known: Known) -> frozenset[str] | None:
    """Columns of the units that must be computed before the step; None: all so far."""
    if step.family in _ROW_BY_ROW:
        return frozenset()
    if step.peers:
        return frozenset((*step.peers.value, *step.peers.within))
    if step.coverage:
        return _coverage(step.coverage, known)
    if graph := step.network or step.path:
        return frozenset(_graph(graph, known))
    joined = step.lookup or step.history or step.concentration or step.text
    if joined is None:
        return None
    pairs = known.link(joined.of, joined.by, joined.as_).pairs
    found: set[str] = set()
    moving = step.history and step.history.anchor != "as_of"
    # Of a register those rows are taken that the units ask for.
    if moving or step.text or joined.of in known.registers:
        found.update(own for own, _ in pairs)
    if joined.of == known.spec.unit.source:
        found.update(other for _, other in pairs)
        found.update(_said(joined))
    return frozenset(found)


def _graph(step: NetworkSpec | PathSpec, known: Known) -> Iterator[str]:
    """What ties name, where the step starts and ends, and what marks its nodes."""
    source = known.spec.unit.source
    declared = known.spec.associations
    own = [tie for tie in declared.ties if tie.source == source] if declared else []
    named = [name for tie in own for _, name in (tie.start, *tie.ends)]
    texts = [tie.where for tie in own]
    if isinstance(step, NetworkSpec):
        named.append(step.of)
        end: MarkedSpec | Mapping[str, str] | None = step.confirmed
    else:
        named += step.from_.values()
        end = step.to
    if isinstance(end, MarkedSpec):
        if end.source == source:
            named.append(end.by)
            texts.append(end.where)
    elif end:
        named += end.values()
    yield from (known.column(source, name) for name in named)
    for text in texts:
        yield from names(parse(text)) if text is not None else ()


def _coverage(step: CoverageSpec, known: Known) -> frozenset[str]:
    unit = known.spec.unit.source
    own = (role for source, role in step.sources.items() if source == unit)
    links = (known.link(unit, (step.by,), (role,)) for role in own)
    return frozenset(other for tie in links for _, other in tie.pairs)


def _said(
    step: LookupSpec | HistorySpec | ConcentrationSpec | TextSpec,
) -> Iterable[str]:
    """The columns that the expressions of a step name."""
    texts = [step.where] if step.where is not None else []
    if isinstance(step, LookupSpec):
        yield from step.take.values()
    elif isinstance(step, TextSpec):
        yield from (step.column, *([step.within] if step.within else []))
    elif isinstance(step, HistorySpec):
        texts += [measure.of for measure in step.measures.values()]
    else:
        texts += [step.over, step.weight, *([step.own] if step.own else [])]
    for text in texts:
        yield from names(parse(text))
