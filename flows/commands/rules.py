"""Commands about screening rules: what each brings, and what changed ones would do."""

from pathlib import Path
from typing import Annotated

import typer

from configs.settings import Settings
from flows.commands.common import Json, Model, echo_json, opened_store, stages


def rules(
    model: Model,
    run: Annotated[str, typer.Option(help="a published run; default: newest")] = "",
    as_json: Json = False,
) -> None:
    """What each screening rule found that nothing else did, and what it costs."""
    from flows.rule_report import rule_report

    opened_store()
    with stages(2) as stage:
        report = rule_report(model, Settings(), run, stage)
    if as_json:
        echo_json(report)
        return
    from flows.present import console
    from flows.present_rules import print_rules

    print_rules(console(), report)


def backtest(
    model: Model,
    rules: Annotated[Path, typer.Option(help="rules.yaml with your changes")],
    runs: Annotated[int, typer.Option(min=1, help="how many past lists")] = 4,
    as_json: Json = False,
) -> None:
    """What changed rules would have done to past lists and dispositions."""
    from flows.backtest import backtest as backtested

    opened_store()
    with stages(runs) as stage:
        result = backtested(model, rules, Settings(), runs, stage)
    if as_json:
        echo_json(result)
        return
    from flows.present import console
    from flows.present_rules import print_backtest

    print_backtest(console(), result)
