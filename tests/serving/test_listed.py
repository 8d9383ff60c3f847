"""A run whose list is shorter than what it scored: published, verified, read, rebuilt."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from django.db import connection

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.contract import exact_tables
from serving.leads.models import Lead, Run
from serving.publication import Publication
from serving.publish import publish
from serving.rebuilt import differences
from serving.records import LeadDetail, ScoredRecord
from serving.verify import verify
from tests.serving.changes import Change, table
from tests.serving.publications import make_publication, shortened

UNITS, LISTED = 60, 5
RANKS = ("rank_fused", "rank_score", "rank_rules")


@pytest.fixture
def short(tmp_path: Path) -> Publication:
    """60 units scored; the first 5 of each order, those drawn and all rings listed."""
    return shortened(make_publication(tmp_path, UNITS), LISTED)


def unlisted(publication: Publication) -> list[str]:
    """The units that were scored and are not listed."""
    leads = set(publication.tables["leads"]["unit_id"].to_pylist())
    named = (f"CLM-{number:06}" for number in range(1, UNITS + 1))
    return [unit for unit in named if unit not in leads]


def test_leads_are_the_listed_and_units_all_that_were_scored(
    store: Settings, short: Publication
) -> None:
    publish(short, store)

    run = queries.latest_run(short.model_id)
    leads = short.tables["leads"].num_rows
    assert (run.units, run.listed, run.counts["leads"]) == (UNITS, leads, leads)
    assert leads < UNITS - LISTED
    given = {row["unit_id"]: row for row in short.tables["leads"].to_pylist()}
    found = queries.leads(run.id, UNITS)
    assert [lead.unit_id for lead in found] == sorted(
        given, key=lambda unit: given[unit]["rank_fused"]
    )
    for lead in found:
        assert all(getattr(lead, rank) == given[lead.unit_id][rank] for rank in RANKS)
    assert verify(store) == []
    assert differences(short, store) == []


def test_rows_hang_on_the_leads_that_they_are_of(
    store: Settings, short: Publication
) -> None:
    publish(short, store)

    for unit in short.tables["leads"]["unit_id"].to_pylist():
        detail = queries.lead(short.run_id, unit)
        number = int(unit[-6:]) - 1  # as the publications of the tests are made
        assert {r.text_zh for r in detail.reasons} == {f"{number}件；同类中位数为1"}
        assert {r.row_key for r in detail.evidence} == {f"{unit}/1", f"{unit}/2"}
        assert [fall.rank for fall in detail.counterfactuals] == [number + 1]
    drawn = [slot.unit_id for slot in queries.slots(short.run_id)]
    assert drawn == short.tables["slots"]["unit_id"].to_pylist()
    for group in queries.groups(short.run_id, 100):
        members = queries.group(short.run_id, group.group_id).members
        assert len(members) == group.units


def test_ids_of_two_runs_do_not_meet(store: Settings, short: Publication) -> None:
    publish(short, store)
    again = {"run_id": f"{short.run_id}0", "inputs": "8" * 64}
    publish(replace(short, **again), store)

    first, second = (
        set(Lead.objects.filter(run_id=run).values_list("id", flat=True))
        for run in (short.run_id, again["run_id"])
    )
    assert max(first) < min(second)
    assert verify(store) == []


def test_a_unit_that_is_not_listed_is_told_with_its_ranks(
    store: Settings,
    short: Publication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEADLINE_HOME", str(store.home))  # where its files are
    publish(short, store)
    all_of_them = make_publication(tmp_path / "all", UNITS).tables["leads"].to_pylist()
    unit = unlisted(short)[0]
    row = next(row for row in all_of_them if row["unit_id"] == unit)

    found = queries.unit(short.run_id, unit)

    assert isinstance(found, ScoredRecord)
    for name in (*RANKS, "score", "rules", "fused"):
        assert getattr(found, name) == row[name]
    said = f"'{unit}' is not on the list of run .* rank {row['rank_fused']} of {UNITS}"
    with pytest.raises(StoreError, match=said):
        queries.lead(short.run_id, unit)
    with pytest.raises(StoreError, match=f"not among the {UNITS} of run"):
        queries.unit(short.run_id, "CLM-999999")
    listed = short.tables["leads"]["unit_id"][0].as_py()
    assert isinstance(queries.unit(short.run_id, listed), LeadDetail)


def test_another_number_of_units_than_was_scored_is_found(
    sqlite_store: Settings, short: Publication
) -> None:
    publish(short, sqlite_store)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            " AND tbl_name = 'leads_run'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")
    Run.objects.update(units=UNITS - 1)

    said = [str(finding) for finding in verify(sqlite_store)]

    assert any(f"{UNITS - 1} units; its scores are of {UNITS}" in one for one in said)


def _without_first(name: str) -> Change:
    return table("leads", lambda t: t.filter(pc.not_equal(t[name], 2)))


BROKEN: dict[str, tuple[Change, str]] = {
    "the second by score is missing": (
        _without_first("rank_score"),
        r"leads.rank_score: got .*; expected each of 1\.\.5 once and no other up to 60",
    ),
    "a rank beyond the units": (
        table("leads", lambda t: _changed(t, "rank_rules", UNITS + 1)),
        r"leads.rank_rules: got .* to 61.*expected each of 1\.\.5",
    ),
    "a drawn unit is not listed": (
        table("slots", lambda t: _changed(t, "unit_id", "CLM-000999")),
        "'slots': 1 rows are about units that are no leads, such as 'CLM-000999'",
    ),
    "more hits than all units have": (
        lambda p: replace(p, rules=[{**rule, "hits": 0} for rule in p.rules]),
        "says 0 hits; table 'rule_hits' has",
    ),
}


def _changed(rows: pa.Table, name: str, value: object) -> pa.Table:
    """The row with the largest value of a column has another one."""
    values = rows[name].to_pylist()
    values[values.index(max(values))] = value
    return rows.set_column(rows.column_names.index(name), name, [values])


@pytest.mark.parametrize("name", BROKEN)
def test_a_short_list_that_breaks_the_contract_is_refused(
    name: str, short: Publication
) -> None:
    change, message = BROKEN[name]

    with pytest.raises(StoreError, match=message):
        exact_tables(change(short))


def test_hits_of_a_rule_count_all_units(store: Settings, short: Publication) -> None:
    publish(short, store)

    said = {rule.code: rule.hits for rule in queries.rules(short.run_id)}

    assert said == {str(rule["code"]): rule["hits"] for rule in short.rules}
    assert sum(said.values()) > short.tables["rule_hits"].num_rows
