"""Keys: from the environment, or made once per installation."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import cast

from django.utils.functional import lazystr

from configs.settings import Settings


class SecretKey:
    """Reads the key when it is first turned into text.

    Only the console signs anything: a command that scores must not create the file.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __str__(self) -> str:
        return secret_key(self._settings)


def lazy_secret_key(settings: Settings) -> str:
    """The secret key as a text that is read or made on first use."""
    return cast(str, lazystr(SecretKey(settings)))


def secret_key(settings: Settings) -> str:
    """Django's SECRET_KEY."""
    return kept_key(settings, "secret_key")


def kept_key(settings: Settings, name: str) -> str:
    """LEADLINE_<NAME>, else the content of `<var>/<name>`, made when missing."""
    given = os.environ.get(f"LEADLINE_{name.upper()}", "")
    return given or _kept_key(settings.var / name)


def _kept_key(path: Path) -> str:
    if not path.exists():
        _make_key(path)
    return path.read_text("ascii").strip()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    # A link fails when another process was first: both then read the same key.
    with suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()
