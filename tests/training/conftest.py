"""A small population with rules, a scorer fitted on it, and one MLflow store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.fusion import Rule
from training.model import LeadScorer

RULES = (
    Rule("V1", layer=1),
    Rule("V2", layer=2),
    Rule("V3", layer=2),
    Rule("V4", layer=3, precision=0.25),
    Rule("V5", layer=4),
)


def numbers(rows: int, columns: int, seed: int = 0) -> pd.DataFrame:
    """Correlated numbers, one unit per row."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((rows, columns)) @ rng.standard_normal(
        (columns, columns)
    )
    ids = [f"u{i:05d}" for i in range(rows)]
    return pd.DataFrame(mixed, index=ids, columns=[f"f{i}" for i in range(columns)])


@pytest.fixture(scope="session")
def features() -> pd.DataFrame:
    table = numbers(600, 8)
    rng = np.random.default_rng(1)
    table["paid_total_yuan"] = np.exp(rng.normal(8, 2.5, len(table)))
    table["has_lawyer"] = rng.random(len(table)) < 0.3
    table["phones_count"] = pd.array(rng.integers(0, 4, len(table)), dtype="Int64")
    table.loc[table.index[::7], ["f1", "phones_count"]] = None
    return table


@pytest.fixture(scope="session")
def flags(features: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    hits = rng.random((len(features), len(RULES))) < [0.5, 0.05, 0.05, 0.03, 0.02]
    return pd.DataFrame(hits, index=features.index, columns=[r.code for r in RULES])


@pytest.fixture(scope="session")
def scorer(features: pd.DataFrame, flags: pd.DataFrame) -> LeadScorer:
    return LeadScorer(RULES, seed=3).fit(features, flags)


@pytest.fixture(scope="session")
def mlruns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlruns")
