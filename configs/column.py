"""A column of the enriched units, and what kind of value a declared column holds."""

from dataclasses import dataclass

from configs.expressions import Kind
from configs.privacy import excluded_columns
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
