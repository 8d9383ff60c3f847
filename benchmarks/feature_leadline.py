"""The features of the benchmark as Leadline's own stage makes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.feature_model import MODEL, known
from configs.loading import load_model
from configs.settings import Settings
from features.known import Known
from features.matrix import enriched_units, feature_matrix
from flows.bench import Bench
from flows.catalog import Catalog, Limits, opened


def write_features(
    cores: Path, as_of: datetime, out: Path, _: Mapping[str, str]
) -> None:
    """Write the units with all columns and the feature matrix, as the stage does."""
    with opened_cores(cores, as_of, out.parent) as (catalog, held):
        enriched = enriched_units(held, Bench(catalog))
        units = catalog.write(enriched, "units", ordered=False)
        matrix = feature_matrix(units, held.model)
        catalog.write(matrix.order_by("unit_id"), out.stem)


@contextmanager
def opened_cores(
    cores: Path, as_of: datetime, folder: Path
) -> Iterator[tuple[Catalog, Known]]:
    """A contender's folder with the core tables in it, and what is known of them.

    The declaration cut to these steps lies beside the folder.
    """
    model = load_model(MODEL, folder.parent / "models")
    for path in cores.glob("core_*.parquet"):
        (folder / path.name).symlink_to(path)
    with opened(folder, Limits(Settings().memory)) as catalog:
        yield catalog, known(catalog, model, as_of)
