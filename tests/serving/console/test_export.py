"""A list as a file: the leads in sight, harmless cells, a mark, an entry in the log."""

import csv
import io
from dataclasses import replace
from hashlib import sha256
from zipfile import ZipFile

import pytest
from django.utils import translation
from openpyxl import load_workbook

from configs.settings import Settings
from serving.audit.models import Entry
from serving.console import export
from serving.console.export import heads, plain
from serving.publish import publish
from tests.serving.publications import with_column

MODEL = "vehicle_insurance"
FORMULAS = [
    '=HYPERLINK("http://evil.example")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
]


@pytest.fixture(autouse=True)
def in_english():
    """The words that a file is compared with are those of its English-speaking user."""
    with translation.override("en"):
        yield


def content(response):
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


def table(data):
    """Rows of a CSV file without the lines of its mark."""
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    return [row for row in rows if not row[0].startswith("# ")]


def sheet(data):
    return load_workbook(io.BytesIO(data)).active


@pytest.fixture
def hostile(listed, tmp_path):
    """The list with titles and offices that spreadsheets would calculate."""
    titles = [
        f"{FORMULAS[n % 6]} & <b>{n}" + "长" * 40_000 * (n == 7) for n in range(24)
    ]
    changed = with_column(listed, "leads", "title", titles)
    other = replace(changed, run_id="hostile-1", inputs="9" * 64)
    publish(other, Settings(home=tmp_path, store_url=""))
    return "/runs/hostile-1/export"


def test_a_csv_file_holds_the_filtered_list_in_its_order(run, as_role):
    data = content(
        as_role("analyst").get(f"/runs/{run.id}/export.csv?found_by=both&order=score")
    )
    head, *rows = table(data)
    assert head == heads()
    wanted = run.leads.filter(found_by="both").order_by("rank_score")
    assert [row[1] for row in rows] == list(wanted.values_list("unit_id", flat=True))


def test_an_xlsx_file_holds_the_same(run, as_role):
    client = as_role("analyst")
    rows = list(sheet(content(client.get(f"/runs/{run.id}/export.xlsx"))).values)
    top = rows.index(tuple(heads()))
    units = [row[1] for row in rows[top + 1 :]]
    assert units == list(
        run.leads.order_by("rank_fused").values_list("unit_id", flat=True)
    )
    assert rows[top + 1][3] == 1.0


def test_both_files_say_who_took_them_when_and_that_a_score_is_no_evidence(
    run, as_role
):
    client = as_role("analyst")
    data = content(client.get(f"/runs/{run.id}/export.csv?state=open")).decode()
    page = sheet(content(client.get(f"/runs/{run.id}/export.xlsx?state=open")))
    said = "\n".join(str(row[0]) for row in page.iter_rows(max_row=4, values_only=True))
    for text in (data, said):
        assert "analyst" in text
        assert run.id in text
        assert "state=open" in text
        assert "A score is no evidence" in text
        assert "异常分不是证据" in text
    assert "analyst" in page.oddHeader.left.text
    assert "no evidence" in page.oddFooter.left.text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_is_logged_with_its_content(run, as_role, form):
    data = content(as_role("analyst").get(f"/runs/{run.id}/export.{form}?state=open"))
    entry = Entry.objects.get(action="exported")
    assert (entry.user, entry.model, entry.run) == ("analyst", MODEL, run.id)
    assert entry.detail == {
        "form": form,
        "filter": "state=open",
        "rows": 24,
        "sha256": sha256(data).hexdigest(),
    }


def test_no_cell_of_a_csv_file_is_calculated(hostile, as_role):
    _, *rows = table(content(as_role("analyst").get(f"{hostile}.csv")))
    assert len(rows) == 24
    texts = [row[2] for row in rows]
    assert all(text.startswith("'") for text in texts)
    assert not any(
        cell.startswith(("=", "+", "@", "\t", "\r")) for r in rows for cell in r
    )


def test_no_cell_of_an_xlsx_file_is_calculated(hostile, as_role):
    data = content(as_role("analyst").get(f"{hostile}.xlsx"))
    with ZipFile(io.BytesIO(data)) as book:
        xml = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"<hyperlink" not in xml
    titles = [row[2].value for row in sheet(data).iter_rows(min_row=6)]
    assert sum(title.startswith(("=", "+", "-", "@")) for title in titles) == 16
    assert max(map(len, titles)) == 32_767


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1", "'=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        (-1.5, -1.5),
        ("", ""),
        (None, None),
    ],
)
def test_texts_alone_are_made_harmless(cell, safe):
    assert plain(cell) == safe


@pytest.mark.parametrize(
    ("role", "code"),
    [("data_scientist", 403), ("auditor", 403), ("administrator", 404)],
)
def test_roles_that_do_not_export_are_refused(run, as_role, role, code):
    assert as_role(role).get(f"/runs/{run.id}/export.csv").status_code == code
    assert not Entry.objects.filter(action="exported").exists()
    assert b"export.csv" not in as_role(role).get(f"/runs/{run.id}/").content


def test_an_office_takes_out_its_own_leads_alone(run, as_role):
    client = as_role("analyst", MODEL, "office 0")
    _, *rows = table(content(client.get(f"/runs/{run.id}/export.csv")))
    offices = heads().index("Office")
    assert {row[offices] for row in rows} == {"office 0", ""}


def test_no_file_grows_beyond_its_limit(run, as_role, monkeypatch):
    monkeypatch.setattr(export, "MOST", 7)
    _, *rows = table(content(as_role("analyst").get(f"/runs/{run.id}/export.csv")))
    assert len(rows) == 7


def test_other_forms_are_not_found(run, as_role):
    assert as_role("analyst").get(f"/runs/{run.id}/export.exe").status_code == 404


def test_an_export_in_chinese_has_chinese_reasons(run, as_role):
    client = as_role("analyst", MODEL, language="zh-hans")
    assert "同类诉讼" in content(client.get(f"/runs/{run.id}/export.csv")).decode()
