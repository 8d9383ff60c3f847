"""Stores of their own for each test: an SQLite file, or a database of a real server.

Django keeps one `default` connection per process; `open_store` re-points it, so each
test opens its store by handing its own Settings to `open_store`, `publish` or `verify`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.settings import Settings
from serving.connect import close_store, open_store
from serving.publication import Publication
from serving.publish import publish
from tests.serving.publications import make_publication


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a new installation, on either database."""
    postgresql = request.param == "postgresql"
    url = request.getfixturevalue("database") if postgresql else ""
    yield Settings(home=tmp_path, store_url=url)
    close_store()


@pytest.fixture
def store(settings: Settings) -> Settings:
    """An open, empty store on either database."""
    open_store(settings)
    return settings


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Settings]:
    """An open, empty SQLite store, for what does not depend on the database."""
    settings = Settings(home=tmp_path, store_url="")
    open_store(settings)
    yield settings
    close_store()


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """A small publication, not yet published."""
    return make_publication(tmp_path)


@pytest.fixture
def published(store: Settings, publication: Publication) -> Publication:
    """The small publication, published in `store`."""
    publish(publication, store)
    return publication
