"""Distributions, histograms and hot spots of a run, against pandas."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from configs.loading import LoadedModel
from flows.catalog import Catalog, opened
from flows.engineer import FLAGS, MATRIX, UNITS
from flows.figures import distributions, histograms, hot_spots
from flows.score import SCORES
from tests.factories import declaration, model, rule

NUMBER = 1_000
RULES = [rule("amount > 0", layer=1), rule("amount > 9", code="T2")]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with opened(tmp_path) as engine:
        yield engine


@pytest.fixture
def run(catalog: Catalog) -> pd.DataFrame:
    """The units of a run with their scores and flags, also written for the engine."""
    rng = np.random.default_rng(4)
    ids = [f"u{n:04}" for n in range(NUMBER)]
    frame = pd.DataFrame(
        {
            "unit_id": ids,
            "amount": rng.lognormal(8, 1, NUMBER).round(2),
            "kind": rng.choice(["a", "b", " ", None], NUMBER, p=[0.6, 0.3, 0.05, 0.05]),
            "hurt": rng.random(NUMBER) < 0.2,
            "place": [f"place {n % 120}" for n in range(NUMBER)],
            "score": (np.arange(NUMBER) + 1) / NUMBER,
            "rank_fused": rng.permutation(NUMBER) + 1,
            "T1": True,
            "T2": rng.random(NUMBER) < 0.1,
        }
    )
    frame.loc[rng.random(NUMBER) < 0.25, "amount"] = np.nan
    frame["fused"], frame["rules"] = frame["score"], 0.0
    for name, columns in {
        UNITS: ["amount", "kind", "place"],
        MATRIX: ["amount", "hurt"],
        SCORES: ["score", "rules", "fused", "rank_fused"],
        FLAGS: ["T1", "T2"],
    }.items():
        table = pa.Table.from_pandas(frame[["unit_id", *columns]], preserve_index=False)
        catalog.write(catalog.register(f"_{name}", table), name)
    return frame


def loaded(spots: Sequence[str] = ("kind",), **unit: Any) -> LoadedModel:
    declared: dict[str, Any] = {**declaration()["unit"], "spots": list(spots), **unit}
    steps = [{"columns": ["amount", "hurt"]}]
    place = {
        "derive": {"place": {"expression": "coalesce(kind, 'x')", "feature": False}}
    }
    return model(*steps, place, rules=RULES, unit=declared)


def test_deciles_and_missing_values_are_those_of_pandas(
    catalog: Catalog, run: pd.DataFrame
) -> None:
    found = distributions(loaded(), catalog)

    want = run["amount"].quantile(np.arange(11) / 10)
    assert found["amount"].missing == pytest.approx(run["amount"].isna().mean())
    assert found["amount"].deciles == pytest.approx(want.tolist(), rel=1e-5)
    assert (found["hurt"].missing, found["hurt"].deciles) == (0.0, None)


def test_a_feature_that_nobody_has_has_no_deciles(
    catalog: Catalog, run: pd.DataFrame
) -> None:
    nobody = run[["unit_id", "hurt"]].assign(amount=[np.inf, -np.inf] * (NUMBER // 2))
    table = pa.Table.from_pandas(nobody, preserve_index=False)
    catalog.write(catalog.register("_nobody", table), MATRIX)

    found = distributions(loaded(), catalog)

    assert (found["amount"].missing, found["amount"].deciles) == (1.0, None)


def test_scores_are_counted_in_twenty_bins(catalog: Catalog, run: pd.DataFrame) -> None:
    found = histograms(catalog)

    want = np.minimum((run["score"] * 20).astype(int), 19).value_counts()
    assert found["score"] == [want.get(number, 0) for number in range(20)]
    assert found["rules"] == [NUMBER, *[0] * 19]
    assert set(found) == {"score", "rules", "fused"}


def test_spots_count_the_top_tenth_hits_and_money(
    catalog: Catalog, run: pd.DataFrame
) -> None:
    found = hot_spots(loaded(money="amount"), catalog)

    for spot in found:
        own = run[run["kind"] == spot["value"]]
        assert spot["units"] == len(own)
        assert spot["top"] == (own["rank_fused"] <= NUMBER / 10).sum()
        assert spot["hits"] == own["T2"].sum()  # T1 only says what is looked at
        assert spot["money"] == pytest.approx(own["amount"].sum(), abs=0.001)
    # The blank and the unknown are no spot.
    assert {spot["value"] for spot in found} == {"a", "b"}
    assert [spot["top"] for spot in found] == sorted(
        (s["top"] for s in found), reverse=True
    )
    assert {(s["column"], s["en"], s["zh"]) for s in found} == {
        ("kind", "kind", "类型")
    }


def test_fifty_values_of_each_column_are_kept(
    catalog: Catalog, run: pd.DataFrame
) -> None:
    found = hot_spots(loaded(spots=("place", "kind")), catalog)

    own = run.assign(top=run["rank_fused"] <= NUMBER / 10).groupby("place")
    want = own.agg(top=("top", "sum"), hits=("T2", "sum"), units=("top", "size"))
    want = want.reset_index().sort_values(
        ["top", "hits", "units", "place"], ascending=[False, False, False, True]
    )
    places = [spot["value"] for spot in found if spot["column"] == "place"]
    assert places == want["place"].tolist()[:50]
    assert {spot["money"] for spot in found} == {None}


def test_without_spots_there_are_none(catalog: Catalog, run: pd.DataFrame) -> None:
    assert hot_spots(loaded(spots=()), catalog) == []


def test_the_same_run_has_the_same_figures_to_the_last_digit(
    catalog: Catalog, run: pd.DataFrame
) -> None:
    shuffled = run.sample(frac=1, random_state=3)
    before = hot_spots(loaded(money="amount"), catalog)
    columns = ["unit_id", "amount", "kind", "place"]
    table = pa.Table.from_pandas(shuffled[columns], preserve_index=False)
    catalog.write(catalog.register("_again", table), UNITS)

    assert hot_spots(loaded(money="amount"), catalog) == before
