"""Opening sensitive fields: with a purpose, by who may, logged, and only once."""

from typing import Any

import pytest
from django.urls import reverse

from serving.audit.chain import findings
from serving.audit.models import Entry
from serving.leads.models import Lead
from tests.serving.console.conftest import Browser, Make
from tests.serving.dossiers import person

MODEL = "vehicle_insurance"
HTMX = {"HTTP_HX_REQUEST": "true"}


def ask(browser: Any, lead: Lead, **form: str) -> Any:
    return browser.post(reverse("lead-disclose", args=[lead.id]), form, **HTMX)


def number_of(lead: Lead) -> str:
    return person(int(lead.unit_id[-6:]) - 1)


def test_fields_are_open_in_one_answer_only(as_role: Make, lead: Lead) -> None:
    browser = as_role("analyst")
    page = reverse("lead", args=[lead.id])
    assert number_of(lead) not in browser.get(page).content.decode()
    answer = ask(browser, lead, purpose="contact", note="call him")
    assert answer.status_code == 200
    assert number_of(lead) in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert number_of(lead) not in browser.get(page).content.decode()


def test_opening_is_logged_with_columns_and_rows(as_role: Make, lead: Lead) -> None:
    ask(as_role("analyst"), lead, purpose="identity", note="two of that name")
    entry = Entry.objects.get(action="disclosed")
    assert (entry.user, entry.model, entry.unit) == ("analyst", MODEL, lead.unit_id)
    assert entry.run == lead.run_id
    assert entry.detail["purpose"] == "identity"
    assert entry.detail["note"] == "two of that name"
    opened = entry.detail["sources"]["source_1"]
    assert "claimant_id" in opened["columns"]
    assert "shop" not in opened["columns"]
    assert opened["rows"] == [f"{lead.unit_id}/1"]
    assert number_of(lead) not in str(entry.detail)
    assert findings() == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"purpose": "curiosity"},
        {"purpose": "other"},
        {"purpose": "other", "note": " "},
    ],
    ids=["none", "unknown", "other, unsaid", "other, blank"],
)
def test_nothing_opens_without_a_purpose(
    as_role: Make, lead: Lead, form: dict[str, str]
) -> None:
    answer = ask(as_role("analyst"), lead, **form)
    assert number_of(lead) not in answer.content.decode()
    assert "errorlist" in answer.content.decode()
    assert not Entry.objects.filter(action="disclosed").exists()


@pytest.mark.parametrize("role", ["data_scientist", "auditor"])
def test_who_may_only_see_opens_nothing(as_role: Make, lead: Lead, role: str) -> None:
    browser = as_role(role)
    page = browser.get(reverse("lead", args=[lead.id])).content.decode()
    assert "Open and log" not in page
    assert ask(browser, lead, purpose="identity").status_code == 403
    assert not Entry.objects.filter(action="disclosed").exists()


def test_right_holds_for_the_leads_office(as_role: Make, lead: Lead) -> None:
    theirs = Lead.objects.filter(run=lead.run, office="office 1")[0]
    browser = as_role("analyst", MODEL, "office 0")
    assert ask(browser, theirs, purpose="identity").status_code == 404


def test_without_scripts_the_whole_page_comes_back(as_role: Make, lead: Lead) -> None:
    browser = as_role("analyst")
    address = reverse("lead-disclose", args=[lead.id])
    answer = browser.post(address, {"purpose": "review"})
    assert "<html" in answer.content.decode()
    assert number_of(lead) in answer.content.decode()
    assert browser.get(address).status_code == 405


def test_signed_out_is_sent_to_sign_in(lead: Lead) -> None:
    browser = Browser(HTTP_HOST="localhost")
    answer = ask(browser, lead, purpose="identity")
    assert answer.status_code == 302
    assert "sign-in" in answer.headers["Location"]
