"""What is asked before edits are counted must never hide two values that are near."""

import numpy as np
import pyarrow as pa
import pytest

from features.linkage.comparisons import _HALF_AGREES, _PART_AGREES

SIZE = 4_000


def edited(rng, text, letters):
    """One letter more, one less, another one, or two neighbours swapped."""
    kind, place = rng.integers(4), int(rng.integers(len(text)))
    letter = str(rng.choice(list(letters)))
    if kind == 0:
        return text[:place] + letter + text[place:]
    if kind == 1:
        return text[:place] + text[place + 1 :]
    if kind == 2:
        return text[:place] + letter + text[place + 1 :]
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


@pytest.mark.parametrize(
    ("asked", "edits", "letters", "lengths"),
    [
        (_HALF_AGREES, 1, "ab", (3, 12)),
        (_HALF_AGREES, 1, "a王张é", (3, 9)),
        (_PART_AGREES, 2, "0123456789", (18, 19)),
        (_PART_AGREES, 2, "01", (18, 19)),
    ],
)
def test_near_values_pass(catalog, asked, edits, letters, lengths):
    rng = np.random.default_rng(3)
    left = [
        "".join(rng.choice(list(letters), rng.integers(*lengths))) for _ in range(SIZE)
    ]
    right = left
    for _ in range(edits):
        right = [edited(rng, text, letters) for text in right]
    catalog.register("near", pa.table({"l": left, "r": right}))
    condition = asked.format(l="l", r="r")
    counts = catalog.fetch(
        f"select count(*), count(*) filter (where not {condition}) from near "
        f"where damerau_levenshtein(l, r) <= {edits}"
    )
    near, hidden = counts[0]
    assert near > SIZE / 4
    assert hidden == 0
