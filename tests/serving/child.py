"""A process that publishes, stopping where a test wants it.

    python -m tests.serving.child POINT HOME STORE_URL UNITS

It says `ready` and waits for a line. POINT `none` publishes and says the result; any
other point says `blocked` when it is reached and waits there to be killed.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

from configs.settings import Settings
from serving import publish as publishing
from serving import run_files
from tests.serving.publications import make_publication


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def block() -> NoReturn:
    say("blocked")
    while True:
        time.sleep(60)


def block_in_copy() -> None:
    def half(source: IO[bytes], target: IO[bytes]) -> str:
        target.write(source.read(1000))
        target.flush()
        block()

    run_files.copy_bytes = half


def block_in_transaction() -> None:
    insert_rows = publishing.insert_rows

    def until_reasons(name: str, *rest: Any) -> None:
        insert_rows(name, *rest)
        if name == "reasons":
            block()

    publishing.insert_rows = until_reasons


def block_before_commit() -> None:
    insert_run = publishing.insert_run

    def insert_and_block(*args: Any) -> None:
        insert_run(*args)
        block()

    publishing.insert_run = insert_and_block


POINTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "copy": block_in_copy,
    "transaction": block_in_transaction,
    "commit": block_before_commit,
}


def main(point: str, home: str, store_url: str, units: str) -> None:
    settings = Settings(home=Path(home), store_url=store_url)
    publication = make_publication(settings.home, int(units))
    POINTS[point]()
    say("ready")
    sys.stdin.readline()
    result = publishing.publish(publication, settings)
    say(f"{result.run_id} {result.new}")


if __name__ == "__main__":
    main(*sys.argv[1:])
