"""Opening stores: addresses, keys, migrations and what is imported on the way."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.connect import open_store
from serving.database import BUSY_SECONDS, database_entry, shown
from serving.leads.immutability import missing_guards
from serving.publication import Publication
from serving.publish import publish
from serving.secret import secret_key

HEAVY = ("mlflow", "sklearn", "pyod", "prefect", "ibis", "duckdb", "pandas")


def test_open_store_twice_is_the_same_as_once(settings: Settings) -> None:
    open_store(settings)
    open_store(settings)

    assert queries.runs() == []
    assert missing_guards(connection) == []


def test_open_store_points_at_another_installation(
    sqlite_store: Settings, publication: Publication, tmp_path: Path
) -> None:
    publish(publication, sqlite_store)

    open_store(Settings(home=tmp_path / "other", store_url=""))
    assert queries.runs() == []
    open_store(sqlite_store)
    assert len(queries.runs()) == 1


def test_sqlite_store_is_opened_for_many_readers_and_one_writer(
    sqlite_store: Settings,
) -> None:
    with connection.cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", BUSY_SECONDS * 1000, 1]
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_models_and_migrations_agree(sqlite_store: Settings) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_guards_can_be_migrated_back_and_forth(store: Settings) -> None:
    call_command("migrate", "leads", "0001", verbosity=0)
    assert len(missing_guards(connection)) > 10

    open_store(store)
    assert missing_guards(connection) == []


def test_store_of_a_newer_version_is_refused(store: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('leads', '0099_future', '2026-01-01')"
        )
    with pytest.raises(StoreError, match=r"newer Leadline .0099_future is unknown"):
        open_store(store)


def test_store_that_cannot_be_opened_names_it_without_the_password(
    tmp_path: Path,
) -> None:
    url = "postgresql://app:hush@127.0.0.1:1/leads"

    with pytest.raises(StoreError, match="could not be opened") as caught:
        open_store(Settings(home=tmp_path, store_url=url))

    assert "postgresql://app:***@127.0.0.1:1/leads" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_postgresql_url_is_read_in_all_its_parts() -> None:
    entry = database_entry("postgresql://us%40er:p%2Fw@db:5433/leads?sslmode=require")

    assert (entry["USER"], entry["PASSWORD"]) == ("us@er", "p/w")
    assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db", "5433", "leads")
    assert entry["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://h/db", "got the scheme 'mysql'; use sqlite:////absolute/path or"),
        ("sqlite:///relative.db", "names no absolute path"),
        ("postgresql://host", "names no database"),
        ("postgresql://host:port/db", "is not a URL"),
    ],
)
def test_bad_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        database_entry(url)


def test_url_without_password_is_shown_as_it_is() -> None:
    assert shown("sqlite:////var/x.sqlite3") == "sqlite:////var/x.sqlite3"


def test_secret_key_is_made_once_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEADLINE_SECRET_KEY", raising=False)
    settings = Settings(home=tmp_path, store_url="")

    key = secret_key(settings)

    path = settings.var / "secret_key"
    assert len(key) > 50
    assert secret_key(settings) == key == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    monkeypatch.setenv("LEADLINE_SECRET_KEY", "given")
    assert secret_key(settings) == "given"


def test_opening_a_store_makes_no_secret_key_until_django_asks(
    sqlite_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEADLINE_SECRET_KEY", raising=False)
    path = sqlite_store.var / "secret_key"
    assert not path.exists()

    assert str(django_settings.SECRET_KEY) == path.read_text()


def test_serving_starts_without_heavy_imports(tmp_path: Path) -> None:
    code = (
        "import json, sys, pathlib\n"
        "import serving.publish, serving.queries, serving.verify\n"
        "from serving.connect import open_store\n"
        "from configs.settings import Settings\n"
        "open_store(Settings(home=pathlib.Path(sys.argv[1]), store_url=''))\n"
        "json.dump(sorted(sys.modules), sys.stdout)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)

    assert set(HEAVY) & set(json.loads(done.stdout)) == set()
    # nothing is left beside the installation's own folder
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


def test_management_commands_run_on_the_store_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path))
    command = [sys.executable, "-m", "serving", "showmigrations", "--plan"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "[X]  leads.0002_guards" in done.stdout

    monkeypatch.setenv("LEADLINE_STORE_URL", "mysql://x/y")
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "got the scheme 'mysql'" in failed.stderr
