"""Peer statistics against pandas, with small groups and shrinking."""

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.schema import PeersSpec
from features.builders.peers import peer_medians, peer_percentiles, peers_found
from features.found import joined


@pytest.fixture(scope="module")
def units():
    rng = np.random.default_rng(3)
    groups = rng.choice(["a", "b", "c", None], 400, p=[0.6, 0.3, 0.01, 0.09])
    values = rng.normal(size=400).round(1)
    values[rng.random(400) < 0.1] = np.nan
    values[groups == "b"] = np.where(rng.random((groups == "b").sum()) < 0.8, 1.0, 5.0)
    ids = [f"u{n:03}" for n in range(400)]
    return pd.DataFrame({"unit_id": ids, "g": groups, "x": values})


def built(catalog, units: pd.DataFrame, **options):
    rows = [
        (u, g, None if pd.isna(x) else float(x))
        for u, g, x in units.itertuples(index=False)
    ]
    schema = {"unit_id": "string", "g": "string", "x": "float64"}
    step = PeersSpec.model_validate({"value": "x", "within": "g", **options})
    given = ibis.memtable(rows, schema=schema)
    table = joined(given, peers_found(given, step))
    return catalog.arrow(table).to_pandas().set_index("unit_id").sort_index()


def scale(values: pd.Series) -> float:
    deviation = (values - values.median()).abs()
    mad = deviation.median()
    return 1.4826 * mad if mad > 0 else 1.2533 * deviation.mean()


def mixed(units: pd.DataFrame, statistic, min_size: int, shrink: float) -> pd.Series:
    """A statistic of the peers, shrunk towards that of all units."""
    group = units["g"].fillna("(unknown)")
    known = units[units["x"].notna()]
    size = known.groupby(group)["x"].size()
    own = known.groupby(group)["x"].apply(statistic)
    weight = (size / (size + shrink)).where(size >= min_size, 0.0)
    return group.map(weight * own + (1 - weight) * statistic(known["x"]))


@pytest.mark.parametrize(("min_size", "shrink"), [(20, 20), (2, 0), (1000, 20)])
def test_robust_z_agrees_with_pandas(catalog, units, min_size, shrink):
    got = built(catalog, units, min_size=min_size, shrink=shrink)["x_robust_z_peers"]
    centre = mixed(units, pd.Series.median, min_size, shrink)
    spread = mixed(units, scale, min_size, shrink).replace(0, np.nan)
    exact = ((units["x"] - centre) / spread).to_numpy()
    # A half may go up or down where the sum was rounded another way.
    half = np.abs(exact * 20 % 1 - 0.5) < 1e-9
    assert half.mean() < 0.1
    want, got = np.round(exact * 20) / 20, got.to_numpy(dtype=float)
    np.testing.assert_allclose(got[~half], want[~half], atol=1e-9)
    np.testing.assert_allclose(np.abs(got - exact)[half], 1 / 40, atol=1e-9)


def test_a_night_that_moves_the_statistics_a_little_moves_few_z(catalog):
    rng = np.random.default_rng(5)
    ids = [f"u{n:05}" for n in range(20_000)]
    before = pd.DataFrame({"unit_id": ids, "g": "g", "x": rng.normal(9, 0.7, 20_000)})
    after = before.copy()
    after.loc[:199, "x"] = rng.normal(9, 0.7, 200)
    was, now = (built(catalog, units)["x_robust_z_peers"] for units in (before, after))
    assert after["x"].median() != before["x"].median()
    assert (was.iloc[200:] != now.iloc[200:]).mean() < 0.05


def test_who_is_as_the_median_of_its_peers_has_exactly_none(catalog):
    grades = np.repeat([7.0, 8.0, 9.0, 10.0], [10, 20, 50, 20])
    ids = [f"u{n:03}" for n in range(100)]
    units = pd.DataFrame({"unit_id": ids, "g": "g", "x": grades})
    got = built(catalog, units, shrink=0)["x_robust_z_peers"].to_numpy(dtype=float)
    assert (got[grades == 9] == 0).all()
    assert (got[grades < 9] < 0).all()
    assert (got[grades > 9] > 0).all()


def test_percentile_agrees_with_pandas(catalog, units):
    got = built(catalog, units, stat="percentile")["x_percentile_peers"]

    def rank(values: pd.Series) -> pd.Series:
        return (values.rank(method="min") - 1) / max(values.count() - 1, 1)

    group = units["g"].fillna("(unknown)")
    size = units["x"].groupby(group).transform("count")
    weight = (size / (size + 20)).where(size >= 20, 0.0)
    want = weight * units["x"].groupby(group).transform(rank) + (1 - weight) * rank(
        units["x"]
    )
    np.testing.assert_allclose(got.to_numpy(dtype=float), want.to_numpy(), atol=1e-9)


def test_one_constant_value_has_no_spread_and_no_z(catalog):
    units = pd.DataFrame({"unit_id": list("abc"), "g": "g", "x": [2.0, 2.0, None]})
    assert built(catalog, units)["x_robust_z_peers"].isna().all()


@pytest.mark.parametrize("placeholder", [1e20, 1e300])
def test_a_value_far_from_all_peers_is_no_error(catalog, placeholder):
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.random(100), np.full(30, placeholder)])
    ids = [f"u{n:03}" for n in range(130)]
    groups = ["a"] * 100 + ["b"] * 30
    units = pd.DataFrame({"unit_id": ids, "g": groups, "x": values})
    got = built(catalog, units)["x_robust_z_peers"].to_numpy(dtype=float)
    assert np.isfinite(got[:100]).all()
    assert not np.isnan(got).any()


def test_peer_medians_name_the_group_or_all_units_when_it_is_small(catalog, units):
    table = ibis.memtable(
        [
            (u, g, None if pd.isna(x) else float(x))
            for u, g, x in units.itertuples(index=False)
        ],
        schema={"unit_id": "string", "g": "string", "x": "float64"},
    )
    step = PeersSpec.model_validate({"value": "x", "within": "g", "min_size": 20})
    found = catalog.arrow(peer_medians(table, step, "x")).to_pandas()
    found = found.set_index("unit_id").sort_index()
    known = units[units["x"].notna()].set_index("unit_id")
    sizes = known.groupby("g")["x"].transform("size")
    assert set(found.index) == set(known.index)
    large = known.index[known["g"] == "a"]
    assert (found.loc[large, "median"] == known.loc[large, "x"].median()).all()
    assert (found.loc[large, "peers"] == sizes[large]).all()
    small = known.index[known["g"] == "c"]
    assert (found.loc[small, "median"] == known["x"].median()).all()
    assert (found.loc[small, "peers"] == 0).all()


@pytest.mark.parametrize("within", [("g",), ("g", "h")])
def test_percentiles_are_the_share_of_the_other_peers_with_less(catalog, units, within):
    known = units[units["x"].notna()].assign(h=lambda frame: frame["unit_id"].str[-1])
    rows = [
        (u, g, h, float(x))
        for u, g, x, h in known[["unit_id", "g", "x", "h"]].itertuples(index=False)
    ]
    schema = {"unit_id": "string", "g": "string", "h": "string", "x": "float64"}
    table = ibis.memtable(rows, schema=schema)

    found = catalog.arrow(peer_percentiles(table, within, "x", min_size=15))

    want = {}
    for _, group in known.fillna({"g": "?"}).groupby(list(within)):
        for unit, value in group[["unit_id", "x"]].itertuples(index=False):
            if len(group) >= 15:
                want[unit] = (group["x"] < value).sum() / (len(group) - 1)
    got = dict(
        zip(found["unit_id"].to_pylist(), found["percentile"].to_pylist(), strict=True)
    )
    assert got == want
    assert 0 < len(want) < len(units)
