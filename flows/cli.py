"""The command line: `leadline`, and how it ends."""

import errno
import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from configs.errors import LeadlineError
from configs.settings import Settings, silence_telemetry
from flows.commands import (
    classes,
    console,
    delivery,
    lists,
    review,
    rules,
    scoring,
    versions,
)

COMMANDS = (
    delivery.models,
    delivery.new,
    delivery.dictionary,
    delivery.simulate,
    delivery.check,
    delivery.link,
    delivery.features,
    versions.train,
    versions.learn,
    versions.compare,
    versions.promote,
    versions.approve,
    versions.rollback,
    versions.versions,
    versions.rebuild,
    scoring.score,
    scoring.run,
    scoring.schedule,
    scoring.demo,
    lists.leads,
    lists.worklist,
    lists.next_leads,
    lists.groups,
    lists.group,
    lists.show,
    lists.runs,
    lists.verify,
    lists.evaluate,
    review.judge,
    review.dispose,
    review.dispose_many,
    review.dispositions,
    review.estimates,
    rules.rules,
    rules.backtest,
    classes.like,
    classes.classes,
    console.serve,
)

# New objects between two searches for cycles, and such searches between wider ones.
# Declarations become expressions of very many small objects: at Python's own 700, a sixth
# of building the features of the judicial auctions is spent on finding no cycles.
COLLECT = (100_000, 20, 100)

app = typer.Typer(
    help="Leadline finds leads: it joins, screens and ranks records of several departments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in COMMANDS:
    app.command()(_command)
for _name in ("user", "token", "audit"):
    app.add_typer(getattr(console, _name), name=_name)


def main() -> None:
    """Entry point: an error that is explained ends without a traceback."""
    gc.set_threshold(*COLLECT)
    try:
        app()
    except LeadlineError as error:
        print(f"leadline: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `leadline leads ... | head` closes the pipe early.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        print(  # noqa: T201
            "leadline: the machine's memory did not suffice. Nothing was published; the same "
            "command goes on after the last finished stage: end other programs first, or "
            "give the engine less with LEADLINE_MEMORY",
            file=sys.stderr,
        )
        sys.exit(1)
    except OSError as error:
        # A full disk, a folder that may not be written: nothing that a traceback explains.
        print(f"leadline: {error}{_hint(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _hint(error: OSError) -> str:
    if error.errno != errno.ENOSPC:
        return ""
    return (
        ". Nothing was published; make room, then run the same command again: it goes on "
        "after the last finished stage"
    )


@app.callback()
def _options(
    home: Annotated[
        Path | None, typer.Option(help="where Leadline keeps its files (LEADLINE_HOME)")
    ] = None,
) -> None:
    if home is not None:
        os.environ["LEADLINE_HOME"] = str(home)
    silence_telemetry(Settings())


if __name__ == "__main__":
    main()
