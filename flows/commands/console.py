"""Commands around the console: serving it, its users and services, its audit log."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from configs.settings import Settings
from flows.commands.common import Json, echo_json, opened_store, show_rows

user = typer.Typer(help="Who may sign in, and what they may do.", no_args_is_help=True)
token = typer.Typer(help="Tokens by which services use the API.", no_args_is_help=True)
audit = typer.Typer(
    help="The log of decisions, disclosures, exports and changes of rights.",
    no_args_is_help=True,
)

Role = Literal["analyst", "office_lead", "data_scientist", "auditor", "administrator"]
Name = Annotated[str, typer.Argument(help="user name, see `leadline user list`")]
ForRole = Annotated[Role, typer.Option("--role", help="what they may do")]
OfModel = Annotated[
    str, typer.Option("--model", help="supervision model; default: all of them")
]
OfOffice = Annotated[
    str, typer.Option("--office", help="office of the leads; default: all of them")
]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="read the password instead of making one"),
]


def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option(min=0, help="processes; 0: one for each processor, 4 at most")
    ] = 0,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM file; needed beyond this machine")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="its key, PEM (PKCS#8)")] = None,
    behind_proxy: Annotated[
        bool, typer.Option(help="a proxy in front of this port speaks TLS")
    ] = False,
) -> None:
    """Serve the review console and the API until Ctrl-C."""
    from serving.serve import Place, default_workers, prepare
    from serving.serve import serve as run_server

    place = Place(host, port, certificate, key, behind_proxy)
    prepare(place)
    opened_store()
    from serving.connect import close_store

    close_store()  # each process opens its own connections

    def say() -> None:
        typer.echo(f"The console is at {place.address}  (Ctrl-C ends it)")

    run_server(place, workers or default_workers(), say)


# -- users --------------------------------------------------------------------------


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="to sign in with")],
    role: ForRole,
    model: OfModel = "",
    office: OfOffice = "",
    full_name: Annotated[str, typer.Option(help="as others see it")] = "",
    password_stdin: FromStdin = False,
) -> None:
    """Make a user with one role; prints a password unless one is given."""
    by = _opened()
    from django.db import transaction

    from serving.access import accounts

    _check_model(model)
    password, made = _password(password_stdin)
    with transaction.atomic():
        person = accounts.add_person(name, password, by=by, name=full_name)
        accounts.grant(person, role, model, office, by=by)
    typer.echo(f"{name} may sign in as {role}")
    _show_password(password, made)


@user.command("password")
def set_password(name: Name, password_stdin: FromStdin = False) -> None:
    """Set another password; prints one unless one is given."""
    by = _opened()
    from serving.access import accounts

    password, made = _password(password_stdin)
    accounts.set_password(accounts.user_named(name), password, by=by)
    typer.echo(f"{name} has another password and was signed out")
    _show_password(password, made)


@user.command("grant")
def grant_role(
    name: Name, role: ForRole, model: OfModel = "", office: OfOffice = ""
) -> None:
    """Give a user or service one more role."""
    by = _opened()
    from serving.access import accounts

    _check_model(model)
    held = accounts.grant(accounts.user_named(name), role, model, office, by=by)
    typer.echo(f"{name} is {accounts.shown(held)}")


@user.command("revoke")
def revoke_role(
    name: Name, role: ForRole, model: OfModel = "", office: OfOffice = ""
) -> None:
    """Take a role away, named exactly as it was given."""
    by = _opened()
    from serving.access import accounts

    held = accounts.grant_of(accounts.user_named(name), role, model, office)
    said = accounts.shown(held)
    accounts.revoke(held, by=by)
    typer.echo(f"{name} is no longer {said}")


@user.command("list")
def list_users(as_json: Json = False) -> None:
    """List users and services with their roles."""
    _opened()
    from serving.access.accounts import shown
    from serving.access.models import User

    rows = [
        {
            "user": one.username,
            "name": one.name,
            "kind": "service" if one.is_service else "person",
            "active": "yes" if one.is_active else "no",
            "roles": "; ".join(shown(held) for held in one.grants.all()),
            "last sign-in": f"{one.last_login:%Y-%m-%d}" if one.last_login else "",
        }
        for one in User.objects.order_by("username").prefetch_related("grants")
    ]
    show_rows(rows, as_json)


@user.command()
def deactivate(name: Name) -> None:
    """Let a user or service in no more; what they did stays in the log."""
    _set_active(name, False)


@user.command()
def activate(name: Name) -> None:
    """Let a user or service in again."""
    _set_active(name, True)


@user.command()
def unlock(name: Name) -> None:
    """End the lock-out after wrong passwords."""
    by = _opened()
    from serving.access import accounts

    accounts.unlock(accounts.user_named(name), by=by)
    typer.echo(f"{name} may try again")


@user.command("reset-factor")
def reset_factor(name: Name) -> None:
    """Remove the second factor of a user who lost it."""
    by = _opened()
    from serving.access import accounts

    removed = accounts.reset_factor(accounts.user_named(name), by=by)
    typer.echo(f"{name}: {'removed' if removed else 'there was no second factor'}")


# -- tokens -------------------------------------------------------------------------


@token.command("new")
def new_token(
    service: Annotated[str, typer.Argument(help="name of the service")],
    role: ForRole,
    model: OfModel = "",
    office: OfOffice = "",
    name: Annotated[str, typer.Option(help="tells its tokens apart")] = "default",
) -> None:
    """Make a token for a service, and the service if it is new; printed once."""
    by = _opened()
    from django.db import transaction

    from serving.access import accounts, tokens
    from serving.access.models import User

    _check_model(model)
    with transaction.atomic():
        known = User.objects.filter(username=service).first()
        holder = known or accounts.add_service(service, by=by)
        text = tokens.new_token(holder, name, by=by)
        accounts.grant(holder, role, model, office, by=by)
    typer.echo(text)
    typer.echo("It is shown only now. Send it as: Authorization: Bearer ...", err=True)


@token.command("revoke")
def revoke_token(
    service: Annotated[str, typer.Argument(help="name of the service")],
    name: Annotated[str, typer.Option(help="default: all its tokens")] = "",
) -> None:
    """Make a service's tokens open nothing."""
    by = _opened()
    from serving.access import accounts, tokens

    kept = accounts.user_named(service).tokens.filter(revoked_at=None)
    found = list(kept.filter(name=name) if name else kept)
    for one in found:
        tokens.revoke_token(one, by=by)
    typer.echo(f"{service}: {len(found)} revoked")


@token.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens: whose, since when, last used; never the token itself."""
    _opened()
    from serving.access.models import ServiceToken

    kept = ServiceToken.objects.select_related("user").order_by("user__username", "id")
    rows = [
        {
            "service": one.user.username,
            "name": one.name,
            "made": f"{one.created_at:%Y-%m-%d}",
            "last used": f"{one.used_at:%Y-%m-%d}" if one.used_at else "",
            "revoked": f"{one.revoked_at:%Y-%m-%d}" if one.revoked_at else "",
        }
        for one in kept
    ]
    show_rows(rows, as_json)


# -- the audit log ------------------------------------------------------------------


@audit.command("verify")
def verify_log(
    head: Annotated[
        str,
        typer.Option(metavar="NUMBER:HASH", help="an entry that was noted elsewhere"),
    ] = "",
) -> None:
    """Recompute the whole chain; ends with 4 when an entry or a guard is not sound."""
    opened_store()
    from serving.audit import chain

    found = chain.unguarded() + chain.findings()
    if head:
        found += chain.missing_head(head)
    for finding in found:
        typer.echo(f"WRONG: {finding}")
    if found:
        raise typer.Exit(4)
    number, digest = chain.head()
    typer.echo(f"{number:,} entries, each as it was written")
    typer.echo(
        f"Note this elsewhere: {number}:{digest}\n"
        "`leadline audit verify --head` with it tells later whether the end was cut off"
    )


@audit.command("show")
def show_log(
    user: Annotated[str, typer.Option(help="who did it")] = "",
    action: Annotated[str, typer.Option(help="such as 'exported'")] = "",
    model: Annotated[str, typer.Option(help="supervision model")] = "",
    unit: Annotated[str, typer.Option(help="unit of a lead")] = "",
    top: Annotated[int, typer.Option(min=1, help="how many")] = 50,
    as_json: Json = False,
) -> None:
    """The newest entries of the log."""
    opened_store()
    from serving.audit.models import Entry

    asked = {"user": user, "action": action, "model": model, "unit": unit}
    wanted = {name: value for name, value in asked.items() if value}
    fields = ("id", "at", "user", "action", "model", "run", "unit", "detail")
    found = Entry.objects.filter(**wanted).order_by("-id").values(*fields)[:top]
    if as_json:
        echo_json(list(found))
        return
    rows = [{**row, "at": f"{row['at']:%Y-%m-%d %H:%M:%S} UTC"} for row in found]
    show_rows(rows, as_json)


def _opened() -> str:
    """Open the store; who is at the command line."""
    from flows.judge import judging

    opened_store()
    return judging(Settings())


def _set_active(name: str, active: bool) -> None:
    by = _opened()
    from serving.access import accounts

    accounts.set_active(accounts.user_named(name), active, by=by)
    typer.echo(f"{name} is {'active' if active else 'out'}")


def _check_model(model: str) -> None:
    """A grant for a model that is nowhere would be a grant of nothing."""
    if not model:
        return
    from configs.errors import StoreError, nearest
    from configs.loading import model_names
    from serving.leads.models import SupervisionModel

    published = SupervisionModel.objects.values_list("id", flat=True)
    known = {*published, *model_names(Settings().models)}
    if model not in known:
        raise StoreError(f"no supervision model {model!r}{nearest(model, known)}")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """A password, and whether it was made here."""
    from serving.access.accounts import random_password

    if not from_stdin:
        return random_password(), True
    return sys.stdin.readline().rstrip("\r\n"), False


def _show_password(password: str, made: bool) -> None:
    if made:
        typer.echo(f"password: {password}  (shown only now; to be changed after use)")
