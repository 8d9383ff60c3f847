"""Commands before anything is scored: declarations, deliveries, links, features."""

from pathlib import Path
from typing import Annotated

import typer

from configs.errors import DeclarationError
from configs.settings import Settings
from flows.commands.common import (
    AsOf,
    Data,
    Engine,
    Json,
    Model,
    echo_json,
    opened_job,
    show_rows,
    stages,
)


def models(as_json: Json = False) -> None:
    """List the supervision models."""
    from configs.loading import load_model, model_names

    settings = Settings()
    rows = []
    for name in model_names(settings.models):
        model = load_model(name, settings.models)
        rows.append(
            {
                "model": name,
                "title": f"{model.spec.title.en} · {model.spec.title.zh}",
                "unit": model.spec.unit.name,
                "sources": len(model.spec.sources),
                "features": len(model.known.features),
                "rules": len(model.rules),
            }
        )
    show_rows(rows, as_json)


def new(name: str) -> None:
    """Make a commented, valid starting folder for a new supervision model."""
    from flows.scaffold import scaffold

    folder = scaffold(name, Settings().models)
    typer.echo(
        f"{folder}\nNext: edit model.yaml, then `leadline check {name} --data DIR`"
    )


def dictionary(model: Model, as_json: Json = False) -> None:
    """The data dictionary: every feature with meaning, unit and source."""
    from configs.loading import load_model
    from flows.frames import as_rows
    from flows.frames import dictionary as feature_dictionary

    loaded = load_model(model, Settings().models)
    show_rows(as_rows(feature_dictionary(loaded)), as_json)


def simulate(
    model: Model,
    units: Annotated[int, typer.Option(help="units to simulate")] = 20_000,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="folder to write to")] = Path("simulated"),
    people: Annotated[
        int | None,
        typer.Option(help="of the prefecture: same seed and people, same persons"),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="mixed (as departments write) or parquet; with excerpt, parts=N, "
            "nights=N: parquet,excerpt,parts=10,nights=1",
        ),
    ] = "mixed",
) -> None:
    """Write simulated records with planted truth (kept apart in truth/)."""
    from training.simulation import simulated
    from training.simulation.province import Ask

    ask = Ask.read(form)
    with stages(1) as stage:
        stage(f"simulating {units:,} units")
        written = simulated(
            model, units=units, seed=seed, out=out, people=people, ask=ask
        )
    show_rows([{"table": name, "rows": rows} for name, rows in written.items()], False)
    typer.echo(f"{out}: simulated, no real person")


def check(
    model: Model,
    data: Data = "",
    as_of: AsOf = None,
    engine: Engine = "duckdb",
    as_json: Json = False,
) -> None:
    """Check a declaration and a delivery: rows, rejects, keys, dates, coverage."""
    from configs.loading import load_model
    from flows.check import check_cases, check_delivery, has_cases

    loaded = load_model(model, Settings().models)
    failures = check_cases(loaded)
    if failures:
        raise DeclarationError(
            "golden cases that disagree with their rule:\n" + "\n".join(failures)
        )
    if not data:
        cases = "all golden cases of its rules hold"
        if not has_cases(loaded):
            cases = "its rules have no golden cases (cases.yaml) yet"
        said = f"{model}: the declaration is valid and {cases}"
        echo_json({"model": model, "valid": said}) if as_json else typer.echo(said)
        return
    with stages(20) as stage:
        job = opened_job(model, data, as_of, stage, engine)
        reports, coverage = check_delivery(job)
    if as_json:
        echo_json({"sources": reports, "coverage": coverage})
    else:
        from flows.intake import rejects_file
        from flows.present import console, print_reports

        print_reports(console(), reports, coverage)
        typer.echo(f"rejected rows and values: {rejects_file(job)}")
    if any(report.problems for report in reports):
        raise typer.Exit(3)


def link(
    model: Model,
    data: Data,
    as_of: AsOf = None,
    engine: Engine = "duckdb",
    as_json: Json = False,
) -> None:
    """Link the records of each entity and print what holds them together."""
    from flows.intake import intake, stop_on_problems
    from flows.link import link_reports
    from flows.steps import link_records

    with stages(20) as stage:
        job = opened_job(model, data, as_of, stage, engine)
        stop_on_problems(intake(job))
        link_records(job)
        with job.here() as catalog:
            reports = link_reports(catalog)
    if as_json:
        echo_json(reports)
        return
    from flows.present import console
    from flows.present_links import print_links

    print_links(console(), model, reports)


def features(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="Parquet file to write")] = Path(
        "features.parquet"
    ),
    as_of: AsOf = None,
    engine: Engine = "duckdb",
) -> None:
    """Build the feature matrix and write it to a Parquet file."""
    import shutil

    from flows.engineer import MATRIX
    from flows.pipeline import prepare

    with stages(20) as stage:
        job = opened_job(model, data, as_of, stage, engine)
        prepare(job)
    shutil.copyfile(job.folder / f"{MATRIX}.parquet", out)
    typer.echo(
        f"{out}: {len(job.model.known.features)} features per unit; "
        f"meanings: leadline dictionary {model}"
    )
