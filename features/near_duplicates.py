"""Texts that say nearly the same, found without comparing each with each.

Locality-sensitive hashing (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
section 3.4): a signature is cut into bands, and only texts that agree in a whole band are
compared. In a bucket a text is compared with its first one and with its neighbour, so
that the work grows with the number of texts however many of them are alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from features.shingles import PERMUTATIONS, Hashes, Signatures, mixed, signatures

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RECALL = 0.98  # of the pairs that are just as similar as asked
PAIRS_AT_ONCE = 20_000
NO_CLUSTER = -1


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """For each text, in the order given.

    cluster: texts of one number are tied by near-duplicates; NO_CLUSTER without a text.
    similarity: the highest estimated Jaccard index with another text of the cluster, 0
        where there is none, NaN without a text.
    """

    cluster: Ints
    similarity: Floats


@dataclass(frozen=True, slots=True)
class _Edges:
    """Pairs of texts and their estimated Jaccard index, shapes (edges,)."""

    one: Ints
    other: Ints
    similarity: Floats


def near_duplicates(
    texts: pa.ChunkedArray,
    *,
    ngram: int,
    similar: float,
    numbers: bool = False,
    min_length: int = 1,
    seed: int = 7,
) -> NearDuplicates:
    """Cluster texts whose estimated Jaccard index of n-grams is at least `similar`.

    Clusters are connected components: a text may belong to one through another. The
    order of the texts changes neither clusters nor similarities.

    Args:
        texts: strings, shape (texts,); null or empty ones belong nowhere.
        ngram: characters; 2 or 3 suit names and addresses, 3 to 5 longer texts.
        numbers: whether numbers tell texts apart, as in addresses.
        min_length: characters; shorter texts ("see above") belong nowhere.
    """
    says, signed = signatures(
        texts, ngram=ngram, numbers=numbers, min_length=min_length, seed=seed
    )
    # Equal signatures are one node: a text repeated a thousand times is compared once.
    # Nodes come in the order of their digests, whatever the order of the texts.
    _, first, node, copies = np.unique(
        _digests(signed), return_index=True, return_inverse=True, return_counts=True
    )
    edges = _edges(signed[first], similar)
    best = np.where(copies > 1, 1.0, 0.0)
    np.maximum.at(best, edges.one, edges.similarity)
    np.maximum.at(best, edges.other, edges.similarity)
    cluster = np.full(len(says), NO_CLUSTER, np.int64)
    similarity = np.full(len(says), np.nan)
    cluster[says] = _components(edges, len(first))[node]
    similarity[says] = best[node]
    return NearDuplicates(cluster, similarity)


def rows_per_band(similar: float) -> int:
    """The longest band at which RECALL of the pairs just as similar still meet.

    1 - (1 - s^r)^b of them agree in one of b bands of r values.
    """
    rows = np.arange(PERMUTATIONS, 0, -1)
    met = 1 - (1 - similar**rows) ** (PERMUTATIONS // rows)
    return int(rows[np.argmax(met >= RECALL)]) if (met >= RECALL).any() else 1


def _digests(signed: Signatures) -> Hashes:
    """One number for each row of values."""
    digest = np.zeros(len(signed), np.uint64)
    for column in signed.T:
        digest = mixed(digest ^ mixed(column.astype(np.uint64) + np.uint64(1)))
    return digest


def _edges(signed: Signatures, similar: float) -> _Edges:
    """A pair may come more than once; comparing it again costs less than sorting."""
    parts = [_near(signed, *pairs, similar) for pairs in _candidates(signed, similar)]
    one, other, similarity = zip(*parts, strict=True)
    return _Edges(
        np.concatenate(one), np.concatenate(other), np.concatenate(similarity)
    )


def _near(
    signed: Signatures, one: Ints, other: Ints, similar: float
) -> tuple[Ints, Ints, Floats]:
    blocks = (
        slice(start, start + PAIRS_AT_ONCE)
        for start in range(0, len(one), PAIRS_AT_ONCE)
    )
    shares = ((signed[one[b]] == signed[other[b]]).mean(axis=1) for b in blocks)
    similarity = np.concatenate([np.empty(0), *shares])
    near = similarity >= similar
    return one[near], other[near], similarity[near]


def _candidates(signed: Signatures, similar: float) -> Iterator[tuple[Ints, Ints]]:
    """Pairs to compare, band by band."""
    rows = rows_per_band(similar)
    starts = range(0, PERMUTATIONS - rows + 1, rows)
    bands = [_digests(signed[:, start : start + rows]) for start in starts]
    for band, following in zip(bands, bands[1:] + bands[:1], strict=True):
        # Sorted by the next band too, neighbours are those most alike in a bucket.
        order = np.lexsort((following, band))
        yield _pairs(order, band[order])


def _pairs(order: Ints, bucket: Hashes) -> tuple[Ints, Ints]:
    """Each member of a bucket with the first one and with the one before it."""
    begins = np.concatenate([[True], bucket[1:] != bucket[:-1]])[: len(order)]
    leader = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    member = np.flatnonzero(~begins)
    later = member[leader[member] != member - 1]
    one = np.concatenate([order[leader[member]], order[later - 1]])
    return one, np.concatenate([order[member], order[later]])


def _components(edges: _Edges, nodes: int) -> Ints:
    if not nodes:
        return np.empty(0, np.int64)
    ties = coo_array(
        (np.ones(len(edges.one), bool), (edges.one, edges.other)), shape=(nodes, nodes)
    )
    labels: Ints = connected_components(ties, directed=False)[1].astype(np.int64)
    return labels
