"""A wide synthetic matrix in files, written in parts, and what scoring it holds at most.

`python -m tests.flows.wide FOLDER UNITS FEATURES` scores it and prints, as JSON, how much
the memory of its process grew at most, its seconds of the processor, and a digest.
"""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flows.catalog import opened
from flows.inputs import Inputs
from flows.scored import scored
from training.fusion import Rule
from training.model import LeadScorer

CODES = ("V1", "V2", "V3")
WRITTEN = 50_000


def write_inputs(folder: Path, units: int, features: int, seed: int = 0) -> Inputs:
    """feature_matrix and rule_flags as the stages write them."""
    rng = np.random.default_rng(seed)
    names = [f"x{i}" for i in range(features)]
    inputs = Inputs(folder / "matrix.parquet", folder / "flags.parquet", names, CODES)
    kinds = [("unit_id", pa.string()), *((n, pa.float64()) for n in names[:-1])]
    wide = pa.schema([*kinds, (names[-1], pa.bool_())])
    flags = pa.schema([("unit_id", pa.string()), *((c, pa.bool_()) for c in CODES)])
    with (
        pq.ParquetWriter(inputs.matrix, wide) as matrix,
        pq.ParquetWriter(inputs.flags, flags) as fired,
    ):
        for start in range(0, units, WRITTEN):
            size = min(WRITTEN, units - start)
            ids = [f"u{i:09d}" for i in range(start, start + size)]
            values = rng.normal(size=(features - 1, size)).round(2)
            unknown = rng.random(values.shape) < 0.02
            columns = [
                pa.array(v, mask=m) for v, m in zip(values, unknown, strict=True)
            ]
            last = pa.array(rng.random(size) < 0.2, mask=rng.random(size) < 0.02)
            matrix.write_table(pa.table([ids, *columns, last], schema=wide))
            hits = [pa.array(rng.random(size) < share) for share in (0.5, 0.05, 0.02)]
            fired.write_table(pa.table([ids, *hits], schema=flags))
    return inputs


def quick_scorer(inputs: Inputs, units: int = 300) -> LeadScorer:
    """Fitted on the first units: its reference is small, its scoring fast."""
    X, H = next(inputs.parts(units))
    rules = tuple(Rule(code, layer) for layer, code in enumerate(CODES, 1))
    return LeadScorer(rules, seed=1).fit(X, H)


def main(folder: Path, units: int, features: int) -> None:
    inputs = write_inputs(folder, units, features)
    scorer = quick_scorer(inputs)
    X, H = next(inputs.parts(100))
    scorer.score(X, H)  # compiled by now
    before, began = _peak(), time.process_time()
    with opened(folder / "work") as catalog:
        found = scored(scorer, inputs, threads=2)
        catalog.write_batches(found.reader(pd.Timestamp("2026-01-02")), "scores")
        written = catalog.path("scores").read_bytes()
    grown = _peak() - before
    digest = hashlib.sha256(written).hexdigest()
    seconds = time.process_time() - began
    told = {"grown": grown, "peak": _peak(), "seconds": seconds, "digest": digest}
    print(json.dumps(told))  # noqa: T201


def _peak() -> int:
    """Bytes of memory that the process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
