"""How much of a value a person is shown who looks at how records were linked."""

from typing import Any

import ibis
from ibis.expr.types import StringValue

from configs.privacy import MASK
from configs.schema import ColumnType

_SHOWN, _SHOWN_OF_NAMES = 3, 1  # characters; a Chinese name has no more than three


def masked(value: str, kind: ColumnType | None = None) -> str:
    return value[: _shown(kind)] + MASK


def masked_column(values: Any, kind: ColumnType | None = None) -> StringValue:
    """The same of a column of texts; unknown ones stay so."""
    return ibis.ifelse(
        values.length() > 0, values.substr(0, _shown(kind)) + MASK, values
    )


def _shown(kind: ColumnType | None) -> int:
    return _SHOWN_OF_NAMES if kind == "person_name" else _SHOWN
