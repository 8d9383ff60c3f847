"""Throw-away PostgreSQL servers on loopback, one per test session."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from serving.connect import close_store

BINARIES = Path("/usr/lib/postgresql/15/bin")


def as_postgres(*command: str) -> None:
    """Run a server command; the server refuses to run as root."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, capture_output=True, cwd="/")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*further: str) -> Iterator[str]:
    """Address of a throw-away server on loopback; `further` are its settings."""
    # Not in pytest's folder, which only its owner can enter.
    folder = Path(tempfile.mkdtemp(prefix="leadline-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = str(folder / "data"), free_port()
    settings = [f"-c {setting}" for setting in further]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 {' '.join(settings)}"
        f" -c unix_socket_directories={folder}"
    )
    initdb = [str(BINARIES / "initdb"), "-D", data, "-U", "app", "-A", "trust"]
    as_postgres(*initdb, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    control = [str(BINARIES / "pg_ctl"), "-D", data, "-w"]
    as_postgres(*control, "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield f"postgresql://app@127.0.0.1:{port}"
    finally:
        as_postgres(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a server that need not survive a power cut."""
    if not (BINARIES / "initdb").exists():
        pytest.skip(f"no PostgreSQL server in {BINARIES}")
    with running("fsync=off") as address:
        yield address


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """URL of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name}".encode())
        yield f"{server}/{name}"
        close_store()
        control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
