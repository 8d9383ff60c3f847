"""Commands that record what people decided."""

from typing import Annotated, Literal

import typer

from configs.settings import Settings
from flows.commands.common import Model


def judge(
    model: Model,
    entity: Annotated[str, typer.Argument(help="kind of entity, such as person")],
    records: Annotated[
        tuple[str, str],
        typer.Argument(metavar="LEFT RIGHT", help="digests of two records"),
    ],
    verdict: Literal["same", "different"],
    note: Annotated[str, typer.Option(help="why; kept with the judgement")],
) -> None:
    """Say whether two linked records are one entity; a later word replaces it."""
    from flows.judge import judge as record_judgement

    kept = record_judgement(model, Settings(), entity, records, verdict, note)
    typer.echo(f"{kept.user} judged {kept.left} and {kept.right}: {kept.verdict}")
