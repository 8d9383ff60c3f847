"""The features of the benchmark by Leadline, of the stage only what the scripts make too."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from benchmarks.feature_leadline import opened_cores
from features.matrix import enriched_units, feature_matrix
from flows.bench import Bench


def write_features(
    cores: Path, as_of: datetime, out: Path, _: Mapping[str, str]
) -> None:
    """Write the feature matrix, ordered by unit, and no units for later stages."""
    with opened_cores(cores, as_of, out.parent) as (catalog, known):
        units = enriched_units(known, Bench(catalog))
        matrix = feature_matrix(units, known.model)
        catalog.write(matrix.order_by("unit_id"), out.stem)
