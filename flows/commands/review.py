"""Commands that record what people decided."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from configs.settings import Settings
from flows.commands.common import Json, Model, echo_json, show_rows

ReviewedIn = Annotated[
    str,
    typer.Option(
        "--run", help="the list that was reviewed; default: the newest with it"
    ),
]


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


def dispose(
    model: Model,
    unit: Annotated[str, typer.Argument(help="unit of a published list")],
    verdict: Literal[
        "confirmed", "excluded", "needs_information", "transferred", "withdrawn"
    ],
    reason: Annotated[str, typer.Option(help="why; kept with the disposition")],
    run: ReviewedIn = "",
) -> None:
    """Record what you concluded of a unit; a later word replaces it."""
    from flows.dispose import dispose as record_disposition

    kept = record_disposition(model, Settings(), unit, verdict, reason, run)
    typer.echo(f"{kept.user} on {kept.unit_id} of run {kept.run_id}: {kept.verdict}")


def dispose_many(
    model: Model,
    file: Annotated[
        Path,
        typer.Argument(help="CSV: unit_id, verdict, reason; maybe user, at, cause"),
    ],
    run: ReviewedIn = "",
) -> None:
    """Record the dispositions of a CSV file, all of them or none."""
    from flows.dispose import dispose_many as record_dispositions

    kept = record_dispositions(model, Settings(), file, run)
    typer.echo(f"{len(kept):,} dispositions recorded")


def dispositions(model: Model, as_json: Json = False) -> None:
    """List what was concluded of a model's units, and what stands of it."""
    from flows.dispose import disposition_rows

    show_rows(disposition_rows(model, Settings()), as_json)


def estimates(
    model: Model,
    days: Annotated[
        int, typer.Option(min=0, help="drawn units of lists so old are used too")
    ] = 90,
    as_json: Json = False,
) -> None:
    """Precision and recall from reviews, corrected for how units came to be reviewed."""
    from flows.estimates import estimates as estimated

    found = estimated(model, Settings(), days)
    if as_json:
        echo_json(found)
        return
    from flows.present import console
    from flows.present_estimates import print_estimates

    print_estimates(console(), found)
