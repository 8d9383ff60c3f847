"""Commands that publish a list: directly, as a Prefect flow, as the demo."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from configs.settings import Settings
from flows.commands.common import AsOf, Data, Model, opened_job, stages


def score(model: Model, data: Data, as_of: AsOf = None) -> None:
    """Score a delivery with the champion and publish the ranked list."""
    from flows.pipeline import score_and_publish

    with stages(25) as stage:
        published = score_and_publish(opened_job(model, data, as_of, stage))
    state = (
        "published" if published.new else "was published before from the same inputs"
    )
    typer.echo(f"{published.run_id} {state}; read it with: leadline leads {model}")


def run(
    flow: Literal["train", "score", "daily"],
    model: Model,
    data: Data,
    as_of: AsOf = None,
) -> None:
    """Run a Prefect flow (on the configured server, else on an embedded one)."""
    _make_prefect_home()
    from flows.orchestrate import FLOWS

    with stages(30):
        result = FLOWS[flow](model=model, data=data, as_of=as_of)
    typer.echo(str(result))


def schedule(
    model: Model,
    data: Data,
    cron: Annotated[str, typer.Option(help="when, as in crontab")] = "0 2 * * *",
) -> None:
    """Serve the flow `daily` on a schedule until stopped."""
    _make_prefect_home()
    from flows.orchestrate import daily

    daily.serve(
        name=f"nightly-{model}", cron=cron, parameters={"model": model, "data": data}
    )


def demo(
    claims: Annotated[int, typer.Option(help="simulated claims")] = 8_000,
    seed: Annotated[int, typer.Option(help="seed of the simulation")] = 7,
) -> None:
    """Simulate vehicle-insurance records, run the nightly flow, print the list."""
    from flows.demo import demo as run_demo

    with stages(22) as stage:
        run_demo(Settings(), claims=claims, seed=seed, stage=stage)


def _make_prefect_home() -> None:
    """Prefect makes the folder but not its parents: its server would never start."""
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
