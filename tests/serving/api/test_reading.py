"""What a service reads: all of a list, once, in its order, with nothing it may not see."""

from dataclasses import replace

from django.db import connection
from django.test.utils import CaptureQueriesContext

from configs.settings import Settings
from serving.leads.models import Lead, Run, Slot
from serving.publication import Publication
from serving.publish import publish
from tests.serving.api.asking import pages, read
from tests.serving.dossiers import person

MODEL = "vehicle_insurance"


def test_models_and_runs_say_what_is_published(analyst, run):
    (model,) = read(analyst, "/models")
    assert model["id"] == MODEL
    assert model["runs"] == 1
    assert model["title_zh"] == "车辆保险理赔监督模型"
    (item,) = pages(analyst, "/runs", model=MODEL, limit=1)
    assert item["id"] == run.id
    assert item["as_of"] == "2025-06-30T00:00:00"  # without a zone, as in the records
    detail = read(analyst, f"/runs/{run.id}")
    assert detail["digest"] == run.digest
    assert {rule["code"] for rule in detail["rules"]} == {"V1", "V6", "V9"}
    assert "about" not in detail
    assert pages(analyst, "/runs", model="elder_care") == []


def test_pages_give_every_lead_once_in_each_order(analyst, run):
    for order in ("fused", "score", "rules"):
        for limit in (1, 7, 24, 500):
            asked = {"order": order, "limit": limit}
            items = pages(analyst, f"/runs/{run.id}/leads", **asked)
            ranks = [item[f"rank_{order}"] for item in items]
            assert ranks == list(range(1, run.units + 1))


def test_a_page_of_leads_takes_as_many_queries_as_its_first_lead(analyst, run):
    read(analyst, f"/runs/{run.id}/leads", limit=1)
    with CaptureQueriesContext(connection) as of_one:
        read(analyst, f"/runs/{run.id}/leads", limit=1)
    with CaptureQueriesContext(connection) as of_all:
        read(analyst, f"/runs/{run.id}/leads", limit=24)
    assert len(of_all) <= len(of_one) + 1  # the groups, when there are any


def test_filters_of_the_list(analyst, run):
    def units(**asked):
        items = pages(analyst, f"/runs/{run.id}/leads", **asked)
        return {item["unit_id"] for item in items}

    def expected(**which):
        return set(
            Lead.objects.filter(run=run, **which).values_list("unit_id", flat=True)
        )

    assert units(found_by="both") == expected(found_by="both")
    assert units(office="office 1") == expected(office="office 1")
    assert units(code="V6") == expected(hits__code="V6")
    assert units(code="V6", office="office 0") == expected(
        hits__code="V6", office="office 0"
    )
    assert units(state="open") == expected()
    assert units(state="confirmed") == units(code="V999") == set()


def test_a_lead_says_why_in_both_languages(analyst, lead):
    detail = read(analyst, f"/leads/{lead.id}")
    assert detail["unit_id"] == lead.unit_id
    assert detail["review"] == {
        "state": "open",
        "version": 0,
        "assignee": "",
        "due": None,
    }
    for part in ("reasons", "parts", "counterfactuals"):
        assert detail[part]
        assert all(row["text_en"] and row["text_zh"] for row in detail[part])
    assert len(detail["evidence"]) == lead.evidence.count()
    assert {hit["code"] for hit in detail["hits"]} == set(detail["codes"])
    hit = Lead.objects.filter(run=lead.run, hits__code="V6").first()
    (said,) = [
        h for h in read(analyst, f"/leads/{hit.id}")["hits"] if h["code"] == "V6"
    ]
    assert said["lawful_en"] == "lawful explanation of V6"
    assert said["lawful_zh"]


def test_a_group_shows_its_members_and_what_ties_them(analyst, run):
    items = pages(analyst, f"/runs/{run.id}/groups", limit=2)
    assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    detail = read(analyst, f"/groups/{items[0]['id']}")
    assert len(detail["members"]) == detail["units"]
    assert detail["hidden"] == 0
    assert detail["ties"]
    assert {member["group"] for member in detail["members"]} == {detail["id"]}


def test_what_source_rows_hold_and_sensitive_values_are_not_given(analyst, run):
    said = "".join(
        analyst.get(f"/api/leads/{lead.id}").content.decode()
        for lead in run.leads.all()
    )
    assert not any(person(number) in said for number in range(run.units))
    assert "<script>" not in said


def test_no_answer_tells_that_a_unit_was_drawn_before_it_is_decided(analyst, run):
    drawn = Slot.objects.filter(lead__run=run, kind="explore").first()
    other = Lead.objects.filter(run=run, slot=None).first()
    one, another = (read(analyst, f"/leads/{n}") for n in (drawn.lead_id, other.id))
    assert one.keys() == another.keys()
    for path in (f"/runs/{run.id}/leads", f"/leads/{drawn.lead_id}", f"/runs/{run.id}"):
        said = analyst.get(f"/api{path}").content.decode()
        assert "explore" not in said
        assert "propensity" not in said or '"dispositions":' in said


def test_a_list_of_a_later_run_does_not_touch_pages_of_this_one(
    analyst, listed: Publication, run: Run
):
    first = read(analyst, f"/runs/{run.id}/leads", limit=10)
    publish(replace(listed, run_id="later", inputs="9" * 64), Settings())
    rest = pages(analyst, f"/runs/{run.id}/leads", limit=10)
    assert rest[:10] == first["items"]
    assert len(rest) == run.units
