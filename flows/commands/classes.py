"""Commands that go from one case to its like: look-alikes, classes, draft rules."""

from pathlib import Path
from typing import Annotated

import typer

from configs.settings import Settings
from flows.commands.common import Json, Model, Top, echo_json, opened_store, stages

Run = Annotated[str, typer.Option(help="a published run; default: the newest")]


def like(
    model: Model,
    unit: Annotated[
        str, typer.Argument(help="a unit of the list, best a confirmed one")
    ],
    top: Top = 20,
    run: Run = "",
    only_open: Annotated[
        bool, typer.Option("--open", help="leave out what was reviewed already")
    ] = False,
    as_json: Json = False,
) -> None:
    """The units most like one unit, those that share its associations first."""
    from flows.like import Asked
    from flows.like import like as alike

    opened_store()
    with stages(2) as stage:
        found = alike(model, Asked(unit, run, top, only_open), Settings(), stage)
    if as_json:
        echo_json(found)
        return
    from flows.present import console
    from flows.present_classes import print_alike

    print_alike(console(), found)


def classes(
    model: Model,
    run: Run = "",
    out: Annotated[
        Path | None, typer.Option(help="file to write the draft rules to")
    ] = None,
    as_json: Json = False,
) -> None:
    """Classes of confirmed leads, their common traits, and a draft rule for each."""
    from flows.classes import classes as grouped

    opened_store()
    with stages(8) as stage:
        report = grouped(model, Settings(), run, stage)
    drafts = [one.draft for one in report.classes if one.draft is not None]
    if out is not None:
        out.write_text("\n".join(d.block for d in drafts), encoding="utf-8")
    if as_json:
        echo_json(report)
        return
    from flows.present import console
    from flows.present_classes import print_classes

    print_classes(console(), report)
    if out is not None:
        rules = Settings().models / model / "rules.yaml"
        typer.echo(
            f"{out}: {len(drafts)} drafts. Write their lawful explanations, then: "
            f"cat {rules} {out} > CHANGED.yaml && "
            f"leadline backtest {model} --rules CHANGED.yaml"
        )
