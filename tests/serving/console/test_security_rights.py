"""What an attacker with an account of their own may try, and does not get."""

import re
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import translation
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from configs.errors import StoreError
from configs.settings import Settings
from serving.access.accounts import add_person
from serving.access.models import Grant, User
from serving.audit import chain
from serving.audit.models import Entry
from serving.connect import close_store, open_store
from serving.console.doubtful import doubts_in_sight, may_open
from serving.console.lead_graph import lead_graph
from serving.console.lead_others import Others
from serving.console.pages import accounts
from serving.dossier import dossier
from serving.leads.models import Disposition, Group, Lead, Run
from serving.publish import publish
from serving.review.deciding import decide, second_review
from serving.review.models import Draft, Proposal, SavedView, Team, UnitState
from tests.serving.console.conftest import PASSWORD, make_user
from tests.serving.dossiers import key, person, with_dossier
from tests.serving.publications import make_publication, with_column, with_table

MODEL = "vehicle_insurance"
OFFICE = "office 0"


@pytest.fixture
def theirs(run):
    """The first lead of the other office."""
    return Lead.objects.filter(run=run, office="office 1").order_by("rank_fused")[0]


@pytest.fixture
def ann(as_role):
    """An analyst of one office."""
    return as_role("analyst", MODEL, OFFICE)


def test_no_address_of_another_offices_lead_differs_from_one_that_never_was(
    ann, theirs
):
    nowhere = 999_999
    pages = (
        *("/leads/{}/", "/leads/{}/graph/", "/leads/{}/sheet.pdf"),
        *("/leads/{}/decide/", "/api/leads/{}"),
    )
    for page in pages:
        found, never = ann.get(page.format(theirs.id)), ann.get(page.format(nowhere))
        assert found.status_code == never.status_code == 404
        without = [
            re.sub(rb"[A-Za-z0-9]{64}|\d+", b"", answer.content)
            for answer in (found, never)
        ]
        assert without[0] == without[1]
    for page in ("decide", "draft", "second", "disclose"):
        sent = {"verdict": "excluded", "cause": "lawful", "reason": "x", "seen": 0}
        answer = ann.post(f"/leads/{theirs.id}/{page}/", sent)
        assert answer.status_code == 404
    assert not Draft.objects.exists()
    assert not Entry.objects.filter(unit=theirs.unit_id).exists()


def test_nothing_on_any_list_names_a_unit_of_another_office(ann, run):
    hidden = set(
        Lead.objects.filter(run=run, office="office 1").values_list(
            "unit_id", flat=True
        )
    )
    pages = [
        f"/runs/{run.id}/?order={order}"
        for order in ("fused", "score", "rules", "money")
    ]
    pages += [f"/runs/{run.id}/?office=office+1", f"/runs/{run.id}/?unit=CLM"]
    pages += [f"/runs/{run.id}/orders/?first=100", "/queue/", "/queue/overdue/", "/"]
    pages += [f"/runs/{run.id}/export.csv", "/doubts/", f"/boards/{MODEL}/"]
    pages += [f"/api/runs/{run.id}/leads?limit=500", f"/api/dispositions?model={MODEL}"]
    pages += [f"/leads/{n}/" for n in _own(run)]
    pages += [f"/groups/{group.id}/" for group in Group.objects.all()]
    pages += [f"/entities/{key('person', person(n))}/" for n in range(0, 24, 2)]
    for page in pages:
        answer = ann.get(page)
        assert answer.status_code in (200, 404), page
        content = b"".join(answer) if answer.streaming else answer.content
        named = {unit for unit in hidden if unit.encode() in content}
        assert not named, page


def _own(run):
    found = Lead.objects.filter(run=run).exclude(office="office 1")
    return list(found.values_list("id", flat=True))[:6]


def test_hits_of_the_whole_list_are_not_told_to_who_sees_a_part(ann, as_role, run):
    whole = as_role("analyst").get(f"/runs/{run.id}/").content.decode()
    assert re.search(r"V6 \(\d+\)", whole)
    part = ann.get(f"/runs/{run.id}/").content.decode()
    assert "V6" in part
    assert not re.search(r"V6 \(\d+\)", part)


def test_an_entitys_neighbours_are_counted_among_those_in_sight(run, as_role):
    # Each person of the list is tied to two claims, of one's own office and another.
    page = as_role("analyst", MODEL, "office 1").get(
        f"/entities/{key('person', person(0))}/"
    )
    assert "1 neighbour" in page.content.decode()
    assert "2 neighbours" not in page.content.decode()


def test_of_a_tie_to_a_unit_out_of_sight_no_row_and_no_day_is_told(run):
    user = make_user("ann", ("analyst", MODEL, "office 1"))
    lead = Lead.objects.get(run=run, unit_id="CLM-000002")
    with translation.override("en"):
        picture = lead_graph(dossier(run), Others(user, lead), None, "en")
    told = {
        "not in your sight" in (line.left.node.label, line.right.node.label): tie
        for line in picture.lines
        for tie in line.ties
    }
    assert (told[False].row_key, bool(told[False].event_at)) == ("CLM-000002/1", True)
    assert (told[True].row_key, told[True].event_at, told[True].known_at) == (
        *("", None, None),
    )


def test_colleagues_of_other_offices_are_not_named(as_role, run):
    make_user("colleague-here", ("analyst", MODEL, OFFICE))
    make_user("stranger-there", ("analyst", MODEL, "office 1"))
    make_user("everywhere", ("analyst", MODEL))
    lead = as_role("office_lead", MODEL, OFFICE)
    for page in (f"/runs/{run.id}/", "/teams/"):
        content = lead.get(page).content.decode()
        assert "colleague-here" in content
        assert "everywhere" in content
        assert "stranger-there" not in content
    sent = {"name": "t", "model": MODEL, "office": OFFICE, "weekly_capacity": 3}
    stranger = User.objects.get(username="stranger-there")
    answer = lead.post("/teams/", {**sent, "members": [stranger.id]})
    assert answer.status_code == 422
    assert not Team.objects.exists()


def test_both_records_are_opened_only_to_who_may_see_both(run):
    """Units 1 and 2 have the left person, of this office and another; 3 none."""
    doubt = doubts_in_sight(make_user("all", ("analyst",)), run)[0]
    own = replace(doubt, left_key=key("person", person(0)), right_key=None)
    # The person of units 19 and 20, which are of office 0 and 1.
    both = replace(own, right_key=key("person", person(18)))
    # A person whom no unit in sight is tied to.
    beyond = replace(own, right_key="0" * 24)
    ann = make_user("ann", ("analyst", MODEL, "office 1"))
    assert [may_open(ann, run, one) for one in (own, both, beyond)] == [
        True,
        True,
        False,
    ]
    assert may_open(make_user("eve", ("analyst",)), run, beyond)
    assert not may_open(make_user("bob", ("analyst", MODEL, "office 7")), run, own)
    assert not may_open(make_user("dat", ("data_scientist",)), run, own)


@pytest.mark.parametrize("role", ["data_scientist", "auditor"])
def test_who_only_reads_writes_nothing_and_opens_no_value(as_role, lead, run, role):
    browser = as_role(role)
    sent = {"verdict": "excluded", "cause": "lawful", "reason": "x", "seen": 0}
    unit = key("person", person(0))
    refused = {
        f"/leads/{lead.id}/decide/": sent,
        f"/leads/{lead.id}/disclose/": {"purpose": "review"},
        f"/entities/{unit}/disclose/": {"purpose": "because"},
        "/queue/take/": {"lead": lead.id},
        f"/runs/{run.id}/assign/": {"lead": lead.id, "to": "ann"},
        "/teams/": {"name": "x"},
        "/people/add/": {"username": "x", "role": "administrator", "kind": "person"},
    }
    for address, form in refused.items():
        assert browser.post(address, form).status_code in (403, 404), address
    for address in (f"/runs/{run.id}/export.csv", f"/leads/{lead.id}/sheet.pdf"):
        assert browser.get(address).status_code == 403
    assert person(0).encode() not in browser.get(f"/leads/{lead.id}/").content
    assert not UnitState.objects.exists()
    actions = set(Entry.objects.values_list("action", flat=True))
    assert not actions & {"disclosed", "exported", "decided", "assigned", "took"}


def test_an_administrator_reaches_no_lead_by_any_address(as_role, lead, run):
    admin = as_role("administrator")
    group = Group.objects.first()
    for page in (
        *(f"/leads/{lead.id}/", f"/runs/{run.id}/", f"/groups/{group.id}/"),
        *(f"/models/{MODEL}/", f"/entities/{key('person', person(0))}/"),
        *(f"/api/leads/{lead.id}", f"/api/runs/{run.id}/leads", "/queue/", "/doubts/"),
        *("/audit/", f"/boards/{MODEL}/", f"/runs/{run.id}/orders/"),
    ):
        assert admin.get(page).status_code in (403, 404), page


def test_drafts_and_views_of_others_are_out_of_reach(as_role, run, lead):
    bob = make_user("bob", ("analyst",))
    Draft.objects.create(
        user="bob", model=MODEL, unit_id=lead.unit_id, form={"reason": "bob's secret"}
    )
    view = SavedView.objects.create(
        user=bob.username, model=MODEL, name="bob's view", query="state=open"
    )
    browser = as_role("analyst")
    page = browser.get(f"/leads/{lead.id}/").content.decode()
    assert "secret" not in page
    assert "bob's view" not in browser.get(f"/runs/{run.id}/").content.decode()
    browser.post(f"/leads/{lead.id}/draft/", {"discard": "1"})
    assert browser.post(f"/views/{view.id}/delete/").status_code == 404
    assert Draft.objects.filter(user="bob").exists()
    assert SavedView.objects.filter(user="bob").exists()


def test_a_form_sets_no_more_than_its_own_fields(as_role, lead):
    """Further fields that were sent along change nobody's name, office or place."""
    browser = as_role("analyst")
    sent = {"verdict": "excluded", "cause": "lawful", "reason": "x", "seen": 0}
    more = {"user": "boss", "seconded_by": "boss", "at": "1999-01-01", "state": "open"}
    browser.post(f"/leads/{lead.id}/decide/", {**sent, **more})
    browser.post("/account/", {"what": "password", "is_service": "1", "username": "x"})
    user = User.objects.get(username="analyst")
    assert not user.is_service
    said = Disposition.objects.get()
    assert (said.user, said.seconded_by, said.at.year > 2000) == ("analyst", "", True)
    assert UnitState.objects.get().state == "excluded"
    assert Entry.objects.get(action="decided").user == "analyst"


def test_rights_taken_from_a_session_or_token_hold_at_once(as_role, lead):
    browser = as_role("analyst")
    assert browser.get(f"/leads/{lead.id}/").status_code == 200
    Grant.objects.all().delete()
    assert browser.get(f"/leads/{lead.id}/").status_code == 404
    User.objects.update(is_active=False)
    assert browser.get(f"/leads/{lead.id}/").status_code == 302
    assert browser.get(f"/api/leads/{lead.id}").status_code == 401


# -- a second person ------------------------------------------------------------------
def test_an_older_list_is_no_way_around_the_second_person(tmp_path, listed):
    older = make_publication(tmp_path, units=24)
    older = replace(
        older,
        run_id="vehicle_insurance-20250101-1",
        as_of=datetime(2025, 1, 1),
        inputs="9" * 64,
    )
    publish(_dated(older), Settings())
    lead = Lead.objects.get(run_id=older.run_id, rank_fused=1)
    assert not lead.run.about
    assert second_review(lead.run) == {"confirmed"}
    said = {"verdict": "confirmed", "cause": "", "reason": "fake", "seen": 0}
    outcome = decide(lead, user=make_user("ann", ("analyst",)), **said)
    assert outcome.kind == "awaiting"
    assert Proposal.objects.get().unit_id == lead.unit_id


def _dated(publication):
    """The scores and hits of the as-of date that the publication names."""
    at = pa.scalar(publication.as_of, pa.timestamp("us"))
    scores = pq.read_table(publication.scores_file)
    place = scores.column_names.index("as_of")
    dates = pa.array([publication.as_of] * scores.num_rows, at.type)
    pq.write_table(scores.set_column(place, "as_of", dates), publication.scores_file)
    hits = publication.tables["rule_hits"]
    dated = pa.array([publication.as_of] * hits.num_rows, at.type)
    return with_column(publication, "rule_hits", "as_of", dated)


def test_a_unit_that_another_office_has_by_now_is_decided_there(tmp_path, listed, run):
    newer = make_publication(tmp_path, units=24)
    newer = replace(
        newer,
        run_id="vehicle_insurance-20260101-1",
        as_of=datetime(2026, 1, 1),
        inputs="9" * 64,
    )
    offices = ["office 1"] * 24
    newer = with_column(_dated(newer), "leads", "office", pa.array(offices))
    publish(newer, Settings())
    lead = Lead.objects.filter(run=run, office=OFFICE)[0]
    said = {"verdict": "excluded", "cause": "lawful", "reason": "x", "seen": 0}
    with pytest.raises(PermissionDenied):
        decide(lead, user=make_user("ann", ("analyst", MODEL, OFFICE)), **said)
    assert not UnitState.objects.exists()
    decide(lead, user=make_user("eve", ("analyst", MODEL)), **said)


# -- values ---------------------------------------------------------------------------
@pytest.fixture
def telling(tmp_path, listed):
    """A run in which the key of every row is made of a person's number."""
    base = make_publication(tmp_path, units=24)
    base = replace(base, run_id="vehicle_insurance-20250630-2", inputs="8" * 64)
    units = base.tables["leads"]["unit_id"].to_pylist()
    numbers = {unit: person(n) for n, unit in enumerate(units)}
    base = with_table(base, "evidence", lambda t: _keyed(t, numbers))
    for name in ("group_ties", "paths"):
        base = with_table(base, name, _tied)
    base = with_dossier(base, tmp_path)
    rows = pq.read_table(base.dossier["rows"])
    pq.write_table(_keyed(rows, numbers), base.dossier["rows"])
    publish(base, Settings())
    return Run.objects.get(id=base.run_id)


def _keyed(table, numbers):
    found = [
        {**row, "row_key": f"{numbers[row['unit_id']]}/{place}"}
        for place, row in enumerate(table.to_pylist())
    ]
    return pa.Table.from_pylist(found, schema=table.schema)


def _tied(table):
    """Each tie in a row whose key is the number of its person, or else its company."""
    found = [
        {
            **row,
            "row_key": "330102199001010011/1"
            if "person" in (row["left_kind"], row["right_kind"])
            else "91330100MA27XXXXXX/1",
        }
        for row in table.to_pylist()
    ]
    return pa.Table.from_pylist(found, schema=table.schema)


def test_row_keys_give_no_persons_number_away(as_role, telling):
    browser = as_role("analyst")
    for lead in Lead.objects.filter(run=telling, rank_fused__lte=12):
        pages = [f"/leads/{lead.id}/", f"/api/leads/{lead.id}"]
        pages += [f"/leads/{lead.id}/graph/"]
        for page in pages:
            content = browser.get(page).content.decode()
            assert "11010119900101" not in content, page
            assert "330102199001010011" not in content, page
            assert "91330100MA27XXXXXX" not in content, page
    for group in Group.objects.filter(run=telling):
        for page in (f"/groups/{group.id}/", f"/api/groups/{group.id}"):
            content = browser.get(page).content.decode()
            assert "330102199001010011" not in content, page
            assert "330" in content


def test_files_with_values_are_not_for_everybody_on_the_machine(listed, tmp_path):
    settings = Settings()
    files = list(settings.published.rglob("*.parquet"))
    assert files
    for path in [*files, *settings.var.glob("*_key")]:
        assert path.stat().st_mode & 0o007 == 0, path
    assert all(
        folder.stat().st_mode & 0o007 == 0 for folder in {f.parent for f in files}
    )


def test_a_new_store_is_not_for_everybody_on_the_machine(tmp_path):
    settings = Settings(home=tmp_path, store_url="")
    open_store(settings)
    User.objects.create_user("ann")
    try:
        for path in settings.var.glob("leadline.sqlite3*"):
            if not path.name.endswith(".lock"):
                assert path.stat().st_mode & 0o077 == 0, path
    finally:
        close_store()


# -- the log --------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["password", "remove"])
def test_a_change_of_a_sign_in_that_cannot_be_logged_is_not_made(
    as_role, monkeypatch, what
):
    browser = as_role("analyst")
    user = User.objects.get(username="analyst")
    device = TOTPDevice.objects.create(user=user, confirmed=True)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()

    def full(*_args, **_named):
        raise OSError("the disk is full")

    monkeypatch.setattr(accounts, "record", full)
    browser.raise_request_exception = False
    fresh = "another-long-one-2"
    passwords = {"new_password1": fresh, "new_password2": fresh}
    sent = {"what": what, "old_password": PASSWORD, **passwords}
    assert browser.post("/account/", sent).status_code == 500
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert TOTPDevice.objects.filter(user=user).exists()


def test_a_dropped_trigger_of_the_log_is_told(as_role, listed):
    assert not chain.unguarded()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_entry_no_update")
    assert chain.unguarded() == [
        "trigger audit_entry_no_update is missing, so that entries can be changed"
    ]
    page = as_role("auditor").get("/audit/verify/").content.decode()
    assert "audit_entry_no_update" in page


@pytest.mark.parametrize(
    "name", ["ADMIN", "\uff41dmin", "ad\u200bmin", "admin\u202e", "ad\nmin"]
)
def test_no_user_name_looks_like_another(listed, name):
    add_person("admin", "a-long-enough-1", by="root")
    with pytest.raises(StoreError):
        add_person(name, "a-long-enough-1", by="root")
