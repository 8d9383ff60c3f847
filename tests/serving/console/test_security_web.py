"""What the web brings: forged forms, stolen sessions, guessed passwords, kept pages."""

import re
from http.cookies import Morsel
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from serving.access.models import ServiceToken, User
from serving.audit.models import Entry
from serving.leads.models import Disposition, Group, LinkJudgement, Run
from serving.review.models import (
    Answer,
    Draft,
    Proposal,
    SavedView,
    Team,
    UnitState,
)
from tests.serving.console.conftest import PASSWORD, Browser, make_user
from tests.serving.dossiers import key, person

MODEL = "vehicle_insurance"
WRITTEN = (
    *(Answer, Disposition, Draft, LinkJudgement, Proposal, SavedView, Team),
    *(User, ServiceToken, UnitState),
)
ROLES = ("analyst", "office_lead", "data_scientist", "auditor", "administrator")


def addresses(run: Run, lead: Any) -> dict[str, str]:
    """One address of every pattern that there is: pattern -> address."""
    values = {
        "run_id": run.id,
        "lead_id": lead.id,
        "group_id": Group.objects.values_list("id", flat=True).first(),
        "user_id": User.objects.values_list("id", flat=True).first() or 1,
        "view_id": 1,
        "model": MODEL,
        "name": "funnel",
        "form": "csv",
        "key": key("person", person(0)),
    }
    found = {}
    for pattern in _patterns(get_resolver().url_patterns):
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(values[m[1]]), pattern)
        if "^" not in filled and "(?" not in filled:
            found[pattern] = f"/{filled}"
    return found


def _patterns(patterns: list[Any], before: str = "") -> list[str]:
    found = []
    for one in patterns:
        if isinstance(one, URLResolver):
            found += _patterns(one.url_patterns, before + str(one.pattern))
        elif isinstance(one, URLPattern):
            found.append(before + str(one.pattern))
    return found


@pytest.fixture
def pages(run, lead):
    found = addresses(run, lead)
    assert len(found) > 50
    return found


@pytest.fixture
def mighty(listed):
    """Somebody who may do all that anybody may."""
    browser = browser_()
    user = make_user("mighty", *((role,) for role in ROLES))
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def sign_in(browser: Client, username: str, password: str, **more: Any) -> Any:
    return browser.post(
        "/sign-in/", {"username": username, "password": password}, **more
    )


def browser_() -> Browser:
    return Browser(HTTP_HOST="localhost")


# -- every answer ---------------------------------------------------------------------
def test_every_answer_is_guarded_and_kept_by_no_browser(pages, mighty, as_role):
    """Pages, parts, downloads, pictures, errors and the API alike."""
    for browser in (mighty, as_role("administrator"), browser_()):
        browser.raise_request_exception = False
        for address in [*pages.values(), "/nowhere/", "/api/nowhere"]:
            answer = browser.get(address)
            assert answer.status_code < 500, address
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, address
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff", address
            assert answer.headers["X-Frame-Options"] == "DENY", address
            assert answer.headers["Referrer-Policy"] == "same-origin", address
            kept = answer.headers["Cache-Control"]
            picture = address.endswith(".svg") and answer.status_code == 200
            assert "private" in kept, address
            assert ("no-cache" if picture else "no-store") in kept, address


def test_no_page_is_kept_by_htmx_for_who_comes_next(as_role):
    page = as_role("analyst").get("/").content.decode()
    assert '"historyCacheSize": 0' in page
    assert '"allowEval": false' in page
    assert '"selfRequestsOnly": true' in page


def test_only_forms_change_anything(pages, mighty):
    """A picture or a link on another page can send any of these with GET."""
    before = [list(table.objects.order_by("pk").values()) for table in WRITTEN]
    for address in pages.values():
        mighty.get(address, {"discard": "1", "release": "1", "what": "remove"})
    assert [list(t.objects.order_by("pk").values()) for t in WRITTEN] == before
    told = set(Entry.objects.values_list("action", flat=True))
    assert told <= {"exported", "exported sheet", "exported audit log"}


def test_every_form_needs_its_token(pages, as_role):
    """With a session, for htmx and for the API alike."""
    as_role("analyst")
    browser = Browser(enforce_csrf_checks=True, HTTP_HOST="localhost")
    browser.force_login(
        User.objects.get(username="analyst"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    for address in pages.values():
        for further in ({}, {"HTTP_HX_REQUEST": "true"}):
            answer = browser.post(address, {"reason": "x"}, **further)
            assert answer.status_code in (403, 404, 405), address
    assert not Draft.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b"])
def test_another_hosts_name_is_not_answered(listed, host):
    assert Browser(HTTP_HOST=host).get("/sign-in/").status_code == 400


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "https://evil.example/",
            "//evil.example",
            r"\\evil.example",
            "/\\evil.example",
        ),
        *("javascript:alert(1)", "http:evil.example", "https:///evil.example"),
        *("\t//evil.example", "data:text/html,x", "http://localhost@evil.example/"),
    ],
)
def test_nobody_is_sent_elsewhere(listed, wanted):
    make_user("ann", ("analyst",))
    browser = browser_()
    for address, form in (
        ("/account/language/", {"language": "en", "next": wanted}),
        ("/sign-in/", {"username": "ann", "password": PASSWORD, "next": wanted}),
    ):
        answer = browser.post(address, form)
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/", address


# -- signing in -----------------------------------------------------------------------
def test_the_session_is_a_new_one_and_its_cookies_are_guarded(listed):
    make_user("ann", ("analyst",))
    browser = browser_()
    browser.get("/sign-in/")
    session = browser.session  # which an attacker may have planted
    session["planted"] = "x"
    session.save()
    browser.cookies["sessionid"] = session.session_key
    sign_in(browser, "ann", PASSWORD)
    cookie: Morsel[str] = browser.cookies["sessionid"]
    assert cookie.value != session.session_key
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert 0 < int(cookie["max-age"]) <= 8 * 3600
    browser.post("/account/language/", {"language": "en"})
    for name in browser.cookies:
        assert browser.cookies[name]["secure"], name
        assert browser.cookies[name]["httponly"], name


def test_signing_out_ends_the_session_for_whoever_has_its_cookie(listed, lead):
    make_user("ann", ("analyst",))
    browser, thief = browser_(), browser_()
    sign_in(browser, "ann", PASSWORD)
    thief.cookies["sessionid"] = browser.cookies["sessionid"].value
    assert thief.get(f"/leads/{lead.id}/").status_code == 200
    browser.post("/sign-out/")
    assert thief.get(f"/leads/{lead.id}/").status_code == 302
    assert thief.get(f"/api/leads/{lead.id}").status_code == 401


def test_a_wrong_name_and_a_wrong_password_are_told_alike(listed):
    make_user("ann", ("analyst",))
    out = make_user("out", ("analyst",))
    out.is_active = False
    out.save()
    service = User(username="feeder", is_service=True)
    service.set_unusable_password()
    service.save()
    said = set()
    for name in ("ann", "nobody-of-this-name", "out", "feeder"):
        password = PASSWORD if name == "out" else "wrong"
        page = sign_in(browser_(), name, password).content.decode()
        page = re.sub(r"[A-Za-z0-9]{64}", "", page).replace(name, "")
        said.add(page)
    assert len(said) == 1


@pytest.mark.parametrize(
    "typed",
    [
        ["ann"] * 5,
        ["ann", " ann", "ann ", "\uff41nn", "ann\t"],
    ],
)
def test_another_way_to_write_the_name_is_no_way_around_the_lock_out(listed, typed):
    make_user("ann", ("analyst",))
    for number, name in enumerate(typed):
        # Who comes directly may say of whom the request is.
        sign_in(browser_(), name, "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    answer = sign_in(browser_(), "ann", PASSWORD, HTTP_X_FORWARDED_FOR="10.0.0.9")
    assert answer.status_code in (403, 429)
    assert not Entry.objects.filter(action="signed in").exists()


def test_no_password_is_written_down(listed, caplog):
    make_user("ann", ("analyst",))
    secret = "hunter2-hunter2-wrong"  # noqa: S105
    with caplog.at_level("DEBUG"):
        sign_in(browser_(), "ann", secret)
        browser = browser_()
        sign_in(browser, "ann", PASSWORD)
        fresh = "quite-another-one-9"
        sent = {"new_password1": fresh, "new_password2": fresh}
        browser.post(
            "/account/", {"what": "password", "old_password": PASSWORD, **sent}
        )
    assert User.objects.get(username="ann").check_password(fresh)
    tables = (AccessAttempt, AccessFailureLog, Entry, User)
    kept = repr([list(table.objects.values()) for table in tables]) + caplog.text
    for password in (secret, PASSWORD, fresh):
        assert password not in kept


# -- the second factor ----------------------------------------------------------------
@pytest.fixture
def half(listed):
    """Somebody who has the password of a user with a second factor, but not this."""
    user = make_user("ann", *((role,) for role in ROLES))
    TOTPDevice.objects.create(user=user, confirmed=True, name="x")
    browser = browser_()
    sign_in(browser, "ann", PASSWORD)
    return browser


def test_nothing_is_shown_or_done_before_the_second_factor(half, pages):
    before = Entry.objects.count()
    opened = {"/second-factor/", "/sign-in/", "/sign-out/"}
    for address in sorted({*pages.values(), "/static/../account/"} - opened):
        for ask in (half.get, half.post):
            answer = ask(address)
            assert answer.status_code in (302, 404), address
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/second-factor/")
    half.post("/account/", {"what": "remove"})
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    assert Entry.objects.count() == before


def test_guessing_codes_is_slowed_down(half):
    device = TOTPDevice.objects.get()
    right = totp(device.bin_key)
    wrong = f"{(right + 500_000) % 1_000_000:06}"
    for _ in range(3):
        half.post("/second-factor/", {"code": wrong})
    # Even the right one is not taken before the time is up.
    half.post("/second-factor/", {"code": f"{totp(device.bin_key):06}"})
    assert half.get("/").status_code == 302


def test_a_code_is_taken_once(half):
    device = TOTPDevice.objects.get()
    code = f"{totp(device.bin_key):06}"
    assert half.post("/second-factor/", {"code": code}).headers["Location"] == "/"
    again = browser_()
    sign_in(again, "ann", PASSWORD)
    again.post("/second-factor/", {"code": code})
    assert again.get("/").status_code == 302


# -- too much, too deep ---------------------------------------------------------------
def test_places_and_numbers_beyond_all_bounds_are_answered(as_role, run, lead):
    browser = as_role("analyst")
    big = "9" * 400
    odd = ("1e300", "-1e300", "nan", "inf", big, "1~2", "1e300~1e300", "\x00", "٣")
    for order in ("fused", "money"):
        for name in ("after", "before", "rank", "low", "high", "money", "layer"):
            for value in odd:
                answer = browser.get(f"/runs/{run.id}/", {"order": order, name: value})
                assert answer.status_code == 200, (order, name, value)
    for address in (
        *(f"/leads/{big}/", f"/groups/{big}/", f"/api/leads/{big}", "/runs/%00/"),
        *(f"/views/{big}/delete/", f"/entities/{big}/", f"/people/{big}/"),
    ):
        assert browser.get(address).status_code in (403, 404, 405, 422), address
    opened = "&".join(f"open={number:024x}" for number in range(3000))
    assert browser.get(f"/leads/{lead.id}/graph/?{opened}").status_code == 200


def test_bodies_too_deep_or_too_large_are_refused(as_role, run, lead):
    browser = as_role("analyst")
    address = f"/api/leads/{lead.id}/dispositions"
    further = {"content_type": "application/json", "HTTP_IDEMPOTENCY_KEY": "k" * 8}
    deep = "[" * 200_000
    assert browser.post(address, deep, **further).status_code in (400, 422)
    nested = '{"verdict":' + '{"a":' * 50_000
    assert browser.post(address, nested, **further).status_code in (400, 422)
    large = '{"reason": "' + "x" * 3_000_000 + '"}'
    assert browser.post(address, large, **further).status_code == 413
    typed = {"verdict": "excluded", "reason": "x" * 20_000, "seen": 0}
    assert browser.post(f"/leads/{lead.id}/decide/", typed).status_code == 422
    assert browser.post(f"/runs/{run.id}/search/", {"q": "1" * 2_000_000}).status_code
    assert not Disposition.objects.exists()
