"""All units scored in parts: narrow columns in memory, the list written in its order."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from flows.earlier import Digests, Earlier, row_digests
from flows.inputs import Inputs, Part, Rows
from training.model import RANKED, LeadScorer, in_order
from training.over_cores import over_cores
from training.preprocess import Vector

# A multiple of the engine's vectors of 2,048 rows: the file is then cut as from a table.
ROWS_WRITTEN = 122_880
SECONDS_BETWEEN = 5.0
# Called with how many units are scored, and how many there are.
Advance = Callable[[int, int], None]
_Part = tuple[int, pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of all units, in the order of unit_id; 170 bytes a unit and its id.

    Attributes:
        unit_ids: ascending, so that a place stands in for an id where scores are equal.
        columns: the scores of `LeadScorer.columns` and the three ranks.
        order: places of the units as the list has them, best fused rank first.
        digests: of the units' rows, see `flows.earlier`; none where a cluster scored them.
    """

    unit_ids: pa.Array
    columns: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]
    order: Rows
    digests: Digests = field(default_factory=lambda: np.empty(0, np.uint64))

    def reader(self, as_of: datetime | None) -> pa.RecordBatchReader:
        """The SCORES table in the order of the list, batch by batch."""
        names = in_order(["unit_id", "as_of", *self.columns])
        kinds = {"unit_id": self.unit_ids.type, "as_of": pa.timestamp("us")}
        kinds |= {n: pa.from_numpy_dtype(c.dtype) for n, c in self.columns.items()}
        schema = pa.schema([(name, kinds[name]) for name in names])
        batches = self._batches(schema, as_of)
        return pa.RecordBatchReader.from_batches(schema, batches)

    def _batches(
        self, schema: pa.Schema, as_of: datetime | None
    ) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(self.order), ROWS_WRITTEN):
            places = self.order[start : start + ROWS_WRITTEN]
            moment = pa.scalar(as_of, pa.timestamp("us"))
            arrays = {
                "unit_id": self.unit_ids.take(pa.array(places)),
                "as_of": pa.repeat(moment, len(places)),
            }
            for name, values in self.columns.items():
                # Unknown is null in a file.
                arrays[name] = pa.array(values[places], from_pandas=True)
            yield pa.record_batch([arrays[n] for n in schema.names], schema=schema)

    def frame(self, *columns: str) -> pd.DataFrame:
        """unit_id and some columns, in the order of the list."""
        units = self.unit_ids.take(pa.array(self.order)).to_pandas()
        return pd.DataFrame(
            {"unit_id": units} | {n: self.columns[n][self.order] for n in columns}
        )

    def all_columns(self) -> pd.DataFrame:
        """The SCORES table without its date."""
        names = in_order(["unit_id", "as_of", *self.columns])
        return self.frame(*(n for n in names if n in self.columns))

    def places_of(self, ranks: Sequence[int] | Rows) -> Rows:
        """Where the units with these fused ranks stand."""
        return np.asarray(self.order[np.asarray(ranks) - 1], dtype=np.intp)


def scored(
    scorer: LeadScorer,
    inputs: Inputs,
    threads: int,
    advance: Advance | None = None,
    earlier: Earlier | None = None,
) -> Scored:
    """Score all units over all cores and rank them; ties go to the lower unit_id.

    Args:
        threads: 0 for one a core.
        advance: told, after each part, of the units that are done.
        earlier: what the same scorer found of these units before; it is used up.
    """
    total = len(inputs)
    columns: dict[str, Vector] = dict(earlier.columns) if earlier else {}
    digests = np.empty(total, np.uint64)
    units: list[pa.Array] = []
    done = 0

    def work(part: _Part) -> tuple[pa.Array, Digests, Rows, dict[str, Vector]]:
        start, X, H = part
        own = row_digests(X, H)
        rows = earlier.new(start, own) if earlier else np.arange(len(X))
        found = scorer.columns(X.iloc[rows], H.iloc[rows]) if len(rows) else {}
        return pa.array(X.index, pa.string()), own, start + rows, found

    for ids, own, places, found in over_cores(work, _placed(inputs.parts()), threads):
        for name, values in found.items():
            if not earlier:
                columns.setdefault(name, np.empty(total))
            columns[name][places] = values
        digests[done : done + len(ids)] = own
        units.append(ids)
        done += len(ids)
        if advance is not None:
            advance(done, total)
    found_units = pa.concat_arrays(units) if units else pa.array([], pa.string())
    return replace(ranked(found_units, columns), digests=digests)


def _placed(parts: Iterable[Part]) -> Iterator[_Part]:
    """Each part with the place of its first unit."""
    start = 0
    for X, H in parts:
        yield start, X, H
        start += len(X)


def ranked(unit_ids: pa.Array, columns: dict[str, Vector]) -> Scored:
    """With a rank for each of the three orders; `unit_ids` are ascending."""
    ranks: dict[str, npt.NDArray[np.int64]] = {}
    for column, rank in RANKED.items():
        order = np.argsort(-columns[column], kind="stable")
        ranks[rank] = np.empty(len(order), dtype=np.int64)
        ranks[rank][order] = np.arange(1, len(order) + 1)
    return Scored(unit_ids, columns | ranks, order)


def at_times(say: Callable[[str], None]) -> Advance:
    """Says every few seconds how many units are scored, and how long the rest takes.

    The pace is that since the first part, which may have had to wait for a compiler.
    """
    begun = last = time.monotonic()
    first = 0

    def advance(done: int, total: int) -> None:
        nonlocal begun, last, first
        now = time.monotonic()
        if not first:
            begun, last, first = now, now, done
            return
        if now - last < SECONDS_BETWEEN or done == total:
            return
        last = now
        left = (now - begun) / (done - first) * (total - done)
        say(f"scored {done:,} of {total:,} units, {left:,.0f} s for the rest")

    return advance
