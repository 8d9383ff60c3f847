"""What a published list says of a unit beside its scores: which columns, and why not.

The office that reviews it, the columns that leads are counted by, those that make its
peers, and those that speak for or against a rule's lawful explanation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configs.column import Column
from configs.errors import Problem
from configs.expressions import names, parse
from configs.privacy import sensitive_columns
from configs.schema import ModelSpec, PeersSpec, RuleSpec
from configs.vocabulary import Vocabulary

MOST_SHOWN = 4  # columns beside a lawful explanation
_SMALLEST_GROUP = PeersSpec.model_fields["min_size"].default


@dataclass(frozen=True, slots=True)
class Peers:
    """The columns that peers have in common, and how few peers are too few."""

    within: tuple[str, ...]
    min_size: int


def column_problems(spec: ModelSpec, known: Vocabulary) -> Iterator[Problem]:
    """What is wrong with `office`, `spots` and `peers` of the unit.

    Their values are shown to everybody who may see the list: only columns of the units
    that hold texts or categories and are not sensitive will do.
    """
    hidden = sensitive_columns(spec, spec.unit.source)
    for where, name in _wanted(spec):
        column = known.columns.get(name)
        if column is None:
            yield Problem(where, known.unknown(name))
        elif name in hidden:
            yield Problem(where, f"may not use {name!r}: it is sensitive")
        elif column.kind != "text":
            yield Problem(where, f"{name!r} is {_a(column)}; use a text or category")


def _wanted(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    unit = spec.unit
    if unit.office is not None:
        yield "unit.office", unit.office
    for key, columns in (("spots", unit.spots), ("peers", unit.peers or ())):
        yield from ((f"unit.{key}[{i}]", name) for i, name in enumerate(columns))


def _a(column: Column) -> str:
    return f"a {column.kind}"


def lawful_problems(where: str, rule: RuleSpec, known: Vocabulary) -> Iterator[Problem]:
    """Columns named beside a lawful explanation that units do not have."""
    for number, name in enumerate(rule.lawful.shows or ()):
        if name not in known.columns:
            yield Problem(f"{where}.lawful.shows[{number}]", known.unknown(name))


def shown_columns(rule: RuleSpec, known: Vocabulary) -> Sequence[str]:
    """The columns that speak for or against the rule's lawful explanation."""
    if rule.lawful.shows is not None:
        return rule.lawful.shows
    asked = dict.fromkeys(names(parse(rule.when)))
    return [name for name in asked if name in known.columns][:MOST_SHOWN]


def peers_of(spec: ModelSpec, known: Vocabulary) -> Peers | None:
    """What makes a unit's peers: as declared, else as in the first step that has any.

    None where the model declares none (`peers: []`) or has no such step.
    """
    if spec.unit.peers is not None:
        declared = Peers(spec.unit.peers, _SMALLEST_GROUP)
        return declared if declared.within else None
    hidden = sensitive_columns(spec, spec.unit.source)
    for step in spec.features:
        if (
            step.peers is not None
            and set(step.peers.within) <= known.columns.keys() - hidden
        ):
            return Peers(step.peers.within, step.peers.min_size)
    return None
