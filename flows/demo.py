"""`make demo`: simulated records, the nightly flow, the list, and where to go on."""

import time
from collections.abc import Callable

from configs.settings import Settings
from flows.present import console, print_leads, print_next
from training.simulation import simulated

# The demo's users, each named as its role. Nothing else makes them.
DEMO_USERS = (
    "analyst",
    "office_lead",
    "data_scientist",
    "auditor",
    "administrator",
)


def demo(
    settings: Settings,
    model: str,
    *,
    units: int,
    seed: int,
    stage: Callable[[str], None],
) -> None:
    """Simulate, run the flow `daily`, print the first leads.

    Raises:
        LeadlineError: as `simulated`.
    """
    started = time.monotonic()
    folder = settings.var / "demo" / f"{model}-{units}-{seed}"
    stage(f"simulating {units:,} units and the tables around them")
    simulated(model, units=units, seed=seed, out=folder)
    stage("running the nightly flow (Prefect starts its server: 10-30 s)")
    # Imported late: Prefect reads its settings on import and takes seconds.
    from flows.orchestrate import daily
    from serving import queries

    run_id = daily(model=model, data=str(folder))
    run = queries.run(run_id)
    out = console()
    first = queries.leads(run_id, 20)
    print_leads(out, run, first)
    out.print(
        f"\nSimulated records (seed {seed}); {time.monotonic() - started:.0f} s in all."
    )
    print_next(out, _next_lines(settings, model, first[0].unit_id, str(folder)))
    print_next(out, console_lines(settings), "the review console")


def console_lines(settings: Settings) -> list[str]:
    """How to open the console, and as whom; makes the users of the demo once."""
    password = _demo_password(settings)
    lines = [".venv/bin/leadline serve    then open http://127.0.0.1:8000"]
    if password:
        lines += [f"sign in as {', '.join(DEMO_USERS)}", f"password: {password}"]
    else:
        names = ", ".join(DEMO_USERS)
        lines += [
            f"the users of an earlier demo are still there: {names}",
            ".venv/bin/leadline user password analyst    sets and prints another password",
        ]
    return lines


def _demo_password(settings: Settings) -> str:
    """Make one user of each role, all with one random password; empty when known."""
    from django.db import transaction

    from flows.judge import judging
    from serving.access.accounts import add_person, grant, random_password
    from serving.access.models import User

    if User.objects.filter(username__in=DEMO_USERS).exists():
        return ""
    by, password = judging(settings), random_password()
    with transaction.atomic():
        for name in DEMO_USERS:
            person = add_person(name, password, by=by, name=f"Demo {name}")
            grant(person, name, "", "", by=by)
    return password


def _next_lines(settings: Settings, model: str, unit: str, folder: str) -> list[str]:
    leadline = ".venv/bin/leadline"
    return [
        f"{leadline} show {model} {unit}    why this one, and from which rows",
        f"{leadline} worklist {model}    what to open first, each ring once",
        f"{leadline} link {model} --data {folder}    whose records were linked, and why",
        f"{leadline} leads {model} --order rules    the same list as the rules alone rank it",
        f"{leadline} evaluate {model} --labels {folder}/truth/units.csv    against planted truth",
        f"{leadline} check {model} --data {folder}    what each department delivered",
        f".venv/bin/mlflow ui --backend-store-uri sqlite:///{settings.mlruns}/mlflow.db",
        f"{leadline} new my_model    start a supervision model of your own",
    ]
