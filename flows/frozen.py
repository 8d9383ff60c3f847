"""The tables of a run, published or under way, as look-alikes and classes read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from configs.column import Column
from configs.errors import StoreError
from configs.loading import LoadedModel, load_model
from configs.settings import Settings
from flows.archive import archived
from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX
from flows.job import Job
from serving import queries
from serving.records import RunRecord
from training.fusion import SCOPE_LAYER
from training.likeness import SAMPLE_ROWS, Likeness
from training.pridit import Pridit

ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Population:
    """Scored units with their rule flags; the feature matrix is read in parts.

    Attributes:
        model: as it is declared today.
        matrix: the file of features.
        features: those of the file that are declared and scored today.
        flags: units x codes, indexed by unit_id.
        layers: of each code.
    """

    model: LoadedModel
    matrix: Path
    features: dict[str, Column]
    flags: pd.DataFrame
    layers: dict[str, int]

    @property
    def evident(self) -> list[str]:
        """Codes above the scope layer."""
        return [code for code, layer in self.layers.items() if layer > SCOPE_LAYER]

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Units that some scope rule lets in; all, where there is none."""
        scope = [code for code, layer in self.layers.items() if layer == SCOPE_LAYER]
        if not scope:
            return np.ones(len(self.flags), dtype=np.bool_)
        fired = self.flags[scope].fillna(False).to_numpy(dtype=np.bool_)
        return np.asarray(fired.any(axis=1))

    def parts(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The feature matrix in parts of rows: floats, unknown NaN, indexed by unit_id."""
        with pq.ParquetFile(self.matrix) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=["unit_id", *names]):
                columns = {
                    n: batch[n].cast(pa.float64()).to_numpy(False) for n in names
                }
                yield pd.DataFrame(columns, index=batch["unit_id"].to_pylist())

    def rows(self, names: Sequence[str], wanted: Sequence[str]) -> pd.DataFrame:
        """Some units' features, in the order asked for."""
        kept = set(wanted)
        parts = [p[p.index.isin(kept)] for p in self.parts(names)]
        return pd.concat(parts).loc[list(wanted)]

    def whole(self, names: Sequence[str]) -> pd.DataFrame:
        """All units' features."""
        return pd.concat(list(self.parts(names)))


@dataclass(frozen=True, slots=True)
class FrozenRun(Population):
    """The population of one published run, from files found to be as published."""

    run: RunRecord
    settings: Settings


def frozen_run(name: str, settings: Settings, run_id: str = "") -> FrozenRun:
    """Open a run, by default the newest.

    Raises:
        StoreError: nothing is published, the run is of another model, or it froze no
            files or they were changed.
    """
    model = load_model(name, settings.models)
    run = queries.run(run_id) if run_id else queries.latest_run(name)
    if run.model_id != name:
        raise StoreError(
            f"run {run.id} is of model {run.model_id!r}, not of {name!r}; see "
            f"`leadline runs {name}`"
        )
    matrix = archived(run, settings, "feature_matrix")
    return FrozenRun(
        run=run,
        settings=settings,
        model=model,
        matrix=matrix,
        features=_features(model, matrix),
        flags=_flags(archived(run, settings, "rule_flags")),
        layers={rule.code: rule.layer for rule in queries.rules(run.id)},
    )


def scored_units(
    job: Job, catalog: Catalog, matrix: str = MATRIX, flags: str = FLAGS
) -> Population:
    """Units of a run that is under way, from files of its work folder."""
    features = catalog.path(matrix)
    return Population(
        model=job.model,
        matrix=features,
        features=_features(job.model, features),
        flags=_flags(catalog.path(flags)),
        layers={rule.code: rule.layer for rule in job.model.rules},
    )


def _flags(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path).drop(columns="as_of").set_index("unit_id")


def _features(model: LoadedModel, matrix: Path) -> dict[str, Column]:
    there = set(pq.read_schema(matrix).names) - set(model.spec.detectors.exclude)
    return {c.name: c for c in model.known.features if c.name in there}


def likeness_of(units: Population) -> Likeness:
    """What is ordinary among the units, from some that are evenly spread over them."""
    columns = units.features
    step = max(len(units.flags) // SAMPLE_ROWS, 1)
    parts, start = [], 0
    for part in units.parts(list(columns)):
        parts.append(part.iloc[-start % step :: step])
        start += len(part)
    sample = pd.concat(parts)
    flags = units.flags.loc[sample.index]
    weights = Pridit().fit(flags[units.evident]).weight_by_code_
    families = {name: column.family for name, column in columns.items()}
    return Likeness(families, weights).fit(sample, flags)
