"""A published list, a user of each role, and browsers' requests without a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from configs.settings import Settings
from serving.access.models import Grant, User
from serving.connect import close_store, open_store
from serving.leads.models import Lead, Run
from serving.publication import Publication
from serving.publish import publish
from tests.serving.conftest import copy_blank
from tests.serving.dossiers import KEY, with_dossier
from tests.serving.publications import make_publication

PASSWORD = "a-long-enough-1"  # noqa: S105  of the tests alone
HASHERS = "django.contrib.auth.hashers"
Make = Callable[..., Client]


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """A password's hash that is slow on purpose would take most of the tests' time."""
    with override_settings(PASSWORD_HASHERS=[f"{HASHERS}.MD5PasswordHasher"]):
        yield


class Browser(Client):
    """A client that asks over TLS, as the settings demand."""

    def generic(self, *args: Any, **named: Any) -> Any:
        return super().generic(*args, **{**named, "secure": True})


@pytest.fixture
def listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: Path
) -> Iterator[Publication]:
    """A list of 24 leads with all that the console shows, published in an SQLite store.

    Offices are `office 0`, `office 1` and none in turn.
    """
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path))
    monkeypatch.setenv("LEADLINE_TOKEN_KEY", KEY.decode())
    monkeypatch.delenv("LEADLINE_STORE_URL", raising=False)
    settings = Settings(home=tmp_path, store_url="")
    copy_blank(blank, settings)
    open_store(settings)
    publication = with_dossier(make_publication(tmp_path, units=24), tmp_path)
    publish(publication, settings)
    yield publication
    close_store()


@pytest.fixture
def run(listed: Publication) -> Run:
    return Run.objects.get(id=listed.run_id)


@pytest.fixture
def lead(run: Run) -> Lead:
    """The first lead of the list."""
    return Lead.objects.get(run=run, rank_fused=1)


def make_user(username: str, *grants: tuple[str, ...], language: str = "en") -> User:
    """A user with grants of (role,), (role, model) or (role, model, office)."""
    user = User.objects.create_user(username, PASSWORD, language=language)
    for role, *where in grants:
        named = dict(zip(("model", "office"), where, strict=False))
        Grant.objects.create(user=user, role=role, **named)
    return user


@pytest.fixture
def as_role(listed: Publication) -> Make:
    """as_role("analyst"), as_role("analyst", model, office): a signed-in client."""

    def client(
        role: str, model: str = "", office: str = "", language: str = "en"
    ) -> Client:
        name = "-".join(filter(None, (role, model, office))).replace(" ", "_")
        user = User.objects.filter(username=name).first()
        user = user or make_user(name, (role, model, office), language=language)
        browser = Browser(HTTP_HOST="localhost")
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return browser

    return client
