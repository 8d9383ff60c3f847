"""The list of a run that scored more units than it lists, as pages and the API tell it."""

from dataclasses import replace

import pytest
from django.template.base import Template
from django.test.utils import instrumented_test_render

from configs.settings import Settings
from serving.console import list_few, list_query
from serving.leads.models import Lead, Run
from serving.publish import publish
from tests.serving.api.asking import read
from tests.serving.dossiers import with_dossier
from tests.serving.publications import make_publication, shortened

UNITS, FIRST = 60, 5
ORDERS = ("fused", "score", "rules")


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """Responses tell what their templates were given."""
    monkeypatch.setattr(Template, "_render", instrumented_test_render)


@pytest.fixture
def short(listed, tmp_path):
    """60 units scored later: the first 5 of each order, drawn ones and rings listed."""
    folder = tmp_path / "short"
    whole = make_publication(folder, units=UNITS, seed=3)
    named = replace(whole, run_id="short", inputs="9" * 64)
    publication = with_dossier(shortened(named, FIRST), folder)
    publish(publication, Settings(home=tmp_path, store_url=""))
    return Run.objects.get(id="short")


def ranks_of(run, order):
    leads = Lead.objects.filter(run=run).order_by(f"rank_{order}")
    return list(leads.values_list(f"rank_{order}", flat=True))


def unlisted(run):
    leads = set(Lead.objects.filter(run=run).values_list("unit_id", flat=True))
    return next(u for n in range(1, UNITS) if (u := f"CLM-{n:06}") not in leads)


def test_how_many_of_the_units_are_listed_is_said_in_both_languages(short, as_role):
    said = f"{short.listed} of 60 units listed"
    analyst = as_role("analyst")
    for path in ("/runs/short/", f"/boards/{short.model_id}/", "/boards/"):
        assert said in analyst.get(path).content.decode()
    assert f"units, {short.listed} listed" in analyst.get("/").content.decode()
    chinese = as_role("auditor", language="zh")
    assert f"列入清单{short.listed}个" in chinese.get("/runs/short/").content.decode()
    assert "24 units</span>" in analyst.get(f"/runs/{_other().id}/").content.decode()


def _other():
    return Run.objects.exclude(id="short").get()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("stretch", [3, 7, 30_000])
def test_every_lead_is_met_page_by_page(short, as_role, monkeypatch, order, stretch):
    monkeypatch.setattr(list_query, "STRETCH", stretch)
    monkeypatch.setattr("serving.console.pages.lists.SIZES", (5, 50))
    client, expected = as_role("analyst"), ranks_of(short, order)
    met, place = [], {}
    for _ in range(UNITS):
        shown = client.get("/runs/short/", {"order": order, "size": 5, **place})
        met += [getattr(r.lead, f"rank_{order}") for r in shown.context["rows"]]
        page = shown.context["page"]
        if page.after is None:
            break
        place = {"after": page.after}
    assert met == expected
    assert expected[-1] > short.listed  # or no rank is missing in between
    back = client.get("/runs/short/", {"order": order, "size": 5, "before": UNITS + 1})
    last = [getattr(r.lead, f"rank_{order}") for r in back.context["rows"]]
    assert last == expected[-len(last) :]
    assert last
    assert shown.context["page"].total == short.listed


def test_a_score_bounds_the_list_where_ranks_are_missing(short, as_role, monkeypatch):
    monkeypatch.setattr(list_few, "FEW", 0)
    client = as_role("analyst")
    for query in ({"low": "0.5"}, {"high": "0.5"}, {"low": "0.2", "high": "0.4"}):
        low, high = float(query.get("low", 0)), float(query.get("high", 1))
        leads = Lead.objects.filter(run=short, fused__gte=low, fused__lte=high)
        shown = client.get("/runs/short/", {**query, "size": 100})
        found = {row.lead.unit_id for row in shown.context["rows"]}
        assert found == set(leads.values_list("unit_id", flat=True))
        assert found


def test_a_rule_finds_the_leads_of_this_run_alone(short, as_role):
    client = as_role("analyst")
    for run in (short, _other()):
        shown = client.get(f"/runs/{run.id}/", {"rule": "V1", "size": 100})
        found = {row.lead.id for row in shown.context["rows"]}
        leads = Lead.objects.filter(run=run, hits__code="V1")
        assert found == set(leads.values_list("id", flat=True))
        assert found


def test_search_says_where_a_unit_stands_that_is_not_listed(short, as_role):
    unit = unlisted(short)
    said = f"{unit} was scored but is not on this list: rank "
    found = as_role("analyst").post("/runs/short/search/", {"q": unit}, follow=True)
    assert said in found.content.decode()
    office = as_role("analyst", short.model_id, "office 1")
    unseen = office.post("/runs/short/search/", {"q": unit}, follow=True)
    assert said not in unseen.content.decode()


def test_the_api_tells_places_and_how_many_are_listed(short, as_role):
    analyst, unit = as_role("analyst"), unlisted(short)
    run = read(analyst, "/runs/short")
    assert (run["units"], run["listed"]) == (UNITS, short.listed)
    place = read(analyst, "/runs/short/place", unit=unit)
    assert (place["lead"], place["units"], place["unit_id"]) == (None, UNITS, unit)
    first = Lead.objects.get(run=short, rank_fused=1)
    found = read(analyst, "/runs/short/place", unit=first.unit_id)
    assert (found["lead"], found["rank_fused"]) == (first.id, 1)
    assert found["rank_score"] == first.rank_score
    read(analyst, "/runs/short/place", 404, unit="CLM-999999")
    office = as_role("analyst", short.model_id, "office 1")
    read(office, "/runs/short/place", 404, unit=unit)
    other = Lead.objects.filter(run=short, office="office 0").first()
    read(office, "/runs/short/place", 404, unit=other.unit_id)
