"""Stores of their own for each test: an SQLite file, or a database of a real server.

Django keeps one `default` connection per process; `open_store` re-points it, so each
test opens its store by handing its own Settings to `open_store`, `publish` or `verify`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
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


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty SQLite store with all tables: making one takes a second."""
    home = Settings(home=tmp_path_factory.mktemp("blank"), store_url="")
    open_store(home)
    close_store()
    return home.var / "leadline.sqlite3"


@pytest.fixture(scope="session")
def blank_database(server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an empty PostgreSQL store with all tables."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as control:
        control.execute("CREATE DATABASE blank")
    home = tmp_path_factory.mktemp("blank_database")
    open_store(Settings(home=home, store_url=f"{server}/blank"))
    close_store()
    return "blank"


@pytest.fixture
def store(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """An open, empty store on either database."""
    if settings.store_url:
        name = settings.store_url.rpartition("/")[2]
        copy = f"{name} TEMPLATE {request.getfixturevalue('blank_database')}"
        server = request.getfixturevalue("server")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as control:
            control.execute(f"DROP DATABASE {name}".encode())
            control.execute(f"CREATE DATABASE {copy}".encode())
    else:
        copy_blank(request.getfixturevalue("blank"), settings)
    open_store(settings)
    return settings


@pytest.fixture
def sqlite_store(tmp_path: Path, blank: Path) -> Iterator[Settings]:
    """An open, empty SQLite store, for what does not depend on the database."""
    settings = Settings(home=tmp_path, store_url="")
    copy_blank(blank, settings)
    open_store(settings)
    yield settings
    close_store()


def copy_blank(blank: Path, settings: Settings) -> None:
    """Lay the empty store down as that of an installation."""
    settings.var.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(blank, settings.var / "leadline.sqlite3")


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """A small publication, not yet published."""
    return make_publication(tmp_path)


@pytest.fixture
def published(store: Settings, publication: Publication) -> Publication:
    """The small publication, published in `store`."""
    publish(publication, store)
    return publication
