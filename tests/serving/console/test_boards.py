"""Dashboards as their readers meet them: pages, pictures, rights."""

import html
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from serving.access.models import Grant, User
from serving.console.boards.board import Board, run_lines
from serving.console.boards.drawing import Canvas, svg
from serving.dispositions import add_dispositions
from serving.leads.models import Lead, Run
from serving.publication import Publication
from serving.records import DispositionRecord
from tests.serving.console.conftest import Make
from tests.serving.dossiers import HOSTILE

MODEL = "vehicle_insurance"
BOARD = f"/boards/{MODEL}/"
NAMES = (
    *("precision", "lift", "rules", "waits", "backlog", "conversions"),
    *("funnel", "spots-shop", "scores", "features", "freshness"),
)


def review(count: int = 4) -> None:
    """The first leads of the list are decided on: confirmed and excluded in turn."""
    leads = Lead.objects.order_by("rank_fused")[:count]
    add_dispositions(
        [
            DispositionRecord(
                *(MODEL, lead.run_id, lead.unit_id),
                *(("confirmed", "excluded")[n % 2], "because", "ana"),
                datetime.now(UTC),
            )
            for n, lead in enumerate(leads)
        ]
    )


def pictures(page: str) -> dict[str, str]:
    """Alternative text by address of each picture of a page."""
    found = re.findall(r'<img src="([^"]+\.svg[^"]*)" alt="([^"]*)"', page)
    return {
        html.unescape(src): html.unescape(alt)
        for src, alt in found
        if "/boards/" in src
    }


def test_a_card_says_how_old_the_list_is_and_what_waits(as_role: Make) -> None:
    review()
    page = as_role("analyst").get("/boards/").content.decode()
    assert "Vehicle-insurance claims" in page
    assert "Newest list: June 30, 2025 · 24 units" in page
    assert "published today" in page
    assert "confirmed of 4 in 90 days (15% to 85%)" in page
    assert f'href="{BOARD}"' in page


def test_every_figure_has_a_picture_numbers_and_a_definition(as_role: Make) -> None:
    review()
    client = as_role("analyst")
    page = client.get(BOARD).content.decode()
    for name in NAMES:
        assert f'id="{name}"' in page
    for term in re.findall(r'href="#term-(\w+)"', page):
        assert f'id="term-{term}"' in page
    for address in pictures(page):
        picture = client.get(address)
        assert picture.status_code == 200
        assert picture["Content-Type"] == "image/svg+xml"
        ElementTree.fromstring(picture.content)  # noqa: S314  our own


def test_the_alternative_text_holds_the_numbers(as_role: Make) -> None:
    review()
    page = as_role("analyst").get(BOARD).content.decode()
    alts = {
        src.split("/")[-1].split(".")[0]: alt for src, alt in pictures(page).items()
    }
    assert "50% of the 4 reviewed leads" in alts["precision"]
    assert "15% to 85%" in alts["precision"]
    assert "Fused order: 2 confirmed of 4 reviewed and 4 units" in alts["lift"]
    assert "Listed 4; Taken up 4; Decided 4; Confirmed 2" in alts["conversions"]
    assert "Of 24 units" in alts["funnel"]
    assert "诚信修理厂: +20.8 points (2 of 6 units)" in alts["spots-shop"]


def test_no_picture_fails_without_dispositions_on_one_list(as_role: Make) -> None:
    client = as_role("analyst")
    for name in NAMES:
        answer = client.get(f"{BOARD}{name}.svg")
        assert answer.status_code == 200, name
        ElementTree.fromstring(answer.content)  # noqa: S314  our own


def test_a_list_from_before_the_console_says_what_was_not_kept(
    as_role: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = {"about": {}, "coverage": {}, "funnel": {}}
    read = Run.objects.get

    def without(self: Board) -> Run:
        run = read(id=self.run.id)
        for name, value in bare.items():
            setattr(run, name, value)
        return run

    monkeypatch.setattr(Board, "chosen", property(without))
    client = as_role("analyst")
    page = client.get(BOARD).content.decode()
    assert page.count("Not kept with this run.") == 4
    assert client.get(f"{BOARD}features.svg").status_code == 200


def test_an_empty_store_has_no_board_and_no_error(as_role: Make) -> None:
    client = as_role("analyst", "another_model")
    assert "No list is published" in client.get("/boards/").content.decode()
    assert client.get("/boards/another_model/").status_code == 404
    assert client.get("/boards/another_model/funnel.svg").status_code == 404


def test_chinese_stands_in_the_pictures_as_text(as_role: Make) -> None:
    client = as_role("analyst", language="zh-hans")
    picture = client.get(f"{BOARD}spots-shop.svg").content.decode()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture)
    assert "诚信修理厂" in texts
    features = client.get(BOARD).content.decode()
    assert "车辆保险理赔监督模型" in features


def test_pictures_hold_nothing_that_the_content_policy_drops(as_role: Make) -> None:
    review()
    client = as_role("analyst")
    for name in NAMES:
        picture = client.get(f"{BOARD}{name}.svg").content.decode()
        assert "style" not in picture.replace("font-style", "")
        assert "<script" not in picture
        assert "http" not in picture.replace("http://www.w3.org/", "")


def test_a_picture_is_the_same_every_time(as_role: Make) -> None:
    review()
    client = as_role("analyst")
    first = client.get(f"{BOARD}precision.svg").content
    cache.clear()
    assert client.get(f"{BOARD}precision.svg").content == first


def test_hostile_names_stay_text_in_pictures_and_tables(
    as_role: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{HOSTILE} $x^$ \x07 \n" + "长" * 10_000
    canvas = Canvas(60)
    canvas.plot(0, 0, 0, 0).text(0.5, 0.5, HOSTILE + " $x^$")
    picture = svg(lambda: canvas, name.replace("\x07", ""))
    root = ElementTree.fromstring(picture)  # noqa: S314  our own
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    spot = {
        **{"column": "shop", "en": HOSTILE, "zh": HOSTILE, "value": name},
        **{"units": 9, "top": 3, "hits": 1, "money": 5.0},
    }
    read = Run.objects.get

    def with_spot(self: Board) -> Run:
        run = read(id=self.run.id)
        run.about = {**run.about, "spots": [spot]}
        return run

    monkeypatch.setattr(Board, "chosen", property(with_spot))
    client = as_role("analyst")
    page = client.get(BOARD).content.decode()
    assert HOSTILE not in page
    assert html.escape(HOSTILE, quote=False)[:20] in page
    answer = client.get(f"{BOARD}spots-shop.svg")
    ElementTree.fromstring(answer.content)  # noqa: S314  our own


def test_an_unchanged_picture_is_not_sent_again(as_role: Make) -> None:
    client = as_role("analyst")
    first = client.get(f"{BOARD}precision.svg")
    assert "private" in first["Cache-Control"]
    again = client.get(f"{BOARD}precision.svg", HTTP_IF_NONE_MATCH=first["ETag"])
    assert again.status_code == 304
    assert not again.content
    review()
    changed = client.get(f"{BOARD}precision.svg", HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_what_one_office_sees_is_not_kept_for_another(as_role: Make) -> None:
    review(8)
    whole, one, other = (
        as_role("analyst", MODEL, office).get(f"{BOARD}conversions.svg")
        for office in ("", "office 0", "office 1")
    )
    assert len({answer["ETag"] for answer in (whole, one, other)}) == 3
    assert whole.content not in (one.content, other.content)


def test_only_roles_with_dashboards_see_them(as_role: Make) -> None:
    for role, status in (
        *(("analyst", 200), ("office_lead", 200), ("data_scientist", 200)),
        *(("auditor", 200), ("administrator", 403)),
    ):
        client = as_role(role)
        for address in ("/boards/", BOARD, f"{BOARD}funnel.svg"):
            assert client.get(address).status_code == status, (role, address)


def test_another_models_board_is_not_found(as_role: Make) -> None:
    client = as_role("analyst", "another_model")
    assert client.get(BOARD).status_code == 404
    assert client.get(f"{BOARD}funnel.svg").status_code == 404


def test_an_unknown_run_figure_or_column_is_not_found(as_role: Make) -> None:
    client = as_role("analyst")
    for address in ("?run=nothing", "nothing.svg", "spots-nothing.svg", "spots.svg"):
        assert client.get(f"{BOARD}{address}").status_code == 404, address
    assert client.get(f"{BOARD}?days=junk").status_code == 200


def test_nobody_sees_figures_without_signing_in(as_role: Make) -> None:
    client = as_role("analyst")
    client.logout()
    for address in ("/boards/", BOARD, f"{BOARD}funnel.svg"):
        assert client.get(address).status_code == 302


def test_a_board_asks_as_many_questions_whatever_was_reviewed(as_role: Make) -> None:
    client = as_role("analyst")
    counts = []
    for reviewed in (1, 12):
        review(reviewed)
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(BOARD)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 40


def test_who_sees_one_office_is_told_what_counts_the_whole_list(as_role: Make) -> None:
    page = as_role("analyst", MODEL, "office 0").get(BOARD).content.decode()
    assert "Counts the whole list, not your offices alone." in page
    assert "Reviews of office 0 and of leads without an office" in page
    page = as_role("analyst").get(BOARD).content.decode()
    assert "Counts the whole list" not in page


def test_all_runs_of_a_model_can_be_chosen(as_role: Make, listed: Publication) -> None:
    page = as_role("analyst").get(BOARD).content.decode()
    assert f'<option value="{listed.run_id}" selected>' in page
    assert [run.id for run in run_lines(MODEL)] == [listed.run_id]
    assert not Grant.objects.filter(user__in=User.objects.filter(is_service=True))
