"""`leadline serve` and the commands around it, as an office uses them."""

import http.cookiejar
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from configs.settings import Settings
from flows.demo import console_lines
from serving.connect import close_store, open_store
from tests.flows.homes import ROOT, Home

PASSWORD = re.compile(r"password: (\S+)")
SECONDS = 30.0  # other tests may keep both processors busy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(home: Home, *options: str, **environment: str) -> Iterator[Any]:
    """The console in a process of its own, answering; stopped as by Ctrl-C."""
    server = subprocess.Popen(
        home.command("serve", "--workers", "1", *options),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=home.environment(PYTHONUNBUFFERED="1", **environment),
    )  # fmt: skip
    try:
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.communicate(timeout=SECONDS)


class Browser:
    """Keeps cookies as a browser does: `Secure` ones do not travel over plain http."""

    def __init__(self, address: str, context: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar),
            urllib.request.HTTPSHandler(context=context),
        )

    def get(self, path: str = "/") -> str:
        return self._open(urllib.request.Request(self.address + path))  # noqa: S310

    def post(self, path: str, **form: str) -> str:
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        assert token
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **form})
        headers = {"Origin": self.address, "Referer": self.address + path}
        place = self.address + path
        return self._open(urllib.request.Request(place, data.encode(), headers))  # noqa: S310

    def _open(self, request: urllib.request.Request) -> str:
        with self.opener.open(request, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def wait(self) -> str:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                return self.get("/sign-in/")
            except urllib.error.HTTPError:
                raise
            except urllib.error.URLError:
                time.sleep(0.1)
        pytest.fail(f"{self.address} did not answer")


def added(home: Home) -> str:
    """The password of a new user `ann`, made by a process with the real settings.

    Other tests of this process may have it hash passwords in a quicker way, which no
    server knows.
    """
    done = home.run("user", "add", "ann", "--role", "analyst")
    found = PASSWORD.search(done.stdout)
    assert found, done.stderr
    return found[1]


@pytest.mark.slow
def test_on_this_machine_a_user_signs_in_over_plain_http(empty: Home) -> None:
    password, port = added(empty), free_port()
    with served(empty, "--port", str(port)) as server:
        browser = Browser(f"http://127.0.0.1:{port}")
        assert "Leadline" in browser.wait()
        assert browser.address in server.stdout.readline()
        page = browser.post("/sign-in/", username="ann", password=password)
        assert 'action="/sign-out/"' in page
        cookies = {cookie.name: cookie for cookie in browser.jar}
        assert cookies["sessionid"].has_nonstandard_attr("HttpOnly")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            browser.opener.open(browser.address + "/sign-out/", b"no=token")
        style = browser.get("/static/console/console.css")
        assert "Leadline" in style

        taken = empty.run("serve", "--port", port)
        assert taken.returncode == 2
        assert f"port {port}" in taken.stderr
        assert "--port" in taken.stderr

        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0
    assert "signed in" in empty.ok("audit", "show", "--user", "ann")


@pytest.mark.slow
def test_beyond_this_machine_it_is_served_over_tls(
    empty: Home, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    password, port = added(empty), free_port()
    files = ("--certificate", str(certificate[0]), "--key", str(certificate[1]))
    listen = ("--host", "0.0.0.0", "--port", str(port))  # noqa: S104  as an office does
    with served(empty, *listen, *files, LEADLINE_HOSTS="localhost") as server:
        context = ssl.create_default_context(cafile=str(certificate[0]))
        browser = Browser(f"https://localhost:{port}", context)
        browser.wait()
        assert browser.address in server.stdout.readline()
        page = browser.post("/sign-in/", username="ann", password=password)
        assert 'action="/sign-out/"' in page
        assert all(cookie.secure for cookie in browser.jar)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            Browser(f"https://127.0.0.1:{port}", _unchecked()).get("/")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of localhost and its key, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    made = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", made[1], "-out", made[0]],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


REFUSED = {
    "in the clear": (("--host", "0.0.0.0"), "a.example", "passwords must not travel"),  # noqa: S104
    "no names": (("--host", "0.0.0.0", "--behind-proxy"), "", "LEADLINE_HOSTS"),  # noqa: S104
    "half a pair": (("--key", "key.pem"), "", "together"),
    "no certificate": (
        ("--certificate", "README.md", "--key", "README.md"),
        "",
        "README.md are no certificate",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_served_safely_is_refused(case: str, empty: Home) -> None:
    options, hosts, words = REFUSED[case]
    done = empty.run("serve", *options, LEADLINE_HOSTS=hosts)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_be_opened_stops_the_start(
    empty: Home, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path}/file/store.sqlite3"
    done = empty.run("serve", "--port", free_port(), LEADLINE_STORE_URL=url)

    assert done.returncode == 4
    assert "could not be opened" in done.stderr


# -- users, services and the log -------------------------------------------------------


def test_users_are_made_changed_and_listed(empty: Home) -> None:
    where = ("--role", "analyst", "--model", "tiny", "--office", "north")
    assert PASSWORD.search(
        empty.ok("user", "add", "ann", *where, "--full-name", "王安")
    )
    empty.ok("user", "grant", "ann", "--role", "auditor")
    [row] = empty.json("user", "list")
    assert row["user"] == "ann"
    assert row["roles"] == (
        "analyst of tiny, north; auditor of all models, all offices"
    )
    empty.ok("user", "revoke", "ann", *where)
    for command in ("unlock", "reset-factor", "deactivate"):
        empty.ok("user", command, "ann")
    [row] = empty.json("user", "list")
    assert (row["roles"], row["active"]) == ("auditor of all models, all offices", "no")
    log = empty.json("audit", "show")
    assert {entry["user"] for entry in log} == {"li"}
    assert [entry["action"] for entry in reversed(log)] == [
        *("made a user", "granted", "granted", "revoked", "unlocked", "deactivated"),
    ]


MISTAKES = {
    "unknown user": (
        ("user", "grant", "anm", "--role", "auditor"),
        "did you mean 'ann'",
    ),
    "unknown model": (
        ("user", "grant", "ann", "--role", "auditor", "--model", "tinny"),
        "did you mean 'tiny'",
    ),
    "not held": (
        ("user", "revoke", "ann", "--role", "auditor"),
        "held: analyst of all",
    ),
    "taken": (("user", "add", "ann", "--role", "auditor"), "already"),
    "token of a person": (("token", "new", "ann", "--role", "auditor"), "for services"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_explained_and_change_nothing(case: str, empty: Home) -> None:
    empty.ok("user", "add", "ann", "--role", "analyst")
    before = empty.json("audit", "show")
    arguments, words = MISTAKES[case]
    done = empty.inside(*arguments)

    assert done.returncode == 4
    assert words in done.stderr
    assert empty.json("audit", "show") == before


def test_a_password_may_be_read_and_a_weak_one_is_refused(empty: Home) -> None:
    command = empty.command(
        "user", "add", "ann", "--role", "analyst", "--password-stdin"
    )
    for password, code in (("12345678\n", 4), ("a-long-enough-1\n", 0)):
        done = subprocess.run(
            command, input=password, capture_output=True, text=True, cwd=ROOT,
            env=empty.environment(), check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert password.strip() not in done.stdout + done.stderr


def test_a_services_token_is_printed_once(empty: Home) -> None:
    done = empty.inside(
        "token", "new", "feeder", "--role", "analyst", "--model", "tiny"
    )
    token = done.stdout.strip()
    assert token.startswith("leadline_")
    assert "only now" in done.stderr
    [row] = empty.json("token", "list")
    assert (row["service"], row["revoked"]) == ("feeder", "")
    store = (empty.path / "var" / "leadline.sqlite3").read_bytes()
    assert token.encode() not in store
    assert "1 revoked" in empty.ok("token", "revoke", "feeder")
    assert empty.json("token", "list")[0]["revoked"]


def test_the_log_is_verified_and_a_change_is_named(empty: Home) -> None:
    empty.ok("user", "add", "ann", "--role", "analyst")
    noted = re.search(r"\d+:[0-9a-f]{64}", empty.ok("audit", "verify"))
    assert noted
    assert "as it was written" in empty.ok("audit", "verify", "--head", noted[0])
    with closing(sqlite3.connect(empty.path / "var" / "leadline.sqlite3")) as store:
        trigger = store.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'audit_entry_no_delete'"
        ).fetchone()[0]
        store.execute("DROP TRIGGER audit_entry_no_delete")
        store.execute("DELETE FROM audit_entry WHERE id = 2")
        store.commit()
        bare = empty.inside("audit", "verify")
        store.execute(trigger)
        store.commit()
    assert (bare.returncode, "audit_entry_no_delete" in bare.stdout) == (4, True)
    assert "as it was written" in empty.ok("audit", "verify")
    cut = empty.inside("audit", "verify", "--head", noted[0])
    assert cut.returncode == 4
    assert "entry 2, which was noted elsewhere, was cut off" in cut.stdout


def test_the_demo_makes_a_user_of_each_role_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, store_url="")
    open_store(settings)
    first = "\n".join(console_lines(settings))
    again = "\n".join(console_lines(settings))
    close_store()

    password = PASSWORD.search(first)
    assert password
    assert "http://127.0.0.1:8000" in first
    assert "leadline user password" in again
    assert password[1] not in again
    held = Home(tmp_path).json("user", "list")
    assert {row["user"] for row in held} == {row["roles"].split()[0] for row in held}
    assert len(held) == 5
