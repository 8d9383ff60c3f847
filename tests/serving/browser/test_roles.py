"""Each role tries what it may not do; another office's lead is not there at all."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from serving.leads.models import Lead
from tests.serving.browser.conftest import Served

Open = Callable[..., Page]


@pytest.mark.parametrize(
    "path", ["/leads/{id}/", "/leads/{id}/sheet.pdf", "/api/leads/{id}"]
)
def test_another_offices_lead_is_not_found(
    served: Served, page_of: Open, path: str
) -> None:
    served.open_store()
    lead = Lead.objects.filter(office="office 1").first()
    assert lead is not None
    address = path.format(id=lead.id)
    assert page_of("olga").request.get(address).status == 200
    assert page_of("ann").request.get(address).status == 404


# role -> what it sees in the bar, and addresses that it may not open
ROLES = {
    "ann": (
        {"Lists", "Queue", "Dashboards", "Doubtful links"},
        ("/audit/", "/people/"),
    ),
    "lea": (
        {"Lists", "Queue", "Dashboards", "Doubtful links"},
        ("/audit/", "/people/"),
    ),
    "dan": ({"Lists", "Dashboards", "Doubtful links"}, ("/audit/", "/people/")),
    "aud": ({"Lists", "Dashboards", "Audit log"}, ("/people/",)),
    "adm": ({"Lists", "People and rights"}, ("/audit/", "/boards/")),
}


@pytest.mark.parametrize("username", ROLES)
def test_a_role_is_offered_and_given_what_it_may_do(
    served: Served, page_of: Open, username: str
) -> None:
    page = page_of(username)
    offered, refused = ROLES[username]
    links = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert {text.strip() for text in links.all_inner_texts()} == offered
    for link in links.all():
        address = link.get_attribute("href")
        assert page.request.get(address).ok, address
    for address in refused:
        assert page.request.get(address).status in (403, 404), address


@pytest.mark.parametrize("username", ["dan", "aud"])
def test_who_only_looks_is_offered_no_verdict_and_no_open_values(
    served: Served, page_of: Open, username: str
) -> None:
    page = page_of(username)
    page.goto("/leads/1/")
    expect(page.locator("#rows")).to_be_visible()
    expect(page.locator("[name=verdict]")).to_have_count(0)
    expect(page.get_by_role("button", name="Open and log")).to_have_count(0)


def test_an_administrator_without_another_role_sees_no_lead(
    served: Served, page_of: Open
) -> None:
    page = page_of("adm")
    assert page.request.get("/leads/1/").status == 404
    assert page.request.get(f"/runs/{served.run_id}/").status == 404


def test_wrong_passwords_lock_the_account_out(served: Served, page_of: Open) -> None:
    page = page_of("olga")
    page.get_by_role("button", name="Sign out").click()
    for _ in range(5):
        page.goto("/sign-in/")
        page.get_by_label("User name").fill("nobody")
        page.get_by_label("Password").fill("wrong-password-1")
        page.get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("Too many wrong passwords")
