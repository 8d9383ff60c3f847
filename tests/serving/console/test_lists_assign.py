"""Giving leads to people: who may, to whom, all or none, and what is written down."""

from datetime import date

import pytest

from serving.access.models import User
from serving.audit.chain import findings
from serving.audit.models import Entry
from serving.leads.models import Lead
from serving.review.assigning import NotAssignable, assign, deciders
from serving.review.models import UnitState
from tests.serving.console.conftest import make_user

MODEL = "vehicle_insurance"
DUE = date(2026, 12, 1)


@pytest.fixture
def lead_of_office(run):
    make_user("ann", ("analyst", MODEL, "office 0"))
    make_user("bob", ("analyst", MODEL))
    return make_user("lea", ("office_lead", MODEL))


def ids(run, **which):
    return list(run.leads.filter(**which).values_list("id", flat=True)[:3])


def posted(client, run, leads, to="bob", due="2026-12-01"):
    given = {"lead": leads, "to": to, "due": due, "query": "state=open"}
    return client.post(f"/runs/{run.id}/assign/", given)


def test_leads_are_given_in_one_go_and_written_down_once(run, as_role, lead_of_office):
    chosen = ids(run)
    response = posted(as_role("office_lead"), run, chosen)
    assert response["Location"] == f"/runs/{run.id}/?state=open"
    states = UnitState.objects.all()
    assert {(s.assignee, s.due, s.version, s.state) for s in states} == {
        ("bob", DUE, 1, "open")
    }
    entry = Entry.objects.get(action="assigned")
    assert entry.detail["count"] == 3
    assert set(entry.detail["units"]) == set(
        Lead.objects.filter(id__in=chosen).values_list("unit_id", flat=True)
    )
    assert findings() == []


def test_giving_again_is_a_further_version_and_keeps_the_state(run, lead_of_office):
    units = ["CLM-000001"]
    assign(units, model=MODEL, to="bob", by=lead_of_office, due=DUE)
    UnitState.objects.update(state="needs_information")
    assign(units * 2, model=MODEL, to="", by=lead_of_office, due=None)
    state = UnitState.objects.get()
    assert (state.assignee, state.due, state.version) == ("", None, 2)
    assert state.state == "needs_information"


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("analyst", 403),
        ("data_scientist", 403),
        ("auditor", 403),
        ("administrator", 404),
    ],
)
def test_roles_that_do_not_assign_are_refused(run, as_role, lead_of_office, role, code):
    assert posted(as_role(role), run, ids(run)).status_code == code
    assert not UnitState.objects.exists()
    assert b"Assign the ticked" not in as_role(role).get(f"/runs/{run.id}/").content


def test_leads_of_another_office_or_run_are_not_found(run, as_role, lead_of_office):
    client = as_role("office_lead", MODEL, "office 0")
    own, other = ids(run, office="office 0"), ids(run, office="office 1")
    assert posted(client, run, [*own, other[0]]).status_code == 404
    assert posted(client, run, [*own, 10**15]).status_code == 404
    assert posted(client, run, ["1; drop table"]).status_code == 404
    assert not UnitState.objects.exists()


def test_who_may_not_assign_a_unit_is_refused_by_the_core_too(run, lead_of_office):
    by = make_user("zoe", ("office_lead", MODEL, "office 0"))
    unit = run.leads.filter(office="office 1").first().unit_id
    for units, whose in (([unit], by), (["no-such-unit"], lead_of_office)):
        with pytest.raises(NotAssignable, match=units[0]):
            assign(units, model=MODEL, to="bob", by=whose, due=None)
    assert not Entry.objects.filter(action="assigned").exists()


def test_a_person_takes_only_what_they_may_decide(run, as_role, lead_of_office):
    client, chosen = as_role("office_lead"), ids(run, office="office 1")
    for to in ("ann", "nobody-known", "lea"):
        page = client.get(posted(client, run, chosen, to)["Location"]).content.decode()
        assert UnitState.objects.exists() == (to == "lea")
        assert ("Nothing was assigned" in page) == (to != "lea")


def test_nothing_ticked_or_no_date_says_what_is_missing(run, as_role, lead_of_office):
    client = as_role("office_lead")
    for leads, due, said in (
        ([], "", "Tick the leads"),
        (ids(run), "soon", "due date"),
    ):
        address = posted(client, run, leads, due=due)["Location"]
        assert said in client.get(address).content.decode()
    assert not UnitState.objects.exists()


def test_only_people_who_decide_on_the_model_are_offered(run, lead_of_office):
    make_user("eve", ("analyst", "elder_care"))
    make_user("out", ("analyst", MODEL), language="en")
    User.objects.filter(username="out").update(is_active=False)
    assert [user.username for user in deciders(MODEL, None)] == ["ann", "bob", "lea"]
