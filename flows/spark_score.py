"""Scoring on a cluster: the logged model on each partition, the ranks on one worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX
from flows.inputs import Inputs
from flows.scored import Scored, ranked
from flows.spark_catalog import SparkCatalog
from training.model import LeadScorer
from training.tracking import LoadedModel, Tracking

Write = Callable[[Catalog, LeadScorer, Scored], None]


@dataclass(frozen=True, slots=True)
class Logged:
    """Where the model is that scores, for workers to open it themselves."""

    mlruns: Path
    model: str
    version: int

    def opened(self) -> LoadedModel:
        """The model, found to be what was registered; once a process."""
        return _opened(self)


def on_cluster(catalog: Catalog, logged: Logged, inputs: Inputs, write: Write) -> None:
    """Score every unit on all workers, and write the list on one of them.

    Args:
        write: called there with an engine over the work folder, the model and the scores.
    """
    parts = scored_parts(cast(SparkCatalog, catalog), logged, inputs)
    catalog.apart(lambda own: write(own, logged.opened().scorer, ranked_parts(parts)))


def scored_parts(catalog: SparkCatalog, logged: Logged, inputs: Inputs) -> Path:
    """All scores of every unit, unranked, as a folder of files."""
    features, codes = list(inputs.features), list(inputs.codes)
    fired = catalog.read(FLAGS).select("unit_id", **{f"_{c}": c for c in codes})
    units = catalog.read(MATRIX).select("unit_id", *features)
    rows = units.inner_join(fired, "unit_id")

    def work(batch: pa.RecordBatch) -> pa.RecordBatch:
        return _scored(batch, logged, features, codes)

    return catalog.mapped(rows, work, "scored")


def ranked_parts(place: Path) -> Scored:
    """The scores of a folder with their ranks; 150 bytes a unit, and its id."""
    rows = ds.dataset(sorted(place.glob("part-*"))).to_table().sort_by("unit_id")
    columns = {n: rows[n].to_numpy() for n in rows.column_names if n != "unit_id"}
    return ranked(rows["unit_id"].combine_chunks(), columns)


def _scored(
    batch: pa.RecordBatch, logged: Logged, features: Sequence[str], codes: Sequence[str]
) -> pa.RecordBatch:
    floats = {n: batch[n].cast(pa.float64()).to_numpy(False) for n in features}
    fired = {c: batch[f"_{c}"].fill_null(False).to_numpy(False) for c in codes}
    index = pd.Index(batch["unit_id"].to_pandas(), name="unit_id")
    X, H = pd.DataFrame(floats, index), pd.DataFrame(fired, index)
    found = logged.opened().scorer.columns(X, H)
    scores = {
        name: pa.array(np.asarray(values, float)) for name, values in found.items()
    }
    return pa.record_batch({"unit_id": batch["unit_id"], **scores})


@cache
def _opened(logged: Logged) -> LoadedModel:
    tracking = Tracking(logged.mlruns)
    return tracking.open(tracking.version(logged.model, logged.version))
