"""A day of an analyst, her colleague and the office lead, in a browser."""

import csv
import io
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from serving.audit.chain import findings
from serving.audit.models import Entry
from serving.leads.models import Disposition, Lead
from tests.serving.browser.conftest import Served, sign_in
from tests.serving.console.conftest import PASSWORD
from tests.serving.dossiers import person

Open = Callable[..., Page]


def open_list(page: Page, served: Served) -> None:
    page.goto(f"/runs/{served.run_id}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Vehicle-insurance claims"
    )


def open_first(page: Page) -> None:
    page.locator("a[data-lead]").first.click()
    expect(page.locator("[data-decide]")).to_be_visible()


def conclude_by_keyboard(page: Page, key: str, note: str) -> None:
    """Choose a verdict by its key, type a note, send it."""
    page.locator("main").focus()
    page.keyboard.press(key)
    page.keyboard.press("e")
    page.keyboard.type(note)
    page.keyboard.press("Control+Enter")


def export_list(page: Page, served: Served) -> None:
    open_list(page, served)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert any("CLM-" in cell for row in rows for cell in row)
    assert "ann" in text


def test_a_day_from_signing_in_to_signing_out(served: Served, page_of: Open) -> None:
    page = page_of("ann")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "ann")
    open_list(page, served)

    page.get_by_text("Filters", exact=False).first.click()
    page.locator("#filters select[name=state]").select_option("open")
    expect(page).to_have_url(re.compile("state=open"))
    open_first(page)
    lead_id = int(page.url.rstrip("/").rpartition("/")[2])

    # A node of the graph shows its neighbours, or hides them again.
    nodes = page.locator("svg.graph g.node")
    shown = nodes.count()
    page.locator("[data-graph-toggle]").first.click()
    expect(nodes).not_to_have_count(shown)
    page.locator("[data-graph-toggle]").first.click()
    expect(nodes).to_have_count(shown)

    # A sensitive value is masked until a purpose is given, and masked again after.
    value = re.compile(person(0)[:14] + r"\d{4}")
    expect(page.locator("#rows")).not_to_contain_text(value)
    page.locator("#id_purpose").select_option(index=1)
    page.locator("#id_note").fill("to compare with the police file")
    page.get_by_role("button", name="Open and log").click()
    expect(page.locator("#rows")).to_contain_text(value)
    page.reload()
    expect(page.locator("#rows")).not_to_contain_text(value)

    # One verdict needs nobody else; the other waits for a second person.
    conclude_by_keyboard(page, "3", "asked the police for the file")
    # The verdicts' names stand in the form from the start; the note only once it is recorded.
    expect(page.locator("#decide")).to_contain_text("asked the police for the file")
    page.reload()
    conclude_by_keyboard(page, "1", "both parties are one household")
    expect(page.locator("#decide")).to_contain_text("waits for a second person")

    second = page_of("ben")
    second.goto(f"/leads/{lead_id}/")
    second.get_by_role("button", name="Agree").click()
    expect(second.locator("#decide")).to_contain_text(re.compile(r"\bben\b"))
    expect(second.locator("#decide")).not_to_contain_text("waits for a second person")

    sheet = page.request.get(f"/leads/{lead_id}/sheet.pdf")
    assert sheet.body().startswith(b"%PDF")
    export_list(page, served)

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"))

    served.open_store()
    unit = Lead.objects.get(id=lead_id).unit_id
    verdicts = list(Disposition.objects.filter(unit_id=unit).order_by("id"))
    assert [d.verdict for d in verdicts] == ["needs_information", "confirmed"]
    assert (verdicts[-1].user, verdicts[-1].seconded_by) == ("ann", "ben")
    actions = set(Entry.objects.filter(user="ann").values_list("action", flat=True))
    assert {"signed in", "disclosed", "signed out"} <= actions
    assert findings() == []


def test_two_analysts_never_overwrite_each_other(served: Served, page_of: Open) -> None:
    served.open_store()
    lead = Lead.objects.filter(office="office 0").order_by("-rank_fused")[0]
    first, other = page_of("ann"), page_of("ben")
    for page in (first, other):
        page.goto(f"/leads/{lead.id}/")
    conclude_by_keyboard(first, "3", "the shop was asked")
    expect(first.locator("#decide")).to_contain_text("the shop was asked")
    conclude_by_keyboard(other, "4", "this is the tax office's")
    panel = other.locator("#decide")
    expect(panel).to_contain_text("the shop was asked")
    expect(panel.locator("textarea[name=reason]")).to_have_value(
        "this is the tax office's"
    )
    served.open_store()
    assert Disposition.objects.filter(unit_id=lead.unit_id).count() == 1


def test_nothing_typed_is_lost_when_the_connection_is(
    served: Served, page_of: Open
) -> None:
    served.open_store()
    lead = Lead.objects.filter(office="office 0").order_by("-rank_fused")[1]
    page = page_of("ann")
    page.goto(f"/leads/{lead.id}/")
    page.context.set_offline(True)
    conclude_by_keyboard(page, "3", "typed without a connection")
    expect(page.locator("[data-lost]")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#decide")).to_contain_text(
        "typed without a connection", timeout=20_000
    )
    served.open_store()
    assert Disposition.objects.filter(unit_id=lead.unit_id).count() == 1


def test_a_form_sent_after_the_session_ended_comes_back_filled(
    served: Served, page_of: Open
) -> None:
    served.open_store()
    lead = Lead.objects.filter(office="office 0").order_by("-rank_fused")[2]
    page = page_of("ann")
    page.goto(f"/leads/{lead.id}/")
    page.context.clear_cookies(name="sessionid")
    conclude_by_keyboard(page, "3", "typed while the session ended")
    page.wait_for_url(re.compile("/sign-in/"))
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(f"/leads/{lead.id}/"))
    expect(page.locator("textarea[name=reason]")).to_have_value(
        "typed while the session ended"
    )


def test_a_list_is_read_by_keyboard_alone(served: Served, page_of: Open) -> None:
    page = page_of("ann")
    open_list(page, served)
    page.keyboard.press("j")
    page.keyboard.press("j")
    chosen = page.locator("tr[aria-selected=true] a[data-lead]")
    expect(chosen).to_have_count(1)
    name = chosen.inner_text()
    page.keyboard.press("Enter")
    # The list shows the name, too: only the lead's page, with its scripts, answers the key.
    page.wait_for_url("**/leads/*/")
    expect(page.locator("main")).to_contain_text(name)
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
