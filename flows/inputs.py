"""Features and rule flags of many units, read in parts from their files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import LeadlineError
from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX
from training.model import PART_ROWS, LeadScorer
from training.preprocess import check_columns

Rows = np.ndarray[tuple[int], np.dtype[np.intp]]
Part = tuple[pd.DataFrame, pd.DataFrame]  # features and rule flags of the same units


@dataclass(frozen=True, slots=True)
class Inputs:
    """Features and rule flags of a run's units, read from their two files in parts.

    Both files are sorted by unit_id, each unit once. A part of 16,384 units x 60
    features takes 8 MB; a million units x 40 are read in 2 seconds of one core.

    Attributes:
        features: columns of the matrix that are read, as floats with NaN for unknown.
        codes: columns of the flags that are read; an unknown flag did not fire.
    """

    matrix: Path
    flags: Path
    features: Sequence[str]
    codes: Sequence[str]

    def __len__(self) -> int:
        return int(pq.read_metadata(self.matrix).num_rows)

    def parts(self, rows: int = PART_ROWS) -> Iterator[Part]:
        """All units, `rows` at a time, indexed by unit_id.

        Raises:
            LeadlineError: the files are not of the same units, or not in their order.
        """
        last = None
        with pq.ParquetFile(self.matrix) as matrix, pq.ParquetFile(self.flags) as flags:
            if matrix.metadata.num_rows != flags.metadata.num_rows:
                raise LeadlineError(
                    f"{self.matrix} has {matrix.metadata.num_rows:,} units and "
                    f"{self.flags} {flags.metadata.num_rows:,}; build the features again"
                )
            numbers = matrix.iter_batches(rows, columns=["unit_id", *self.features])
            fired = flags.iter_batches(rows, columns=["unit_id", *self.codes])
            for found, beside in zip(numbers, fired, strict=True):
                units = found["unit_id"]
                if not units.equals(beside["unit_id"]):
                    raise LeadlineError(
                        f"{self.matrix} and {self.flags} are not of the same units in "
                        "the same order; build the features again"
                    )
                _check_ascending(units, last, self.matrix)
                last = units[-1]
                index = pd.Index(units.to_pandas(), name="unit_id")
                yield (
                    pd.DataFrame(_floats(found, self.features), index),
                    pd.DataFrame(_fired(beside, self.codes), index),
                )

    def unit_ids(self) -> pa.ChunkedArray:
        """The units in their order."""
        return pq.read_table(self.matrix, columns=["unit_id"])["unit_id"]

    def places(self, units: Iterable[str]) -> Rows:
        """Where these units stand, ascending; others are left out."""
        ids = self.unit_ids()
        found = pc.is_in(ids, value_set=pa.array(list(units), ids.type))
        return np.flatnonzero(found.to_numpy())

    def rows(self, places: Rows) -> Part:
        """The units at these places (numbers of rows, ascending)."""
        kept, start = [], 0
        for X, H in self.parts():
            inside = places[slice(*np.searchsorted(places, [start, start + len(X)]))]
            kept.append((X.iloc[inside - start], H.iloc[inside - start]))
            start += len(X)
        features, flags = zip(*kept, strict=True)
        return pd.concat(features), pd.concat(flags)


def inputs_in(catalog: Catalog, scorer: LeadScorer) -> Inputs:
    """What a model asks for of the run in a work folder.

    Raises:
        LeadlineError: the run has no such feature or rule flag.
    """
    paths = catalog.path(MATRIX), catalog.path(FLAGS)
    check_columns("feature", scorer.features, pq.read_schema(paths[0]).names)
    check_columns("rule flag", scorer.rule_codes, pq.read_schema(paths[1]).names)
    return Inputs(*paths, scorer.features, scorer.rule_codes)


def _floats(batch: pa.RecordBatch, names: Sequence[str]) -> dict[str, np.ndarray]:
    return {n: batch[n].cast(pa.float64(), safe=False).to_numpy(False) for n in names}


def _fired(batch: pa.RecordBatch, codes: Sequence[str]) -> dict[str, np.ndarray]:
    return {n: batch[n].fill_null(False).to_numpy(False) for n in codes}


def _check_ascending(units: pa.Array, before: Any, path: Path) -> None:
    """Places stand in for unit_ids where scores are equal, so their order must hold."""
    if before is not None:
        units = pa.concat_arrays([pa.array([before.as_py()], units.type), units])
    low, high = units.slice(0, max(len(units) - 1, 0)), units.slice(1)
    wrong = np.flatnonzero(~pc.less(low, high).to_numpy(False))
    if len(wrong):
        at = int(wrong[0])
        raise LeadlineError(
            f"{path}: unit {high[at].as_py()!r} follows {low[at].as_py()!r}; units must be "
            "sorted by unit_id, each once: build the features again"
        )
