"""Writing to and checking the audit log.

Each entry's hash is SHA-256 over the hash before it and its own content, so an entry that
is changed, left out or put in afterwards breaks every hash from there on.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from serving.audit.models import Entry
from serving.leads.immutability import missing_guards

GENESIS = "0" * 64
_LOCK = 0x1EB0  # key of PostgreSQL's advisory lock around the end of the chain
_FIELDS = ("id", "at", "user", "action", "model", "run", "unit", "detail")


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be logged."""

    action: str
    user: str
    model: str = ""
    run: str = ""
    unit: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def record(action: str, *, user: str, **about: Any) -> Entry:
    """Log one act. In a transaction it stands or falls with what it tells of.

    Args:
        about: `model`, `run`, `unit`, and further plain values, kept as details.
    """
    named = {name: about.pop(name, "") for name in ("model", "run", "unit")}
    return record_all([Act(action, user, detail=about, **named)])[0]


def record_all(acts: Sequence[Act]) -> list[Entry]:
    """Log several acts, one after the other, all of them or none."""
    with transaction.atomic():
        _wait_for_turn()
        last = Entry.objects.order_by("-id").values_list("id", "hash").first()
        number, before = last or (0, GENESIS)
        now = datetime.now(UTC)
        entries = []
        for act in acts:
            number += 1
            row = {
                "id": number,
                "at": now,
                **{n: getattr(act, n) for n in _FIELDS if n not in ("id", "at")},
            }
            before = entry_hash(before, row)
            entries.append(Entry(**row, hash=before))
        return Entry.objects.bulk_create(entries)


def _wait_for_turn() -> None:
    # On SQLite the transaction itself, begun IMMEDIATE, lets one writer in at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def entry_hash(before: str, row: dict[str, Any]) -> str:
    """The hash of an entry after the one with hash `before`."""
    said = {name: row[name] for name in _FIELDS}
    said["at"] = row["at"].astimezone(UTC).isoformat()
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def findings() -> list[str]:
    """What is wrong with the log; nothing when every entry is as it was written.

    That the newest entries were cut off cannot be seen in the log itself: compare
    `head` with a hash that was noted elsewhere.
    """
    wrong: list[str] = []
    before, expected = GENESIS, 1
    for row in Entry.objects.order_by("id").values(*_FIELDS, "hash").iterator():
        if row["id"] != expected:
            wrong.append(f"entries {expected} to {row['id'] - 1} are missing")
        if entry_hash(before, row) != row["hash"]:
            wrong.append(f"entry {row['id']} or the one before it was changed")
        before, expected = row["hash"], row["id"] + 1
    return wrong


def unguarded() -> list[str]:
    """Which of the triggers that keep the log as it is somebody dropped or disabled."""
    table = Entry._meta.db_table
    return [
        f"trigger {name} is missing, so that entries can be changed"
        for name in missing_guards(connection)
        if name.startswith(table)
    ]


def missing_head(noted: str) -> list[str]:
    """What is wrong when the log no longer holds an entry that was noted elsewhere.

    Args:
        noted: `number:hash`, as `head` gave them at that time.
    """
    number, _, digest = noted.strip().partition(":")
    if not number.isdecimal():
        return [f"{noted!r} is no noted entry: give its number, a colon, its hash"]
    if (int(number), digest) == (0, GENESIS):
        return []
    kept = Entry.objects.filter(id=int(number)).values_list("hash", flat=True).first()
    if kept is None:
        return [f"entry {number}, which was noted elsewhere, was cut off"]
    return [] if kept == digest else [f"entry {number} is not the one that was noted"]


def head() -> tuple[int, str]:
    """Number and hash of the newest entry; an office notes them elsewhere."""
    last = Entry.objects.order_by("-id").values_list("id", "hash").first()
    return last or (0, GENESIS)
