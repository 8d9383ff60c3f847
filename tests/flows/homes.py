"""Installations for tests: the command line in a process, and homes with a champion."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from flows.cli import main
from tests.flows.office import MODELS

ROOT = Path(__file__).parents[2]
RECORDER = Path(__file__).parent / "recorder"
Child = subprocess.CompletedProcess


@dataclass(frozen=True)
class Home:
    """One installation, used through the command line alone."""

    path: Path
    models: Path = MODELS
    user: str = "li"

    @property
    def rejects(self) -> Path:
        return self.path / "var" / "rejects" / "tiny.csv"

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LEADLINE_")}
        own = {"LEADLINE_HOME": str(self.path), "LEADLINE_MODELS": str(self.models)}
        own["LEADLINE_USER"] = self.user
        return {**kept, **own, "PREFECT_HOME": str(self.path / "prefect"), **changes}

    def command(self, *arguments: Any) -> list[str]:
        return [sys.executable, "-m", "flows.cli", *map(str, arguments)]

    def start(self, *arguments: Any, module: str = "flows.cli") -> Any:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT,
            env=self.environment(),
        )  # fmt: skip

    def inside(self, *arguments: Any) -> Child:
        """The same command in this process: no start-up to wait for."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        argv = ["leadline", *map(str, arguments)]
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(sys, "argv", argv),
            mock.patch.dict(os.environ, self.environment(), clear=True),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Child(argv, code, out.getvalue(), err.getvalue())

    def run(self, *arguments: Any, **environment: str) -> Child:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, cwd=ROOT,
            env=self.environment(**environment), check=False,
        )  # fmt: skip

    def ok(self, *arguments: Any) -> str:
        done = self.inside(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def json(self, *arguments: Any) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def leads(self) -> Any:
        """The whole newest list, without what two installations cannot share."""
        found = self.json("leads", "tiny", "--top", 100_000)
        for record in (found["run"], *found["leads"]):
            for name in (
                "published_at",
                "mlflow_run",
                "inputs",
                "id",
                "run_id",
                "digest",
            ):
                record.pop(name, None)
        return found

    def run_ids(self) -> list[str]:
        return [row["run"] for row in self.json("runs", "tiny")]

    def is_sound(self) -> bool:
        return "every published run is as it was published" in self.ok("verify")

    def scores_files(self) -> list[Path]:
        return sorted(self.path.glob("var/published/**/scores.parquet"))


def recorded(home: Home, *module: Any) -> tuple[Child, list[str]]:
    """A process, and every address that it or its children spoke to."""
    file = home.path.parent / f"{home.path.name}.sockets"
    own = home.environment(
        LEADLINE_TEST_SOCKETS=str(file), PYTHONPATH=f"{RECORDER}:{ROOT}"
    )
    done = subprocess.run(
        [sys.executable, "-m", *map(str, module)], capture_output=True, text=True,
        cwd=ROOT, env=own, check=False,
    )  # fmt: skip
    return done, file.read_text().splitlines()


def copied(home: Home, target: Path, *, published: bool = True) -> Home:
    """A home of its own for a test: the copy's champion is the copy's."""
    wanted = ["mlruns", *(["var/published"] if published else [])]
    for name in wanted:
        shutil.copytree(home.path / name, target / name)
    (target / "var").mkdir(exist_ok=True)
    if published:
        _copy_store(home.path / "var/leadline.sqlite3", target / "var")
    _relocate(target / "mlruns/mlflow.db", str(home.path), str(target))
    return Home(target, home.models)


def _copy_store(source: Path, folder: Path) -> None:
    """Also what still stands in its write-ahead log."""
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(folder / source.name)) as new,
    ):
        old.backup(new)


def _relocate(database: Path, old: str, new: str) -> None:
    """MLflow keeps absolute places of artifacts; here they move with the copy."""
    with closing(sqlite3.connect(database)) as store:
        for table, column in _texts(store):
            store.execute(
                f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)'
                f' WHERE "{column}" LIKE ?',
                (old, new, f"%{old}%"),
            )
        store.commit()


def _texts(store: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    names = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in names.fetchall():
        for row in store.execute(f'PRAGMA table_info("{table}")').fetchall():
            if "CHAR" in row[2].upper() or "TEXT" in row[2].upper():
                yield table, row[1]
