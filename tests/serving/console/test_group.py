"""The page of a group: one decision for all of it, with exceptions, or for none."""

import re
from dataclasses import replace
from typing import Any

from django.test import Client

from configs.settings import Settings
from serving.audit.models import Entry
from serving.dispositions import dispositions
from serving.leads.models import Group, Lead, Run
from serving.publication import Publication
from serving.publish import publish
from serving.review.models import Draft, Proposal, UnitState
from tests.serving.console.conftest import PASSWORD, Make
from tests.serving.dossiers import HOSTILE
from tests.serving.publications import with_column

MODEL = "vehicle_insurance"
HTMX = {"HTTP_HX_REQUEST": "true"}


def ring(run: Run) -> tuple[Group, list[Lead]]:
    """The first group and its leads by rank."""
    group = Group.objects.get(run=run, rank=1)
    return group, list(
        Lead.objects.filter(membership__group=group).order_by("rank_fused")
    )


def opened(client: Client, group: Group) -> dict[str, str]:
    """What a browser would send of the form as the page shows it."""
    page = client.get(f"/groups/{group.id}/").content.decode()
    hidden = dict(re.findall(r'name="(seen-\d+|author)" value="([^"]+)"', page))
    exceptions = {
        name.replace("seen", "except"): "" for name in hidden if "seen" in name
    }
    said = {"verdict": "excluded", "cause": "lawful", "reason": "one fleet"}
    return {**hidden, **exceptions, **said}


def test_the_page_shows_the_ring_its_members_and_what_they_share(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)

    page = as_role("analyst").get(f"/groups/{group.id}/").content.decode()

    for lead in leads:
        assert lead.unit_id in page
    assert 'id="ring-graph-picture"' in page
    assert "330***" in page
    assert "V6" in page
    assert "¥4,002" in page
    assert "not in your sight" not in page


def test_members_of_other_offices_are_counted_and_not_named(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)
    client = as_role("analyst", MODEL, "office 0")

    page = client.get(f"/groups/{group.id}/").content.decode()

    hidden = [lead for lead in leads if lead.office == "office 1"]
    assert hidden
    assert f"{len(hidden)} not in your sight" in page
    for lead in hidden:
        assert lead.unit_id not in page
        assert lead.title not in page
    for lead in leads:
        assert (lead in hidden) != (lead.unit_id in page)


def test_a_group_without_a_lead_in_sight_is_not_found(
    listed: Publication, as_role: Make
) -> None:
    offices = ["office 1"] * listed.tables["leads"].num_rows
    other = with_column(listed, "leads", "office", offices)
    publish(replace(other, run_id="other", inputs="7" * 64), Settings())
    group, _leads = ring(Run.objects.get(id="other"))
    form = {"verdict": "excluded", "cause": "lawful", "reason": "one fleet"}

    for client in (
        as_role("analyst", "another_model"),
        as_role("analyst", MODEL, "office 0"),
        as_role("administrator"),
    ):
        assert client.get(f"/groups/{group.id}/").status_code == 404
        for name in ("decide", "second", "draft"):
            assert client.post(f"/groups/{group.id}/{name}/", form).status_code == 404
    assert as_role("analyst").get("/groups/9999/").status_code == 404
    assert (
        as_role("analyst", MODEL, "office 1").get(f"/groups/{group.id}/").status_code
        == 200
    )


def test_one_decision_holds_for_all_but_the_exceptions(as_role: Make, run: Run) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    form = opened(client, group)
    first, second, third, *rest = leads
    form[f"except-{first.id}"] = "leave"
    form[f"except-{second.id}"] = "excluded:register_error"
    form[f"note-{second.id}"] = "same number twice"
    form[f"except-{third.id}"] = "needs_information"

    answer = client.post(f"/groups/{group.id}/decide/", form)

    assert answer.status_code == 302
    said = {d.unit_id: (d.verdict, d.cause, d.reason) for d in dispositions(MODEL)}
    assert said == {
        second.unit_id: ("excluded", "register_error", "same number twice"),
        third.unit_id: ("needs_information", "", "one fleet"),
        **{lead.unit_id: ("excluded", "lawful", "one fleet") for lead in rest},
    }
    assert Entry.objects.filter(action="decided").count() == len(leads) - 1
    page = client.get(f"/groups/{group.id}/").content.decode()
    assert "Recorded for 3 leads." in page


def test_a_conflict_on_one_records_nothing_and_keeps_what_was_typed(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    form = opened(client, group)
    form[f"note-{leads[1].id}"] = "own words"
    form[f"except-{leads[1].id}"] = "transferred"
    said = {"verdict": "transferred", "reason": "to tax", "seen": "0"}
    as_role("office_lead").post(f"/leads/{leads[0].id}/decide/", said)

    answer = client.post(f"/groups/{group.id}/decide/", form)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert [d.unit_id for d in dispositions(MODEL)] == [leads[0].unit_id]
    assert "to tax" in page
    assert "one fleet" in page
    assert "own words" in page
    assert f'name="seen-{leads[0].id}" value="1"' in page

    form[f"seen-{leads[0].id}"] = "1"
    form[f"except-{leads[0].id}"] = "leave"
    assert client.post(f"/groups/{group.id}/decide/", form).status_code == 302
    assert len(dispositions(MODEL)) == len(leads)


def test_the_same_form_sent_twice_is_recorded_once(as_role: Make, run: Run) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    form = opened(client, group)

    for _time in range(2):
        answer = client.post(f"/groups/{group.id}/decide/", form, **HTMX)
        assert answer["HX-Redirect"] == f"/groups/{group.id}/"

    assert len(dispositions(MODEL)) == len(leads)


def test_a_second_person_agrees_to_all_at_once(as_role: Make, run: Run) -> None:
    group, leads = ring(run)
    client, second = as_role("analyst"), as_role("office_lead")
    form = {**opened(client, group), "verdict": "confirmed"}
    form[f"except-{leads[0].id}"] = "excluded:other"
    client.post(f"/groups/{group.id}/decide/", form)
    assert len(dispositions(MODEL)) == 1
    assert 'name="agreed"' not in client.get(f"/groups/{group.id}/").content.decode()

    page = second.get(f"/groups/{group.id}/").content.decode()
    asked = re.findall(r'name="proposal" value="(\d+)"', page)
    second.post(f"/groups/{group.id}/second/", {"proposal": asked, "agreed": "yes"})

    assert len(asked) == len(leads) - 1
    assert {d.seconded_by for d in dispositions(MODEL)} == {"", "office_lead"}
    assert len(dispositions(MODEL)) == len(leads)
    own = {"proposal": asked, "agreed": "yes"}
    assert client.post(f"/groups/{group.id}/second/", own).status_code == 422


def test_only_leads_that_are_ones_own_to_decide_are_decided(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)
    client = as_role("analyst", MODEL, "office 0")
    form = opened(as_role("analyst"), group)

    client.post(f"/groups/{group.id}/decide/", form)

    decided = {d.unit_id for d in dispositions(MODEL)}
    assert decided == {lead.unit_id for lead in leads if lead.office != "office 1"}
    auditor = as_role("auditor")
    assert auditor.post(f"/groups/{group.id}/decide/", form).status_code == 403
    assert "Verdict for all" not in auditor.get(f"/groups/{group.id}/").content.decode()


def test_a_form_without_a_version_or_a_verdict_records_nothing(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    form = opened(client, group)
    number = leads[0].id
    changes: list[dict[str, Any]] = [
        {"verdict": ""},
        {"reason": ""},
        {f"seen-{number}": "x"},
        {f"except-{number}": "guilty"},
        {f"except-{number}": "excluded:mood"},
        {f"except-{number}": "withdrawn"},
        {f"except-{lead.id}": "leave" for lead in leads},
    ]
    for change in changes:
        answer = client.post(f"/groups/{group.id}/decide/", {**form, **change})
        assert answer.status_code in (409, 422), change
    assert dispositions(MODEL) == []
    assert not Proposal.objects.exists()
    assert not UnitState.objects.exists()


def test_the_form_of_a_large_group_is_taken(as_role: Make, run: Run) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    many = {f"note-{number}": "x" for number in range(10_000, 13_000)}

    client.post(f"/groups/{group.id}/decide/", {**opened(client, group), **many})

    assert len(dispositions(MODEL)) == len(leads)


def test_what_was_typed_of_a_group_outlives_the_session(
    as_role: Make, run: Run
) -> None:
    group, leads = ring(run)
    client = as_role("analyst")
    form = opened(client, group)
    form[f"except-{leads[2].id}"] = "transferred"
    client.logout()

    answer = client.post(f"/groups/{group.id}/decide/", form)

    assert dispositions(MODEL) == []
    assert (
        "one fleet"
        not in as_role("office_lead").get(f"/groups/{group.id}/").content.decode()
    )
    client.post(answer["Location"], {"username": "analyst", "password": PASSWORD})
    page = client.get(f"/groups/{group.id}/").content.decode()
    assert "one fleet" in page
    assert page.count('<option value="transferred" selected>') == 1
    form = {**form, **opened(client, group), **{f"except-{leads[2].id}": "transferred"}}
    client.post(f"/groups/{group.id}/decide/", form)
    assert not Draft.objects.exists()


def test_hostile_names_are_shown_as_text(listed: Publication, as_role: Make) -> None:
    titles = [HOSTILE] * listed.tables["leads"].num_rows
    hostile = replace(
        with_column(listed, "leads", "title", titles), run_id="hostile", inputs="7" * 64
    )
    publish(hostile, Settings())
    group, _leads = ring(Run.objects.get(id="hostile"))

    page = as_role("analyst").get(f"/groups/{group.id}/").content.decode()

    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
