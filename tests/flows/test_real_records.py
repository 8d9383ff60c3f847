"""Real registry tables go in as they were delivered, and every firm comes out ranked."""

import os
from pathlib import Path

import pytest

from configs.settings import PACKAGE_MODELS
from tests.flows.homes import Home

SHARED = Path(os.environ.get("LEADLINE_SHARED_DATA", "../shared/data")).absolute()
FIRMS = SHARED / "illegal_fundraising"

pytestmark = [pytest.mark.slow, pytest.mark.longer]


def test_every_firm_of_the_real_registry_is_published(empty: Home) -> None:
    if not FIRMS.is_dir():
        pytest.skip(f"no real records in {FIRMS}; set LEADLINE_SHARED_DATA")
    environment = {"LEADLINE_MODELS": str(PACKAGE_MODELS)}
    for command in ("train", "score"):
        done = empty.run(command, "illegal_fundraising", "--data", FIRMS, **environment)
        assert done.returncode == 0, done.stderr
    done = empty.run("evaluate", "illegal_fundraising", "--data", FIRMS, **environment)
    assert done.returncode == 0, done.stderr
    assert "578" in done.stdout  # firms known for illegal fund-raising
    listed = empty.run("runs", "illegal_fundraising", **environment)
    assert "24865" in listed.stdout
