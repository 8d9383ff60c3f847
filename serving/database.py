"""From the store's URL to the entry that Django wants in DATABASES."""

from pathlib import PurePath
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from configs.errors import StoreError

BUSY_SECONDS = 120  # publishing a million leads keeps other writers out for as long

KEPT_SECONDS = 600  # a connection to PostgreSQL, by each thread of the console

# WAL lets analysts read while a run is published. Without recursive triggers SQLite
# would let INSERT OR REPLACE delete a published row unseen by the guards.
# The default cache of 2 MB makes the indexes of a large run spill to the disk.
_SQLITE_START = (
    "PRAGMA journal_mode=WAL; PRAGMA recursive_triggers=ON; PRAGMA cache_size=-65536"
)

_FORMS = "sqlite:////absolute/path or postgresql://user:password@host:port/database"


def database_entry(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for the store at `url`."""
    parts = _split(url)
    if parts.scheme == "sqlite":
        return _sqlite(url)
    if parts.scheme in ("postgresql", "postgres"):
        return _postgresql(parts)
    raise StoreError(
        f"LEADLINE_STORE_URL: got the scheme {parts.scheme!r}; use {_FORMS}"
    )


def shown(url: str) -> str:
    """The URL without its password, for messages."""
    parts = _split(url)
    if not parts.password:
        return url
    return url.replace(f":{parts.password}@", ":***@", 1)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here because a bad port is found only on reading
    except ValueError as error:
        # The URL itself may hold a password, so the message does not repeat it.
        raise StoreError(
            f"LEADLINE_STORE_URL is not a URL ({error}); use {_FORMS}"
        ) from error
    return parts


def _sqlite(url: str) -> dict[str, Any]:
    path = url.removeprefix("sqlite:///")
    if path == url or not PurePath(path).is_absolute():
        raise StoreError(
            f"LEADLINE_STORE_URL: {url!r} names no absolute path; use {_FORMS}"
        )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": BUSY_SECONDS,
            # A transaction that reads before it writes would otherwise fail at once,
            # not wait, when another process writes in between.
            "transaction_mode": "IMMEDIATE",
            "init_command": _SQLITE_START,
        },
    }


def _postgresql(parts: SplitResult) -> dict[str, Any]:
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise StoreError(f"LEADLINE_STORE_URL names no database; use {_FORMS}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": KEPT_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10, **dict(parse_qsl(parts.query))},
    }
