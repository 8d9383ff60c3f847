"""Texts as MinHash signatures of their character n-grams.

Chinese needs no word segmentation for that: runs of two or more characters index it as
well as words do (Kwok 1997, SIGIR). The share of equal values in two signatures
estimates the Jaccard index of their sets of n-grams (Broder 1997), with a standard error
of sqrt(J (1 - J) / PERMUTATIONS): 0.035 at 0.8.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rensa import RMinHash

Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint32]

PERMUTATIONS = 128
TEXTS_AT_ONCE = 10_000  # bounds memory, not the result
# Plates, case numbers, dates and sums; figures written out, also as on a cheque.
_NUMBERS = (
    "[a-z]*[0-9][0-9a-z]*|[〇零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]+"
)
_NUMBER = "0"
_APART = "\0"  # no text holds it: it is neither letter nor figure
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, odd
_SHIFT = np.uint64(32)


def normalised(texts: pa.ChunkedArray, *, numbers: bool) -> pa.ChunkedArray:
    """NFKC, small letters, no blanks and no punctuation; null stays null.

    Args:
        numbers: whether numbers count; else each run of them becomes one placeholder,
            so that a template with another date, sum or case number stays the same.
    """
    plain = pc.utf8_lower(pc.utf8_normalize(texts, "NFKC"))
    if not numbers:
        plain = pc.replace_substring_regex(plain, _NUMBERS, _NUMBER)
    plain = pc.replace_substring_regex(plain, r"[^\pL\pM\pN]+", "")
    # 1,234.50 has become three placeholders.
    return plain if numbers else pc.replace_substring_regex(plain, "00+", _NUMBER)


def signatures(
    texts: pa.ChunkedArray, *, ngram: int, numbers: bool, min_length: int, seed: int
) -> tuple[Bools, Signatures]:
    """Which texts say something, and the signatures of those, one row each.

    A text of numbers alone, or of fewer than `min_length` characters, says nothing.

    Returns:
        shapes (texts,) and (texts that say something, PERMUTATIONS).
    """
    parts = (_signed(part, ngram, numbers, min_length, seed) for part in _parts(texts))
    none = np.empty(0, bool), np.empty((0, PERMUTATIONS), np.uint32)
    says, signed = zip(none, *parts, strict=True)
    return np.concatenate(says), np.concatenate(signed)


def _parts(texts: pa.ChunkedArray) -> Iterator[pa.ChunkedArray]:
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield texts.slice(start, TEXTS_AT_ONCE).cast(pa.large_string())


def _signed(
    texts: pa.ChunkedArray, ngram: int, numbers: bool, min_length: int, seed: int
) -> tuple[Bools, Signatures]:
    plain = normalised(texts, numbers=numbers)
    enough = pc.greater_equal(pc.utf8_length(plain), min_length)
    says = pc.and_(enough, pc.match_substring_regex(plain, r"\pL"))
    hashes, ends = ngram_hashes(plain.filter(says), ngram)
    digests = RMinHash.digest_matrix_from_flat_token_hashes(
        hashes, ends, PERMUTATIONS, seed
    )
    signed: Signatures = np.array(digests.to_rows(), np.uint32)
    held: Bools = says.fill_null(False).to_numpy(zero_copy_only=False)
    return held, signed.reshape(-1, PERMUTATIONS)


def ngram_hashes(plain: pa.ChunkedArray, ngram: int) -> tuple[Hashes, Hashes]:
    """Hashes of all n-grams, one text after the other, and where each text's begin.

    A text is padded on both sides, so that one of a single character has n-grams too
    and the first and last characters count as often as the others.

    Returns:
        shapes (n-grams,) and (texts + 1,).
    """
    pad = _APART * (ngram - 1)
    # A gap of n - 1 between two texts is the end of the one and the start of the other:
    # every window of n then holds characters of exactly one text.
    joined = pad + pad.join([*plain.to_pylist(), ""])
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.uint64)
    hashes = np.zeros(len(codes) - ngram + 1, np.uint64)
    for place in range(ngram):
        hashes = hashes * _FACTOR + codes[place : place + len(hashes)]
    counts = pc.add(pc.utf8_length(plain), ngram - 1).to_numpy(zero_copy_only=False)
    return mixed(hashes), np.append(0, np.cumsum(counts)).astype(np.uint64)


def mixed(values: Hashes) -> Hashes:
    """Spread over all 64 bits, since sums and products change the upper ones alone."""
    values = (values ^ (values >> _SHIFT)) * _FACTOR
    return values ^ (values >> _SHIFT)
