"""A second person: what the model demands one for holds only once they agreed."""

from typing import Any

import pytest
from django.test import Client

from configs.settings import Settings
from flows.labels import labels
from serving.audit.models import Entry
from serving.dispositions import dispositions
from serving.leads.models import Lead, Run, Slot
from serving.review.models import Answer, Proposal, UnitState
from tests.serving.console.conftest import Make

MODEL = "vehicle_insurance"
HTMX = {"HTTP_HX_REQUEST": "true"}


def propose(client: Client, lead: Lead, **changes: Any) -> Proposal:
    """The test's model demands a second person for `confirmed`."""
    said = {"verdict": "confirmed", "reason": "same garage", "seen": "0", **changes}
    client.post(f"/leads/{lead.id}/decide/", said)
    return Proposal.objects.get(unit_id=lead.unit_id, answer=None)


def answered(
    client: Client, of: Proposal, lead: Lead, agreed: str, note: str = ""
) -> Any:
    form = {"proposal": str(of.id), "agreed": agreed, "reason": note}
    return client.post(f"/leads/{lead.id}/second/", form)


def state_of(lead: Lead) -> str:
    return UnitState.objects.get(unit_id=lead.unit_id).state


def test_what_needs_a_second_person_is_proposed_and_concludes_nothing(
    as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")

    propose(client, lead)

    assert dispositions(MODEL) == []
    assert state_of(lead) == "awaiting"
    assert Entry.objects.filter(action="proposed", unit=lead.unit_id).exists()
    page = client.get(f"/leads/{lead.id}/decide/", **HTMX).content.decode()
    assert "Your proposal waits for a second person" in page
    assert 'value="yes"' not in page


def test_once_another_agrees_it_is_the_proposers_conclusion_seconded(
    as_role: Make, lead: Lead
) -> None:
    of = propose(as_role("analyst"), lead)
    second = as_role("office_lead")
    page = second.get(f"/leads/{lead.id}/decide/", **HTMX).content.decode()
    assert "same garage" in page
    assert 'value="yes"' in page

    answered(second, of, lead, "yes")

    (kept,) = dispositions(MODEL)
    assert (kept.verdict, kept.reason) == ("confirmed", "same garage")
    assert (kept.user, kept.seconded_by) == ("analyst", "office_lead")
    assert state_of(lead) == "confirmed"
    entry = Entry.objects.get(action="agreed")
    assert entry.user == "office_lead"
    page = second.get(f"/leads/{lead.id}/decide/", **HTMX).content.decode()
    assert "seconded by office_lead" in page


def test_nobody_agrees_to_their_own_proposal(as_role: Make, lead: Lead) -> None:
    client = as_role("analyst")
    of = propose(client, lead)

    answer = answered(client, of, lead, "yes")

    assert answer.status_code == 409
    assert "Another person has to agree" in answer.content.decode()
    assert dispositions(MODEL) == []
    assert not Answer.objects.exists()


def test_a_returned_proposal_is_open_again_and_says_why(
    as_role: Make, lead: Lead
) -> None:
    client, second = as_role("analyst"), as_role("office_lead")
    of = propose(client, lead)
    assert answered(second, of, lead, "no").status_code == 422

    answered(second, of, lead, "no", "ask the garage first")

    assert dispositions(MODEL) == []
    state = UnitState.objects.get(unit_id=lead.unit_id)
    assert (state.state, state.assignee) == ("open", "analyst")
    page = client.get(f"/leads/{lead.id}/decide/", **HTMX).content.decode()
    assert "office_lead returned the proposal" in page
    assert "ask the garage first" in page


def test_what_stood_before_a_returned_proposal_stands_again(
    as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    said = {"verdict": "needs_information", "reason": "asked", "seen": "0"}
    client.post(f"/leads/{lead.id}/decide/", said)
    of = propose(client, lead, seen="1")

    answered(as_role("office_lead"), of, lead, "no", "not yet")

    assert state_of(lead) == "needs_information"


def test_who_proposed_may_take_it_back(as_role: Make, lead: Lead) -> None:
    client = as_role("analyst")
    of = propose(client, lead)

    answered(client, of, lead, "no", "wrong file")

    assert state_of(lead) == "open"
    assert dispositions(MODEL) == []


def test_an_answer_counts_once_and_the_later_one_is_told(
    as_role: Make, lead: Lead
) -> None:
    of = propose(as_role("analyst"), lead)
    second = as_role("office_lead")
    answered(second, of, lead, "yes")
    other = as_role("analyst", MODEL)

    again = answered(second, of, lead, "yes")
    late = answered(other, of, lead, "no", "I do not think so")
    other_way = answered(second, of, lead, "no", "on second thoughts")

    assert again.status_code == 302
    assert late.status_code == other_way.status_code == 409
    assert "answered already" in late.content.decode()
    assert len(dispositions(MODEL)) == 1


def test_nobody_decides_past_a_proposal_that_waits(as_role: Make, lead: Lead) -> None:
    propose(as_role("analyst"), lead)
    said = {"verdict": "transferred", "reason": "to tax", "seen": "1"}

    answer = as_role("office_lead").post(f"/leads/{lead.id}/decide/", said)

    assert answer.status_code == 409
    assert "has to answer first" in answer.content.decode()
    assert dispositions(MODEL) == []


def test_what_was_typed_while_another_proposed_is_kept(
    as_role: Make, lead: Lead
) -> None:
    late = as_role("office_lead")
    propose(as_role("analyst"), lead)
    said = {"verdict": "transferred", "reason": "my own long note", "seen": "0"}

    page = late.post(f"/leads/{lead.id}/decide/", said, **HTMX).content.decode()

    assert "Somebody was faster" in page
    assert "my own long note" in page
    assert 'value="yes"' in page


def test_only_who_may_second_this_lead_can(as_role: Make, run: Run) -> None:
    theirs = Lead.objects.filter(run=run, office="office 1").first()
    assert theirs
    of = propose(as_role("analyst"), theirs)

    assert answered(as_role("auditor"), of, theirs, "yes").status_code == 403
    blind = as_role("analyst", MODEL, "office 0")
    assert answered(blind, of, theirs, "yes").status_code == 404
    other = Lead.objects.filter(run=run, office="office 0").first()
    assert other
    assert answered(blind, of, other, "yes").status_code == 422
    assert dispositions(MODEL) == []


def test_a_returned_answer_without_the_proposals_number_changes_nothing(
    as_role: Make, lead: Lead
) -> None:
    of = propose(as_role("analyst"), lead)
    for number in ("", "x", "9" * 30, str(of.id + 1)):
        form = {"proposal": number, "agreed": "yes"}
        answer = as_role("office_lead").post(f"/leads/{lead.id}/second/", form)
        assert answer.status_code == 422
    assert state_of(lead) == "awaiting"


@pytest.mark.parametrize("kind", ["top", "explore"])
def test_decisions_of_the_console_teach_with_reviewer_time_and_propensity(
    kind: str, as_role: Make, run: Run
) -> None:
    slot = Slot.objects.filter(lead__run=run, kind=kind).select_related("lead").first()
    assert slot
    lead, client, settings = slot.lead, as_role("analyst"), Settings()
    of = propose(client, lead)
    assert labels(MODEL, settings).empty

    answered(as_role("office_lead"), of, lead, "yes")

    (row,) = labels(MODEL, settings).to_dict("records")
    kept = dispositions(MODEL)[-1]
    assert (row["unit_id"], row["run_id"], row["label"]) == (lead.unit_id, run.id, 1.0)
    assert (row["kind"], row["propensity"]) == (kind, slot.propensity)
    assert row["reviewer"] == "analyst"
    assert row["decided_at"] == kept.at.replace(tzinfo=None)

    version = UnitState.objects.get(unit_id=lead.unit_id).version
    said = {"verdict": "withdrawn", "reason": "cleared", "seen": str(version)}
    client.post(f"/leads/{lead.id}/decide/", said)

    (row,) = labels(MODEL, settings).to_dict("records")
    assert row["label"] == 0.0
    assert state_of(lead) == "withdrawn"
