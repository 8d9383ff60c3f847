"""Scores that an earlier run found, kept by units whose row is still the same.

A unit's scores hang by its row and by what scored it, and by nothing else
(`LeadScorer.columns`). So a night scores the units whose row is new, and the list is that
of a run that scores all of them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from llvmlite.binding import get_host_cpu_name

from flows import shelf
from flows.catalog import Catalog
from flows.job import Job, digest_of
from flows.kept import program
from training.model import RANKED
from training.preprocess import Vector

Digests = npt.NDArray[np.uint64]

_DIGEST = "digest"
_OF_THE_LIST = frozenset({"unit_id", "as_of", *RANKED.values()})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run found of today's units, in their order; 150 bytes a unit.

    Attributes:
        there: whether it had the unit; what it says of others means nothing.
        digests: of the unit's row then.
        columns: the scores then, as of `LeadScorer.columns`. Who scores the units whose row
            is new writes theirs into these arrays.
    """

    there: npt.NDArray[np.bool_]
    digests: Digests
    columns: dict[str, Vector]

    def new(self, start: int, digests: Digests) -> npt.NDArray[np.intp]:
        """Of the units from `start` on with these rows, those it has no scores of."""
        units = slice(start, start + len(digests))
        same = self.there[units] & (self.digests[units] == digests)
        return np.flatnonzero(~same)


def row_digests(X: pd.DataFrame, H: pd.DataFrame) -> Digests:
    """64 bits of each unit's features and flags; a million rows x 100 take a second.

    A unit is compared with itself alone: ten million new rows hold one that passes for
    its former one with a chance of 5e-13.
    """
    row = pd.concat([X, H], axis=1)
    return np.asarray(pd.util.hash_pandas_object(row, index=False), dtype=np.uint64)


def file_of_digests(scorer: str) -> str:
    """The table of rows' digests, named by what scored them: the version's digest, this
    program and the kind of processor, whose arithmetic may differ in the last bit."""
    made_of = [program(), get_host_cpu_name(), scorer]
    return f"row_digests-{digest_of(made_of)[:24]}"


def write_digests(catalog: Catalog, scorer: str, digests: Digests) -> None:
    """Beside the scores, row by row in the order of the list."""
    rows = catalog.register("_digests", pa.table({_DIGEST: digests}))
    catalog.write(rows, file_of_digests(scorer))


def earlier(
    job: Job, scorer: str, scores: str, unit_ids: pa.ChunkedArray
) -> Earlier | None:
    """What this scorer found of today's units in an earlier run, if in any.

    Of several runs it is the one that had most of the units, then the newest.

    Args:
        scorer: digest of the version that scores now.
        scores: the table of the list.
        unit_ids: of today's units.
    """
    if job.version is not None:  # made again to be compared, of nothing kept
        return None
    digests = f"{file_of_digests(scorer)}.parquet"
    finished = job.settings.work / job.model_id / shelf.FOLDER
    try:
        found = [
            (place, _places(place / f"{scores}.parquet", unit_ids))
            for place in shelf.having(finished, digests)
        ]
        if not found:
            return None
        place, rows = min(found, key=lambda one: one[1].null_count)
        return _read(place / f"{scores}.parquet", place / digests, rows)
    except (OSError, pa.ArrowInvalid):
        # Another run has tidied up meanwhile, or a file is damaged: all are scored.
        return None


def _places(scores: Path, unit_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Where each unit stands in an earlier list; null where it does not."""
    return pc.index_in(unit_ids, value_set=_column(scores, "unit_id"))


def _read(scores: Path, digests: Path, rows: pa.ChunkedArray) -> Earlier | None:
    there = rows.is_valid().to_numpy()
    if not there.any():
        return None
    at = rows.fill_null(0).to_numpy()
    names = [n for n in pq.read_schema(scores).names if n not in _OF_THE_LIST]
    return Earlier(
        there,
        _column(digests, _DIGEST).to_numpy()[at],
        {name: _column(scores, name).to_numpy()[at] for name in names},
    )


def _column(file: Path, name: str) -> pa.ChunkedArray:
    return pq.read_table(file, columns=[name])[name]
