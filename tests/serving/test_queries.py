"""The questions that are asked of the store."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
from django.db import connection

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.publication import Publication
from serving.publish import publish
from serving.records import LeadRecord, WorkRecord
from tests.serving.changes import rows
from tests.serving.publications import AS_OF, make_publication, without_groups


@pytest.mark.parametrize("order", get_args(queries.Order))
def test_leads_come_in_the_order_asked_for(
    order: queries.Order, published: Publication
) -> None:
    leads = queries.leads(published.run_id, 5, order)

    assert [getattr(lead, f"rank_{order}") for lead in leads] == [1, 2, 3, 4, 5]


def test_leads_carry_the_age_of_their_list_and_the_rules_that_fired(
    published: Publication,
) -> None:
    run = queries.latest_run("vehicle_insurance")
    leads = {lead.unit_id: lead for lead in queries.leads(published.run_id, 12)}

    assert {(lead.as_of, lead.published_at) for lead in leads.values()} == {
        (AS_OF, run.published_at)
    }
    assert leads["CLM-000001"].codes == ("V1", "V6")
    assert leads["CLM-000004"].codes == ("V6",)
    assert leads["CLM-000002"].codes == ()


def test_lead_explains_itself(published: Publication) -> None:
    detail = queries.lead(published.run_id, "CLM-000004")

    (hit,) = detail.hits
    assert (hit.code, hit.layer, hit.reason_en, hit.lawful_zh) == (
        "V6",
        3,
        "Filed 3 such suits in 24 months",
        "V6的合理解释",
    )
    assert [reason.position for reason in detail.reasons] == [1, 2]
    assert [reason.peer_median for reason in detail.reasons] == ["1", None]
    assert [(row.source, row.line) for row in detail.evidence] == [
        ("source_1", 5),
        ("source_2", None),
    ]


def test_lead_tells_its_group_and_the_ways_to_other_leads(
    published: Publication,
) -> None:
    detail = queries.lead(published.run_id, "CLM-000004")

    assert detail.group == queries.group(published.run_id, "G0001").group
    assert detail.lead.group_id == "G0001"
    first, second = detail.paths
    assert (first.other, second.other) == ("CLM-000003", "CLM-000002")
    ranks = {lead.unit_id: lead.rank_fused for lead in every(published)}
    assert (first.other_rank, second.other_rank) == (
        ranks["CLM-000003"],
        ranks["CLM-000002"],
    )
    assert [step.right_kind for step in second.steps] == ["person", "company", "claim"]
    assert second.steps[1].left == second.steps[0].right == "330***"
    assert second.steps[0].event_at == datetime(2025, 5, 1, 13, 30, 0, 250)
    assert second.steps[1].event_at is None


def test_lead_that_stands_alone_has_no_group(published: Publication) -> None:
    detail = queries.lead(published.run_id, "CLM-000012")

    assert (detail.group, detail.paths, detail.lead.group_id) == (None, (), None)


def every(published: Publication) -> list[LeadRecord]:
    return queries.leads(published.run_id, 12)


def test_groups_come_by_rank(published: Publication) -> None:
    first, second = queries.groups(published.run_id, 9)

    assert (first.group_id, first.rank, first.codes) == ("G0001", 1, ("V1", "V6"))
    assert (second.rank, second.codes, second.money) == (2, (), None)
    assert first.as_of == AS_OF
    assert queries.groups(published.run_id, 1) == [first]
    with pytest.raises(StoreError, match="top: got 0"):
        queries.groups(published.run_id, 0)


def test_group_shows_its_members_as_the_list_does(published: Publication) -> None:
    detail = queries.group(published.run_id, "G0001")

    listed = [lead for lead in every(published) if lead.group_id == "G0001"]
    assert list(detail.members) == listed
    assert len(listed) == detail.group.units == 4
    assert {codes for lead in listed for codes in lead.codes} == {"V1", "V6"}
    assert [tie.left for tie in detail.ties] == [lead.unit_id for lead in listed]


def test_unknown_group_is_answered_with_the_nearest(published: Publication) -> None:
    with pytest.raises(StoreError, match=r"group 'G001' is not among.*'G0001'"):
        queries.group(published.run_id, "G001")


def test_group_of_a_run_without_groups_says_so(
    store: Settings, publication: Publication
) -> None:
    publish(without_groups(publication), store)

    assert queries.groups(publication.run_id, 5) == []
    with pytest.raises(StoreError, match=r"'G1' is not among .*; it has no groups"):
        queries.group(publication.run_id, "G1")


def test_worklist_opens_every_unit_once_in_the_order_of_the_list(
    store: Settings, tmp_path: Path
) -> None:
    publication = make_publication(tmp_path, 60, seed=3)
    publish(publication, store)

    work = queries.worklist(publication.run_id, 100)

    expected: list[tuple[str, str]] = []
    for lead in queries.leads(publication.run_id, 60):  # the order by its meaning
        opened = ("group", lead.group_id) if lead.group_id else ("lead", lead.unit_id)
        if opened not in expected:
            expected.append(opened)
    assert [key_of(record) for record in work] == expected
    assert [record.position for record in work] == list(range(1, len(work) + 1))
    leads = {lead.unit_id: lead for lead in queries.leads(publication.run_id, 60)}
    assert all(r.lead == leads[r.lead.unit_id] for r in work if r.lead)
    assert queries.worklist(publication.run_id, 7)[:7] == work[:7]


def key_of(record: WorkRecord) -> tuple[str, str]:
    assert (record.group is None) != (record.lead is None)
    if record.group:
        return "group", record.group.group_id
    assert record.lead
    return "lead", record.lead.unit_id


def test_worklist_without_groups_is_the_list(
    store: Settings, publication: Publication
) -> None:
    publish(without_groups(publication), store)

    work = queries.worklist(publication.run_id, 5)

    assert [record.lead for record in work[:5]] == queries.leads(publication.run_id, 5)
    with pytest.raises(StoreError, match="top: got 0"):
        queries.worklist(publication.run_id, 0)


def test_worklist_ends_with_the_units_drawn_from_below(
    store: Settings, publication: Publication
) -> None:
    publish(without_groups(publication), store)
    drawn = [s for s in queries.slots(publication.run_id) if s.kind == "explore"]

    work = queries.worklist(publication.run_id, 4)
    whole = queries.worklist(publication.run_id, 100)

    assert [record.drawn for record in work] == [()] * 4 + [(slot,) for slot in drawn]
    assert [r.lead.unit_id for r in work[4:] if r.lead] == [s.unit_id for s in drawn]
    assert [record.position for record in work] == [1, 2, 3, 4, 5, 6]
    assert len(whole) == 12  # nothing is opened twice
    marked = {r.lead.unit_id: r.drawn[0] for r in whole if r.lead and r.drawn}
    assert marked == {slot.unit_id: slot for slot in drawn}


def test_worklist_marks_a_drawn_unit_with_its_ring(
    store: Settings, tmp_path: Path
) -> None:
    publication = make_publication(tmp_path, 60, seed=3)
    ringed = ringed_unit(publication)
    change = rows("slots", publication.tables["slots"].num_rows - 1, unit_id=ringed)
    publish(change(publication), store)

    work = queries.worklist(publication.run_id, 100)

    (record,) = [r for r in work if ringed in {slot.unit_id for slot in r.drawn}]
    assert record.group
    assert record.group.group_id == ring_of_unit(publication, ringed)


def ring_of_unit(publication: Publication, unit_id: str) -> str | None:
    leads = publication.tables["leads"].to_pylist()
    return next(lead["group_id"] for lead in leads if lead["unit_id"] == unit_id)


def ringed_unit(publication: Publication) -> str:
    """A unit that stands in a ring and has no slot."""
    leads = publication.tables["leads"].to_pylist()
    slotted = set(publication.tables["slots"]["unit_id"].to_pylist())
    free = [u for lead in leads if lead["group_id"] and (u := lead["unit_id"])]
    return next(unit for unit in free if unit not in slotted)


def test_slots_come_in_order_and_lead_knows_its_parts(published: Publication) -> None:
    given = published.tables["slots"].to_pylist()

    found = [asdict(slot) for slot in queries.slots(published.run_id)]

    assert found == sorted(given, key=lambda slot: slot["position"])
    detail = queries.lead(published.run_id, "CLM-000001")
    assert [part.part for part in detail.parts] == ["detector:forest", "rule:V6"]
    assert [fall.rank for fall in detail.counterfactuals] == [1]
    assert [reason.kind for reason in detail.reasons] == ["value", "peers"]


def test_rules_come_layer_by_layer_with_their_hits(published: Publication) -> None:
    rules = queries.rules(published.run_id)

    assert [(rule.code, rule.hits) for rule in rules] == [
        ("V1", 2),
        ("V6", 4),
        ("V9", 0),
    ]


@pytest.mark.parametrize(
    "typed", ["CLM-00001", "clm-000010", "CLM-O00010", "CLN-000010", "CLM-000O10"]
)
def test_unit_ids_like_finds_a_slip_of_the_pen(
    typed: str, published: Publication
) -> None:
    assert "CLM-000010" in queries.unit_ids_like(published.run_id, typed)


def test_unknown_unit_is_answered_with_those_like_it(published: Publication) -> None:
    with pytest.raises(
        StoreError, match=r"'CLM-00O010' is not among the 12 .*'CLM-0000"
    ):
        queries.lead(published.run_id, "CLM-00O010")


@pytest.mark.usefixtures("published")
def test_unknown_model_is_answered_with_what_is_there_and_what_to_do() -> None:
    with pytest.raises(
        StoreError,
        match=r"no run of model 'vehicle_insurence' is published; did you mean "
        r"'vehicle_insurance'\?; publish one with `leadline score vehicle_insurence",
    ):
        queries.latest_run("vehicle_insurence")


@pytest.mark.usefixtures("published")
def test_unknown_run_is_answered_with_what_is_there() -> None:
    with pytest.raises(
        StoreError, match=r"no run 'x' .*; known: vehicle_insurance-2025"
    ):
        queries.leads("x", 5)


@pytest.mark.usefixtures("store")
def test_empty_store_says_so() -> None:
    assert queries.models() == []
    assert queries.runs() == []
    with pytest.raises(
        StoreError, match="no model has published yet; publish one with"
    ):
        queries.latest_run("vehicle_insurance")


def test_bad_order_and_top_are_refused(published: Publication) -> None:
    with pytest.raises(StoreError, match="order: got 'rule'; did you mean 'rules'"):
        queries.leads(published.run_id, 5, "rule")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="top: got 0"):
        queries.leads(published.run_id, 0)


INDEXED = {
    "top of a run": (
        "SELECT * FROM leads_lead WHERE run_id = 'x' AND rank_score <= 50"
        " ORDER BY rank_score"
    ),
    "groups of a run": (
        "SELECT * FROM leads_group WHERE run_id = 'x' AND rank <= 50 ORDER BY rank"
    ),
    "group of a run": "SELECT * FROM leads_group WHERE run_id = 'x' AND group_id = 'y'",
    "ties of a group": (
        "SELECT * FROM leads_grouptie WHERE group_id = 7 ORDER BY position"
    ),
    "members of a group": (
        "SELECT * FROM leads_groupmember m JOIN leads_lead l ON l.id = m.lead_id"
        " WHERE m.group_id = 7 ORDER BY m.position"
    ),
    "group of a lead": "SELECT * FROM leads_groupmember WHERE lead_id = 7",
    "paths of a lead": (
        "SELECT * FROM leads_pathstep WHERE lead_id = 7 ORDER BY path, step"
    ),
    "worklist": (
        "SELECT * FROM leads_lead l LEFT JOIN leads_groupmember m ON m.lead_id = l.id"
        " WHERE l.run_id = 'x' AND (l.group_id IS NULL OR m.position = 1)"
        " ORDER BY l.rank_fused LIMIT 50"
    ),
}


@pytest.mark.parametrize("what", INDEXED)
def test_questions_are_answered_from_an_index(
    what: str, sqlite_store: Settings
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {INDEXED[what]}")
        plan = " ".join(str(row) for row in cursor.fetchall())

    assert "USING INDEX" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
