"""The lead sheet as a PDF: what it says, what it masks, and that it is logged."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.urls import reverse
from pypdf import PdfReader

from configs.settings import Settings
from serving.audit.models import Entry
from serving.dispositions import dispose
from serving.leads.models import Lead, Run
from serving.publish import publish
from tests.serving.console.conftest import Make
from tests.serving.dossiers import person, with_dossier
from tests.serving.publications import make_publication, with_column

MODEL = "vehicle_insurance"


def sheet(browser: Any, lead: Lead) -> str:
    """The text of the sheet, without the spaces and lines that wrapping makes."""
    answer = browser.get(reverse("lead-sheet", args=[lead.id]))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "no-store" in answer.headers["Cache-Control"]
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return plain("".join(page.extract_text() for page in pages))


def plain(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.fixture
def explained(run: Run) -> Lead:
    """A lead on which two rules fired."""
    return Lead.objects.get(run=run, unit_id="CLM-000001")


def test_sheet_says_why(as_role: Make, explained: Lead) -> None:
    run_id, unit = explained.run_id, explained.unit_id
    dispose(MODEL, run_id, unit, "excluded", user="anna", reason="a fleet")
    said = sheet(as_role("analyst"), explained)
    for text in (
        *(explained.title, explained.unit_id, explained.run_id),
        *("Filed 0 such suits in 24 months", "lawful explanation of V6"),
        *("use of the vehicle: fleet", "0 claims; the peers' median is 1"),
        *("detector:forest carries it", "+0.50"),
        *("claims_2025.csv@0123456789ab", "CLM-000001/1", "Court"),
        *("police", "a fleet", "anna", "97%"),
        *("A score is no evidence", "异常分不是证据", "analyst"),
    ):
        assert plain(text) in said, text


def test_sheet_is_in_the_users_language(as_role: Make, explained: Lead) -> None:
    said = sheet(as_role("analyst", language="zh-hans"), explained)
    for text in (
        "24个月内提起0件同类诉讼",
        "V6的合理解释",
        "车辆用途：车队",
        "车辆保险理赔监督模型",
        "法院",
    ):
        assert plain(text) in said, text


def test_sheet_masks_what_is_sensitive(as_role: Make, explained: Lead) -> None:
    said = sheet(as_role("analyst"), explained)
    assert person(0) not in said
    assert "1***" in said


def test_export_is_logged(as_role: Make, explained: Lead) -> None:
    sheet(as_role("analyst"), explained)
    entry = Entry.objects.get(action="exported sheet")
    assert (entry.user, entry.model, entry.run, entry.unit) == (
        *("analyst", MODEL),
        *(explained.run_id, explained.unit_id),
    )


@pytest.mark.parametrize("role", ["data_scientist", "auditor"])
def test_who_may_not_export_gets_no_sheet(
    as_role: Make, explained: Lead, role: str
) -> None:
    browser = as_role(role)
    page = browser.get(reverse("lead", args=[explained.id])).content.decode()
    assert "sheet.pdf" not in page
    answer = browser.get(reverse("lead-sheet", args=[explained.id]))
    assert answer.status_code == 403
    assert not Entry.objects.filter(action="exported sheet").exists()


HOSTILE = (
    '<b>not</b> & <para> <font color="red"> </para> ]]> &amp; <img src="/etc/passwd"/>'
)


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "字" * 2_000, "x" * 2_000, "a\x00b\x1b\ud83d\ude00 مرحبا \ufffe"],
    ids=["markup", "long Chinese", "one long word", "odd characters"],
)
def test_no_text_breaks_the_sheet(
    as_role: Make, run: Run, tmp_path: Path, text: str
) -> None:
    later = with_dossier(make_publication(tmp_path, units=24), tmp_path)
    clean = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16")
    for table, column in (
        *(("leads", "title"), ("rule_hits", "reason_en"), ("rule_hits", "says_en")),
        *(("reasons", "text_en"), ("parts", "text_en"), ("evidence", "batch")),
    ):
        count = later.tables[table].num_rows
        later = with_column(later, table, column, pa.array([clean] * count))
    publish(replace(later, run_id="later", inputs="8" * 64), Settings(home=tmp_path))
    lead = Lead.objects.get(run="later", unit_id="CLM-000001")
    said = sheet(as_role("analyst"), lead)
    assert plain(text[:20]) in said or not text[:20].isprintable()
