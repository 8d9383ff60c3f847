"""Deciding on a lead: recorded once, by whoever was first, and never lost."""

import re
from typing import Any

import pytest
from django.test import Client

from serving.access.models import User
from serving.audit.models import Entry
from serving.dispositions import dispositions
from serving.leads.models import Disposition, Lead, Run
from serving.publication import Publication
from serving.review.models import Draft, UnitState
from tests.serving.console.conftest import PASSWORD, Make

MODEL = "vehicle_insurance"
HTMX = {"HTTP_HX_REQUEST": "true"}
HOSTILE = "<script>alert(1)</script> \"'&"


def sent(seen: int = 0, **changes: str) -> dict[str, Any]:
    """A sound form, as a browser sends it."""
    said = {"verdict": "excluded", "cause": "lawful", "reason": "a fleet"}
    return {**said, "seen": str(seen), **changes}


def url(lead: Lead, name: str = "decide") -> str:
    return f"/leads/{lead.id}/{name}/"


def test_a_decision_is_recorded_logged_and_sets_the_state(
    as_role: Make, lead: Lead, run: Run
) -> None:
    answer = as_role("analyst").post(url(lead), sent())

    assert answer.status_code == 302
    assert answer["Location"] == f"/leads/{lead.id}/"
    (kept,) = dispositions(MODEL)
    assert (kept.unit_id, kept.run_id) == (lead.unit_id, run.id)
    assert (kept.verdict, kept.cause, kept.reason) == ("excluded", "lawful", "a fleet")
    assert kept.user == "analyst"
    state = UnitState.objects.get(unit_id=lead.unit_id)
    assert (state.state, state.version) == ("excluded", 1)
    entry = Entry.objects.get(action="decided")
    assert (entry.user, entry.unit) == ("analyst", lead.unit_id)
    assert entry.detail["cause"] == "lawful"


def test_the_panel_says_what_was_recorded_and_where_to_go_on(
    as_role: Make, lead: Lead, run: Run
) -> None:
    page = as_role("analyst").post(url(lead), sent(), **HTMX).content.decode()

    second = Lead.objects.get(run=run, rank_fused=2)
    assert "Recorded: Excluded." in page
    assert f'data-open-next href="/leads/{second.id}/"' in page


def test_the_next_lead_is_one_that_is_open_and_not_anothers(
    as_role: Make, lead: Lead, run: Run
) -> None:
    client = as_role("analyst")
    second, third, fourth = Lead.objects.filter(run=run, rank_fused__in=(2, 3, 4))
    client.post(url(second), sent())
    UnitState.objects.create(
        model=MODEL, unit_id=third.unit_id, assignee="wang", changed_at=run.published_at
    )

    page = client.post(url(lead), sent(), **HTMX).content.decode()

    assert f'data-open-next href="/leads/{fourth.id}/"' in page


BAD = {
    "no verdict": ({"verdict": ""}, "Choose a verdict."),
    "unknown verdict": ({"verdict": "guilty"}, "guilty"),
    "no cause": ({"cause": ""}, "Name the cause of the exclusion."),
    "unknown cause": ({"cause": "mood"}, "mood"),
    "no note": ({"reason": "  "}, "Say why"),
    "long note": ({"reason": "x" * 10_001}, "10001"),
    "no version": ({"seen": "x"}, ""),
    "withdrawn": ({"verdict": "withdrawn"}, "Nothing was concluded"),
}


@pytest.mark.parametrize("htmx", [{}, HTMX])
def test_a_form_that_is_not_complete_comes_back_filled(
    htmx: dict[str, str], as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    for name, (changes, message) in BAD.items():
        answer = client.post(url(lead), sent(**changes), **htmx)

        page = answer.content.decode()
        assert answer.status_code in ((200,) if htmx else (409, 422)), name
        assert message in page, name
        assert changes.get("reason", "a fleet").strip()[:20] in page, name
    assert dispositions(MODEL) == []


def test_a_cause_that_is_left_over_from_another_verdict_is_not_recorded(
    as_role: Make, lead: Lead
) -> None:
    as_role("analyst").post(url(lead), sent(verdict="needs_information"))

    assert [(d.verdict, d.cause) for d in dispositions(MODEL)] == [
        ("needs_information", "")
    ]


def test_who_was_second_sees_the_other_decision_and_loses_nothing(
    as_role: Make, lead: Lead
) -> None:
    as_role("analyst").post(url(lead), sent(reason="their fleet"))
    late = as_role("office_lead")
    typed = sent(verdict="transferred", cause="", reason="to the tax office")

    answer = late.post(url(lead), typed)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody was faster" in page
    assert "their fleet" in page
    assert "to the tax office" in page
    assert 'value="transferred" required aria-keyshortcuts="4" checked' in page
    assert len(dispositions(MODEL)) == 1

    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    late.post(url(lead), {**typed, "seen": seen[1]})

    assert [d.verdict for d in dispositions(MODEL)] == ["excluded", "transferred"]


def test_what_is_sent_twice_is_recorded_once_and_shown_as_done(
    as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    client.post(url(lead), sent(), **HTMX)

    page = client.post(url(lead), sent(), **HTMX).content.decode()

    assert "Recorded: Excluded." in page
    assert len(dispositions(MODEL)) == 1


def test_an_undo_is_a_new_entry_and_opens_the_lead_again(
    as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    client.post(url(lead), sent())

    client.post(url(lead), sent(1, verdict="withdrawn", reason="wrong file"))

    assert [d.verdict for d in dispositions(MODEL)] == ["excluded", "withdrawn"]
    state = UnitState.objects.get(unit_id=lead.unit_id)
    assert (state.state, state.version) == ("open", 2)


def test_who_may_only_look_cannot_decide_and_others_never_find_the_lead(
    as_role: Make, run: Run
) -> None:
    theirs = Lead.objects.filter(run=run, office="office 1").first()
    assert theirs
    for role in ("auditor", "data_scientist"):
        assert as_role(role).post(url(theirs), sent()).status_code == 403
    for client in (
        as_role("analyst", MODEL, "office 0"),
        as_role("analyst", "another_model"),
        as_role("administrator"),
    ):
        for name in ("decide", "draft", "second"):
            assert client.post(url(theirs, name), sent()).status_code == 404
    assert as_role("analyst").post("/leads/999999/decide/", sent()).status_code == 404
    assert dispositions(MODEL) == []
    assert not Draft.objects.exists()


def test_what_is_typed_is_kept_until_it_is_sent(as_role: Make, lead: Lead) -> None:
    client = as_role("analyst")
    typed = sent(reason=HOSTILE)

    said = client.post(url(lead, "draft"), typed, **HTMX).content.decode()
    page = client.get(url(lead), **HTMX).content.decode()

    assert said.startswith("Draft kept at")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert 'value="excluded" required aria-keyshortcuts="2" checked' in page
    assert '<option value="lawful" selected>' in page
    assert "it was not sent" in page

    client.post(url(lead), typed)
    assert not Draft.objects.exists()
    assert "it was not sent" not in client.get(url(lead), **HTMX).content.decode()


def test_a_draft_is_its_authors_alone_and_can_be_discarded(
    as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    client.post(url(lead, "draft"), sent(reason="my own thought"), **HTMX)

    other = as_role("office_lead").get(url(lead), **HTMX).content.decode()
    assert "my own thought" not in other

    page = client.post(url(lead, "draft"), {"discard": "1"}, **HTMX).content.decode()
    assert "my own thought" not in page
    assert not Draft.objects.exists()


def form_of(client: Client, lead: Lead) -> dict[str, Any]:
    """What the form of an opened panel sends, with who it was made for."""
    page = client.get(url(lead), **HTMX).content.decode()
    author = re.search(r'name="author" value="([^"]+)"', page)
    assert author
    return sent(reason="typed before lunch", author=author[1])


@pytest.mark.parametrize("name", ["decide", "second", "draft"])
def test_what_is_sent_after_the_session_ended_waits_for_who_typed_it(
    name: str, as_role: Make, lead: Lead
) -> None:
    client = as_role("analyst")
    form = form_of(client, lead)
    client.logout()

    answer = client.post(url(lead, name), form)
    asked = client.post(url(lead, name), form, **HTMX)

    back = f"/sign-in/?next=%2Fleads%2F{lead.id}%2F"
    if name != "draft":
        assert answer["Location"] == back
        assert asked["HX-Redirect"] == back
    assert dispositions(MODEL) == []

    other = as_role("office_lead")
    assert "typed before lunch" not in other.get(url(lead), **HTMX).content.decode()

    signed = client.post(
        back,
        {"username": "analyst", "password": PASSWORD, "next": f"/leads/{lead.id}/"},
    )
    assert signed["Location"] == f"/leads/{lead.id}/"
    page = client.get(url(lead), **HTMX).content.decode()
    assert "typed before lunch" in page
    assert 'value="excluded" required aria-keyshortcuts="2" checked' in page


def test_nobody_can_leave_words_in_anothers_name(as_role: Make, lead: Lead) -> None:
    form = form_of(as_role("analyst"), lead)
    stranger = Client(HTTP_HOST="localhost")
    stranger.defaults["wsgi.url_scheme"] = "https"

    for author in ("analyst", form["author"][:-2] + "xx", ""):
        stranger.post(url(lead), {**form, "author": author})
    elsewhere = Lead.objects.get(run=lead.run, rank_fused=2)
    stranger.post(url(elsewhere), form)
    User.objects.update(is_active=False)
    stranger.post(url(lead), form)

    assert not Draft.objects.exists()
    assert not Disposition.objects.exists()


def test_a_lead_page_shows_the_panel_with_its_script(
    listed: Publication, as_role: Make, lead: Lead
) -> None:
    page = as_role("analyst").get(f"/leads/{lead.id}/").content.decode()

    assert 'id="decide"' in page
    assert "console/decide.js" in page
    assert "Record" in page
    looked = as_role("auditor").get(f"/leads/{lead.id}/").content.decode()
    assert "Your role does not decide" in looked
