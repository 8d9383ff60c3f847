"""A store of an earlier Leadline: its runs stay as they were published."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from configs.settings import Settings
from serving import queries
from serving.connect import close_store, open_store
from serving.judgements import judgements
from serving.leads.immutability import missing_guards
from serving.publication import Publication
from serving.publish import publish
from serving.verify import verify
from tests.serving.publications import make_publication

# Dumped by the version before reviews: one run of six units, and one judgement.
DUMP = Path(__file__).parent / "stores" / "before_review.sql"
RUN = "vehicle_insurance-20250630-1"


@pytest.fixture
def old_store(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path, store_url="")
    settings.var.mkdir()
    path = settings.store.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        database.executescript(DUMP.read_text("utf-8"))
    open_store(settings)
    yield settings
    close_store()


def test_a_run_published_before_reviews_still_verifies(old_store: Settings) -> None:
    findings = [finding.message for finding in verify(old_store)]

    assert len(findings) == 1
    assert findings[0].startswith("its scores file is missing")  # the dump has no files


def test_a_run_published_before_reviews_reads_as_it_was(old_store: Settings) -> None:
    (run,) = queries.runs()
    detail = queries.lead(RUN, "CLM-000001")

    assert (run.files, queries.slots(RUN)) == ({}, [])
    assert (detail.lead.band_low, detail.lead.band_high) == (None, None)
    assert {reason.kind for reason in detail.reasons} == {"value"}
    assert (detail.parts, detail.counterfactuals) == ((), ())
    assert len(judgements("vehicle_insurance")) == 1


def test_a_run_published_before_reviews_stays_guarded(old_store: Settings) -> None:
    assert missing_guards(connection) == []
    for sql in (
        "UPDATE leads_reason SET kind = 'network'",
        "UPDATE leads_run SET form = 2",
        "DELETE FROM leads_linkjudgement",
    ):
        with connection.cursor() as cursor, pytest.raises(IntegrityError):
            cursor.execute(sql)


def test_rows_slipped_into_a_table_newer_than_the_run_are_found(
    old_store: Settings,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER leads_slot_no_insert")
        cursor.execute(
            "INSERT INTO leads_slot (lead_id, position, kind, stratum, propensity)"
            " VALUES (1, 1, 'top', 'top', 1)"
        )

    messages = [finding.message for finding in verify(old_store)]

    assert "1 rows in slots; 0 were published" in messages


def test_an_old_store_takes_new_runs(old_store: Settings, tmp_path: Path) -> None:
    later = make_publication(tmp_path, 12)
    later = replace(later, run_id="later", inputs="6" * 64)

    publish(later, old_store)

    assert [record.kind for record in queries.slots("later")].count("explore") == 2
    assert not [f for f in verify(old_store) if "scores file" not in f.message]


def test_a_store_with_runs_is_upgraded_on_either_database(
    store: Settings, published: Publication
) -> None:
    """Back to the tables of before reviews, with the leads kept, and forth again."""
    call_command("migrate", "leads", "0002_guards", verbosity=0)
    open_store(store)

    assert missing_guards(connection) == []
    assert len(queries.leads(published.run_id, 100)) == 12
    assert queries.slots(published.run_id) == []
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute("UPDATE leads_lead SET band_low = 0.5")
