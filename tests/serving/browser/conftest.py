"""The console as it is served, and a real browser on it.

Chromium is Debian's (`make browser` installs it); without it these tests are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import pytest
from django.conf import global_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings
from playwright.sync_api import (
    Browser,
    Page,
    expect,
    sync_playwright,
)

from configs.settings import Settings
from serving.access.models import User
from serving.connect import close_store, open_store
from serving.publish import publish
from tests.postgres import free_port
from tests.serving.console.conftest import PASSWORD, make_user
from tests.serving.dossiers import KEY, with_dossier
from tests.serving.publications import make_publication

ROOT = Path(__file__).parents[3]
MODEL = "vehicle_insurance"
USERS = {
    "ann": [("analyst", MODEL, "office 0")],
    "ben": [("analyst", MODEL, "office 0")],
    "olga": [("analyst", MODEL, "office 1")],
    "lea": [("office_lead", MODEL)],
    "dan": [("data_scientist", MODEL)],
    "aud": [("auditor",)],
    "adm": [("administrator",)],
}
SIGN_OUT = re.compile("Sign out|退出")
SIZE = {"width": 1280, "height": 900}


@dataclass(frozen=True)
class Served:
    """A console that runs, and the store below it."""

    url: str
    settings: Settings
    run_id: str

    def open_store(self) -> None:
        """Point this process at the console's store."""
        open_store(self.settings)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`leadline serve` on loopback, with sixty leads and a user of each role."""
    home = tmp_path_factory.mktemp("console")
    settings = Settings(home=home, store_url="")
    open_store(settings)
    publication = with_dossier(make_publication(home, units=60), home)
    publish(publication, settings)
    # The server checks passwords as in use, whatever other tests of this process set.
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):
        for name, grants in USERS.items():
            make_user(name, *grants)
    close_store()
    port = free_port()
    with _server(home, port):
        yield Served(f"http://127.0.0.1:{port}", settings, publication.run_id)


class _server:
    """The server's process, up when the block begins and gone when it ends."""

    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        own = {"LEADLINE_HOME": str(home), "LEADLINE_TOKEN_KEY": KEY.decode()}
        command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **own}, stdout=subprocess.DEVNULL
        )

    def __enter__(self) -> None:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sign-in/")
            except (URLError, ConnectionError):
                time.sleep(0.25)
            else:
                return
        raise TimeoutError(f"nothing answers on port {self.port}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: `make browser` installs it")
    # Playwright's own loop runs in this thread, where the tests read the store: so long
    # as it does, and no longer, because other tests share the process.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page_of(served: Served, browser: Browser) -> Iterator[Callable[..., Page]]:
    """page_of("ann"): a browser of its own in which she is signed in.

    The session is laid into the store: a password is slow to check on purpose.
    """
    contexts = []

    def page(username: str, language: str = "en") -> Page:
        context = browser.new_context(
            base_url=served.url, viewport=SIZE, locale=language, accept_downloads=True
        )
        contexts.append(context)
        context.add_cookies([session_of(served, username)])  # type: ignore[list-item]
        opened = context.new_page()
        opened.on("console", _refuse_error)
        opened.goto("/")
        return opened

    yield page
    for context in contexts:
        context.close()


def session_of(served: Served, username: str) -> dict[str, str]:
    """A new session of the user, as the browser would keep it."""
    served.open_store()
    user = User.objects.get(username=username)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    close_store()
    return {
        "name": "sessionid",
        "value": str(session.session_key),
        "url": served.url,
    }


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=SIGN_OUT)).to_be_visible(timeout=20_000)


def _refuse_error(message: object) -> None:
    """What breaks the content security policy is said in the console only."""
    text = getattr(message, "text", "")
    if "Content Security Policy" in text:
        raise AssertionError(text)
