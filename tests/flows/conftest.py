"""One published list of the tiny model per session; tests copy it, none changes it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.homes import Home, copied, recorded
from tests.flows.office import Delivery, office


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a test session share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def delivered(shared: Path) -> Path:
    """The folder of the delivery; never changed."""
    folder = shared / "delivered"
    with alone(shared / "delivered.lock"):
        if not folder.is_dir():
            office().write(folder)
    return folder


@pytest.fixture
def delivery() -> Delivery:
    """The same delivery as tables that a test may change."""
    return office()


@pytest.fixture(scope="session")
def template(shared: Path, delivered: Path) -> Home:
    """A home with a champion and one published list; never changed."""
    home = Home(shared / "template")
    with alone(shared / "template.lock"):
        if not (shared / "template.done").exists():
            for command in ("train", "score"):
                arguments = (command, "tiny", "--data", delivered)
                done, spoke_to = recorded(home, "flows.cli", *arguments)
                assert done.returncode == 0, done.stderr
            (shared / "template.done").write_text("\n".join(spoke_to))
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    """A copy of the template for one test."""
    return copied(template, tmp_path / "home")


@pytest.fixture
def unpublished(template: Home, tmp_path: Path) -> Home:
    """A home with a champion and nothing published yet."""
    return copied(template, tmp_path / "home", published=False)


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    """A new installation."""
    return Home(tmp_path / "home")
