"""Commands about trained versions: train, promote."""

from typing import Annotated

import typer

from configs.settings import Settings
from flows.commands.common import AsOf, Data, Model, opened_job, stages


def train(
    model: Model,
    data: Data,
    as_of: AsOf = None,
    promote: Annotated[bool, typer.Option(help="make it the champion at once")] = False,
) -> None:
    """Train the detectors, record the run in MLflow, register the model."""
    from flows.pipeline import train_model

    with stages(25) as stage:
        registered = train_model(opened_job(model, data, as_of, stage), promote=promote)
    role = "champion" if registered.is_champion else "challenger"
    typer.echo(
        f"{model} version {registered.version} is now {role} (run {registered.run_id})"
    )


def promote(
    model: Model,
    version: int,
    reason: Annotated[str, typer.Option(help="recorded with the promotion")],
) -> None:
    """Make a registered version the champion."""
    from training.tracking import Tracking

    Tracking(Settings().mlruns).promote(model, version, reason)
    typer.echo(f"{model} version {version} is now champion")
