"""The console under load: 50 analysts click while another list is published.

`python -m benchmarks.load --leads 1000000 --users 50 --minutes 2 --postgresql` fills a
store, serves it on loopback with `leadline serve`, lets locust click, publishes a second
list meanwhile, then looks whether each decision that was answered as recorded stands in the
store; it writes docs/evaluation/load.md. Without `--postgresql` on SQLite alone. `--home`
keeps the stores, and takes them as they are when they are there.
"""

import argparse
import csv
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import pages
from tests.postgres import free_port, running

DECIDED = "decided.jsonl"
SECOND = 200_000  # leads of the list that is published meanwhile
LIMIT_MS = 300
SPAWNED = 1  # users a second: passwords are slow to check, on purpose
AT_MOST = 1200  # seconds of one round, whatever happens
READY = "everybody"  # a file that is made when all analysts are signed in
UP_TO = 60  # seconds for the server to answer
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Asked:
    """What is to be measured."""

    leads: int
    users: int
    minutes: float
    seed: int
    locust: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="measure it as well")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one alone")
    parser.add_argument("--home", type=Path, help="keeps the stores and what came out")
    parser.add_argument(
        "--locust", default=f"{shlex.quote(sys.executable)} -m locust", help="command"
    )
    given = parser.parse_args()
    # Ended early, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    asked = Asked(given.leads, given.users, given.minutes, given.seed, given.locust)
    stores = ["sqlite", "postgresql"] if given.postgresql else ["sqlite"]
    stores = [given.only] if given.only else stores
    folder = nullcontext(given.home) if given.home else tempfile.TemporaryDirectory()
    with folder as home:
        for store in stores:
            measured(store, Path(home) / store, asked)
        found = [
            json.loads(path.read_text("utf-8"))
            for store in ("sqlite", "postgresql")
            if (path := Path(home) / store / "measured.json").exists()
        ]
    lines = list(page(asked, found))
    if given.leads == 1_000_000:
        pages.write("load", lines)
    else:
        print("\n".join(lines))  # noqa: T201


def measured(store: str, home: Path, asked: Asked) -> None:
    """Measure one store; what came out is written to `measured.json` in its folder."""
    home.mkdir(parents=True, exist_ok=True)
    with _database(store) as url:
        environment = {
            **os.environ,
            "LEADLINE_HOME": str(home),
            "LEADLINE_STORE_URL": url,
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": "1",
        }
        word = _filled(home, asked.leads, environment)
        (home / DECIDED).unlink(missing_ok=True)
        with _served(environment, home) as address:
            calm = _clicked("alone", address, home, word, asked)
            with _publishing(home, environment) as took:
                busy = _clicked("beside", address, home, word, asked)
        result = {"store": store, "alone": calm, "beside": busy, **took}
        result |= _checked(home, environment)
    (home / "measured.json").write_text(json.dumps(result), "utf-8")


@contextmanager
def _database(store: str) -> Iterator[str]:
    """The URL of the store; empty for SQLite in the folder of the installation."""
    if store == "sqlite":
        yield ""
        return
    # As an office would set it on such a machine; commits are safe from a power cut.
    with running(
        "shared_buffers=1GB", "effective_cache_size=2GB", "fsync=on"
    ) as server:
        yield f"{server}/postgres"


def _filled(home: Path, leads: int, environment: dict[str, str]) -> str:
    """Fill the store unless it is; the password of its users."""
    kept = home / "word"
    if not environment["LEADLINE_STORE_URL"] and kept.exists():
        return kept.read_text("utf-8")
    word = secrets.token_urlsafe(16)
    arguments = ["--leads", str(leads), "--home", str(home), "--password", word]
    _python("benchmarks.load_store", *arguments, environment=environment)
    kept.write_text(word, "utf-8")
    return word


@contextmanager
def _served(environment: dict[str, str], home: Path) -> Iterator[str]:
    """`leadline serve` on a free port of loopback; its address."""
    port = free_port()
    command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + UP_TO
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/sign-in/", timeout=5).close()  # noqa: S310
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit("the console did not answer; see server.log")


def _clicked(
    phase: str, address: str, home: Path, word: str, asked: Asked
) -> list[dict[str, Any]]:
    """What locust measured."""
    for old in (*home.glob(f"{phase}*"), *home.glob(READY)):
        old.unlink()
    command = [
        *shlex.split(asked.locust),
        *("-f", str(HERE / "load_user.py"), "--headless", "--only-summary"),
        *("-u", str(asked.users), "-r", str(SPAWNED), "-t", f"{AT_MOST}s"),
        *("--host", address, "--csv", str(home / phase)),
    ]
    told = {
        "LOAD_PASSWORD": word,
        "LOAD_DECIDED": str(home / DECIDED),
        "LOAD_LEADS": str(asked.leads),
        "LOAD_USERS": str(asked.users),
        "LOAD_SECONDS": str(asked.minutes * 60),
        "LOAD_READY": str(home / READY),
        "LOAD_SEED": f"{asked.seed} {phase}",
    }
    with (home / f"{phase}.log").open("wb") as log:
        subprocess.run(  # noqa: S603
            command, env=os.environ | told, stdout=log, stderr=log, check=False
        )
    return _stats(home / f"{phase}_stats.csv")


@contextmanager
def _publishing(home: Path, environment: dict[str, str]) -> Iterator[Any]:
    """Publish a further list once everybody clicks; says how long that took."""
    took: dict[str, int] = {}
    over = threading.Event()

    def publish() -> None:
        while not (home / READY).exists():
            if over.wait(1):
                return
        began = time.monotonic()
        arguments = ["--leads", str(SECOND), "--as-of", f"{_date(home)}"]
        folder = ["--home", str(home)]
        _python("benchmarks.load_store", *arguments, *folder, environment=environment)
        took["publish_seconds"] = round(time.monotonic() - began)

    (home / READY).unlink(missing_ok=True)
    beside = threading.Thread(target=publish, daemon=True)
    beside.start()
    yield took
    over.set()
    beside.join()


def _date(home: Path) -> date:
    """An as-of date before those of the lists that the store has."""
    return date(2025, 6, 30) - timedelta(weeks=len(list((home / "work").iterdir())))


def _stats(path: Path) -> list[dict[str, Any]]:
    """Rows of locust's table: page, requests, errors, and times in ms."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            "page": row["Name"],
            "requests": int(row["Request Count"]),
            "errors": int(row["Failure Count"]),
            **{f"p{n} ms": int(float(row[f"{n}%"])) for n in (50, 95, 99)},
            "most ms": round(float(row["Max Response Time"])),
        }
        for row in rows
        if row["Name"] not in ("sign in", "Aggregated")
    ]


def _checked(home: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Do all decisions that were answered as recorded stand in the store?"""
    said = _python(
        "benchmarks.load",
        "--kept",
        str(home / DECIDED),
        environment=environment,
    )
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def look(decided: Path) -> None:
    """In a process of its own: says how many decisions stand, and if the log does."""
    from configs.settings import Settings
    from serving.connect import open_store

    open_store(Settings())
    from serving.audit import chain
    from serving.leads.models import Disposition, Run

    lines = decided.read_text("utf-8").splitlines() if decided.exists() else []
    sent = {json.loads(line)["reason"] for line in lines}
    standing = set(Disposition.objects.values_list("reason", flat=True))
    second = Run.objects.filter(units=SECOND).order_by("-published_at").first()
    found = {
        "decided": len(sent),
        "lost": len(sent - standing),
        "log": chain.findings(),
        "second": second.leads.count() if second else 0,
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _python(module: str, *arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(  # noqa: S603
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def page(asked: Asked, found: list[dict[str, Any]]) -> Iterator[str]:
    """The page, as Markdown."""
    yield "# Load\n"
    yield (
        f"Generated by `python -m benchmarks.load --leads {asked.leads} --users "
        f"{asked.users} --minutes {asked.minutes:g}{_databases(found)}` on "
        f"{date.today()}: "
        f"{pages.machine()}. Seed {asked.seed}."
    )
    yield (
        f"\n{asked.leads:,} simulated claims in one list; {asked.users} analysts, each "
        f"with a click every 1 to 5 seconds for {asked.minutes:g} minutes, sign in one "
        "after the other before anything is counted. `leadline serve` as it comes, the "
        "store and the analysts (locust) share this one machine, and in a second round "
        f"also a process that publishes a further list of {SECOND:,} leads. Times are "
        "those of the whole answer; locust rounds them to two digits.\n"
    )
    yield "## Targets\n"
    yield from pages.table(pd.DataFrame([t for one in found for t in _targets(one)]))
    for one in found:
        yield f"\n## {_TITLES[one['store']]}\n"
        yield from pages.table(pd.DataFrame(one["alone"]))
        yield f"\nWhile a list of {SECOND:,} leads is published:\n"
        yield from pages.table(pd.DataFrame(one["beside"]))


def _databases(found: list[dict[str, Any]]) -> str:
    """How the stores that were measured are asked for on the command line."""
    return " --postgresql" if len(found) > 1 else ""


_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL 15"}


def _targets(one: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Store, target, reached, figure."""
    by_name = {row["page"]: row["p95 ms"] for row in one["alone"]}
    slowest = max(ms for name, ms in by_name.items() if name.startswith("list"))
    lead = by_name["lead"]
    errors = sum(row["errors"] for row in one["alone"] + one["beside"])
    decided, lost = one["decided"], one["lost"]
    lines = [
        (f"lists: p95 under {LIMIT_MS} ms", slowest < LIMIT_MS, f"{slowest} ms"),
        (f"lead: p95 under {LIMIT_MS} ms", lead < LIMIT_MS, f"{lead} ms"),
        ("no error", errors == 0, f"{errors}"),
        (
            "each decision answered as recorded stands in the store",
            lost == 0 < decided,
            f"{decided - lost} of {decided}",
        ),
        ("the audit log is as it was written", not one["log"], "; ".join(one["log"])),
        (
            "the list published meanwhile is complete",
            one["second"] == SECOND,
            f"{one['second']:,} leads in {one['publish_seconds']} s",
        ),
    ]
    for target, reached, figure in lines:
        yield {
            "store": _TITLES[one["store"]],
            "target": target,
            "reached": "yes" if reached else "no",
            "figure": figure,
        }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--kept"]:
        look(Path(sys.argv[2]))
    else:
        main()
