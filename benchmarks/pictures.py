"""Pictures of the console for the README: list, lead, group, dashboard, in both languages.

`python -m benchmarks.pictures` (`make pictures`) simulates vehicle-insurance records,
publishes their list, lets simulated analysts review its head by the planted truth, serves
the console on loopback and photographs it with Debian's Chromium.
"""

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError

import pandas as pd

from configs.settings import Settings, silence_telemetry

MODEL, SEED = "vehicle_insurance", 7
REVIEWED = 120  # leads of the head, by simulated analysts
IMAGES = Path("docs/images")
LANGUAGES = {"en": "en", "zh": "zh-hans"}
SIZE = {"width": 1280, "height": 900}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=4_000)
    parser.add_argument("--out", type=Path, default=IMAGES)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run_id = _published(home, given.units)
        _reviewed(home, run_id)
        password = secrets.token_urlsafe(12)
        paths = _places(run_id)
        for name, language in LANGUAGES.items():
            _user(name, language, password)
        with _served(home) as url:
            _photograph(url, paths, password, given.out)


def _published(home: Path, units: int) -> str:
    """The id of the list of simulated records."""
    from flows.job import new_job
    from flows.pipeline import make_list, prepare
    from flows.publish import publish_list
    from flows.train import train
    from training.simulation import simulated

    settings = Settings(home=home)
    silence_telemetry(settings)
    simulated(MODEL, units=units, seed=SEED, out=home / "data")
    job = new_job(MODEL, str(home / "data"), settings)
    prepare(job)
    train(job, promote=True)
    make_list(job)
    return publish_list(job).run_id


def _reviewed(home: Path, run_id: str) -> None:
    """Dispositions of the first leads as the planted truth has them."""
    from serving import queries
    from serving.dispositions import add_dispositions
    from serving.records import DispositionRecord

    truth = pd.read_csv(home / "data" / "truth" / "units.csv", dtype=str)
    planted = set(truth["claim_no"][truth["fraud"] == "1"])
    now = datetime.now(UTC)
    leads = queries.leads(run_id, REVIEWED)
    add_dispositions(
        [
            DispositionRecord(
                *(MODEL, run_id, lead.unit_id),
                "confirmed" if lead.unit_id in planted else "excluded",
                "simulated review",
                f"analyst {number % 3 + 1}",
                now,
                "" if lead.unit_id in planted else "lawful",
            )
            for number, lead in enumerate(leads)
            if number % 4 != 2  # some are still open
        ]
    )


def _places(run_id: str) -> dict[str, str]:
    """What is photographed: an open lead with rules and a group, and its group."""
    from serving.leads.models import Group, Lead

    ring = Group.objects.filter(run_id=run_id).order_by("rank").first()
    leads = Lead.objects.filter(run_id=run_id, hits__layer__gte=3)
    lead = leads.filter(group_id__isnull=False).order_by("rank_fused").first()
    if ring is None or lead is None:
        raise SystemExit("no group was published: simulate more units")
    return {
        "list": f"/runs/{run_id}/",
        "lead": f"/leads/{lead.id}/",
        "group": f"/groups/{ring.id}/",
        "board": f"/boards/{MODEL}/",
    }


def _user(name: str, language: str, password: str) -> None:
    from serving.access.models import Grant, User

    user = User.objects.create_user(name, password, language=language)
    Grant.objects.create(user=user, role="office_lead")


@contextmanager
def _served(home: Path) -> Iterator[str]:
    """The address of the console, while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)]
    environment = {**os.environ, "LEADLINE_HOME": str(home)}
    server = subprocess.Popen(  # noqa: S603  our own command
        command, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(f"{url}/sign-in/")
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url)  # noqa: S310  our own address
        except (URLError, ConnectionError):
            time.sleep(0.25)
        else:
            return
    raise SystemExit(f"nothing answers at {url}")


def _photograph(url: str, paths: dict[str, str], password: str, out: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium: `make browser` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        for name in LANGUAGES:
            page = browser.new_page(base_url=url, viewport=SIZE)
            page.goto("/sign-in/")
            page.locator("[name=username]").fill(name)
            page.locator("[name=password]").fill(password)
            page.locator("form button.primary").click()
            page.wait_for_selector("header.bar")
            for picture, path in paths.items():
                page.goto(path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=out / f"console-{picture}-{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
