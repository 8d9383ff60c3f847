"""What the console shows of leads: files made from a delivery, and read again."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from configs.settings import Settings
from configs.tables import DOSSIER
from features.unit_nodes import UnitNodes, unit_nodes
from flows.catalog import Catalog, opened
from flows.dossier import dossier_files, evidence_of, written
from flows.group import group
from flows.job import Job, new_job
from flows.pipeline import prepare
from flows.score import SCORES
from serving.dossier import Dossier
from serving.tokens import key_of, token
from tests.flows.homes import Home
from tests.flows.office import MODELS, Delivery, office
from tests.flows.test_catalog import LIMIT

AS_OF = datetime(2024, 5, 1, 23, 59, 59)
LATER = datetime(2024, 6, 1, 23, 59, 59)
NEW_PHONE = "13711112222"
LEADS = 30
ROLE = "{source: payments, id: person_id, role: payee,"
MATCHED = ROLE.replace("role:", "match: {name: name, phone: phone}, role:")
TIED = """
associations:
  kinds:
    payment: {title: {en: payment, zh: 发放记录}}
    person: {title: {en: person, zh: 人员}}
    phone: {title: {en: phone, zh: 电话}}
    household: {title: {en: household, zh: 户}}
  ties:
    - {source: payments, of: {payment: pay_no}, with: {person: payee, phone: phone}}
    - {source: persons, of: {person: resident}, with: {household: household}}

groups: {suspects: 0.5}

rules: rules.yaml
"""


def delivered() -> Delivery:
    """Some payments tell no number; a phone is first used after the first run."""
    delivery = office()
    rows = delivery.payments
    rows.loc[rows.index % 3 == 1, "身份证号"] = ""
    rows.loc[rows["公示日期"] > f"{AS_OF:%Y-%m-%d}", "电话"] = NEW_PHONE
    rows.loc[0, "金额"] = "1,234.50元"
    return delivery


def declared(folder: Path, name: str) -> None:
    """The tiny model with ties and links, under another name."""
    shutil.copytree(MODELS / "tiny", folder / name)
    file = folder / name / "model.yaml"
    text = file.read_text("utf-8")
    for old, new in (
        ("id: tiny", f"id: {name}"),
        (ROLE, MATCHED),
        ("\nrules: rules.yaml\n", TIED),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text, "utf-8")


def made(settings: Settings, name: str, data: Path, as_of: datetime) -> Job:
    """A run up to its groups; the first units are its leads."""
    job = new_job(name, str(data), settings, as_of)
    prepare(job)
    with job.opened() as catalog:
        ids = catalog.arrow(catalog.read("units").select("unit_id").order_by("unit_id"))
        ranks = pa.array(np.arange(1, len(ids) + 1))
        scores = ids.append_column("rank_fused", ranks)
        catalog.write(catalog.register("_scores", scores), "scores")
        leads = catalog.register("_reasons", ids.slice(0, LEADS))
        catalog.write(leads, "reasons")
    group(job)
    return job


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("dossier")
    for name in ("first", "second"):
        declared(folder / "models", name)
    return Settings(home=folder / "home", models=folder / "models")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return delivered().write(tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def job(settings: Settings, data: Path) -> Job:
    return made(settings, "first", data, AS_OF)


def files_of(job: Job, catalog: Catalog) -> dict[str, Path]:
    """The files of a run that lists all that it scored."""
    listed = catalog.read(SCORES).select("unit_id")
    return dossier_files(
        job, catalog, key_of(job.settings), evidence_of(job, catalog), listed
    )


@pytest.fixture(scope="module")
def files(job: Job) -> dict[str, Path]:
    with job.opened() as catalog:
        return files_of(job, catalog)


@pytest.fixture(scope="module")
def tables(files: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    return {name: pq.read_table(path).to_pylist() for name, path in files.items()}


@pytest.fixture
def dossier(files: dict[str, Path], settings: Settings) -> Dossier:
    return read_from(files, settings)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with opened(tmp_path) as engine:
        yield engine


def read_from(files: dict[str, Path], settings: Settings) -> Dossier:
    kept = {name: {"path": str(path)} for name, path in files.items()}
    return Dossier(kept, settings)


def test_each_file_has_the_columns_and_types_of_its_contract(files):
    assert set(files) == set(DOSSIER)
    for name, path in files.items():
        types = {c: pa.type_for_alias(kind) for c, kind in DOSSIER[name].items()}
        assert pq.read_schema(path).remove_metadata() == pa.schema(types)
        assert pq.read_metadata(path).num_rows > 0, name


def test_from_a_lead_its_neighbours_and_theirs_are_found(dossier, tables):
    lead = dossier.node_of_unit("P00000")
    near = dossier.ties([lead["key"]])
    assert {tie["role_en"] for tie in near} == {"payee", None}
    others = dossier.nodes([tie["other"] for tie in near])
    assert len(others) == len(near)
    person = next(node for node in others.values() if node["kind"] == "person")
    further = dossier.ties([person["key"]])
    assert {tie["other"] for tie in further} <= set(
        dossier.nodes([tie["other"] for tie in further])
    )
    assert lead["key"] in {tie["other"] for tie in further}


def test_all_units_of_a_person_are_found_leads_or_not(dossier, tables):
    by_key: dict[str, set[str]] = {}
    for row in tables["tokens"]:
        by_key.setdefault(row["key"], set()).add(row["unit_id"])
    key = max(by_key, key=lambda k: len(by_key[k]))
    assert {row["unit_id"] for row in dossier.units_of(key)} == by_key[key]
    leads = {row["unit_id"] for row in tables["rows"]}
    assert by_key[key] - leads


def test_all_units_are_asked_for_their_nodes_when_the_graph_is_gone(job, monkeypatch):
    """Ten million claims did not fit into what the engine may hold beside the graph."""
    limits = []

    def asked(*given: Any) -> UnitNodes:
        limits.append(catalog.fetch(LIMIT)[0][0])
        return unit_nodes(*given)

    monkeypatch.setattr("flows.catalog.ARRAYS", 10**9)
    monkeypatch.setattr("flows.dossier_graph.unit_nodes", asked)
    with job.opened() as catalog:
        files_of(job, catalog)
        assert limits == [pytest.approx(catalog.memory(), rel=0.05)]


def test_rows_stand_there_as_delivered(dossier):
    first = dossier.rows("P00000")[0]
    said = json.loads(first["content"])
    assert (first["source"], said["amount"]) == ("payments", "1,234.50元")
    assert "sex" not in said


def test_each_lead_has_five_look_alikes_in_both_languages(dossier, tables):
    found = dossier.likes("P00000")
    assert [row["position"] for row in found] == [1, 2, 3, 4, 5]
    assert all(row["text_en"] and row["text_zh"] for row in found)
    assert len(tables["likes"]) == 5 * LEADS


def test_look_alikes_do_not_depend_on_how_many_units_are_read_at_once(
    files, job, monkeypatch
):
    """Of each part the most alike are kept, and found again beside those of the next."""
    before = pq.read_table(files["likes"])
    monkeypatch.setattr("flows.frozen.ROWS_AT_ONCE", 7)
    with job.opened() as catalog:
        after = pq.read_table(files_of(job, catalog)["likes"])
    assert after.equals(before)


def test_doubts_name_the_nodes_of_both_records(tables):
    keys = {row["key"] for row in tables["tokens"]}
    doubts = tables["doubts"]
    assert all(row["left_key"] in keys | {None} for row in doubts)
    assert any(row["left_key"] for row in doubts)
    assert {row["sensitive"] for row in doubts} == {"id,name,phone"}
    away = [abs(row["probability"] - 0.5) for row in doubts]
    assert away == sorted(away)


def test_sensitive_values_stand_in_no_label(tables):
    hidden = [row for row in tables["nodes"] if row["sensitive"]]
    assert {row["kind"] for row in hidden} == {"person", "phone", "household"}
    labels = " ".join(row["label"] for row in tables["nodes"])
    assert not [row for row in hidden if row["value"] in labels]
    sentences = " ".join(row["text_en"] + row["text_zh"] for row in tables["likes"])
    assert not [row for row in hidden if row["value"] in sentences]


def test_nothing_that_was_posted_later_stands_in_any_file(tables, settings, job):
    for name in ("rows", "ties"):
        assert all(row["known_at"] <= AS_OF for row in tables[name])
    later = token(key_of(settings), "phone", NEW_PHONE)
    for rows in tables.values():
        said = json.dumps(rows, ensure_ascii=False, default=str)
        assert NEW_PHONE not in said
        assert later not in said


def test_a_person_has_one_token_in_two_models_and_runs(tables, settings, data):
    other = made(settings, "second", data, LATER)
    with other.opened() as catalog:
        found = files_of(other, catalog)
    nodes = {
        (row["kind"], row["value"]): row["key"]
        for row in pq.read_table(found["nodes"]).to_pylist()
    }
    mine = {(row["kind"], row["value"]): row["key"] for row in tables["nodes"]}
    both = {kind for kind, _ in mine.keys() & nodes.keys()}
    assert both >= {"person", "phone", "household"}
    assert all(nodes[node] == mine[node] for node in mine.keys() & nodes.keys())
    later = token(key_of(settings), "phone", NEW_PHONE)
    assert read_from(found, settings).units_of(later)


def test_made_again_from_the_same_delivery_every_byte_is_the_same(
    files, settings, data
):
    again = made(settings, "first", data, AS_OF)
    with again.opened() as catalog:
        found = files_of(again, catalog)
    assert {name: path.read_bytes() for name, path in found.items()} == {
        name: path.read_bytes() for name, path in files.items()
    }


def test_one_key_is_found_without_reading_the_whole_file(catalog, settings):
    """A province has millions of rows: a look-up reads one row group of them."""
    keys = np.char.zfill(np.arange(200_000).astype(str), 24)
    columns = {name: pa.array(keys) for name in DOSSIER["tokens"]}
    path = written(catalog, "tokens", pa.table(columns))
    assert pq.read_metadata(path).num_row_groups == 4
    [fragment] = ds.dataset(path).get_fragments()
    for wanted in (keys[5], keys[150_000]):
        one = ds.field("key").isin(pa.array([wanted], pa.string()))
        assert len(fragment.split_by_row_group(one)) == 1
        [row] = read_from({"tokens": path}, settings).units_of(str(wanted))
        assert row["key"] == wanted


def test_a_model_without_ties_and_links_has_rows_and_look_alikes(template: Home):
    folder = next(template.path.glob("var/published/tiny/*/"))
    kept = {name for name in DOSSIER if (folder / f"{name}.parquet").exists()}
    assert kept == {"rows", "likes"}


def test_the_look_alikes_of_a_list_are_those_that_like_finds(template: Home):
    [path] = template.path.glob("var/published/tiny/*/likes.parquet")
    kept = pq.read_table(path).to_pylist()
    for unit in sorted({row["unit_id"] for row in kept})[:2]:
        found = template.json("like", "tiny", unit, "--top", 5)["units"]
        assert [(one["unit_id"], one["how"], one["overall"]) for one in found] == [
            (row["other"], row["how"], row["likeness"])
            for row in kept
            if row["unit_id"] == unit
        ]


def test_ties_that_no_row_makes_leave_the_files_empty(settings, tmp_path):
    delivery = delivered()
    persons = delivery.persons.assign(household="")
    payments = delivery.payments.assign(**{"电话": "", "身份证号": "", "姓名": ""})
    data = replace(delivery, payments=payments, persons=persons).write(tmp_path)
    job = made(settings, "first", data, AS_OF)
    with job.opened() as catalog:
        found = files_of(job, catalog)
    rows = {name: pq.read_metadata(path).num_rows for name, path in found.items()}
    assert rows["rows"] > 0
    assert {n: rows[n] for n in ("nodes", "ties", "tokens")} == dict.fromkeys(
        ("nodes", "ties", "tokens"), 0
    )
