"""The auditor sees what was done and can change nothing; nobody signs in by guessing."""

import csv
import io
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.urls import get_resolver
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from configs.settings import Settings
from serving.access.models import User
from serving.audit import chain
from serving.audit.chain import record
from serving.audit.models import Entry
from serving.connect import close_store, open_store
from serving.leads.models import Run
from tests.serving.conftest import copy_blank
from tests.serving.console.conftest import PASSWORD, Browser, make_user
from tests.serving.dossiers import key, person

MODEL = "vehicle_insurance"
# What a user does to their own session, account, drafts and views; and the first page.
OWN = {
    *("sign-out", "sign-in", "second-factor", "account", "set-language", "home"),
    *("draft", "group-draft", "view-save", "view-delete", "list-search"),
}


@pytest.fixture
def office(tmp_path, monkeypatch, blank: Path):
    """A store without a list."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path))
    monkeypatch.delenv("LEADLINE_STORE_URL", raising=False)
    settings = Settings(home=tmp_path, store_url="")
    copy_blank(blank, settings)
    open_store(settings)
    yield settings
    close_store()


def browser_of(user: User | None = None) -> Browser:
    browser = Browser(HTTP_HOST="localhost")
    if user:
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def logged(count=3):
    for number in range(1, count + 1):
        chain.record("exported", user=f"user{number % 2}", model=MODEL, rows=number)


def text_of(answer) -> str:
    return answer.content.decode()


def test_the_log_is_read_newest_first_and_page_by_page(office):
    logged(120)
    auditor = browser_of(make_user("zoe", ("auditor",)))
    first = text_of(auditor.get("/audit/"))
    assert first.index(">120<") < first.index(">71<")
    assert ">70<" not in first
    assert "before=71" in first
    last = text_of(auditor.get("/audit/?before=21"))
    assert ">20<" in last
    assert "Older" not in last


def test_the_log_is_filtered_by_who_did_what_to_which_unit(office):
    chain.record("decided", user="ann", model=MODEL, unit="CLM-7", verdict="confirmed")
    chain.record("exported", user="ben", model="elder_care", rows=3)
    auditor = browser_of(make_user("zoe", ("auditor",)))
    found = {
        query: (">1<" in page, ">2<" in page)
        for query in (
            *("user=ann", "action=exported", "unit=CLM-7", "unit=CLM-8"),
            *("since=2020-01-01", "until=2020-01-01", "since=tomorrow"),
        )
        for page in [text_of(auditor.get(f"/audit/?{query}"))]
    }
    assert found == {
        "user=ann": (True, False),
        "action=exported": (False, True),
        "unit=CLM-7": (True, False),
        "unit=CLM-8": (False, False),
        "since=2020-01-01": (True, True),
        "until=2020-01-01": (False, False),
        "since=tomorrow": (True, True),
    }


def test_an_auditor_of_one_office_reads_what_was_done_to_its_leads(as_role, run):
    for lead in run.leads.order_by("id")[:6]:
        chain.record("decided", user="ann", model=MODEL, run=run.id, unit=lead.unit_id)
    chain.record("decided", user="ann", model="elder_care", run="r", unit="E-1")
    page = text_of(as_role("auditor", MODEL, "office 0").get("/audit/"))
    for lead in run.leads.order_by("id")[:6]:
        assert (f">{lead.unit_id}<" in page) == (lead.office != "office 1")
    assert "E-1" not in page
    assert (
        as_role("auditor", MODEL, "office 0").get("/audit/sign-ins/").status_code == 403
    )
    assert "E-1" not in text_of(as_role("auditor", MODEL).get("/audit/"))
    assert "E-1" in text_of(as_role("auditor").get("/audit/"))


@pytest.mark.parametrize(
    "role", ["analyst", "office_lead", "data_scientist", "administrator"]
)
def test_nobody_else_reads_the_log(office, role):
    browser = browser_of(make_user("yan", (role,)))
    for path in ("", "verify/", "export.csv", "sign-ins/"):
        assert browser.get(f"/audit/{path}").status_code == 403


def test_verifying_says_whether_the_log_was_changed(office):
    logged()
    auditor = browser_of(make_user("zoe", ("auditor",)))
    number, digest = chain.head()
    assert f"{number}:{digest}" in text_of(auditor.get("/audit/verify/"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_entry_no_update")
        cursor.execute("UPDATE audit_entry SET user = 'mallory' WHERE id = 2")
    said = text_of(auditor.get("/audit/verify/", HTTP_HX_REQUEST="true"))
    assert "entry 2" in said
    assert "<html" not in said


def test_the_exported_log_calculates_nothing_and_is_logged(office):
    formula = '=HYPERLINK("http://evil.example","x")'
    chain.record("decided", user="ann", model=MODEL, unit=formula)
    auditor = browser_of(make_user("zoe", ("auditor",)))
    answer = auditor.get("/audit/export.csv?user=ann")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["unit"] == f"'{formula}"
    assert Entry.objects.get(action="exported audit log").user == "zoe"


def test_hostile_entries_are_shown_as_text(office):
    hostile = "<script>alert(1)</script>"
    chain.record("decided", user=hostile, model=hostile, unit=hostile, note=hostile)
    page = text_of(browser_of(make_user("zoe", ("auditor",))).get("/audit/"))
    assert hostile not in page
    assert "&lt;script&gt;" in page


def test_the_auditor_can_change_nothing(as_role, run):
    """Every address, by POST; but for what is the auditor's own."""
    auditor, before = as_role("auditor"), rows()
    form = {"verdict": "confirmed", "reason": "to see", "purpose": "to see", "q": "x"}
    answers = {path: auditor.post(path, form).status_code for path in addresses(run)}
    assert len(answers) > 20
    assert {p: code for p, code in answers.items() if not 400 <= code < 500} == {}
    assert rows() == before


def rows() -> dict[str, int]:
    """How many rows each table of the store has."""
    tables = (model for model in apps.get_models() if model._meta.managed)
    return {
        t._meta.db_table: t.objects.count() for t in tables if hasattr(t, "objects")
    }


def addresses(run: Run) -> list[str]:
    """The address of every page of the console, about what this run holds."""
    of_run = {
        "run_id": run.id,
        "model": run.model_id,
        "lead_id": run.leads.earliest("id").id,
        "group_id": run.groups.earliest("id").id,
        "key": key("person", person(0)),
    }
    found = []
    for name, ways in get_resolver().reverse_dict.lists():
        if isinstance(name, str) and name not in OWN:
            for pattern, parts in (way[0][0] for way in ways):
                values = {part: of_run.get(part, 1) for part in parts}
                found.append("/" + pattern % values)
    return found


# -- signing in ----------------------------------------------------------------------


def try_in(browser: Browser, password: str, name: str = "ann"):
    return browser.post("/sign-in/", {"username": name, "password": password})


def test_wrong_passwords_lock_out_and_stand_on_the_audit_page(office):
    make_user("ann", ("analyst",))
    browser = browser_of()
    statuses = [try_in(browser, "wrong").status_code for _ in range(5)]
    assert statuses[:4] == [200] * 4
    assert try_in(browser, PASSWORD).status_code == 429
    assert "sessionid" not in browser.cookies
    try_in(browser_of(), "another", "s3cret-typed-as-name")

    page = text_of(browser_of(make_user("zoe", ("auditor",))).get("/audit/sign-ins/"))
    assert page.count(">ann<") >= 5
    assert "locked out" in page
    assert "s3cret-typed-as-name" not in page

    admin = browser_of(make_user("root", ("administrator",)))
    ann = User.objects.get(username="ann")
    assert "locked out" in text_of(admin.get("/people/"))
    admin.post(f"/people/{ann.id}/change/", {"what": "unlock"})
    assert try_in(browser, PASSWORD).status_code == 302
    assert Entry.objects.filter(action="unlocked").get().detail == {"whom": "ann"}


def test_the_session_cookie_keeps_to_itself(office):
    make_user("ann", ("analyst",))
    browser = browser_of()
    try_in(browser, PASSWORD)
    session, forgery = browser.cookies["sessionid"], browser.cookies["csrftoken"]
    assert (session["secure"], session["httponly"]) == (True, True)
    assert session["samesite"] == "Lax"
    assert (forgery["secure"], forgery["httponly"]) == (True, True)


def test_who_set_up_a_second_factor_sees_nothing_before_giving_it(office):
    user = make_user("ann", ("analyst",))
    browser = browser_of()
    try_in(browser, PASSWORD)
    browser.get("/account/")
    device = TOTPDevice.objects.get(user=user, confirmed=False)
    code = TOTP(device.bin_key).token()
    browser.post("/account/", {"what": "factor", "code": f"{code:06}"})
    assert TOTPDevice.objects.get(user=user).confirmed
    assert browser.get("/").status_code == 200

    later = browser_of()
    try_in(later, PASSWORD)
    sent = later.get("/account/")
    assert (sent.status_code, sent.url) == (302, "/second-factor/?next=/account/")
    assert later.post("/second-factor/", {"code": "000000"}).status_code == 200
    assert later.get("/").status_code == 302
    # The code that was used cannot be used again; the device's memory of it is taken back.
    TOTPDevice.objects.update(last_t=-1, throttling_failure_count=0)
    code = TOTP(device.bin_key).token()
    assert later.post("/second-factor/", {"code": f"{code:06}"}).status_code == 302
    assert later.get("/").status_code == 200
    done = set(Entry.objects.filter(user="ann").values_list("action", flat=True))
    assert {"signed in", "set up a second factor"} <= done


def test_nobody_turns_off_a_second_factor_without_giving_it(office):
    user = make_user("ann", ("analyst",))
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    browser = browser_of()
    try_in(browser, PASSWORD)
    assert browser.post("/account/", {"what": "remove"}).status_code == 302
    assert TOTPDevice.objects.filter(user=user).count() == 1


def test_django_finds_nothing_wrong_with_the_settings_of_production(office):
    call_command("check", "--deploy", fail_level="WARNING")


def test_codes_and_times_of_entries_are_words(run: Run, as_role) -> None:
    at = "2026-11-26T06:18:54+00:00"
    record("agreed", user="li", model=MODEL, unit="u", verdict="confirmed", at=at)
    record("assigned", user="li", model=MODEL, to="wang", units=["u1", "u2"])
    page = as_role("auditor").get("/audit/").content.decode()
    for said in ("agreed to a proposal", "Confirmed", "2026-11-26 14:18:54", "u1, u2"):
        assert said in page, said
    assert run.model.title_en in page


def test_sign_in_speaks_the_readers_language(listed) -> None:
    page = (
        Browser(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="zh-CN")
        .get("/sign-in/")
        .content.decode()
    )
    assert "用户名" in page
    assert "Username" not in page
