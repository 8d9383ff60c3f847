"""Writes what the departments deliver; equal input gives equal bytes."""

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from training.simulation.sampling import Ints, Rng, Texts

GZIP_LEVEL = 5


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    if path.suffix != ".gz":
        with path.open("w", encoding=encoding, newline="") as plain:
            yield plain
        return
    # Neither file name nor clock time may enter the archive: both would change bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding=encoding, newline="") as text,
    ):
        yield text


def write_csv(
    path: Path, frames: Iterable[pd.DataFrame], *, encoding: str = "utf-8"
) -> int:
    """Write frames of equal columns as one CSV file; returns the row count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with _opened(path, encoding) as target:
        for number, frame in enumerate(frames):
            frame.to_csv(
                target,
                index=False,
                header=number == 0,
                lineterminator="\n",
                float_format="%.2f",
            )
            rows += len(frame)
    return rows


def write_parquet(path: Path, frames: Iterable[pd.DataFrame]) -> int:
    """Write frames of equal columns as one Parquet file; returns the row count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = (pa.Table.from_pandas(f, preserve_index=False) for f in frames)
    first = next(tables)
    rows = int(first.num_rows)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.cast(first.schema))
            rows += int(table.num_rows)
    return rows


def ring_ids(rng: Rng, groups: Ints) -> Texts:
    """The ring of each row, "" where its group is -1; drawn anew, so they carry no order."""
    number = rng.permutation(int(groups.max()) + 1)
    ring = np.array([f"R{place + 1:03d}" for place in number], dtype=object)
    return np.where(groups >= 0, ring[groups], "")


TRUTH_NOTE = (
    "The planted truth of a simulated delivery: which {units} are fraud, of which "
    "typology, in which ring, and which honest {units} look like it. Evaluation may "
    "read it; no stage of training, scoring or review does.\n"
)


def write_notes(out: Path, title: str, units: int, seed: int) -> None:
    """Say beside a delivery that it is simulated, and beside its truth who may read it.

    Args:
        title: of the units, in the plural.
    """
    note = TRUTH_NOTE.format(units=title)
    (out / "truth/README.txt").write_text(note, encoding="utf-8")
    said = f"simulated, no real person\nseed: {seed}\n{title}: {units}\n"
    (out / "SIMULATED.txt").write_text(said, encoding="utf-8")
