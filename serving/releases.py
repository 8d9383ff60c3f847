"""Who let which version of a model score, and why: two persons, one after the other.

Releases belong to no run and are only ever added. The record is written first and the
champion's alias moved after it, so a process killed between the two leaves a record that
`champions` and the alias disagree on; the same step again completes it.
`serving.connect.open_store` must have been called once in the process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from django.db import connection, transaction

import serving.connect  # noqa: F401  sets Django up, which the models below need
from configs.errors import StoreError, nearest
from serving.leads.models import Release

Action = Literal["proposed", "approved", "promoted", "rolled_back"]
_LOCK = 0x1EAF  # key of PostgreSQL's advisory lock around releases


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A step: `version` was proposed, approved, made champion, or is champion again."""

    model: str
    version: str
    action: str
    reason: str
    user: str
    at: datetime  # UTC


_RELEASE = [field.name for field in fields(ReleaseRecord)]


def releases(model: str) -> list[ReleaseRecord]:
    """All releases of a model, in the order in which they were added."""
    rows = Release.objects.filter(model=model).order_by("id").values(*_RELEASE)
    return [ReleaseRecord(**row) for row in rows]


def champions(records: Sequence[ReleaseRecord]) -> list[str]:
    """The champion by the record last, before it those that a roll-back leads to."""
    line: list[str] = []
    for record in records:
        if record.action == "rolled_back" and record.version in line:
            line = line[: line.index(record.version) + 1]
        elif record.action in ("promoted", "rolled_back"):
            line.append(record.version)
    return line


def open_proposals(
    records: Sequence[ReleaseRecord], version: str
) -> list[ReleaseRecord]:
    """Proposals of a version that can be approved.

    A proposal was made with the champion of its day in mind: it lapses when the champion
    changes.
    """
    since: list[ReleaseRecord] = []
    for record in records:
        changed = record.action in ("promoted", "rolled_back")
        since = [] if changed else [*since, record]
    return [r for r in since if r.action == "proposed" and r.version == version]


def add_release(
    model: str, version: int | str, action: Action, *, user: str, reason: str
) -> ReleaseRecord:
    """Add one step; StoreError when a text is empty or the action unknown."""
    now = datetime.now(UTC)
    record = ReleaseRecord(model, str(version), action, reason, user, now)
    _check(record)
    Release.objects.create(**{name: getattr(record, name) for name in _RELEASE})
    return record


def propose(model: str, version: int, *, user: str, reason: str) -> ReleaseRecord:
    """Ask for a version to become champion; another person's approval makes it so."""
    with _alone():
        _refuse_champion(model, version)
        return add_release(model, version, "proposed", user=user, reason=reason)


def approve(model: str, version: int, *, user: str, reason: str) -> ReleaseRecord:
    """The second person's word: record `approved` and `promoted`.

    Returns what is now promoted. Already promoted, it is returned as it stands.

    Raises:
        StoreError: nobody proposed the version since the champion last changed, or only
            the same person did.
    """
    with _alone():
        records = releases(model)
        if champions(records)[-1:] == [str(version)]:
            return _last(records, str(version))
        proposers = {r.user for r in open_proposals(records, str(version))}
        if not proposers:
            raise StoreError(
                f"{model} version {version}: there is no open proposal to approve (one "
                "lapses when the champion changes); propose it with: leadline promote "
                f"{model} {version} --reason ..."
            )
        if proposers == {user}:
            raise StoreError(
                f"{model} version {version}: {user} proposed it, so {user} cannot approve "
                f"it; another person must: leadline approve {model} {version} --reason ..."
            )
        add_release(model, version, "approved", user=user, reason=reason)
        return add_release(model, version, "promoted", user=user, reason=reason)


def promote(model: str, version: int, *, user: str, reason: str) -> ReleaseRecord:
    """One person's word: the first version, or an office that asks for one approval.

    Already promoted, it is returned as it stands.
    """
    with _alone():
        records = releases(model)
        if champions(records)[-1:] == [str(version)]:
            return _last(records, str(version))
        return add_release(model, version, "promoted", user=user, reason=reason)


def adopt(model: str, version: int, *, user: str, reason: str) -> ReleaseRecord:
    """Record the champion of a model of which nothing is recorded yet."""
    with _alone():
        records = releases(model)
        if records:
            return records[0]
        return add_release(model, version, "promoted", user=user, reason=reason)


def roll_back(
    model: str, version: int | None, *, user: str, reason: str
) -> ReleaseRecord:
    """Make a former champion champion again; the one before this one when none is named.

    Raises:
        StoreError: there is none, or the version was never champion.
    """
    with _alone():
        records = releases(model)
        line = champions(records)
        wanted = str(version) if version is not None else "".join(line[-2:-1])
        former = {r.version for r in records if r.action in ("promoted", "rolled_back")}
        if wanted not in former or line[-1:] == [wanted]:
            raise StoreError(
                f"{model}: cannot roll back to {_named(wanted)}; former champions: "
                f"{', '.join(sorted(former - set(line[-1:]))) or 'none'}. Another version "
                f"is proposed with: leadline promote {model} VERSION --reason ..."
            )
        return add_release(model, wanted, "rolled_back", user=user, reason=reason)


def _named(version: str) -> str:
    return f"version {version}" if version else "the champion before this one"


def _refuse_champion(model: str, version: int) -> None:
    if champions(releases(model))[-1:] == [str(version)]:
        raise StoreError(f"{model} version {version} is the champion already")


def _last(records: Sequence[ReleaseRecord], version: str) -> ReleaseRecord:
    return next(r for r in reversed(records) if r.version == version)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time decides upon what is recorded."""
    with transaction.atomic(durable=True):
        # SQLite's transaction, begun IMMEDIATE, lets one writer in at a time by itself.
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def _check(record: ReleaseRecord) -> None:
    for name in ("model", "version", "reason", "user"):
        text = getattr(record, name)
        if not text.strip() or "\x00" in text:
            raise StoreError(
                f"release.{name}: got {text!r}; give the model, its version, a reason, "
                "and the user"
            )
    actions: Any = get_args(Action)
    if record.action not in actions:
        raise StoreError(
            f"release.action: got {record.action!r}{nearest(record.action, actions)}"
        )
