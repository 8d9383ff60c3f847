"""One engine per test module: opening one costs more than most tests."""

from collections.abc import Iterator

import pytest

from flows.catalog import Catalog, opened


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with opened(tmp_path_factory.mktemp("catalog")) as engine:
        engine.fetch("SET threads = 2")
        yield engine
