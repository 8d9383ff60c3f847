"""A column of the enriched units, and what kind of value a declared column holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from configs.expressions import Kind
from configs.privacy import excluded_columns, sensitive_columns
from configs.schema import NUMERIC_TYPES, TIME_TYPES, ColumnSpec, ModelSpec
from configs.spec import Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the enriched units, and its entry in the data dictionary."""

    name: str
    kind: Kind
    meaning: Text
    source: str
    family: str
    unit: str = ""
    is_feature: bool = False


def column_kind(column: ColumnSpec) -> Kind:
    if column.type in NUMERIC_TYPES:
        return "number"
    if column.type in TIME_TYPES:
        return "time"
    return "boolean" if column.type == "boolean" else "text"


def source_kinds(spec: ModelSpec, source: str) -> dict[str, Kind]:
    """Kinds of a source's columns, without those that privacy excludes."""
    declared = spec.sources[source]
    dropped = excluded_columns(spec, declared)
    return {
        name: column_kind(column)
        for name, column in declared.columns.items()
        if name not in dropped
    }


def open_columns(spec: ModelSpec, columns: Mapping[str, Column]) -> list[str]:
    """Those of the units' columns that may be kept with a published run.

    Left out is what is sensitive in the unit's source, taken over from a sensitive column
    of another, or derived from one step by step. Yes-or-no answers about them stay, and
    so do features, which stand in the feature matrix as they are scored.
    """
    hidden = sensitive_columns(spec, spec.unit.source)
    return [
        name
        for name, column in columns.items()
        if name not in hidden or column.is_feature or column.kind == "boolean"
    ]
