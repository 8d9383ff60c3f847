"""Leadline and the scripts by hand of the feature benchmark make the same cells."""

import importlib
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.feature_contest import AS_OF, cells, prepared
from benchmarks.feature_model import kinds, write_model
from training.simulation import simulated

UNITS = 2_000


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contest")
    simulated("vehicle_insurance", units=UNITS, seed=3, out=folder / "delivery")
    return prepared(folder / "delivery", folder / "home")


@pytest.fixture(scope="module")
def ours(cores: Path) -> Path:
    return _written("leadline", cores)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alone", "sql", "polars", "pandas"])
def test_a_script_by_hand_makes_the_same_cells(name, cores, ours):
    if name == "polars":
        pytest.importorskip("polars", reason="comes with the extra `bench`")
    assert cells(ours, _written(name, cores)) == 0


@pytest.mark.slow
def test_the_contest_takes_many_features_of_many_sources_and_knows_values(ours):
    found = pd.read_parquet(ours)
    assert len(found) > 0.9 * UNITS
    assert len(found.columns) - 2 >= 25
    assert found.notna().any().all()


@pytest.mark.slow
def test_a_cell_that_differs_is_counted(tmp_path, ours):
    other = pd.read_parquet(ours)
    other.loc[3, "claimed_log"] += 1e-6
    other.loc[5, "shop_claims_count"] = None
    other.to_parquet(tmp_path / "other.parquet", index=False)
    assert cells(ours, tmp_path / "other.parquet") == 2


def _written(name: str, cores: Path) -> Path:
    columns = kinds(write_model(cores.parent / "models"))
    out = cores.parent / name / "feature_matrix.parquet"
    out.parent.mkdir(exist_ok=True)
    module = importlib.import_module(f"benchmarks.feature_{name}")
    module.write_features(cores, AS_OF, out, columns)
    return out
