"""The list: what stands in it, for whom, in which order, and how it is read page by page."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from django.db import connection
from django.template.base import Template
from django.test.utils import CaptureQueriesContext, instrumented_test_render
from django.utils import timezone

from configs.settings import Settings
from serving.access.models import User
from serving.audit.models import Entry
from serving.console import list_few, list_query
from serving.leads.models import Lead, Run
from serving.publish import publish
from serving.review.models import SavedView, UnitState
from tests.serving.console.conftest import Browser
from tests.serving.dossiers import HOSTILE, key, person, with_dossier
from tests.serving.publications import make_publication, with_column, with_table

MODEL = "vehicle_insurance"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch):
    """Both ways to a page: through an index, and along the ranks."""
    if request.param == "many":
        monkeypatch.setattr(list_few, "FEW", 0)


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """Responses tell what their templates were given."""
    monkeypatch.setattr(Template, "_render", instrumented_test_render)


def ranks(response):
    return [row.lead.rank_fused for row in response.context["rows"]]


def units(response):
    return {row.lead.unit_id for row in response.context["rows"]}


def shown(client, run, **query):
    response = client.get(f"/runs/{run.id}/", query)
    assert response.status_code == 200
    return response


def state_of(unit, state="open", **further):
    return UnitState.objects.create(
        model=MODEL, unit_id=unit, state=state, changed_at=datetime.now(UTC), **further
    )


def test_the_list_says_what_it_is_of_and_how_old(run, as_role):
    page = shown(as_role("analyst"), run).content.decode()
    for text in (
        "Vehicle-insurance claims",
        "June 30, 2025",
        run.id,
        "published today",
    ):
        assert text in page
    assert "model version 4" in page
    assert "24 units" in page


def test_a_row_shows_why_a_lead_stands_there(run, as_role):
    response = shown(as_role("analyst"), run)
    row = next(row for row in response.context["rows"] if len(row.layers) == 2)
    assert [layer.number for layer in row.layers] == [1, 3]
    page = response.content.decode()
    assert "above 25% of its peers (use of the vehicle)" in page
    assert "Filed 0 such suits in 24 months" in page
    assert row.strongest == row.layers[-1].hits[0].reason
    assert f"<b>{row.lead.score:.3f}</b>" in page
    assert all(mark in page for mark in ("Both", "Rules only", "Score only"))
    assert f"/leads/{row.lead.id}/" in page


@pytest.mark.parametrize("order", ["fused", "score", "rules"])
def test_each_order_is_paged_through_without_losing_or_repeating_a_lead(
    run, as_role, order, monkeypatch
):
    monkeypatch.setattr("serving.console.pages.lists.SIZES", (5, 50))
    client = as_role("analyst")
    place, met = {}, []
    for _ in range(9):
        response = shown(client, run, order=order, size=5, **place)
        met += [getattr(row.lead, f"rank_{order}") for row in response.context["rows"]]
        page = response.context["page"]
        if page.after is None:
            break
        place = {"after": page.after}
    assert met == list(range(1, 25))
    back = shown(client, run, order=order, size=5, before=page.before)
    assert [getattr(row.lead, f"rank_{order}") for row in back.context["rows"]] == met[
        15:20
    ]


def test_the_order_of_money_is_paged_too_and_leaves_unknown_amounts_out(
    run, as_role, monkeypatch
):
    monkeypatch.setattr("serving.console.pages.lists.SIZES", (5, 50))
    client, place, met = as_role("analyst"), {}, []
    for _ in range(9):
        response = shown(client, run, order="money", size=5, **place)
        met += [row.lead.money for row in response.context["rows"]]
        page = response.context["page"]
        if page.after is None:
            break
        place = {"after": page.after}
    known = Lead.objects.filter(run=run, money__isnull=False)
    assert met == sorted(known.values_list("money", flat=True), reverse=True)
    back = shown(client, run, order="money", size=5, before=page.before)
    assert [row.lead.money for row in back.context["rows"]] == met[10:15]
    assert b"without an amount" in response.content


def test_one_can_go_to_a_rank_and_to_the_last_page(run, as_role):
    client = as_role("analyst")
    assert ranks(shown(client, run, rank=20))[0] == 20
    last = shown(client, run, size=25, before=25)
    assert ranks(last)[-1] == 24
    whole = ranks(last)
    for nonsense in ("x", "1~2~3", "nan", "-5", "9" * 400):
        assert ranks(shown(client, run, after=nonsense)) == whole
    for beyond in ("1e30", "-1e30", "1e300~1e300", "-1e300~-1e300", "0~1e30"):
        for order in ("score", "money"):
            shown(client, run, order=order, after=beyond)
            shown(client, run, order=order, before=beyond)


def test_a_page_that_is_not_full_says_how_far_it_looked(run, as_role, monkeypatch):
    monkeypatch.setattr(list_query, "STRETCH", 4)
    client = as_role("analyst")
    last = Lead.objects.get(run=run, rank_fused=24)
    page = shown(client, run, words=last.title.split()[-1])
    assert ranks(page) == []
    assert page.context["page"].looked_to == 4
    assert b"Look on below rank 4" in page.content
    met, place = [], {}
    for _ in range(7):
        page = shown(client, run, words=last.title.split()[-1], **place)
        met += ranks(page)
        if page.context["page"].after is None:
            break
        place = {"after": page.context["page"].after}
    assert met == [24]


CASES = [
    ({"found_by": "both"}, lambda lead: lead.found_by == "both"),
    ({"grouped": "yes"}, lambda lead: lead.group_id is not None),
    ({"grouped": "no"}, lambda lead: lead.group_id is None),
    ({"money": "100"}, lambda lead: (lead.money or 0) >= 100),
    ({"office": "office 1"}, lambda lead: lead.office == "office 1"),
    ({"low": "0.5"}, lambda lead: lead.fused >= 0.5),
    ({"high": "0.5"}, lambda lead: lead.fused <= 0.5),
    ({"low": "0.3", "high": "0.6"}, lambda lead: 0.3 <= lead.fused <= 0.6),
    ({"unit": "CLM-00000"}, lambda lead: lead.unit_id < "CLM-00001"),
    ({"group": "G0002"}, lambda lead: lead.group_id == "G0002"),
    ({"words": "王某 3号"}, lambda lead: "3号" in lead.title),
    ({"rule": "V1"}, lambda lead: lead.hits.filter(code="V1").exists()),
    ({"layer": "3"}, lambda lead: lead.hits.filter(layer=3).exists()),
    (
        {"rule": "V6", "found_by": "both"},
        lambda lead: lead.found_by == "both" and lead.hits.filter(code="V6"),
    ),
]


def test_the_order_of_money_is_looked_through_in_stretches(run, as_role, monkeypatch):
    monkeypatch.setattr(list_query, "RICHEST", 3)
    client, place, met = as_role("analyst"), {}, []
    for _ in range(9):
        page = shown(client, run, order="money", words="9号", **place).context["page"]
        met += [lead.title for lead in page.leads]
        if page.after is None:
            break
        place = {"after": page.after}
    fits = run.leads.filter(title__contains="9号", money__isnull=False)
    assert met == list(fits.order_by("-money").values_list("title", flat=True))


@pytest.mark.parametrize("order", ["fused", "score"])
def test_a_filter_leaves_exactly_the_leads_that_fit(run, as_role, way, order):
    client = as_role("analyst")
    for query, fits in CASES:
        wanted = {lead.unit_id for lead in run.leads.all() if fits(lead)}
        assert units(shown(client, run, order=order, **query)) == wanted, query


def test_leads_without_data_of_a_source_can_be_chosen(listed, tmp_path, as_role):
    told = {name: {"rows": 1, "units": 0.8} for name in ("police", "tax", "pol")}
    other = replace(listed, run_id="told-1", inputs="9" * 64, coverage=told)
    publish(other, Settings(home=tmp_path, store_url=""))
    run = Run.objects.get(id="told-1")
    client = as_role("analyst")
    silent = {lead.unit_id for lead in run.leads.all() if "tax" in lead.silent}
    assert units(shown(client, run, silent="tax")) == silent
    assert units(shown(client, run, silent="police")) == silent
    assert units(shown(client, run, silent="pol")) == set()


def test_a_department_that_delivered_nothing_is_named(listed, tmp_path, as_role):
    told = {"source_1": {"rows": 0, "missing": True}, "other": {"rows": 3}}
    other = replace(listed, run_id="told-1", inputs="9" * 64, coverage=told)
    publish(other, Settings(home=tmp_path, store_url=""))
    page = as_role("analyst").get("/runs/told-1/").content.decode()
    assert "Delivered nothing for this run" in page
    assert "Claims (Insurers)" in page


def test_state_and_assignee_are_filters_and_a_lead_nobody_touched_is_open(
    run, as_role, way
):
    client = as_role("analyst")
    first, second, third = run.leads.order_by("rank_fused")[:3]
    state_of(first.unit_id, "confirmed")
    state_of(second.unit_id, assignee="analyst")
    state_of(third.unit_id, assignee="other", due=datetime(2020, 1, 1).date())
    assert units(shown(client, run, state="confirmed")) == {first.unit_id}
    assert first.unit_id not in units(shown(client, run, state="open"))
    assert len(units(shown(client, run, state="open"))) == 23
    assert units(shown(client, run, assignee="me")) == {second.unit_id}
    assert units(shown(client, run, assignee="other")) == {third.unit_id}
    assert len(units(shown(client, run, assignee="nobody"))) == 22
    assert b"overdue" in shown(client, run, assignee="other").content


def test_an_office_sees_and_counts_its_own_leads_alone(run, as_role, way):
    response = shown(as_role("analyst", MODEL, "office 0"), run, office="office 1")
    assert {row.lead.office for row in response.context["rows"]} <= {"office 0", None}
    page = shown(as_role("analyst", MODEL, "office 0"), run)
    assert Counter(row.lead.office for row in page.context["rows"]) == {
        "office 0": 8,
        None: 8,
    }
    assert "office 1" not in page.content.decode()


def test_another_models_list_is_not_found(run, as_role):
    client = as_role("analyst", "elder_care")
    for address in ("", "orders/", "export.csv", "export.xlsx"):
        assert client.get(f"/runs/{run.id}/{address}").status_code == 404
        assert client.get(f"/runs/no-such-run/{address}").status_code == 404
    assert client.get(f"/models/{MODEL}/").status_code == 404
    for address in ("search/", "assign/", "views/"):
        assert client.post(f"/runs/{run.id}/{address}").status_code == 404


def test_who_is_signed_out_is_asked_to_sign_in(run):
    response = Browser(HTTP_HOST="localhost").get(f"/runs/{run.id}/")
    assert response.status_code == 302
    assert "/sign-in/" in response["Location"]


def test_identifiers_are_searched_by_token_and_never_stand_in_an_address(run, as_role):
    client = as_role("analyst")
    typed = person(2)
    response = client.post(f"/runs/{run.id}/search/", {"q": f" {typed} "})
    assert typed not in response["Location"]
    assert key("person", typed) in response["Location"]
    found = client.get(response["Location"])
    assert units(found) == {"CLM-000003", "CLM-000004"}
    assert "Tied to person 1***" in found.content.decode()
    assert typed not in found.content.decode()
    entry = Entry.objects.get(action="searched")
    assert entry.detail == {"token": key("person", typed)}


PERSONAL = ("110101198001011234", "13912345678", "浙A12345", "6222 0212 3456 7890")


def test_an_identifier_that_is_not_found_leaves_no_trace(run, as_role):
    client = as_role("analyst")
    for typed in PERSONAL:
        given = {"q": typed, "query": "state=open"}
        response = client.post(f"/runs/{run.id}/search/", given)
        assert response["Location"] == f"/runs/{run.id}/?state=open"
        page = client.get(response["Location"]).content
        assert b"No unit of this list is tied" in page


def test_a_unit_that_is_named_by_an_identifier_is_opened_by_its_number(
    run, as_role, monkeypatch
):
    for module in ("list_search", "pages.lists"):
        name = f"serving.console.{module}.looks_personal"
        monkeypatch.setattr(name, lambda typed: True)
    other = run.leads.filter(office="office 1").first()
    given = {"q": other.unit_id}
    opened = as_role("analyst").post(f"/runs/{run.id}/search/", given)
    assert opened["Location"] == f"/leads/{other.id}/"
    elsewhere = as_role("analyst", MODEL, "office 0")
    refused = elsewhere.post(f"/runs/{run.id}/search/", given)
    assert refused["Location"] == f"/runs/{run.id}/"


def test_an_identifier_of_another_office_is_not_found(run, as_role):
    client = as_role("analyst", MODEL, "office 1")  # neither unit of this person
    lone = Lead.objects.filter(unit_id__in=("CLM-000001", "CLM-000002"))
    assert set(lone.values_list("office", flat=True)) == {"office 0", "office 1"}
    other = as_role("analyst", MODEL, "office 9")
    response = other.post(f"/runs/{run.id}/search/", {"q": person(0)})
    assert "token" not in response["Location"]
    found = client.get(f"/runs/{run.id}/", {"token": key("person", person(0))})
    assert units(found) == {"CLM-000002"}
    none = other.get(f"/runs/{run.id}/", {"token": key("person", person(0))})
    assert "person 1" not in none.content.decode()


def test_other_searches_become_filters(run, as_role):
    client = as_role("analyst")
    for typed, becomes in (
        ("CLM-000007", "unit=CLM-000007"),
        ("clm-00000", "unit=CLM-00000"),
        ("G0002", "group=G0002"),
        ("王某 7号", "words="),
    ):
        given = {"q": typed, "query": "rank=3"}
        response = client.post(f"/runs/{run.id}/search/", given)
        assert becomes in response["Location"]
        assert "rank=3" not in response["Location"]
        assert units(client.get(response["Location"]))


def test_filters_that_make_no_sense_are_as_if_they_were_not_there(run, as_role):
    client = as_role("analyst")
    for query in (
        {"state": "<script>"},
        {"money": "much"},
        {"money": "nan"},
        {"low": "1e999"},
        {"rule": "nope"},
        {"token": "../../etc"},
        {"layer": "99"},
    ):
        assert len(units(shown(client, run, **query))) == 24


def test_the_table_alone_is_swapped_and_the_address_has_no_empty_fields(run, as_role):
    client = as_role("analyst")
    query = {"state": "open", "rule": "", "order": "score"}
    part = client.get(f"/runs/{run.id}/", query, headers={"hx-request": "true"})
    assert b"<html" not in part.content
    assert b'id="region"' in part.content
    assert part["HX-Push-Url"] == f"/runs/{run.id}/?state=open&order=score"
    assert "HX-Request" in part["Vary"]
    back = {"hx-request": "true", "hx-history-restore-request": "true"}
    assert b"<html" in client.get(f"/runs/{run.id}/", query, headers=back).content


def test_a_page_asks_at_most_twelve_questions_however_many_rows(
    run, as_role, monkeypatch
):
    monkeypatch.setattr("serving.console.pages.lists.SIZES", (5, 50))
    of_office = as_role("analyst", MODEL, "office 0")
    for client in (as_role("office_lead"), of_office):
        shown(client, run)
        for size in (5, 50):
            with CaptureQueriesContext(connection) as asked:
                shown(client, run, size=size)
            assert len(asked) <= 12


def test_texts_of_a_delivery_are_shown_harmlessly(listed, tmp_path, as_role):
    hostile = [f"{HOSTILE}{n}\n'\"=1+1" + "x" * 10_000 for n in range(24)]
    changed = with_column(listed, "leads", "title", hostile)
    other = replace(changed, run_id="hostile-1", inputs="9" * 64)
    publish(other, Settings(home=tmp_path, store_url=""))
    for address in ("/runs/hostile-1/", "/runs/hostile-1/orders/"):
        page = as_role("analyst").get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert len(page) < 400_000


def test_an_older_list_says_that_there_is_a_newer_one(listed, run, tmp_path, as_role):
    later = with_dossier(make_publication(tmp_path, units=24), tmp_path)
    later = replace(
        later,
        run_id="vehicle_insurance-20250707-1",
        inputs="8" * 64,
        as_of=datetime(2025, 7, 7),
    )
    hits = later.tables["rule_hits"].to_pylist()
    dated = pa.Table.from_pylist([hit | {"as_of": later.as_of} for hit in hits])
    publish(
        with_table(later, "rule_hits", lambda _: dated),
        Settings(home=tmp_path, store_url=""),
    )
    client = as_role("analyst")
    assert b"There is a newer list" in shown(client, run).content
    newest = client.get(f"/models/{MODEL}/")
    assert later.run_id in newest["Location"]
    page = client.get(newest["Location"])
    assert b"There is a newer list" not in page.content
    first = run.published_at
    assert {row.first_listed for row in page.context["rows"]} == {first}


def test_a_run_of_before_there_was_a_console_is_shown_too(tmp_path, listed, as_role):
    bare = replace(
        make_publication(tmp_path, units=24, seed=9), run_id="bare-1", inputs="7" * 64
    )
    publish(bare, Settings(home=tmp_path, store_url=""))
    client = as_role("analyst")
    for address in ("", "orders/", "?token=" + "0" * 24, "?silent=claims"):
        assert client.get(f"/runs/bare-1/{address}").status_code == 200


def test_views_are_kept_shared_and_deleted_by_their_owner_alone(run, as_role):
    client, other = as_role("analyst"), as_role("office_lead")
    given = {"name": "<b>mine</b>", "query": "state=open&after=7&evil=1"}
    client.post(f"/runs/{run.id}/views/", given)
    view = SavedView.objects.get()
    assert view.query == "state=open"
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown(client, run).content.decode()
    assert "mine&lt;/b&gt;" not in shown(other, run).content.decode()
    client.post(f"/runs/{run.id}/views/", {**given, "shared": "on"})
    assert "mine&lt;/b&gt;" in shown(other, run).content.decode()
    assert other.post(f"/views/{view.id}/delete/").status_code == 404
    assert client.post(f"/views/{view.id}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_the_orders_stand_side_by_side_and_say_how_they_differ(run, as_role):
    response = as_role("analyst").get(f"/runs/{run.id}/orders/")
    within = [
        sum(
            lead_rank <= 4
            for lead_rank in (lead.rank_fused, lead.rank_score, lead.rank_rules)
        )
        for lead in run.leads.all()
    ]
    counted = Counter(within)
    assert response.context["overlap"] == {
        "three": counted[3],
        "two": counted[2],
        "one": counted[1],
    }
    columns = {column["name"]: column for column in response.context["columns"]}
    assert [place.rank for place in columns["score"]["places"]] == list(range(1, 21))
    assert sum(len(column["alone"]) for column in columns.values()) == counted[1]


def test_the_first_page_shows_ones_own_work_and_the_age_of_lists(run, as_role):
    client = as_role("analyst")
    state_of("CLM-000001", assignee="analyst", due=datetime(2020, 1, 1).date())
    state_of("CLM-000002", "confirmed", assignee="analyst")
    response = client.get("/")
    (card,) = response.context["cards"]
    assert (card.mine, card.overdue, card.capacity, card.stale) == (1, 1, 4, False)
    assert f"/runs/{run.id}/" in response.content.decode()
    assert not as_role("analyst", "elder_care").get("/").context["cards"]


def test_a_list_that_grew_old_says_so(run, as_role, monkeypatch):
    client = as_role("analyst")
    later = timezone.now() + timedelta(days=20)
    monkeypatch.setattr("serving.console.pages.home.timezone.now", lambda: later)
    client.force_login(User.objects.get(username="analyst"), BACKEND)
    assert b"This list is 20 days old" in client.get("/").content
    assert b"This list is 20 days old" in shown(client, run).content


def test_both_languages(run, as_role):
    client = as_role("analyst", MODEL, language="zh-hans")
    page = client.get(f"/runs/{run.id}/").content.decode()
    assert "车辆保险理赔监督模型" in page
    assert "24个月内提起" in page
