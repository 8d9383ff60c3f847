"""The columns that traits and draft rules may speak of."""

from collections.abc import Collection

from configs.column import Column
from configs.expressions import ExpressionError, Name, parse
from configs.loading import LoadedModel
from configs.privacy import sensitive_columns
from configs.schema import ModelSpec

# Whether a department delivered says nothing of a person.
NO_TRAIT = frozenset({"coverage"})


def draft_columns(
    model: LoadedModel, features: Collection[str], units: Collection[str]
) -> dict[str, Column]:
    """Features and categories of a run, by name.

    Left out is what is sensitive or derived from it, what the detectors may not see,
    and every text that is no declared category: it would name a garage, not a method.
    Protected attributes were dropped on reading and are no column at all.

    Args:
        features: columns of the frozen feature matrix.
        units: columns of the frozen units.
    """
    spec, known = model.spec, model.known.columns
    hidden = sensitive_columns(spec, spec.unit.source) | set(spec.detectors.exclude)
    open_columns = {n: c for n, c in known.items() if n not in hidden and _is_said(n)}
    categories = {
        name: column
        for name, column in open_columns.items()
        if name in units and column.kind == "text" and levels_of(spec, name)
    }
    of_features = {
        name: column
        for name, column in open_columns.items()
        if name in features
        and column.is_feature
        and column.family not in NO_TRAIT
        and not _repeats(column, categories)
    }
    return of_features | categories


def levels_of(spec: ModelSpec, name: str) -> tuple[str, ...]:
    """The declared values of a unit's category, its own or looked up; else none."""
    own = spec.sources[spec.unit.source].columns.get(name)
    if own is not None:
        return own.levels
    for step in spec.features:
        if step.lookup is not None and name in step.lookup.take:
            theirs = spec.sources[step.lookup.of].columns
            return theirs[step.lookup.take[name]].levels
    return ()


def _repeats(column: Column, categories: Collection[str]) -> bool:
    """Is it the flag of one value of a category that is there itself?"""
    return column.family == "levels" and any(
        column.name.startswith(f"{name}_is_") for name in categories
    )


def _is_said(name: str) -> bool:
    """Can an expression name it? Not where it is a word of SQL."""
    try:
        return parse(f"{name} = 1").args[0] == Name(name)  # type: ignore[union-attr]
    except (ExpressionError, AttributeError):
        return False
