"""The list on PostgreSQL: the same leads for the same questions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.settings import Settings
from serving.access.models import User
from serving.audit.models import Entry
from serving.connect import close_store
from serving.console import list_few
from serving.leads.models import Run
from serving.publish import publish
from tests.serving.console.conftest import Browser, make_user
from tests.serving.dossiers import KEY, person, with_dossier
from tests.serving.publications import make_publication

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(params=["postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Of an installation on a real server alone."""
    yield Settings(home=tmp_path, store_url=request.getfixturevalue("database"))
    close_store()


@pytest.fixture
def browser(store: Settings, tmp_path: Path, monkeypatch) -> Browser:
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path))
    monkeypatch.setenv("LEADLINE_STORE_URL", store.store_url)
    monkeypatch.setenv("LEADLINE_TOKEN_KEY", KEY.decode())
    publish(with_dossier(make_publication(tmp_path, units=24), tmp_path), store)
    make_user("lea", ("office_lead",))
    signed_in = Browser(HTTP_HOST="localhost")
    signed_in.force_login(User.objects.get(username="lea"), backend=BACKEND)
    return signed_in


@pytest.mark.parametrize("few", [0, 2_000])
def test_every_filter_and_order_leaves_the_same_leads(browser, few, monkeypatch):
    monkeypatch.setattr(list_few, "FEW", few)
    run = Run.objects.get()
    leads = run.leads.order_by("rank_fused")
    for query, wanted in (
        ("", leads),
        ("order=score&found_by=both", leads.filter(found_by="both")),
        ("order=money", leads.filter(money__isnull=False)),
        ("order=money&after=-30~3", leads.filter(money__lt=30)),
        ("grouped=no&state=open", leads.filter(group_id=None)),
        ("money=100&assignee=nobody", leads.filter(money__gte=100)),
        ("office=office+1&low=0.3", leads.filter(office="office 1", fused__gte=0.3)),
        ("unit=CLM-00000", leads.filter(unit_id__startswith="CLM-00000")),
        ("group=G0002&order=rules", leads.filter(group_id="G0002")),
        ("rule=V1", leads.filter(hits__code="V1")),
        ("layer=3&high=0.5", leads.filter(hits__layer=3, fused__lte=0.5)),
        ("words=3号", leads.filter(title__contains="3号")),
    ):
        page = browser.get(f"/runs/{run.id}/?{query}").content.decode()
        units = set(leads.values_list("unit_id", flat=True))
        shown = {unit for unit in units if f">{unit}</a>" in page}
        assert shown == set(wanted.values_list("unit_id", flat=True)), query


def test_leads_are_assigned_searched_and_exported(browser):
    run = Run.objects.get()
    chosen = list(run.leads.values_list("id", flat=True)[:3])
    browser.post(f"/runs/{run.id}/assign/", {"lead": chosen, "to": "lea", "due": ""})
    browser.post(f"/runs/{run.id}/assign/", {"lead": chosen, "to": "lea", "due": ""})
    assert browser.get(f"/runs/{run.id}/?assignee=me").content.count(b"data-row") == 3
    found = browser.post(f"/runs/{run.id}/search/", {"q": person(1)})
    assert browser.get(found["Location"]).content.count(b"data-row") == 2
    assert browser.get(f"/runs/{run.id}/export.csv").status_code == 200
    assert browser.get(f"/runs/{run.id}/orders/").status_code == 200
    acts = set(Entry.objects.values_list("action", flat=True))
    assert {"assigned", "searched", "exported"} <= acts
