"""How long the graph of associations takes on millions of ties, and how much memory.

A random graph: 600 000 small components and one giant one, which is the hardest case for
communities because it has none. With --hub one phone is shared by so many persons.
Run with `python -m benchmarks.graph`.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console

from features.distances import ties_between, ties_to_nearest
from features.graph import Graph, graph, size_of

LIMIT = 50
SMALL, NODES = 600_000, 3_960_000
SEED = 7
OUT = Console(highlight=False, width=100)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--ties", type=int, default=5_000_000)
    arguments.add_argument("--hub", type=int, default=200_000)
    arguments.add_argument("--pairs", type=int, default=1_000_000)
    given = arguments.parse_args()
    pairs = associations(given.ties, given.hub, np.random.default_rng(SEED))
    ends = np.concatenate([pairs[end].to_numpy() for end in ("left", "right")])
    hubs = np.flatnonzero(np.bincount(ends) > LIMIT)
    sizes = {"account": NODES // 2, "person": NODES + 1 - NODES // 2}
    made = _timed("graph", lambda: graph(pairs, hubs, sizes))
    OUT.print(
        f"{made.size:,} nodes, {made.ties.nnz // 2:,} ties, {made.is_hub.sum()} hub"
    )
    _timed("components", lambda: made.component)
    _timed("core numbers", lambda: made.core_number)
    _timed("communities", lambda: made.community)
    largest = size_of(made.community).max()
    OUT.print(
        f"largest component {size_of(made.component).max():,}, community {largest:,}"
    )
    _distances(made, given.pairs)


def _distances(made: Graph, pairs: int) -> None:
    rng = np.random.default_rng(SEED)
    anything = np.ones(made.size, dtype=bool)
    ends = rng.integers(0, made.size, (2, pairs))
    _timed(f"{pairs:,} pairs", lambda: ties_between(made, tuple(ends), anything, 4))
    # Every one of them asks for the way to the hub.
    ends[1] = made.degree.argmax()
    _timed(
        f"{pairs:,} pairs with the hub",
        lambda: ties_between(made, tuple(ends), anything, 4),
    )
    targets = rng.random(made.size) < 0.001
    _timed("nearest target", lambda: ties_to_nearest(made, targets, anything, 4))


def associations(ties: int, hub: int, rng: np.random.Generator) -> pa.Table:
    """Chains of two to four nodes, a giant random component, and one busy phone."""
    sizes = rng.integers(2, 5, SMALL)
    inside = int(sizes.sum())
    first = np.zeros(inside, dtype=bool)
    first[np.cumsum(sizes) - sizes] = True
    later = np.flatnonzero(~first)
    giant = rng.integers(inside, NODES, (2, ties - len(later)))
    busy = np.stack([np.full(hub, NODES), rng.integers(0, NODES, hub)])
    ends = np.concatenate([[later - 1, later], giant, busy], axis=1)
    low, high = ends.min(axis=0), ends.max(axis=0)
    pair = np.unique((low * (NODES + 1) + high)[low != high])
    left, right = (end.astype(np.int32) for end in np.divmod(pair, NODES + 1))
    return pa.table({"left": left, "right": right, "probability": np.ones(len(left))})


def _timed(name: str, work: Callable[[], Any]) -> Any:
    began, busy = time.perf_counter(), time.process_time()
    result = work()
    taken, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    OUT.print(f"{name:<32} {busy:6.1f} CPU-s, {taken:6.1f} s, peak {peak:,.0f} MB")
    return result


if __name__ == "__main__":
    main()
