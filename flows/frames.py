"""Stage tables as the pandas frames that training works on, and rows of leads."""

from typing import Any

import pandas as pd
from ibis.expr.types import Table

from configs.loading import LoadedModel
from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX


def matrix_frame(catalog: Catalog, model: LoadedModel) -> pd.DataFrame:
    """Units x features as floats, indexed by unit_id; unknown is NaN."""
    table = catalog.read(MATRIX)
    names = [
        column.name
        for column in model.known.features
        if column.name not in model.spec.detectors.exclude
    ]
    numbers = table.select("unit_id", **{n: table[n].cast("float64") for n in names})
    return frame_of(catalog, numbers).set_index("unit_id")


def flags_frame(catalog: Catalog) -> pd.DataFrame:
    """Units x rule flags, indexed by unit_id."""
    flags = catalog.read(FLAGS).drop("as_of")
    return frame_of(catalog, flags).set_index("unit_id")


def frame_of(catalog: Catalog, table: Table) -> pd.DataFrame:
    frame: pd.DataFrame = catalog.arrow(table).to_pandas()
    return frame


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A small frame as dictionaries, for printing."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def dictionary(model: LoadedModel) -> pd.DataFrame:
    """The data dictionary: every feature with unit, meaning and source."""
    rows = [
        {
            "name": column.name,
            "kind": column.kind,
            "unit": column.unit,
            "meaning_en": column.meaning.en,
            "meaning_zh": column.meaning.zh,
            "source": column.source,
            "family": column.family,
        }
        for column in model.known.features
    ]
    return pd.DataFrame(rows)
