"""Concentration against plain pandas, and what does not count."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.network import ConcentrationSpec
from features.builders.concentration import concentration_found
from features.evidence import evidence
from features.found import joined
from features.links import Link
from features.matrix import enriched_units
from tests.factories import (
    CLAIMS,
    VISITS,
    claim,
    frame_of,
    known,
    model,
    units_of,
    visit,
)

STATS = ["top_share", "hhi", "entropy", "own_share"]
ROWS = {"k": "string", "v": "string", "w": "float64"}
UNITS = {"unit_id": "string", "k": "string", "v": "string"}
KEYS = (None, "a", "b", "c")
VALUES = (None, "x", "y", "z")
AMOUNTS = (None, -5.0, 0.0, 0.1, 0.2, 1e-7, 1e9)
ROW = st.tuples(*map(st.sampled_from, (KEYS, VALUES, AMOUNTS)))


def built(catalog, rows, **options) -> pd.DataFrame:
    """The statistics of one unit for every key and value."""
    units = [(f"{k}/{v}", k, v) for k in KEYS for v in (*VALUES, "elsewhere")]
    step = ConcentrationSpec.model_validate(
        {"of": "x", "by": "k", "over": "v", "stats": STATS, "named": "c", **options}
    )
    found = concentration_found(
        ibis.memtable(rows, schema=ROWS), step, Link((("k", "k"),))
    )
    return frame_of(catalog, joined(ibis.memtable(units, schema=UNITS), found))


def expected(unit, rows: pd.DataFrame, weight: str, min_rows: int) -> list[float]:
    mine = rows[(rows["k"] == unit["k"]) & rows["v"].notna()]
    mine = mine.assign(w=mine["w"] if weight == "w" else 1.0)
    mine = mine[mine["w"] > 0]
    if len(mine) < min_rows:
        return [np.nan] * 4
    total = mine.groupby("v")["w"].sum()
    share = total / total.sum()
    most = np.log(len(share))
    entropy = -(share * np.log(share)).sum() / most if len(share) > 1 else 0.0
    own = np.nan if pd.isna(unit["v"]) else share.get(unit["v"], 0.0)
    return [share.max(), (share**2).sum(), entropy, own]


@pytest.mark.parametrize("weight", ["1", "w"])
@settings(max_examples=15, deadline=None)
@given(rows=st.lists(ROW, max_size=40), min_rows=st.integers(1, 4))
def test_every_statistic_agrees_with_plain_pandas(catalog, weight, rows, min_rows):
    got = built(catalog, rows, weight=weight, min_rows=min_rows)
    frame = pd.DataFrame(rows, columns=list(ROWS)).astype({"w": "float64"})
    for unit, row in got.iterrows():
        want = expected(row, frame, weight, min_rows)
        found = row[[f"c_{stat}" for stat in STATS]].tolist()
        assert found == pytest.approx(want, nan_ok=True, abs=1e-9), unit


def test_one_value_is_fully_concentrated_and_equal_values_are_even(catalog):
    rows = [("a", "x", 1.0)] * 3 + [("b", v, 1.0) for v in "xyz"]
    got = built(catalog, rows)
    assert got.loc["a/x"].tolist()[2:] == [1.0, 1.0, 0.0, 1.0]
    assert got.loc["b/x"].tolist()[2:] == pytest.approx([1 / 3, 1 / 3, 1.0, 1 / 3])


def test_too_few_rows_show_no_concentration(catalog):
    rows = [("a", "x", 1.0)] * 2 + [("a", "x", 0.0), ("a", None, 1.0)]
    assert built(catalog, rows, weight="w")["c_hhi"].isna().all()
    assert built(catalog, rows, weight="w", min_rows=2).loc["a/x", "c_hhi"] == 1.0


def test_conditions_and_expressions_choose_and_group_the_rows(catalog):
    rows = [("a", v, w) for v in "xy" for w in (1.0, 2.0, 3.0)]
    got = built(catalog, rows, over="w > 2", own="v = 'x'", where="v = 'x'")
    assert got.loc["a/x", "c_top_share"] == pytest.approx(2 / 3)
    assert got.loc["a/x", "c_own_share"] == pytest.approx(1 / 3)
    assert got.loc["a/y", "c_own_share"] == pytest.approx(2 / 3)


def test_a_count_and_a_measure_of_the_same_number_are_one_value(catalog):
    rows = [("a", "x", 1.0)] * 3
    got = built(catalog, rows, over="w", own="length(v)")
    assert got.loc["a/x", "c_own_share"] == 1.0


STEP = {"by": "claimant", "min_rows": 2, "named": "c"}
PLACES = {"of": "visits", "over": "place", "stats": ["hhi", "top_share"], **STEP}


def test_of_the_units_own_source_derived_columns_and_their_own_value_count(catalog):
    steps = (
        {"derive": {"big": "amount > 500"}},
        {"concentration": {"of": "claims", "over": "big", "stats": STATS, **STEP}},
    )
    rows = [claim(1), claim(2), claim(3, amount=1), claim(4, person=None)]
    got = frame_of(catalog, units_of(catalog, model(*steps), {"claims": rows}))
    want = [2 / 3, 2 / 3, 1 / 3, np.nan]
    assert got["c_own_share"].tolist() == pytest.approx(want, nan_ok=True)


def test_an_invalid_identifier_is_no_value_to_concentrate_on(catalog):
    columns = {**VISITS["columns"], "place": {"type": "person_id"}}
    loaded = model(
        {"concentration": PLACES},
        sources={"claims": CLAIMS, "visits": {**VISITS, "columns": columns}},
    )
    valid = ("11010519491231002X", "440524188001010014")
    places = [*valid, *["000000000000000000"] * 5]
    visits = [visit("2024-05-01", place=place) for place in places]
    data = {"claims": [claim(1)], "visits": visits}
    got = frame_of(catalog, units_of(catalog, loaded, data))
    assert got["c_top_share"].tolist() == [0.5]


def test_the_rows_behind_a_concentration_are_evidence(catalog):
    loaded = model({"concentration": PLACES})
    data = {"claims": [claim(1)], "visits": [visit("2024-05-01", place="x")]}
    found = known(catalog, loaded, data)
    rows = catalog.rows(evidence(found, enriched_units(found, catalog)))
    assert {row["source"] for row in rows} == {"claims", "visits"}


def test_rows_posted_later_change_nothing(catalog):
    visits = [visit("2024-05-01", place=place) for place in "xxy"]
    late = visit("2024-05-01", place="y", posted="2024-07-02")
    found = [
        frame_of(
            catalog,
            units_of(
                catalog,
                model({"concentration": PLACES}),
                {"claims": [claim(1)], "visits": rows},
            ),
        )
        for rows in (visits, [*visits, late], [*visits, {**late, "posted": None}])
    ]
    pd.testing.assert_frame_equal(found[0], found[1])
    assert found[0]["c_top_share"].tolist() == pytest.approx([2 / 3])
