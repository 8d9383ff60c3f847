"""Names from deliveries and from colleagues are text on every page, whatever they hold."""

import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from configs.settings import Settings
from serving.access.models import Grant, User
from serving.connect import close_store, open_store
from serving.judgements import judge
from serving.leads.models import Disposition, Group, Lead, Run
from serving.publication import Publication
from serving.publish import publish
from serving.review.deciding import answer, decide
from serving.review.models import Draft, Proposal, SavedView, Team
from tests.serving.conftest import copy_blank
from tests.serving.console.conftest import Browser
from tests.serving.console.test_security_web import ROLES, addresses
from tests.serving.dossiers import ABOUT, KEY, dossier_files, key, person
from tests.serving.publications import make_publication, write_inputs, write_scores

EVIL = (
    "\"'><evilmark onevil=1>&lt;evilmark&gt;</title></script></svg><script>evil()"
    "</script><img src=x onerror=evil()>{{7*7}}{% evil %}$\\frac{%s%(evil)s{0}"
    "\u202e\u2066\u200b\r\n=1+1\tjavascript:evil() --><!--"
)
LONG = "\u6f22<evilmark>" * 1000
# Columns whose values are names of the contract, or join tables that are not changed.
KEPT = {
    *("as_of", "code", "kind", "found_by", "silent", "source", "stratum", "part"),
    *("left_kind", "right_kind", "feature", "content", "key", "node", "other", "how"),
    *("entity", "found_by", "sensitive", "left_key", "right_key", "codes"),
}
WORDS = {"en", "zh", "department_en", "department_zh", "value"}


class Page(HTMLParser):
    """Elements and attributes of a page as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "evilmark":
            self.wrong.append(self.get_starttag_text() or "")
        for name, value in attrs:
            address = name in ("href", "src", "action", "hx-get", "hx-post", "data")
            runs = (
                (value or "").strip().lower().startswith(("javascript:", "//", "http"))
            )
            if name.startswith("on") or name == "style" or (address and runs):
                self.wrong.append(f"{name}={value}"[:80])

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style") and data.strip():
            self.wrong.append(f"<{self.inside}>{data}"[:80])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def evil(table: pa.Table, kept: set[str] = KEPT) -> pa.Table:
    """The table with hostile text behind every text of a column that may hold any."""
    rows = [
        {
            name: f"{value}{EVIL}"
            if isinstance(value, str) and name not in kept
            else value
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=table.schema)


def evil_words(about: Any) -> Any:
    if isinstance(about, list):
        return [evil_words(one) for one in about]
    if isinstance(about, dict):
        return {
            name: f"{value}{EVIL}"
            if name in WORDS and isinstance(value, str)
            else evil_words(value)
            for name, value in about.items()
        }
    return about


def hostile_publication(folder: Path) -> Publication:
    plain = make_publication(folder, units=24)
    tables = {
        name: evil(table, KEPT - {"other"}) for name, table in plain.tables.items()
    }
    leads = tables["leads"]
    titles = leads["title"].to_pylist()
    titles[0] = LONG
    place = leads.column_names.index("title")
    tables["leads"] = leads.set_column(place, "title", [titles])
    units = leads["unit_id"].to_pylist()
    files = dossier_files(units, folder / "work")
    for name, path in files.items():
        more = (
            {"left", "right", "left_says", "right_says"} if name == "doubts" else set()
        )
        table = evil(pq.read_table(path), KEPT | {"unit_id"} | more)
        said = {"claimant_id": person(0), "shop": LONG, EVIL: EVIL, "note": EVIL}
        for column in {"content", "left_says", "right_says"} & set(table.column_names):
            table = _saying(table, column, said)
        pq.write_table(table, path)
    return replace(
        plain,
        title_en=f"Claims{EVIL}",
        title_zh=f"理赔{EVIL}",
        tables=tables,
        scores_file=write_scores(folder / "work" / "scores.parquet", tables["leads"]),
        files=write_inputs(folder / "work", units),
        about=evil_words(ABOUT),
        kinds=evil_words(plain.kinds),
        dossier=files,
    )


def _saying(table: pa.Table, column: str, said: dict[str, str]) -> pa.Table:
    texts = [json.dumps(said, ensure_ascii=False)] * table.num_rows
    return table.set_column(table.column_names.index(column), column, [texts])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Iterator[Run]:
    """A hostile list, and hostile things said of it by hostile users."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLINE_HOME", str(folder))
        patch.setenv("LEADLINE_TOKEN_KEY", KEY.decode())
        patch.delenv("LEADLINE_STORE_URL", raising=False)
        settings = Settings(home=folder, store_url="")
        copy_blank(blank, settings)
        open_store(settings)
        publication = hostile_publication(folder)
        publish(publication, settings)
        run = Run.objects.get(id=publication.run_id)
        _say(run)
        yield run
        close_store()


def _say(run: Run) -> None:
    model = run.model_id
    name = f"u{EVIL}"[:100]
    ann = User.objects.create_user(name, "x", name=EVIL, language="en")
    bob = User.objects.create_user(f"b{EVIL}"[:100], "x", name=LONG)
    for user in (ann, bob):
        for role in ROLES:
            Grant.objects.create(user=user, role=role)
    first, second, third = Lead.objects.filter(run=run).order_by("rank_fused")[:3]
    said = {"cause": "", "reason": EVIL, "seen": 0}
    decide(first, user=ann, verdict="needs_information", **said)
    decide(second, user=ann, verdict="confirmed", **said)
    decide(third, user=bob, verdict="confirmed", **said)
    answer(Proposal.objects.get(user=bob.username), agreed=True, reason=EVIL, user=ann)
    assert Disposition.objects.filter(user=bob.username).exists()
    form = {"verdict": "excluded", "reason": LONG[:9000]}
    for who in (ann, bob):
        Draft.objects.create(user=who, model=model, unit_id=first.unit_id, form=form)
        SavedView.objects.create(
            user=who.username, model=model, name=EVIL[:100], query=EVIL, shared=True
        )
    team = Team.objects.create(name=EVIL[:100], model=model, weekly_capacity=9)
    team.members.add(ann, bob)
    pair = (f"{1:020x}", f"{101:020x}")
    judge(model, "person", pair, "same", user=ann.username, note=EVIL)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_hostile_names_are_text_on_every_page(store: Run, language: str) -> None:
    ann = User.objects.get(username__startswith="u")
    User.objects.update(language=language)
    browser = Browser(HTTP_HOST="localhost")
    browser.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    seen = 0
    for address in _all_addresses(store):
        if language != "en" and "." in address:
            continue
        seen += "evilmark" in _checked(browser, address, {})
        if "." not in address and language == "en":
            _checked(browser, address, {"HTTP_HX_REQUEST": "true"})
    assert seen > 25  # else nothing was looked at


def _all_addresses(run: Run) -> list[str]:
    leads = list(Lead.objects.filter(run=run).order_by("rank_fused"))
    found = [*addresses(run, leads[0]).values()]
    for lead in leads[1:6]:
        found += [f"/leads/{lead.id}/", f"/leads/{lead.id}/decide/"]
        found += [f"/leads/{lead.id}/graph/", f"/api/leads/{lead.id}"]
    found += [f"/groups/{group.id}/" for group in Group.objects.filter(run=run)]
    found += [f"/entities/{key('claim', lead.unit_id)}/" for lead in leads[:3]]
    found += [f"/runs/{run.id}/?{name}={leads[0].office or 'x'}" for name in ("unit",)]
    found += [f"/runs/{run.id}/?assignee=%22%3E%3Cevilmark%3E&words=%3Cevilmark%3E"]
    found += [f"/runs/{run.id}/?token={key('person', person(0))}", "/people/?q=%3Cevil"]
    found += [
        "/audit/?user=%22%3E%3Cevilmark%3E",
        "/sign-in/?next=%22%3E%3Cevilmark%3E",
    ]
    found += ["/%22%3E%3Cevilmark%3E/", "/queue/?team=1", "/doubts/?show=judged"]
    found += [f"/boards/{run.model_id}/spots-shop.svg", f"/runs/{run.id}/export.xlsx"]
    found += ["/teams/?team=1", f"/leads/{leads[1].id}/sheet.pdf"]
    return [address for address in found if address != "/sign-out/"]


def _checked(browser: Client, address: str, further: dict[str, str]) -> str:
    found = browser.get(address, **further)
    assert found.status_code < 500, address
    body = b"".join(found) if found.streaming else found.content
    kind = found.headers.get("Content-Type", "").split(";")[0]
    if kind == "image/svg+xml":
        root = ElementTree.fromstring(body)  # noqa: S314  made by the console itself
        tags = {one.tag.rpartition("}")[2] for one in root.iter()}
        assert not tags & {"evilmark", "script", "style", "a", "image"}, address
        return ""
    if kind == "text/html":
        text = body.decode()
        assert not Page(text).wrong, (address, Page(text).wrong[:3])
        return text
    assert "\n" not in str(found.headers.get("Content-Disposition", ""))
    return ""


def test_what_is_sent_back_with_an_error_is_text(store: Run) -> None:
    """Of forms that are refused, each field as it was typed."""
    ann = User.objects.get(username__startswith="u")
    browser = Browser(HTTP_HOST="localhost")
    browser.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    lead = Lead.objects.filter(run=store).order_by("rank_fused")[4]
    group = Group.objects.filter(run=store)[0]
    fields = (
        *("verdict", "cause", "reason", "seen", "agreed", "proposal", "purpose"),
        *("note", "name", "username", "model", "office", "role", "what", "q", "to"),
        *("members", "weekly_capacity", "due", "entity", "left", "right", "next"),
    )
    sent = dict.fromkeys(fields, EVIL)
    for address in (
        *(f"/leads/{lead.id}/decide/", f"/leads/{lead.id}/second/", "/teams/"),
        *(f"/leads/{lead.id}/disclose/", f"/groups/{group.id}/decide/"),
        *(f"/groups/{group.id}/second/", "/people/add/", f"/people/{ann.id}/change/"),
        *("/doubts/judge/", "/account/", "/sign-in/", f"/runs/{store.id}/search/"),
        *(f"/runs/{store.id}/views/", f"/runs/{store.id}/assign/", "/second-factor/"),
        *(
            f"/entities/{key('person', person(0))}/disclose/",
            f"/leads/{lead.id}/draft/",
        ),
    ):
        for further in ({}, {"HTTP_HX_REQUEST": "true"}):
            answer_ = browser.post(address, sent, **further)
            assert answer_.status_code < 500, address
            if answer_.headers.get("Content-Type", "").startswith("text/html"):
                wrong = Page(answer_.content.decode()).wrong
                assert not wrong, (address, wrong[:3])
