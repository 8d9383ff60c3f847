"""Near-duplicates among simulated pleadings: time, memory, and against exact Jaccard.

Run with `python -m benchmarks.near_duplicates --texts 1000000`; one text in twenty comes
from a template that its family of 20 shares.
"""

import argparse
import resource
import sys
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from benchmarks import pages
from features.near_duplicates import NearDuplicates, near_duplicates
from features.shingles import ngram_hashes, normalised
from training.simulation import names, written
from training.simulation.pleadings import HITS, OWN_WORDS, pleadings
from training.simulation.sampling import Ints, Rng, Texts, chance, pick, texts

FAMILY_SHARE, FAMILY_SIZE = 0.05, 20
SAMPLE = 5000  # compared each with each
WRITTEN_AT_ONCE = 100_000
SEED = 7


@dataclass(frozen=True, slots=True)
class Planted:
    texts: pa.ChunkedArray
    family: Ints  # OWN_WORDS without one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--ngram", type=int, default=4)
    parser.add_argument("--similar", type=float, default=0.6)
    asked = parser.parse_args()
    planted = plant(np.random.default_rng(SEED), asked.texts)
    before, cpu, started = peak_memory(), time.process_time(), time.perf_counter()
    found = near_duplicates(planted.texts, ngram=asked.ngram, similar=asked.similar)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    memory = peak_memory()
    lengths = pc.utf8_length(planted.texts)
    figures = {
        "texts": asked.texts,
        "characters": pc.mean(lengths).as_py(),
        "ngram": asked.ngram,
        "similar": asked.similar,
        "seconds": seconds,
        "processor_seconds": cpu,
        "gib_before": before,
        "gib_at_peak": memory,
        **against_families(planted.family, found),
        **against_exact(planted, asked.ngram, asked.similar),
    }
    table = pages.table(
        pd.DataFrame(list(figures.items()), columns=["figure", "value"], dtype=object)
    )
    sys.stdout.write(f"{pages.machine()}\n\n" + "\n".join(table) + "\n")


def peak_memory() -> float:
    """GiB, the most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def plant(rng: Rng, size: int) -> Planted:
    """Pleadings, the first ones of each part in families of one template each."""
    parts, families = [], []
    for start in range(0, size, WRITTEN_AT_ONCE):
        family = _families(min(WRITTEN_AT_ONCE, size - start))
        parts.append(pa.array(_written(rng, family), pa.large_string()))
        families.append(np.where(family == OWN_WORDS, OWN_WORDS, family + start))
    return Planted(pa.chunked_array(parts), np.concatenate(families))


def _families(size: int) -> Ints:
    family = np.arange(size) // FAMILY_SIZE
    return np.where(family < size * FAMILY_SHARE // FAMILY_SIZE, family, OWN_WORDS)


def _written(rng: Rng, family: Ints) -> Texts:
    size = len(family)
    district = rng.integers(0, len(names.DISTRICTS), size)
    town = rng.integers(0, names.TOWN_TABLE.shape[1], size)
    day = np.datetime64("2022-01-01") + rng.integers(0, 1000, size)
    facts = {
        "plaintiff": pick(rng, names.SURNAMES, size)
        + pick(rng, names.GIVEN, size)
        + pick(rng, names.GIVEN, size),
        "insurer": pick(rng, names.INSURERS, size),
        "plate": "浙D" + written.plain(rng.integers(10_000, 99_999, size)),
        "date": written.chinese_dates(day),
        "place": texts(names.DISTRICTS)[district] + names.TOWN_TABLE[district, town],
        "sum": written.plain(rng.integers(1000, 90_000, size)),
        "kind": pick(rng, tuple(HITS), size),
    }
    injury = np.where(family == OWN_WORDS, chance(rng, size, 0.3), family % 3 == 0)
    return pleadings(rng, facts, injury, family)


def against_families(family: Ints, found: NearDuplicates) -> dict[str, float]:
    """How much of the families is found, and what else is."""
    sizes = np.bincount(found.cluster)
    _, both = np.unique(np.stack([found.cluster, family]), axis=1, return_inverse=True)
    planted = family != OWN_WORDS
    together = np.bincount(both)[both] - 1
    others = sizes[found.cluster] - 1
    return {
        "family_texts_tied_to_their_own": float((together[planted] > 0).mean()),
        "family_pairs_in_one_cluster": float(
            together[planted].sum() / (planted.sum() * (FAMILY_SIZE - 1))
        ),
        "clustered_with_family_alone": float(
            together[planted].sum() / others[planted].sum()
        ),
        "other_texts_tied": float((others[~planted] > 0).mean()),
        "largest_cluster": int(sizes.max()),
    }


def against_exact(planted: Planted, ngram: int, similar: float) -> dict[str, float]:
    """Pairs of a sample against the Jaccard index of their sets of n-grams."""
    sample = planted.texts.slice(0, SAMPLE // 2).to_pylist()
    sample += planted.texts.slice(len(planted.texts) - SAMPLE // 2).to_pylist()
    taken = pa.chunked_array([sample], pa.large_string())
    exact = np.triu(jaccard(taken, ngram), 1)
    found = near_duplicates(taken, ngram=ngram, similar=similar).cluster
    cluster = connected_components(coo_array(exact >= similar), directed=False)[1]
    true, ours = _pairs(cluster), _pairs(found)
    near = exact >= similar
    return {
        "exact_pairs": int(near.sum()),
        "exact_pairs_in_one_cluster": float(ours[near].mean()),
        "recall_of_exact_clusters": float(ours[true].mean()),
        "precision_of_clusters": float(true[ours].mean()),
        "mean_jaccard_in_clusters": float(exact[ours].mean()),
    }


def jaccard(sample: pa.ChunkedArray, ngram: int) -> npt.NDArray[np.float64]:
    """Each with each, shape (texts, texts)."""
    hashes, ends = ngram_hashes(normalised(sample, numbers=False), ngram)
    _, gram = np.unique(hashes, return_inverse=True)
    row = np.repeat(np.arange(len(ends) - 1), np.diff(ends).astype(np.int64))
    held = csr_array((np.ones(len(gram), np.int32), (row, gram)))
    held.data[:] = 1
    both = (held @ held.T).toarray()
    size = both.diagonal()
    whole: npt.NDArray[np.float64] = both / (size[:, None] + size - both)
    return whole


def _pairs(cluster: Ints) -> npt.NDArray[np.bool_]:
    return np.triu(cluster[:, None] == cluster, 1)


if __name__ == "__main__":
    main()
