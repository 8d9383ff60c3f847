"""What the commands share: arguments, options, the store, output."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from configs.settings import Settings

Model = Annotated[str, typer.Argument(help="supervision model, see `leadline models`")]
Data = Annotated[
    str,
    typer.Option(
        "--data", help="folder, database URL, or a YAML map of sources to places"
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="only what was known by then (a day counts whole); default: the newest "
        "date delivered",
    ),
]
Engine = Annotated[
    Literal["duckdb", "spark"],
    typer.Option(help="spark: on the cluster of LEADLINE_SPARK"),
]
Top = Annotated[int, typer.Option(min=1, help="how many")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


def opened_job(
    model: str,
    data: str,
    as_of: datetime | None,
    stage: Any,
    engine: Engine = "duckdb",
) -> Any:
    from flows.job import new_job

    return new_job(model, data, Settings(), as_of, stage, engine)


def opened_store() -> Any:
    from serving.connect import open_store

    open_store(Settings())
    from serving import queries

    return queries


def print_newest(query: str, model: str, as_json: bool, *asked: Any) -> None:
    """Put one of the store's queries to the newest run of a model; print the answer."""
    queries = opened_store()
    newest = queries.latest_run(model)
    found = getattr(queries, query)(newest.id, *asked)
    if as_json:
        echo_json({"run": newest, query: found} if isinstance(found, list) else found)
        return
    from flows.present import console
    from flows.present_groups import ANSWERS

    ANSWERS[query](console(), newest, found)


@contextmanager
def stages(expected: int, times: str = "") -> Iterator[Any]:
    """Progress on standard error: a bar in a terminal, plain lines in a log.

    Args:
        times: what the command does to which model; how long it takes is remembered
            by it, to say the next time how much is left.
    """
    from flows.progress import stages

    file = Settings().work / "times" / f"{times}.json" if times else None
    with stages(expected, file) as stage:
        yield stage


def show_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        echo_json(rows)
        return
    from flows.present import console, print_table

    print_table(console(), rows)


def echo_json(content: Any) -> None:
    from flows.progress import plain

    typer.echo(json.dumps(plain(content), ensure_ascii=False, default=str))
