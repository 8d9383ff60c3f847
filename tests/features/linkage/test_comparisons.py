"""What is asked before edits are counted must never hide two values that are near."""

import numpy as np
import pyarrow as pa
import pytest
from splink.internals.dialects import SplinkDialect

from features.linkage.comparisons import (
    _HALF_AGREES,
    _PART_AGREES,
    _Edit,
    comparisons,
)
from features.linkage.names import KEY, NUMBER, ROWS, UNIQUE
from features.linkage.parts import compared

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


@pytest.mark.parametrize("letters", ["ab", "a王张é", "0123456789"])
def test_one_edit_is_what_counting_all_edits_finds(catalog, letters):
    rng = np.random.default_rng(4)
    left = ["".join(rng.choice(list(letters), rng.integers(0, 9))) for _ in range(SIZE)]
    edits = rng.integers(0, 3, SIZE)
    right = [
        edited(rng, edited(rng, text, letters), letters)
        if many > 1 and len(text) > 1
        else (edited(rng, text, letters) if many and text else text)
        for text, many in zip(left, edits, strict=True)
    ]
    catalog.register("edited", pa.table({"x_l": left, "x_r": right}))
    condition = _Edit("x").create_sql(SplinkDialect.from_string("duckdb"))
    counts = catalog.fetch(
        f"select ({condition}) = (damerau_levenshtein(x_l, x_r) <= 1), count(*), "
        f"count(*) filter (where {condition}) from edited group by 1"
    )
    ((agree, every, near),) = counts
    assert agree
    assert 0 < near < every


def test_dates_reach_the_levels_that_their_texts_do(catalog):
    """Days that no calendar has, from mistyped numbers, among them."""
    rng = np.random.default_rng(5)
    parts = [rng.integers(1, high, SIZE) for high in (3, 14, 33)]
    dates = [f"{1980 + 10 * y}-{m:02d}-{d:02d}" for y, m, d in zip(*parts, strict=True)]
    none, once = pa.array([None] * SIZE, pa.string()), [1] * SIZE
    told = {NUMBER: range(SIZE), ROWS: once, KEY: none, UNIQUE: none, "date": dates}
    rows = catalog.register("dated", pa.table(told))
    made = catalog.keep(compared(rows, {"date": "date"}, catalog), "dated_parts")
    sides = [made.rename(**{f"{c}_{s}": c for c in made.columns}) for s in "lr"]
    catalog.keep(sides[0].limit(300).cross_join(sides[1].limit(300)), "dated_pairs")
    levels = comparisons({"date": "date"})["date"].create_comparison_dict("duckdb")
    told = {
        level["label_for_charts"]: level["sql_condition"]
        for level in levels["comparison_levels"]
    }
    (edit,) = (c for label, c in told.items() if "Damerau" in label)
    swapped = told["day and month in the other order"]
    turned = (
        "date_l[1:4] || date_l[9:10] || date_l[6:7] = "
        "date_r[1:4] || date_r[6:7] || date_r[9:10]"
    )
    for ours, plain in (
        (edit, "damerau_levenshtein(date_l, date_r) <= 1"),
        (swapped, turned),
        (told["same day, another year"], "date_l[6:] = date_r[6:]"),
    ):
        counts = catalog.fetch(
            f"select count(*) filter (where {plain}), "
            f"count(*) filter (where ({ours}) <> ({plain})) from dated_pairs"
        )
        assert counts[0][0] > 0
        assert counts[0][1] == 0
