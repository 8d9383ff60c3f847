"""One person across the models, and judging whether two records are one."""

import re
from dataclasses import replace

import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from configs.settings import Settings
from serving.audit.models import Entry
from serving.dossier import dossier
from serving.judgements import judgements, last_words
from serving.leads.models import Lead
from serving.publish import publish
from tests.serving.dossiers import key, person, with_dossier
from tests.serving.publications import make_publication

MODEL = "vehicle_insurance"
NODE = key("person", person(0))
ENTITY = f"/entities/{NODE}/"
DISCLOSE = f"{ENTITY}disclose/"


@pytest.fixture
def another_model(listed, tmp_path):
    """The same people in a list of another supervision model."""
    folder = tmp_path / "other"
    (folder / "work").mkdir(parents=True)
    other = replace(
        make_publication(folder, units=6),
        model_id="elder_care",
        run_id="elder_care-20250630-1",
        title_en="Elder care",
    )
    publish(with_dossier(other, folder), Settings(home=tmp_path, store_url=""))
    return "elder_care"


def leads_of(run, number=0):
    """The leads that a claimant of the tests is tied to."""
    rows = dossier(run).units_of(key("person", person(2 * number)))
    return list(Lead.objects.filter(run=run, unit_id__in=[r["unit_id"] for r in rows]))


def test_a_person_is_shown_with_leads_and_ties_of_every_model_in_sight(
    as_role, another_model, run
):
    page = as_role("analyst").get(ENTITY).content.decode()
    assert "Vehicle-insurance claims" in page
    assert "Elder care" in page
    assert "claimant" in page
    only = as_role("analyst", MODEL).get(ENTITY).content.decode()
    assert "Elder care" not in only
    for lead in leads_of(run):
        assert lead.unit_id in only


def test_the_value_is_masked_until_it_is_opened_with_a_purpose(as_role):
    browser = as_role("analyst")
    assert person(0) not in browser.get(ENTITY).content.decode()
    refused = browser.post(DISCLOSE, {"purpose": " "}).content.decode()
    assert person(0) not in refused
    assert 'aria-invalid="true"' in refused
    assert not Entry.objects.filter(action="disclosed").exists()

    shown = browser.post(DISCLOSE, {"purpose": "case 12"}).content.decode()
    assert person(0) in shown
    entry = Entry.objects.get(action="disclosed")
    assert (entry.user, entry.model) == ("analyst", MODEL)
    assert entry.detail["purpose"] == "case 12"
    assert person(0) not in str(entry.detail)
    assert person(0) not in browser.get(ENTITY).content.decode()


def test_an_entity_takes_few_queries(as_role, run):
    browser = as_role("analyst", MODEL, "office 0")
    browser.get(ENTITY)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(ENTITY).status_code == 200
    assert len(captured) < 20


@pytest.mark.parametrize("role", ["data_scientist", "auditor"])
def test_who_may_not_disclose_sees_no_value(as_role, role):
    browser = as_role(role)
    assert "id_purpose" not in browser.get(ENTITY).content.decode()
    assert browser.post(DISCLOSE, {"purpose": "just so"}).status_code == 403


def test_the_administrator_sees_no_entity(as_role):
    assert as_role("administrator").get(ENTITY).status_code == 403


def test_another_offices_leads_are_not_found_through_a_person(as_role, run):
    """Offices are `office 0`, `office 1` and none in turn; two leads for each person."""
    for number in range(4):
        leads = leads_of(run, number)
        page = as_role("analyst", MODEL, "office 0").get(
            f"/entities/{key('person', person(2 * number))}/"
        )
        seen = [lead for lead in leads if lead.office != "office 1"]
        text = page.content.decode()
        assert page.status_code == (200 if seen else 404)
        for lead in leads:
            assert (lead.unit_id in text) == (lead in seen)


def test_nobody_in_sight_answers_404(as_role):
    assert as_role("analyst").get(f"/entities/{'0' * 24}/").status_code == 404
    assert as_role("analyst", "elder_care").get(ENTITY).status_code == 404
    assert as_role("analyst", "elder_care").post(
        DISCLOSE, {"purpose": "why"}
    ).status_code in (
        403,
        404,
    )


def test_in_chinese_the_stores_own_words_are_chinese(as_role):
    page = as_role("analyst", language="zh-hans").get(ENTITY).content.decode()
    assert "车辆保险理赔监督模型" in page
    assert "索赔人" in page
    assert "claimant" not in page


def test_hostile_names_are_shown_as_text(as_role, lead, tmp_path):
    hostile = '<script>alert("1")</script>'
    made = make_publication(tmp_path, units=24)
    titles = pa.array([hostile] * 24)
    leads = made.tables["leads"]
    place = leads.column_names.index("title")
    tables = {**made.tables, "leads": leads.set_column(place, "title", titles)}
    hostile_run = replace(
        made, run_id="vehicle_insurance-2", inputs="9" * 64, tables=tables
    )
    publish(with_dossier(hostile_run, tmp_path), Settings(home=tmp_path, store_url=""))
    page = as_role("analyst").get(ENTITY).content.decode()
    assert hostile not in page
    assert "&lt;script&gt;" in page


# -- doubtful links ------------------------------------------------------------------

PAGE, JUDGE, OPEN = "/doubts/", "/doubts/judge/", "/doubts/disclose/"
PAIR = {"model": MODEL, "entity": "person", "left": f"{1:020x}", "right": f"{101:020x}"}
SAID = {**PAIR, "verdict": "same", "note": "one phone, one birth date"}


def test_doubtful_records_stand_side_by_side_masked_and_compared(as_role):
    page = as_role("analyst").get(PAGE).content.decode()
    assert page.count("data-doubt ") + page.count("data-doubt>") >= 2
    assert "王芳" not in page
    assert "13800000001" not in page
    assert "how-close" in page
    assert "how-same" in page
    assert "name, phone" in page


def test_a_judgement_flows_back_to_linking_and_is_logged(as_role):
    browser = as_role("analyst")
    answer = browser.post(JUDGE, SAID, HTTP_HX_REQUEST="true")
    assert "said analyst on" in answer.content.decode()
    [held] = judgements(MODEL)
    assert (held.entity, held.verdict, held.user) == ("person", "same", "analyst")
    assert (held.left, held.right) == (PAIR["left"], PAIR["right"])
    entry = Entry.objects.get(action="judged")
    assert entry.detail["verdict"] == "same"
    assert "(1)" in re.sub(r"\s+", " ", browser.get(PAGE).content.decode())
    judged = browser.get(PAGE, {"show": "judged"}).content.decode()
    assert "one phone, one birth date" in judged


def test_who_is_unsure_takes_a_judgement_back(as_role):
    browser = as_role("analyst")
    browser.post(JUDGE, SAID)
    browser.post(JUDGE, {**SAID, "verdict": "unsure", "note": "twins"})
    assert judgements(MODEL) == []
    assert [word.note for word in last_words(MODEL)] == ["twins"]


@pytest.mark.parametrize(
    "wrong", [{"note": " "}, {"verdict": "maybe"}, {"verdict": ""}, {"note": "a\x00"}]
)
def test_a_judgement_needs_a_verdict_and_a_note(as_role, wrong):
    answer = as_role("analyst").post(JUDGE, {**SAID, **wrong}, HTTP_HX_REQUEST="true")
    assert "Choose what they are" in answer.content.decode()
    assert last_words(MODEL) == []


def test_what_is_no_doubtful_link_cannot_be_judged(as_role):
    browser = as_role("analyst")
    for wrong in ({"left": "0" * 20}, {"model": "elder_care"}, {"entity": "company"}):
        assert browser.post(JUDGE, {**SAID, **wrong}).status_code == 404
    other = as_role("analyst", "elder_care")
    assert other.post(JUDGE, SAID).status_code == 404
    assert as_role("auditor").post(JUDGE, SAID).status_code == 403


def test_both_records_are_opened_with_a_purpose_by_who_may(as_role):
    opened = as_role("analyst").post(
        OPEN, {**PAIR, "purpose": "case 7"}, HTTP_HX_REQUEST="true"
    )
    assert "王芳" in opened.content.decode()
    assert "13800000001" in opened.content.decode()
    assert Entry.objects.get(action="disclosed").detail["purpose"] == "case 7"
    scientist = as_role("data_scientist")
    asked = {**PAIR, "purpose": "case 7"}
    assert scientist.post(OPEN, asked).status_code == 404


def test_an_office_judges_only_records_of_its_leads(as_role, run):
    """Each doubtful link of the tests is of the persons 0 and 2, four leads in all."""
    offices = {lead.office for n in (0, 1) for lead in leads_of(run, n)}
    assert "office 0" in offices
    assert b"data-doubt " in as_role("analyst", MODEL, "office 0").get(PAGE).content
    elsewhere = as_role("analyst", MODEL, "office 9")
    seen = b"data-doubt " in elsewhere.get(PAGE).content
    assert seen == (None in offices)


def test_a_list_that_kept_nothing_says_so(as_role, tmp_path):
    bare = replace(make_publication(tmp_path), run_id="v-3", inputs="8" * 64)
    publish(bare, Settings(home=tmp_path, store_url=""))
    browser = as_role("analyst")
    assert "not kept with this list" in browser.get(PAGE).content.decode()
    assert browser.get(ENTITY).status_code == 404
