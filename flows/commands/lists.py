"""Commands that read published lists."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from configs.settings import Settings
from flows.commands.common import (
    Json,
    Model,
    Top,
    echo_json,
    opened_store,
    print_newest,
    show_rows,
    stages,
)


def leads(
    model: Model,
    top: Top = 20,
    order: Annotated[Literal["fused", "score", "rules"], typer.Option()] = "fused",
    as_json: Json = False,
) -> None:
    """Print the head of the newest published list, unit by unit."""
    print_newest("leads", model, as_json, top, order)


def worklist(model: Model, top: Top = 20, as_json: Json = False) -> None:
    """Print what to open in order: single units, and each group once."""
    print_newest("worklist", model, as_json, top)


def next_leads(model: Model, top: Top = 10, as_json: Json = False) -> None:
    """Which open units to review next, by all that was concluded so far."""
    from flows.next_leads import next_leads as found_next

    with stages(3) as stage:
        found = found_next(model, Settings(), stage, top)
    if as_json:
        echo_json(found)
        return
    from flows.present import console
    from flows.present_learnt import print_next_leads

    print_next_leads(console(), found)


def groups(model: Model, top: Top = 20, as_json: Json = False) -> None:
    """Print the ranked groups of the newest list: units tied by associations."""
    print_newest("groups", model, as_json, top)


def group(model: Model, group_id: str, as_json: Json = False) -> None:
    """One group: why, its units, and what ties them by which source."""
    print_newest("group", model, as_json, group_id)


def show(model: Model, unit: str, as_json: Json = False) -> None:
    """One lead: all reasons, evidence, lawful explanations, missing departments.

    Of a unit that was scored but is not listed: where it stands.
    """
    print_newest("unit", model, as_json, unit)


def runs(
    model: Annotated[str | None, typer.Argument()] = None, as_json: Json = False
) -> None:
    """List the published runs."""
    found = opened_store().runs(model)
    rows = [
        {
            "run": r.id,
            "as of": f"{r.as_of:%Y-%m-%d}",
            "units": r.units,
            "listed": r.listed,
            "model version": r.model_version,
            "published": f"{r.published_at:%Y-%m-%d %H:%M}",
            "mlflow run": r.mlflow_run,
        }
        for r in found
    ]
    show_rows(rows, as_json)


def verify() -> None:
    """Recompute the digests of all published runs and compare."""
    opened_store()
    from serving.verify import verify as findings

    found = findings(Settings())
    for finding in found:
        typer.echo(
            f"{'note' if finding.harmless else 'WRONG'}: {finding.where}: {finding.message}"
        )
    if any(not finding.harmless for finding in found):
        raise typer.Exit(4)
    typer.echo("every published run is as it was published")


def evaluate(
    model: Model,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", "--truth", help="CSV with known outcomes"),
    ] = None,
    data: Annotated[
        str, typer.Option(help="delivery that holds the declared labels")
    ] = "",
    baselines: Annotated[
        bool, typer.Option(help="also the single PyOD detectors")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the newest list with known outcomes: each arm alone and fused."""
    from flows.evaluate import evaluate as evaluated

    opened_store()
    with stages(5) as stage:
        tables = evaluated(model, Settings(), labels, data, baselines, stage)
    if as_json:
        echo_json(tables)
        return
    from flows.present import console, print_table

    out = console()
    for title, rows in tables.items():
        print_table(out, rows, title)
