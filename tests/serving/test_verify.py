"""What `verify` finds, on both databases."""

from dataclasses import replace

import pytest
from django.db import connection

from configs.settings import Settings
from serving import queries
from serving.leads.immutability import install_guards, remove_guards
from serving.publication import Publication
from serving.publish import publish
from serving.verify import verify
from tests.serving.publications import without_groups

TAMPERED = {
    "lead": "UPDATE leads_lead SET title = 'x' WHERE rank_fused = 3",
    "score": "UPDATE leads_lead SET score = 0.123 WHERE rank_fused = 3",
    "hit": "UPDATE leads_rulehit SET reason_zh = 'x'",
    "reason": "UPDATE leads_reason SET contribution = 0 WHERE position = 1",
    "evidence": "UPDATE leads_evidence SET batch = 'x'",
    "ring": "UPDATE leads_lead SET group_id = 'G0002' WHERE group_id = 'G0001'",
    "kinds": "UPDATE leads_run SET kinds = '{}'",
    "links": "UPDATE leads_run SET links = '{\"records\": 1}'",
    "group": "UPDATE leads_group SET density = 1 WHERE rank = 2",
    "position": "UPDATE leads_groupmember SET position = position + 7",
    "tie": "UPDATE leads_grouptie SET probability = 0.5 WHERE position = 2",
    "time": "UPDATE leads_grouptie SET known_at = '2025-05-03 00:00:00'",
    "path": "UPDATE leads_pathstep SET other = 'CLM-000012' WHERE path = 2",
    "step": "UPDATE leads_pathstep SET event_at = NULL WHERE step = 2",
    "slot": "UPDATE leads_slot SET propensity = 1 WHERE kind = 'explore'",
    "part": "UPDATE leads_part SET contribution = 0 WHERE position = 1",
    "fall": "UPDATE leads_counterfactual SET rank = 1 WHERE rank = 2",
    "band": "UPDATE leads_lead SET band_high = 1 WHERE band_high > 0.5",
    "kind": "UPDATE leads_reason SET kind = 'network' WHERE position = 1",
    "form": "UPDATE leads_run SET form = 1",
    "frozen": "UPDATE leads_run SET files = '{}'",
    "lawful": "UPDATE leads_runrule SET lawful_en = 'x' WHERE code = 'V6'",
    "run": "UPDATE leads_run SET model_version = '5'",
    "age": "UPDATE leads_run SET published_at = '2025-07-01 00:00:00'",
    "file": "UPDATE leads_run SET scores_sha256 = 'x'",
}


def tamper(sql: str) -> None:
    """Run SQL as someone would who may drop the triggers, and put them back."""
    with connection.schema_editor() as editor:
        remove_guards(None, editor)
        editor.execute(sql, None)
        install_guards(None, editor)


@pytest.mark.parametrize("what", TAMPERED)
def test_verify_finds_a_tampered_row(
    what: str, store: Settings, published: Publication
) -> None:
    tamper(TAMPERED[what])

    findings = [finding for finding in verify(store) if not finding.harmless]

    messages = [finding.message for finding in findings]
    assert "its rows are not those published: the digest differs" in messages
    assert all(finding.where == f"run {published.run_id}" for finding in findings)


@pytest.mark.usefixtures("published")
def test_verify_finds_rows_that_were_deleted(store: Settings) -> None:
    tamper("DELETE FROM leads_reason WHERE position = 2")

    messages = [finding.message for finding in verify(store)]

    assert "12 rows in reasons; 24 were published" in messages


@pytest.mark.parametrize(
    ("table", "rows"), [("group_members", 2), ("group_ties", 2), ("paths", 3)]
)
@pytest.mark.usefixtures("published")
def test_verify_names_the_table_that_lost_rows(
    table: str, rows: int, store: Settings
) -> None:
    which = {
        "group_members": "leads_groupmember WHERE position > 2",
        "group_ties": "leads_grouptie WHERE position > 2",
        "paths": "leads_pathstep WHERE path = 2",
    }
    before = queries.latest_run("vehicle_insurance").counts[table]
    tamper(f"DELETE FROM {which[table]}")

    messages = [finding.message for finding in verify(store)]

    assert f"{before - rows} rows in {table}; {before} were published" in messages


def test_verify_finds_a_member_moved_to_the_same_rank_of_another_run(
    store: Settings, published: Publication
) -> None:
    publish(without_groups(replace(published, run_id="later", inputs="6" * 64)), store)
    tamper(
        "UPDATE leads_groupmember SET lead_id = (SELECT o.id FROM leads_lead l, "
        "leads_lead o WHERE o.rank_fused = l.rank_fused AND o.run_id = 'later' "
        "AND l.id = leads_groupmember.lead_id)"
    )

    findings = {finding.where: finding.message for finding in verify(store)}

    assert list(findings) == [f"run {published.run_id}"]


@pytest.mark.usefixtures("published")
def test_verify_finds_missing_guards(store: Settings) -> None:
    with connection.schema_editor() as editor:
        remove_guards(None, editor)

    findings = [str(finding) for finding in verify(store)]

    assert "store: trigger leads_lead_no_update is missing, so that rows can" in (
        " ".join(findings)
    )


def test_verify_finds_rows_of_no_run(
    sqlite_store: Settings, publication: Publication
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute(
            "INSERT INTO leads_evidence (source, department_en, department_zh, batch,"
            " row_key, lead_id) VALUES ('', '', '', '', '', 77)"
        )

    assert [str(finding) for finding in verify(sqlite_store)] == [
        "leads_evidence: 1 rows belong to no published run"
    ]


def test_verify_finds_a_changed_or_missing_scores_file(
    store: Settings, published: Publication
) -> None:
    path = store.published / queries.run(published.run_id).scores_path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")

    assert [f.message for f in verify(store)] == [
        f"its scores file was changed: {path}"
    ]
    path.unlink()
    assert [f.message for f in verify(store)] == [f"its scores file is missing: {path}"]


def test_verify_finds_a_changed_or_missing_frozen_input(
    store: Settings, published: Publication
) -> None:
    files = queries.run(published.run_id).files
    matrix = store.published / files["feature_matrix"]["path"]
    matrix.chmod(0o644)
    matrix.write_bytes(matrix.read_bytes() + b"x")
    units = store.published / files["units"]["path"]
    units.unlink()

    assert sorted(f.message for f in verify(store)) == [
        f"its feature_matrix file was changed: {matrix}",
        f"its units file is missing: {units}",
    ]


@pytest.mark.usefixtures("published")
def test_verify_reports_leftovers_as_harmless(store: Settings) -> None:
    left = store.published / "vehicle_insurance" / "run" / ".scores.parquet.x.part"
    left.parent.mkdir()
    left.write_bytes(b"")

    (finding,) = verify(store)

    assert finding.harmless
    assert str(finding) == f"{left}: unfinished copy, left by a killed process"
