"""An administrator gives rights, sees no lead, and leaves a trace of every change."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from serving.access import accounts
from serving.access.managing import offices_offered
from serving.access.models import Grant, ServiceToken, User
from serving.access.tokens import new_token, user_of_token
from serving.audit.models import Entry
from tests.serving.console.conftest import PASSWORD, make_user
from tests.serving.console.test_audit import browser_of, office, text_of

__all__ = ["office"]
MODEL = "vehicle_insurance"
ONCE = re.compile(r'class="once">([^<]+)<')


@pytest.fixture
def admin(office):
    return browser_of(make_user("root", ("administrator",)))


def change(browser, user, what, **form):
    return browser.post(f"/people/{user.id}/change/", {"what": what, **form})


def did(action):
    """Details of the entries that tell of this action, by root."""
    found = Entry.objects.filter(action=action, user="root").order_by("id")
    return [entry.detail for entry in found]


def test_a_person_is_made_with_a_password_shown_once(admin):
    form = {"kind": "person", "username": "ann", "name": "王安", "role": "analyst"}
    [password] = ONCE.findall(text_of(admin.post("/people/add/", form)))
    ann = User.objects.get(username="ann")
    assert ann.check_password(password)
    assert password not in text_of(admin.get(f"/people/{ann.id}/"))
    assert did("made a user") == [{"whom": "ann"}]
    assert did("granted") == [{"whom": "ann", "role": "analyst", "office": ""}]
    assert password not in str(list(Entry.objects.values()))
    again = text_of(admin.post("/people/add/", form))
    assert "already" in again
    assert User.objects.filter(username="ann").count() == 1


@pytest.mark.parametrize("name", ["", " ann", "a" * 101, "<b>x</b>\x00"])
def test_a_name_that_is_none_makes_no_user(admin, name):
    form = {"kind": "person", "username": name, "role": "analyst"}
    assert admin.post("/people/add/", form).status_code in (200, 302)
    assert User.objects.count() == (2 if name == " ann" else 1)


def test_roles_are_given_and_taken_and_logged(as_role):
    browser, ann = as_role("administrator"), make_user("ann")
    page = text_of(browser.get(f"/people/{ann.id}/"))
    assert '<option value="office 0">' in page
    where = {"role": "analyst", "model": MODEL, "office": "office 1"}
    change(browser, ann, "grant", **where)
    held = Grant.objects.get(user=ann)
    assert (held.role, held.model, held.office) == ("analyst", MODEL, "office 1")
    change(browser, ann, "revoke", grant=str(held.id))
    assert not Grant.objects.filter(user=ann).exists()
    told = Entry.objects.filter(action__in=("granted", "revoked"), model=MODEL)
    assert [e.detail["whom"] for e in told] == ["ann", "ann"]


def test_an_unknown_office_is_said(as_role):
    browser, ann = as_role("administrator"), make_user("ann")
    where = {"role": "analyst", "model": MODEL, "office": "ofice 1"}
    answer = change(browser, ann, "grant", **where)
    assert "no lead of a newest list" in text_of(browser.get(answer.url))


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"model": "no_such"}, {}])
def test_a_role_or_model_that_there_is_not_is_not_given(admin, wrong):
    ann = make_user("ann")
    change(admin, ann, "grant", **({"role": "analyst"} | wrong if wrong else {}))
    assert not Grant.objects.filter(user=ann).exists()


def test_who_is_deactivated_is_out_at_once(admin):
    ann = make_user("ann", ("analyst",))
    browser = browser_of(ann)
    assert browser.get("/").status_code == 200
    change(admin, ann, "active", active="no")
    assert browser.get("/").status_code == 302
    signing_in = browser_of().post(
        "/sign-in/", {"username": "ann", "password": PASSWORD}
    )
    assert signing_in.status_code == 200
    change(admin, ann, "active", active="yes")
    assert User.objects.get(username="ann").is_active
    assert did("deactivated") == did("activated") == [{"whom": "ann"}]


def test_a_new_password_ends_the_sessions_of_the_old_one(admin):
    ann = make_user("ann", ("analyst",))
    browser = browser_of(ann)
    [password] = ONCE.findall(text_of(change(admin, ann, "password")))
    assert browser.get("/").status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(password)
    assert did("set a password") == [{"whom": "ann"}]


def test_a_lost_second_factor_is_reset(admin):
    ann = make_user("ann", ("analyst",))
    ann.totpdevice_set.create(name="phone", confirmed=True)
    assert "Reset the second factor" in text_of(admin.get(f"/people/{ann.id}/"))
    change(admin, ann, "factor")
    assert not ann.totpdevice_set.exists()
    assert did("reset a second factor") == [{"whom": "ann"}]


def test_the_administrator_sees_no_lead(as_role, lead):
    browser = as_role("administrator")
    assert lead.title not in text_of(browser.get("/"))
    assert browser.get(f"/runs/{lead.run_id}/").status_code == 404
    assert browser.get(f"/leads/{lead.id}/").status_code == 404


def test_nobody_changes_their_own_rights(admin):
    root = User.objects.get(username="root")
    assert change(admin, root, "grant", role="analyst").status_code == 403
    held = root.grants.get()
    assert change(admin, root, "revoke", grant=str(held.id)).status_code == 403
    assert change(admin, root, "active", active="no").status_code == 403
    assert "This is you" in text_of(admin.get(f"/people/{root.id}/"))


@pytest.mark.parametrize(
    "role", ["analyst", "office_lead", "data_scientist", "auditor"]
)
def test_nobody_else_manages_users(office, role):
    browser, ben = browser_of(make_user("ann", (role,))), make_user("ben")
    assert browser.get("/people/").status_code == 403
    assert browser.get(f"/people/{ben.id}/").status_code == 403
    assert browser.post("/people/add/", {"username": "x"}).status_code == 403
    assert change(browser, ben, "grant", role="administrator").status_code == 403


def test_an_administrator_of_one_office_rises_no_higher(as_role):
    browser = as_role("administrator", MODEL, "office 0")
    theirs = make_user("ann", ("analyst", MODEL, "office 0"))
    root = make_user("root", ("administrator",))
    assert "root" not in text_of(browser.get("/people/"))
    assert browser.get(f"/people/{root.id}/").status_code == 404
    assert change(browser, root, "password").status_code == 404
    for wider in ({}, {"model": MODEL}, {"model": MODEL, "office": "office 1"}):
        made = {"kind": "person", "username": "x", "role": "analyst", **wider}
        assert (
            change(browser, theirs, "grant", role="analyst", **wider).status_code == 403
        )
        assert browser.post("/people/add/", made).status_code == 403
    inside = {"role": "office_lead", "model": MODEL, "office": "office 0"}
    change(browser, theirs, "grant", **inside)
    assert theirs.grants.count() == 2


def test_another_users_grant_or_token_is_not_reached_by_its_number(admin):
    ann, ben = make_user("ann"), make_user("ben", ("analyst",))
    held = ben.grants.get()
    assert change(admin, ann, "revoke", grant=str(held.id)).status_code == 404
    assert change(admin, ann, "revoke", grant="1' OR 1").status_code == 404
    assert change(admin, ann, "no such thing").status_code == 404
    assert ben.grants.count() == 1


def test_a_services_token_is_shown_once_and_only_its_digest_is_kept(admin):
    form = {"kind": "service", "username": "feeder", "role": "analyst"}
    admin.post("/people/add/", form)
    feeder = User.objects.get(username="feeder")
    [token] = ONCE.findall(text_of(change(admin, feeder, "token", name="nightly")))
    assert user_of_token(token) == feeder
    kept = ServiceToken.objects.get()
    assert token not in str(vars(kept))
    assert token not in str(list(Entry.objects.values()))
    assert user_of_token(token[:-1]) is None
    assert user_of_token("") is None
    change(admin, feeder, "revoke-token", token=str(kept.id))
    assert user_of_token(token) is None
    assert did("made a token") == did("revoked a token")


def test_a_token_is_for_an_active_service_alone(admin):
    ann = make_user("ann", ("analyst",))
    change(admin, ann, "token", name="x")
    assert not ServiceToken.objects.exists()
    feeder = accounts.add_service("feeder", by="root")
    token = new_token(feeder, "a", by="root")
    change(admin, feeder, "active", active="no")
    assert user_of_token(token) is None


def test_a_service_cannot_sign_in_by_password(admin):
    feeder = accounts.add_service("feeder", by="root")
    change(admin, feeder, "password")
    form = {"username": "feeder", "password": ""}
    assert "sessionid" not in browser_of().post("/sign-in/", form).cookies
    feeder.refresh_from_db()
    assert not feeder.has_usable_password()


def test_offices_offered_are_those_of_the_newest_list(run):
    assert offices_offered() == {MODEL: ["office 0", "office 1"]}


def test_hostile_names_are_shown_as_text(admin):
    hostile = "<script>alert(1)</script>"
    made = make_user(hostile, ("analyst", hostile, hostile))
    for page in ("/people/", f"/people/{made.id}/"):
        text = text_of(admin.get(page))
        assert hostile not in text
        assert "&lt;script&gt;" in text


def test_many_users_take_no_more_queries_than_few(admin):
    with CaptureQueriesContext(connection) as few:
        admin.get("/people/")
    for number in range(20):
        make_user(f"user{number}", ("analyst", MODEL), ("auditor", "", "office 0"))
    with CaptureQueriesContext(connection) as many:
        assert "user19" in text_of(admin.get("/people/"))
    assert len(many) == len(few)
