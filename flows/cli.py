"""The command line. Heavy packages are imported inside the commands that need them."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from configs.errors import DeclarationError, LeadlineError
from configs.settings import Settings, silence_telemetry

app = typer.Typer(
    help="Leadline finds leads: it joins, screens and ranks records of several departments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Model = Annotated[str, typer.Argument(help="supervision model, see `leadline models`")]
Data = Annotated[
    str,
    typer.Option(
        "--data", help="folder, database URL, or a YAML map of sources to places"
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="only what was known by then (a day counts whole); default: the newest "
        "date delivered",
    ),
]
Top = Annotated[int, typer.Option(min=1, help="how many")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


def main() -> None:
    """Entry point: an error that is explained ends without a traceback."""
    try:
        app()
    except LeadlineError as error:
        print(f"leadline: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `leadline leads ... | head` closes the pipe early.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        # A full disk, a folder that may not be written: nothing that a traceback explains.
        print(f"leadline: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


@app.callback()
def _options(
    home: Annotated[
        Path | None, typer.Option(help="where Leadline keeps its files (LEADLINE_HOME)")
    ] = None,
) -> None:
    if home is not None:
        os.environ["LEADLINE_HOME"] = str(home)
    silence_telemetry(Settings())


@app.command()
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
    _show(rows, as_json)


@app.command()
def new(name: str) -> None:
    """Make a commented, valid starting folder for a new supervision model."""
    from flows.scaffold import scaffold

    folder = scaffold(name, Settings().models)
    typer.echo(
        f"{folder}\nNext: edit model.yaml, then `leadline check {name} --data DIR`"
    )


@app.command()
def dictionary(model: Model, as_json: Json = False) -> None:
    """The data dictionary: every feature with meaning, unit and source."""
    from configs.loading import load_model
    from flows.frames import as_rows
    from flows.frames import dictionary as feature_dictionary

    loaded = load_model(model, Settings().models)
    _show(as_rows(feature_dictionary(loaded)), as_json)


@app.command()
def simulate(
    model: Model,
    claims: Annotated[int, typer.Option(help="units to simulate")] = 20_000,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="folder to write to")] = Path("simulated"),
) -> None:
    """Write simulated records with planted truth (kept apart in truth/)."""
    from configs.errors import nearest
    from training.simulation import SIMULATIONS

    if model not in SIMULATIONS:
        raise LeadlineError(f"no simulation of {model!r}{nearest(model, SIMULATIONS)}")
    with _stages(1) as stage:
        stage(f"simulating {claims:,} claims")
        try:
            written = SIMULATIONS[model](claims=claims, seed=seed, out=out)
        except ValueError as error:
            raise LeadlineError(str(error)) from error
    _show([{"table": name, "rows": rows} for name, rows in written.items()], False)
    typer.echo(f"{out}: simulated, no real person")


@app.command()
def check(
    model: Model, data: Data = "", as_of: AsOf = None, as_json: Json = False
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
        _echo_json({"model": model, "valid": said}) if as_json else typer.echo(said)
        return
    with _stages(20) as stage:
        job = _job(model, data, as_of, stage)
        reports, coverage = check_delivery(job)
    if as_json:
        _echo_json({"sources": reports, "coverage": coverage})
    else:
        from flows.intake import rejects_file
        from flows.present import console, print_reports

        print_reports(console(), reports, coverage)
        typer.echo(f"rejected rows and values: {rejects_file(job)}")
    if any(report.problems for report in reports):
        raise typer.Exit(3)


@app.command()
def link(model: Model, data: Data, as_of: AsOf = None, as_json: Json = False) -> None:
    """Link the records of each entity and print what holds them together."""
    from flows.intake import intake, stop_on_problems
    from flows.link import link as link_stage

    with _stages(20) as stage:
        job = _job(model, data, as_of, stage)
        stop_on_problems(intake(job))
        reports = link_stage(job)
    if as_json:
        _echo_json(reports)
        return
    from flows.present import console
    from flows.present_links import print_links

    print_links(console(), model, reports)


@app.command()
def features(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="Parquet file to write")] = Path(
        "features.parquet"
    ),
    as_of: AsOf = None,
) -> None:
    """Build the feature matrix and write it to a Parquet file."""
    import shutil

    from flows.engineer import MATRIX
    from flows.pipeline import prepare

    with _stages(20) as stage:
        job = _job(model, data, as_of, stage)
        prepare(job)
    shutil.copyfile(job.folder / f"{MATRIX}.parquet", out)
    typer.echo(
        f"{out}: {len(job.model.known.features)} features per unit; "
        f"meanings: leadline dictionary {model}"
    )


@app.command()
def train(
    model: Model,
    data: Data,
    as_of: AsOf = None,
    promote: Annotated[bool, typer.Option(help="make it the champion at once")] = False,
) -> None:
    """Train the detectors, record the run in MLflow, register the model."""
    from flows.pipeline import train_model

    with _stages(25) as stage:
        registered = train_model(_job(model, data, as_of, stage), promote=promote)
    role = "champion" if registered.is_champion else "challenger"
    typer.echo(
        f"{model} version {registered.version} is now {role} (run {registered.run_id})"
    )


@app.command()
def promote(
    model: Model,
    version: int,
    reason: Annotated[str, typer.Option(help="recorded with the promotion")],
) -> None:
    """Make a registered version the champion."""
    from training.tracking import Tracking

    Tracking(Settings().mlruns).promote(model, version, reason)
    typer.echo(f"{model} version {version} is now champion")


@app.command()
def score(model: Model, data: Data, as_of: AsOf = None) -> None:
    """Score a delivery with the champion and publish the ranked list."""
    from flows.pipeline import score_and_publish

    with _stages(25) as stage:
        published = score_and_publish(_job(model, data, as_of, stage))
    state = (
        "published" if published.new else "was published before from the same inputs"
    )
    typer.echo(f"{published.run_id} {state}; read it with: leadline leads {model}")


@app.command()
def run(
    flow: Literal["train", "score", "daily"],
    model: Model,
    data: Data,
    as_of: AsOf = None,
) -> None:
    """Run a Prefect flow (on the configured server, else on an embedded one)."""
    _make_prefect_home()
    from flows.orchestrate import FLOWS

    with _stages(30):
        result = FLOWS[flow](model=model, data=data, as_of=as_of)
    typer.echo(str(result))


@app.command()
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


@app.command()
def leads(
    model: Model,
    top: Top = 20,
    order: Annotated[Literal["fused", "score", "rules"], typer.Option()] = "fused",
    as_json: Json = False,
) -> None:
    """Print the head of the newest published list, unit by unit."""
    _print_newest("leads", model, as_json, top, order)


@app.command()
def worklist(model: Model, top: Top = 20, as_json: Json = False) -> None:
    """Print what to open in order: single units, and each group once."""
    _print_newest("worklist", model, as_json, top)


@app.command()
def groups(model: Model, top: Top = 20, as_json: Json = False) -> None:
    """Print the ranked groups of the newest list: units tied by associations."""
    _print_newest("groups", model, as_json, top)


@app.command()
def group(model: Model, group_id: str, as_json: Json = False) -> None:
    """One group: why, its units, and what ties them by which source."""
    _print_newest("group", model, as_json, group_id)


@app.command()
def show(model: Model, unit: str, as_json: Json = False) -> None:
    """One lead: all reasons, evidence, lawful explanations, missing departments."""
    _print_newest("lead", model, as_json, unit)


@app.command()
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


@app.command()
def runs(
    model: Annotated[str | None, typer.Argument()] = None, as_json: Json = False
) -> None:
    """List the published runs."""
    found = _store().runs(model)
    rows = [
        {
            "run": r.id,
            "as of": f"{r.as_of:%Y-%m-%d}",
            "units": r.units,
            "model version": r.model_version,
            "published": f"{r.published_at:%Y-%m-%d %H:%M}",
            "mlflow run": r.mlflow_run,
        }
        for r in found
    ]
    _show(rows, as_json)


@app.command()
def verify() -> None:
    """Recompute the digests of all published runs and compare."""
    _store()
    from serving.verify import verify as findings

    found = findings(Settings())
    for finding in found:
        typer.echo(
            f"{'note' if finding.harmless else 'WRONG'}: {finding.where}: {finding.message}"
        )
    if any(not finding.harmless for finding in found):
        raise typer.Exit(4)
    typer.echo("every published run is as it was published")


@app.command()
def evaluate(
    model: Model,
    labels: Annotated[Path | None, typer.Option(help="CSV with known outcomes")] = None,
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

    _store()
    with _stages(4) as stage:
        tables = evaluated(model, Settings(), labels, data, baselines, stage)
    if as_json:
        _echo_json(tables)
        return
    from flows.present import console, print_table

    out = console()
    for title, rows in tables.items():
        print_table(out, rows, title)


@app.command()
def demo(
    claims: Annotated[int, typer.Option(help="simulated claims")] = 8_000,
    seed: Annotated[int, typer.Option(help="seed of the simulation")] = 7,
) -> None:
    """Simulate vehicle-insurance records, run the nightly flow, print the list."""
    from flows.demo import demo as run_demo

    with _stages(22) as stage:
        run_demo(Settings(), claims=claims, seed=seed, stage=stage)


def _make_prefect_home() -> None:
    """Prefect makes the folder but not its parents: its server would never start."""
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


def _job(model: str, data: str, as_of: datetime | None, stage: Any) -> Any:
    from flows.job import new_job

    return new_job(model, data, Settings(), as_of, stage)


def _store() -> Any:
    from serving.connect import open_store

    open_store(Settings())
    from serving import queries

    return queries


def _print_newest(query: str, model: str, as_json: bool, *asked: Any) -> None:
    """Put one of the store's queries to the newest run of a model; print the answer."""
    queries = _store()
    newest = queries.latest_run(model)
    found = getattr(queries, query)(newest.id, *asked)
    if as_json:
        _echo_json({"run": newest, query: found} if isinstance(found, list) else found)
        return
    from flows.present import console
    from flows.present_groups import ANSWERS

    ANSWERS[query](console(), newest, found)


@contextmanager
def _stages(expected: int) -> Iterator[Any]:
    """Progress on standard error: a bar in a terminal, plain lines in a log."""
    from flows.progress import stages

    with stages(expected) as stage:
        yield stage


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _echo_json(rows)
        return
    from flows.present import console, print_table

    print_table(console(), rows)


def _echo_json(content: Any) -> None:
    from flows.progress import plain

    typer.echo(json.dumps(plain(content), ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
