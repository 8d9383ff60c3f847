"""Commands about trained versions: train, compare, release, roll back, rebuild a list."""

from typing import Annotated, Any

import typer

from configs.settings import Settings
from flows.commands.common import (
    AsOf,
    Data,
    Engine,
    Json,
    Model,
    echo_json,
    opened_job,
    stages,
)

Version = Annotated[int, typer.Argument(help="number, see `leadline versions MODEL`")]
Why = Annotated[str, typer.Option("--reason", help="why; kept with the release")]
_ROLES = {
    "champion": "is now champion",
    "proposed": "is proposed as champion; another person approves it with: leadline "
    "approve {model} {version} --reason ...",
    "challenger": "is now challenger",
}


def train(
    model: Model,
    data: Data,
    as_of: AsOf = None,
    promote: Annotated[
        bool,
        typer.Option(help="propose it as champion; with `approvals: 1` promote it"),
    ] = False,
    engine: Engine = "duckdb",
) -> None:
    """Train the detectors, record the run in MLflow, register the model."""
    from flows.pipeline import train_model

    with stages(25) as stage:
        job = opened_job(model, data, as_of, stage, engine)
        registered = train_model(job, promote=promote)
    role = _ROLES[registered.role].format(model=model, version=registered.version)
    typer.echo(f"{model} version {registered.version} {role} (run {registered.run_id})")


def learn(
    model: Model,
    promote: Annotated[
        bool,
        typer.Option(help="propose it as champion; with `approvals: 1` promote it"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn from what analysts concluded: a version whose next list is reordered."""
    from flows.learn import learn as learnt_from_reviews

    with stages(4) as stage:
        learnt = learnt_from_reviews(model, Settings(), stage, promote=promote)
    if as_json:
        echo_json(learnt)
        return
    from flows.present import console
    from flows.present_learnt import print_learnt

    print_learnt(console(), learnt)
    registered = learnt.registered
    role = _ROLES[registered.role].format(model=model, version=registered.version)
    typer.echo(f"{model} version {registered.version} {role} (run {registered.run_id})")


def compare(
    model: Model,
    challenger: Annotated[
        int | None, typer.Option(help="version; default: the newest trained")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a challenger with the champion on the newest list and on later reviews."""
    from flows.compare import compare as compared
    from flows.compare import tables_of

    with stages(3) as stage:
        result = compared(model, Settings(), challenger, stage)
    if as_json:
        echo_json({"tables": tables_of(result), "verdict": result.found.verdict})
        return
    from flows.present import console
    from flows.present_versions import print_comparison

    print_comparison(console(), result)


def promote(model: Model, version: Version, reason: Why) -> None:
    """Propose a version as champion; where one approval is enough, make it champion."""
    from flows.releases import promote as promoted

    _say(promoted(model, Settings(), version, reason))


def approve(model: Model, version: Version, reason: Why) -> None:
    """Approve what another person proposed: the version becomes champion."""
    from flows.releases import approve as approved

    _say(approved(model, Settings(), version, reason))


def rollback(
    model: Model,
    reason: Why,
    version: Annotated[
        int | None, typer.Argument(help="default: the champion before this one")
    ] = None,
) -> None:
    """Make a former champion champion again, at once."""
    from flows.releases import roll_back

    _say(roll_back(model, Settings(), version, reason))


def versions(model: Model, as_json: Json = False) -> None:
    """List the trained versions: aliases, when, and who released them and why."""
    from flows.releases import history

    found = history(model, Settings())
    if as_json:
        echo_json(found)
        return
    from flows.present import console
    from flows.present_versions import print_history

    print_history(console(), found)


def rebuild(
    run: Annotated[str, typer.Argument(help="a published run, see `leadline runs`")],
    data: Data,
) -> None:
    """Make a past list again from its delivery and compare it to the last byte."""
    from flows.rebuild import rebuild as rebuilt

    with stages(25) as stage:
        found = rebuilt(run, data, Settings(), stage)
    if found.identical:
        typer.echo(
            f"{run}: identical ({found.checked}; digest {found.run.digest[:12]})"
        )
        return
    typer.echo(f"{run}: differs in {', '.join(found.differs)}")
    if found.note:
        typer.echo(found.note)
    raise typer.Exit(4)


def _say(released: Any) -> None:
    record = released.record
    if record.action == "proposed":
        done = _ROLES["proposed"].format(model=record.model, version=record.version)
    else:
        done = "is now champion" if released.changed else "is champion already"
    typer.echo(f"{record.model} version {record.version} {done}")
