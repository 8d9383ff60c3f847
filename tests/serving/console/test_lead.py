"""What an analyst finds on a lead's page, and what nobody may find there."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from configs.settings import Settings
from serving.dispositions import dispose
from serving.leads.models import Lead, PathStep, Run
from serving.publish import publish
from serving.review.models import UnitState
from tests.serving.console.conftest import Make
from tests.serving.dossiers import HOSTILE, person, with_dossier
from tests.serving.publications import make_publication, with_column, with_table

MODEL = "vehicle_insurance"
ADDRESSES = ("lead", "lead-graph", "lead-sheet")


def page_of(browser: Any, lead: Lead, name: str = "lead") -> str:
    answer = browser.get(reverse(name, args=[lead.id]))
    assert answer.status_code == 200
    return answer.content.decode()


def with_hit(run: Run) -> Lead:
    """A lead on which two rules fired, with a word on the lawful explanation."""
    return Lead.objects.get(run=run, unit_id="CLM-000001")


def test_page_says_why_in_the_users_language(as_role: Make, run: Run) -> None:
    lead = with_hit(run)
    page = page_of(as_role("analyst"), lead)
    for said in (
        *("Filed 0 such suits in 24 months", "3 aggregate", "V6"),
        *("0 claims; the peers&#x27; median is 1", "Peer group"),
        *("claims of the claimant", "claimant_claims_count_2d"),  # titled, and not
        *("detector:forest carries it", "+0.50", "would fall to rank 1 with one claim"),
        *("lawful explanation of V6", "use of the vehicle: fleet"),
        *("use of the vehicle)", "of 24"),
        *("police", "tax"),  # they say nothing of it
    ):
        assert said in page, said
    chinese = page_of(as_role("analyst", MODEL, language="zh-hans"), lead)
    for said in (
        "24个月内提起0件同类诉讼",
        "V6的合理解释",
        "车辆用途：车队",
        "0件；同类中位数为1",
    ):
        assert said in chinese, said


def test_page_shows_where_source_rows_come_from(as_role: Make, lead: Lead) -> None:
    page = page_of(as_role("analyst"), lead)
    for said in ("Claims", "Insurers", "Court", "claims_2025.csv@0123456789ab"):
        assert said in page, said
    assert "repair shop" in page
    assert "2025-05-02" in page


def test_markup_in_cells_and_titles_stays_text(as_role: Make, lead: Lead) -> None:
    page = page_of(as_role("analyst"), lead)
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
    for marked in (" style=", " onclick=", " onload=", "<style"):
        assert marked not in page


@pytest.mark.parametrize("name", ADDRESSES)
def test_lead_of_another_office_is_not_found(
    as_role: Make, run: Run, name: str
) -> None:
    theirs = Lead.objects.filter(run=run, office="office 1")[0]
    browser = as_role("analyst", MODEL, "office 0")
    assert browser.get(reverse(name, args=[theirs.id])).status_code == 404
    told = browser.post(reverse("lead-disclose", args=[theirs.id]), {"purpose": "x"})
    assert told.status_code == 404
    assert browser.get(reverse(name, args=[10**12])).status_code == 404


@pytest.mark.parametrize("role", ["administrator", "analyst"])
def test_lead_of_another_model_is_not_found(
    as_role: Make, lead: Lead, role: str
) -> None:
    browser = as_role(role, "another_model")
    assert browser.get(reverse("lead", args=[lead.id])).status_code == 404


def test_previous_and_next_skip_what_is_not_in_sight(as_role: Make, run: Run) -> None:
    seen = Lead.objects.filter(run=run).exclude(office="office 1")
    first, second, third = seen.order_by("rank_fused")[:3]
    page = page_of(as_role("analyst", MODEL, "office 0"), second)
    assert f'data-lead-step="previous" href="/leads/{first.id}/"' in page
    assert f'data-lead-step="next" href="/leads/{third.id}/"' in page


def test_queries_stay_the_same_however_much_there_is(as_role: Make, run: Run) -> None:
    browser = as_role("analyst")
    grouped = Lead.objects.get(run=run, unit_id="CLM-000001")
    step = PathStep.objects.filter(lead__run=run)[0].lead
    for lead in (grouped, step, Lead.objects.get(run=run, rank_fused=24)):
        page_of(browser, lead)
        with CaptureQueriesContext(connection) as queries:
            page_of(browser, lead)
        assert len(queries) <= 25, [q["sql"] for q in queries.captured_queries]


def test_confirmed_look_alikes_come_first(as_role: Make, run: Run) -> None:
    lead = with_hit(run)
    UnitState.objects.create(
        model=MODEL,
        unit_id="CLM-000023",
        state="confirmed",
        changed_at=datetime.now(UTC),
    )
    page = page_of(as_role("analyst"), lead)
    similar = page[page.index("Similar leads") : page.index('id="history"')]
    assert similar.index("第23号") < similar.index("第24号")
    assert similar.index("Confirmed look-alikes") < similar.index("第23号")


def test_similar_leads_of_another_office_are_not_named(as_role: Make, run: Run) -> None:
    lead = with_hit(run)  # of office 0; like it are CLM-000024 and, of office 1, 23
    page = page_of(as_role("analyst", MODEL, "office 0"), lead)
    assert "第24号" in page
    assert "第23号" not in page


def test_ways_name_only_leads_in_sight(as_role: Make, run: Run) -> None:
    hidden = PathStep.objects.filter(lead__run=run).select_related("lead")
    offices = dict(Lead.objects.filter(run=run).values_list("unit_id", "office"))
    step = next(
        s
        for s in hidden
        if s.lead.office == "office 0" and offices[s.other] == "office 1"
    )
    browser = as_role("analyst", MODEL, "office 0")
    page = page_of(browser, step.lead)
    assert f">{step.other}<" not in page
    assert "that you may not see" in page
    assert "are tied (claimant)" in page_of(as_role("analyst"), step.lead)


def test_history_shows_conclusions_and_other_lists(
    as_role: Make, run: Run, lead: Lead, tmp_path: Path
) -> None:
    dispose(MODEL, run.id, lead.unit_id, "excluded", user="anna", reason="a fleet")
    page = page_of(as_role("analyst"), lead)
    for said in ("a fleet", "anna", "Excluded"):
        assert said in page, said
    later = make_publication(tmp_path, units=24)
    publish(replace(later, run_id="later", inputs="8" * 64), Settings(home=tmp_path))
    page = page_of(as_role("analyst"), lead)
    assert "Its rank from list to list" in page
    assert f"/leads/{Lead.objects.get(run='later', unit_id=lead.unit_id).id}/" in page


def test_unexplained_lead_says_so(as_role: Make, run: Run, tmp_path: Path) -> None:
    later = make_publication(tmp_path, units=24)
    for name in ("reasons", "evidence", "parts", "counterfactuals"):
        later = with_table(later, name, lambda table: table.slice(0, 0))
    publish(replace(later, run_id="later", inputs="8" * 64), Settings(home=tmp_path))
    lead = Lead.objects.get(run="later", unit_id="CLM-000001")
    page = page_of(as_role("analyst"), lead)
    assert "Only the first leads of a list are explained" in page
    assert "Filed 0 such suits in 24 months" in page  # its rules stand
    assert "were not kept with this run" in page
    assert 'id="decide"' in page


def test_long_and_hostile_titles_keep_the_page_whole(
    as_role: Make, run: Run, tmp_path: Path
) -> None:
    later = make_publication(tmp_path, units=24)
    title = HOSTILE + "长" * 10_000 + "\n\n'\""
    later = with_column(later, "leads", "title", pa.array([title] * 24))
    publish(replace(later, run_id="later", inputs="8" * 64), Settings(home=tmp_path))
    page = page_of(as_role("analyst"), Lead.objects.get(run="later", rank_fused=3))
    assert HOSTILE not in page
    assert len(page) < 60_000


def test_what_is_sensitive_is_masked(as_role: Make, run: Run) -> None:
    for lead in Lead.objects.filter(run=run)[:4]:
        number = person(int(lead.unit_id[-6:]) - 1)
        for name in ("lead", "lead-graph"):
            assert number not in page_of(as_role("office_lead"), lead, name)


def test_page_is_not_kept_by_browsers(as_role: Make, lead: Lead) -> None:
    answer = as_role("analyst").get(reverse("lead", args=[lead.id]))
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_run_without_words_about_its_model_is_shown(
    as_role: Make, run: Run, tmp_path: Path
) -> None:
    bare = replace(
        with_dossier(make_publication(tmp_path, units=24), tmp_path),
        run_id="bare",
        inputs="8" * 64,
        about={},
    )
    publish(bare, Settings(home=tmp_path))
    page = page_of(as_role("analyst"), Lead.objects.get(run="bare", rank_fused=1))
    assert "source_1" in page
    assert "110***" in page  # nothing says that a column may be shown
