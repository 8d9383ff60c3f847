"""The audit log cannot be changed unseen, however many write to it."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, connections, transaction

from serving.audit import chain
from serving.audit.models import Entry


def written(count: int = 3) -> None:
    for number in range(count):
        chain.record("exported", user="ann", model="claims", rows=number)


@pytest.mark.usefixtures("store")
def test_entries_count_without_a_hole_and_hang_on_each_other() -> None:
    written()
    first, second, third = Entry.objects.order_by("id")

    assert [first.id, second.id, third.id] == [1, 2, 3]
    assert len({first.hash, second.hash, third.hash}) == 3
    assert chain.findings() == []
    assert chain.head() == (3, third.hash)


@pytest.mark.usefixtures("store")
def test_details_come_back_as_they_were_logged() -> None:
    told = {
        "whom": "王安 <b>",
        "rows": 3,
        "share": 0.25,
        "names": ["a", "b"],
        "no": None,
    }
    chain.record("exported", user="ann", unit="CLM-1\n=1+1", **told)

    assert Entry.objects.get().detail == told
    assert chain.findings() == []


@pytest.mark.usefixtures("store")
def test_the_database_refuses_to_change_an_entry() -> None:
    written(1)
    for change in (
        lambda: Entry.objects.update(user="ben"),
        lambda: Entry.objects.all().delete(),
    ):
        with (
            pytest.raises(DatabaseError, match="cannot be changed"),
            transaction.atomic(),
        ):
            change()
    assert chain.findings() == []


@pytest.mark.usefixtures("sqlite_store")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("UPDATE audit_entry SET \"user\" = 'ben' WHERE id = 3", "entry 3"),
        ("UPDATE audit_entry SET unit = 'x' WHERE id = 3", "entry 3"),
        ("UPDATE audit_entry SET at = '2020-01-01' WHERE id = 3", "entry 3"),
        ("UPDATE audit_entry SET detail = '{}' WHERE id = 3", "entry 3"),
        ("DELETE FROM audit_entry WHERE id = 3", "entries 3 to 3 are missing"),
        ("DELETE FROM audit_entry WHERE id < 3", "entries 1 to 2 are missing"),
        ("UPDATE audit_entry SET id = 9 WHERE id = 5", "entries 5 to 8 are missing"),
    ],
)
def test_who_gets_past_the_database_is_found_out(changed: str, said: str) -> None:
    written(5)
    without_triggers(changed)

    assert any(said in finding for finding in chain.findings())


@pytest.mark.usefixtures("sqlite_store")
def test_a_changed_entry_with_its_hash_made_anew_breaks_the_next_one() -> None:
    written(3)
    rows = list(Entry.objects.order_by("id").values())
    forged = chain.entry_hash(rows[0]["hash"], {**rows[1], "user": "ben"})
    without_triggers(
        f"UPDATE audit_entry SET \"user\" = 'ben', hash = '{forged}' WHERE id = 2"
    )

    assert chain.findings() == ["entry 3 or the one before it was changed"]


@pytest.mark.usefixtures("store")
def test_an_end_that_was_cut_off_is_seen_by_the_head_noted_elsewhere() -> None:
    written(3)
    number, digest = chain.head()
    noted = f"{number}:{digest}"
    assert chain.missing_head(noted) == []
    written(1)
    assert chain.missing_head(noted) == []
    assert chain.missing_head(f"0:{chain.GENESIS}") == []

    without_triggers("DELETE FROM audit_entry WHERE id > 2")
    assert chain.findings() == []
    assert "cut off" in chain.missing_head(noted)[0]
    written(1)
    assert "not the one" in chain.missing_head(noted)[0]
    assert "no noted entry" in chain.missing_head("x:y")[0]


@pytest.mark.usefixtures("store")
def test_what_is_undone_is_not_logged() -> None:
    with transaction.atomic():
        chain.record("decided", user="ann")
        transaction.set_rollback(True)
    assert chain.head() == (0, chain.GENESIS)


@pytest.mark.usefixtures("store")
def test_many_writers_at_once_lose_nothing() -> None:
    def write() -> None:
        written(10)
        connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert Entry.objects.count() == 40
    assert chain.findings() == []


@pytest.mark.usefixtures("store")
def test_times_are_those_of_the_writing() -> None:
    before = datetime.now(UTC)
    written(1)
    assert before <= Entry.objects.get().at <= datetime.now(UTC)


def without_triggers(statement: str) -> None:
    """As somebody who owns the database would."""
    table = "audit_entry"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            for event in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER {table}_no_{event}")
        cursor.execute(statement)
