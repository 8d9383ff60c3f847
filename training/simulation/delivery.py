"""Writes what the departments deliver; equal input gives equal bytes."""

import gzip
import io
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from training.simulation.places import SHAOXING, Place
from training.simulation.sampling import Ints, Rng, Texts

GZIP_LEVEL = 5
TRUTH = "truth/units.csv"  # no department's: neither in parts nor in another format


class Outbox:
    """The folder that a simulation delivers into, one prefecture after the other.

    Tables stay open until `close` or the next part, so that prefectures of one part are
    written one after the other into the same files.

    Args:
        parquet: every table as Parquet; else as its department writes it.
        excerpt: registers tell of the units' own people only, and only the newest
            period of what is told anew each month or quarter.
        adding: truth is added to what the folder holds already.
    """

    def __init__(
        self,
        folder: Path,
        *,
        parquet: bool = False,
        excerpt: bool = False,
        adding: bool = False,
    ) -> None:
        self.folder, self.parquet, self.excerpt = folder, parquet, excerpt
        self.place: Place = SHAOXING
        self.part = ""
        self.units = 0
        self.rows: dict[str, int] = {}
        self.suffixes: dict[str, str] = {}
        self._adding = adding
        self._open: dict[str, _Table] = {}

    def turn_to(self, place: Place, part: str = "") -> None:
        """What is written from now on comes from this prefecture, into that part."""
        if part != self.part:
            self.close()
        self.place, self.part = place, part

    def write(
        self, file: str, frames: Iterable[pd.DataFrame], *, encoding: str = "utf-8"
    ) -> int:
        """Write frames of equal columns to one table; returns their row count.

        Args:
            file: as its department names it: .csv, .csv.gz or .parquet.
        """
        rows = 0
        for frame in frames:
            self._table(file, encoding).add(frame)
            rows += len(frame)
        source = file.partition(".")[0]
        self.rows[source] = self.rows.get(source, 0) + rows
        return rows

    def note(self, title: str, units: int, seed: int) -> None:
        """Say that it is simulated, and beside the truth who may read it.

        Args:
            title: of the units, in the plural.
        """
        self.units += units
        note = TRUTH_NOTE.format(units=title)
        (self.folder / "truth/README.txt").write_text(note, encoding="utf-8")
        said = f"simulated, no real person\nseed: {seed}\n{title}: {self.units}\n"
        said += EXCERPT_NOTE if self.excerpt else ""
        (self.folder / "SIMULATED.txt").write_text(said, encoding="utf-8")

    def close(self) -> None:
        """Finish the files that are open."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _table(self, file: str, encoding: str) -> "_Table":
        if file not in self._open:
            self._open[file] = self._opened(file, encoding)
        return self._open[file]

    def _opened(self, file: str, encoding: str) -> "_Table":
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        if file == TRUTH:
            # Opened a second time it holds the truth of an earlier part or night.
            more = self._adding or "truth/units" in self.rows
            return _Csv(self.folder / file, encoding, more=more)
        stem, _, suffix = file.partition(".")
        if self.parquet:
            suffix = "parquet"
        self.suffixes[stem] = suffix
        path = self.folder / f"{stem}{self.part}.{suffix}"
        return _Parquet(path) if suffix == "parquet" else _Csv(path, encoding)


class Simulate(Protocol):
    """Writes one prefecture's delivery; returns rows per table."""

    def __call__(
        self, *, units: int, seed: int, out: Outbox, people: int | None = None
    ) -> dict[str, int]: ...


def delivering(simulate: Simulate) -> Callable[..., dict[str, int]]:
    """Let a simulation write into a plain folder, too."""

    @wraps(simulate)
    def delivered(
        *, units: int, seed: int, out: Path | Outbox, people: int | None = None
    ) -> dict[str, int]:
        if isinstance(out, Outbox):
            return simulate(units=units, seed=seed, out=out, people=people)
        with Outbox(out) as whole:
            return simulate(units=units, seed=seed, out=whole, people=people)

    return delivered


class _Table(Protocol):
    """An open table."""

    def add(self, frame: pd.DataFrame) -> None: ...

    def close(self) -> None: ...


class _Csv:
    """A CSV file, packed where its name says so."""

    def __init__(self, path: Path, encoding: str, *, more: bool = False) -> None:
        self._header = not more
        self._files = ExitStack()
        self._text = _text(self._files, path, encoding, more)

    def add(self, frame: pd.DataFrame) -> None:
        """Rows of the same columns."""
        frame.to_csv(
            self._text,
            index=False,
            header=self._header,
            lineterminator="\n",
            float_format="%.2f",
        )
        self._header = False

    def close(self) -> None:
        """Nothing more will come."""
        self._files.close()


def _text(files: ExitStack, path: Path, encoding: str, more: bool) -> TextIO:
    if path.suffix != ".gz":
        plain = path.open("a" if more else "w", encoding=encoding, newline="")
        return files.enter_context(plain)
    # Neither file name nor clock time may enter the archive: both would change bytes.
    raw = files.enter_context(path.open("wb"))
    packed = files.enter_context(gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0))
    return files.enter_context(io.TextIOWrapper(packed, encoding=encoding, newline=""))


class _Parquet:
    """A Parquet file: one row group per frame."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, frame: pd.DataFrame) -> None:
        """Rows of the same columns."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self) -> None:
        """Nothing more will come."""
        if self._writer is not None:
            self._writer.close()


def ring_ids(rng: Rng, groups: Ints, mark: str = "") -> Texts:
    """The ring of each row, "" where its group is -1; drawn anew, so they carry no order.

    Args:
        mark: of the prefecture, where several deliver.
    """
    number = rng.permutation(int(groups.max()) + 1)
    ring = np.array([f"R{mark}{place + 1:03d}" for place in number], dtype=object)
    return np.where(groups >= 0, ring[groups], "")


TRUTH_NOTE = (
    "The planted truth of a simulated delivery: which {units} are fraud, of which "
    "typology, in which ring, and which honest {units} look like it. Evaluation may "
    "read it; no stage of training, scoring or review does.\n"
)
EXCERPT_NOTE = (
    "excerpt: registers of the units' own people, newest period only; for measuring "
    "cost, not how well fraud is found\n"
)
