"""One small simulation for all tests of this folder."""

from pathlib import Path

import pandas as pd
import pytest

from tests.training.simulation.delivered import Delivered
from training.simulation.vehicle_insurance import simulate

CLAIMS = 3000
SEED = 11


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("delivery")
    simulate(units=CLAIMS, seed=SEED, out=out)
    return out


@pytest.fixture(scope="session")
def delivered(delivery: Path) -> Delivered:
    return Delivered(delivery)


@pytest.fixture(scope="session")
def truth(delivered: Delivered) -> pd.DataFrame:
    return delivered.table("truth/units.csv")
