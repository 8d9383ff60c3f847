"""Opening the store: Django is set up, the connection points at it, tables are there.

Django knows one `default` connection per process. `open_store` re-points it when it is
given another installation, so a test opens its own store by calling it again; threads
that were reading from the former store must be done by then.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import django
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from configs.errors import StoreError
from configs.settings import Settings
from serving.database import database_entry, shown
from serving.secret import lazy_secret_key

# Here and not in `open_store`, because the modules that import Django models can only be
# imported afterwards. It reads settings; it opens and creates nothing.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "serving.settings")
django.setup()

MIGRATION_SECONDS = 120
_MIGRATION_LOCK = 0x1EAD  # key of PostgreSQL's advisory lock around migrations

_opening = threading.Lock()


def open_store(settings: Settings) -> None:
    """Make the store of `settings` the one in use, creating or migrating its tables.

    May be called again at any time, and by several processes at once.
    """
    with _opening:
        connection = _point_at(settings)
        with explained(settings, "opened"), _alone(connection):
            _migrate_when_needed(connection)


def close_store() -> None:
    """Close this thread's connection; the next query opens it again."""
    connections.close_all()


@contextmanager
def explained(settings: Settings, done: str) -> Iterator[None]:
    """Turn what a database or disk refuses into a StoreError that names the store."""
    try:
        yield
    except (OperationalError, sqlite3.Error, OSError) as error:
        raise StoreError(
            f"the store {shown(settings.store)} could not be {done}: {error}".rstrip()
            + "; nothing was changed; mend the cause and run the command again"
        ) from error


def _point_at(settings: Settings) -> BaseDatabaseWrapper:
    entry = database_entry(settings.store)
    if any(connections.settings["default"].get(key) != entry[key] for key in entry):
        connections.close_all()
        connections.settings = connections.configure_settings({"default": entry})
        django_settings.SECRET_KEY = lazy_secret_key(settings)
    # Each thread keeps a connection of its own, perhaps one to the former store.
    if any(connections["default"].settings_dict[key] != entry[key] for key in entry):
        connections["default"].close()
        del connections["default"]
    return connections["default"]


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let one process at a time create or migrate the tables."""
    if connection.vendor == "sqlite":
        with _alone_by_file(Path(connection.settings_dict["NAME"])):
            yield
    else:
        with _alone_by_server(connection):
            yield


@contextmanager
def _alone_by_file(store: Path) -> Iterator[None]:
    # An exclusive transaction on an empty database file is a lock that works on every
    # system and that a killed process cannot leave behind.
    store.parent.mkdir(parents=True, exist_ok=True)
    if not store.exists():  # what is published into it is for its owner's eyes
        store.touch(mode=0o600)
    lock = f"{store}.lock"
    with closing(
        sqlite3.connect(lock, timeout=MIGRATION_SECONDS, isolation_level=None)
    ) as held:
        held.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _alone_by_server(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def _migrate_when_needed(connection: BaseDatabaseWrapper) -> None:
    executor = MigrationExecutor(connection)
    _check_not_newer(executor)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _check_not_newer(executor: MigrationExecutor) -> None:
    applied = executor.loader.applied_migrations
    known = executor.loader.disk_migrations
    newer = sorted(n for app, n in applied if app == "leads" and (app, n) not in known)
    if newer:
        raise StoreError(
            f"the store was migrated by a newer Leadline ({', '.join(newer)} is unknown "
            "here); install that version or open another store (LEADLINE_STORE_URL)"
        )
