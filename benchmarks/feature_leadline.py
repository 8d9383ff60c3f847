"""The features of the benchmark as Leadline's own stage makes them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from benchmarks.feature_model import MODEL, known
from configs.loading import load_model
from configs.settings import Settings
from features.matrix import enriched_units, feature_matrix
from flows.bench import Bench
from flows.catalog import Limits, opened


def write_features(
    cores: Path, as_of: datetime, out: Path, _: Mapping[str, str]
) -> None:
    """Write the units with all columns and the feature matrix, as the stage does.

    The declaration cut to these steps lies beside the contender's folder.
    """
    folder = out.parent
    model = load_model(MODEL, folder.parent / "models")
    for path in cores.glob("core_*.parquet"):
        (folder / path.name).symlink_to(path)
    with opened(folder, Limits(Settings().memory)) as catalog:
        held = known(catalog, model, as_of)
        units = catalog.write(
            enriched_units(held, Bench(catalog)), "units", ordered=False
        )
        catalog.write(feature_matrix(units, model).order_by("unit_id"), out.stem)
