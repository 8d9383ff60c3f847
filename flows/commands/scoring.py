"""Commands that publish a list: directly, as a Prefect flow, as the demo."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from configs.settings import Settings
from flows.commands.common import AsOf, Data, Engine, Model, opened_job, stages


def score(
    model: Model, data: Data, as_of: AsOf = None, engine: Engine = "duckdb"
) -> None:
    """Score a delivery with the champion and publish the ranked list."""
    from flows.pipeline import score_and_publish

    with stages(25, f"score-{model}") as stage:
        published = score_and_publish(opened_job(model, data, as_of, stage, engine))
    state = (
        "published" if published.new else "was published before from the same inputs"
    )
    typer.echo(f"{published.run_id} {state}; read it with: leadline leads {model}")


def run(
    flow: Literal["train", "score", "daily", "learn"],
    model: Model,
    data: Data = "",
    as_of: AsOf = None,
) -> None:
    """Run a Prefect flow (on the configured server, else on an embedded one).

    `learn` takes no delivery: it learns from what was published and concluded.
    """
    _check_data(flow, data, as_of)
    _make_prefect_home()
    from flows.orchestrate import FLOWS, FLOWS_WITHOUT_DATA

    with stages(30, f"{flow}-{model}"):
        if flow in FLOWS_WITHOUT_DATA:
            result = FLOWS_WITHOUT_DATA[flow](model=model)
        else:
            result = FLOWS[flow](model=model, data=data, as_of=as_of)
    typer.echo(str(result))


def schedule(
    model: Model,
    data: Data,
    cron: Annotated[str, typer.Option(help="when, as in crontab")] = "0 2 * * *",
    learn_cron: Annotated[
        str, typer.Option(help="when to learn from reviews, such as '0 1 * * 1'")
    ] = "",
) -> None:
    """Serve the flow `daily`, and `learn` if asked for, on a schedule until stopped."""
    _make_prefect_home()
    from prefect import serve

    from flows.orchestrate import daily, learn

    nightly = {"model": model, "data": data}
    served: list[Any] = [
        daily.to_deployment(f"nightly-{model}", cron=cron, parameters=nightly)
    ]
    if learn_cron:
        taught = {"model": model}
        served.append(
            learn.to_deployment(f"learn-{model}", cron=learn_cron, parameters=taught)
        )
    serve(*served)


def demo(
    model: Annotated[
        str, typer.Argument(help="supervision model")
    ] = "vehicle_insurance",
    units: Annotated[int, typer.Option(help="simulated units")] = 8_000,
    seed: Annotated[int, typer.Option(help="seed of the simulation")] = 7,
) -> None:
    """Simulate the records of a model, run the nightly flow, print the list."""
    from flows.demo import demo as run_demo

    with stages(22, f"demo-{model}") as stage:
        run_demo(Settings(), model, units=units, seed=seed, stage=stage)


def _check_data(flow: str, data: str, as_of: datetime | None) -> None:
    """A flow reads a delivery or it does not."""
    if flow == "learn" and (data or as_of):
        raise typer.BadParameter(
            "learn reads no delivery: leave --data and --as-of out"
        )
    if flow != "learn" and not data:
        raise typer.BadParameter(f"{flow} reads a delivery: give --data")


def _make_prefect_home() -> None:
    """Prefect makes the folder but not its parents: its server would never start."""
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
