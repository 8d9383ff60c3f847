"""Linking through the command line: report, warnings, judgements, kept parameters."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.flows.homes import Home, copied
from tests.flows.office import MODELS, Delivery, office

pytestmark = pytest.mark.slow
ROLE = "{source: payments, id: person_id, role: payee,"
MATCHED = ROLE.replace("role:", "match: {name: name, phone: phone}, role:")
PHONE = "13511112222"


@dataclass(frozen=True)
class Linked:
    """A home whose model compares payees, its champion and its delivery."""

    home: Home
    folder: Path

    def copy(self, target: Path) -> Home:
        return copied(self.home, target)


def payments() -> Delivery:
    """A third of the payments tell no number, a ninth another phone."""
    delivery = office()
    rows = delivery.payments
    rows.loc[rows.index % 3 == 1, "身份证号"] = ""
    rows.loc[rows.index % 9 == 4, "电话"] = PHONE
    return delivery


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, which compares names and phones of payees."""
    folder = tmp_path_factory.mktemp("matching")
    shutil.copytree(MODELS / "tiny", folder / "tiny")
    file = folder / "tiny" / "model.yaml"
    text = file.read_text(encoding="utf-8")
    assert ROLE in text
    file.write_text(text.replace(ROLE, MATCHED), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def linked(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Linked:
    folder = payments().write(tmp_path_factory.mktemp("payments"))
    home = Home(tmp_path_factory.mktemp("linked") / "home", models)
    home.ok("train", "tiny", "--data", folder)
    home.ok("score", "tiny", "--data", folder)
    return Linked(home, folder)


@pytest.fixture(scope="module")
def told(linked: Linked) -> dict[str, Any]:
    (person,) = linked.home.json("link", "tiny", "--data", linked.folder)
    found: dict[str, Any] = person
    return found


def test_link_prints_what_holds_records_together(
    linked: Linked, told: dict[str, Any]
) -> None:
    said = linked.home.ok("link", "tiny", "--data", linked.folder)

    assert f"person: {told['records']} different records are {told['entities']}" in said
    for title in (
        "Links by decision",
        "What each blocking rule brings",
        "Records of one entity",
        "Largest entities and what holds them together",
        "Doubtful links, not used: a person may judge",
    ):
        assert title in said
    doubtful = told["doubtful links"][0]
    assert doubtful["left"] in said
    assert "leadline judge tiny person LEFT RIGHT same|different --note TEXT" in said
    assert "warning" not in said


def test_nothing_that_is_printed_is_a_whole_name_or_number(linked: Linked) -> None:
    said = linked.home.ok("link", "tiny", "--data", linked.folder)
    said += json.dumps(
        linked.home.json("link", "tiny", "--data", linked.folder), ensure_ascii=False
    )
    rows = pd.read_csv(linked.folder / "payments.csv", dtype=str)
    for column in ("身份证号", "姓名", "电话"):
        assert not [value for value in rows[column].dropna() if value in said]


def test_link_tells_machines_the_same(told: dict[str, Any]) -> None:
    by_decision = {(row["decision"], row["how"]): row["links"] for row in told["links"]}
    assert told["entity"] == "person"
    assert by_decision["accepted", "key"] > 50
    assert by_decision["accepted", "match"] > 10
    assert len(told["doubtful links"]) == by_decision["review", "match"]
    assert told["entities"] < told["records"]
    assert sum(row["records"] for row in told["cluster sizes"]) == told["records"]
    assert told["warnings"] == []


def test_only_sources_with_a_row_of_another_name_are_written_anew(
    linked: Linked,
) -> None:
    """Registers, whose rows all have the number their person goes by, stay as they are."""
    (work, *_) = (linked.home.path / "var/work/tiny").glob("[0-9]*")
    for source in ("persons", "visits"):
        core, other = (work / f"{kind}_{source}.parquet" for kind in ("core", "linked"))
        assert core.samefile(other)

    rows = pd.read_parquet(work / "linked_payments.parquet")
    number, payee = rows["person_id"], rows["_key_person_id"]
    numbered = number.notna()
    assert (payee[numbered] == number[numbered]).all()
    assert (rows.loc[numbered, "_sure_person_id"] == 1).all()
    # Rows without a number, which names and phones tie to a person, less than surely.
    tied = ~numbered & payee.isin(number)
    assert tied.sum() > 10
    assert rows.loc[tied, "_sure_person_id"].between(0.5, 1, inclusive="left").all()


def test_without_columns_to_match_it_says_so(empty: Home, delivered: Path) -> None:
    said = empty.ok("link", "tiny", "--data", delivered)

    assert "tiny: no entity declares columns to match" in said
    assert empty.json("link", "tiny", "--data", delivered) == []


def test_one_phone_on_all_rows_is_named_and_the_run_goes_on(
    models: Path, tmp_path: Path
) -> None:
    delivery = payments()
    delivery.payments["电话"] = PHONE
    home = Home(tmp_path / "home", models)
    folder = delivery.write(tmp_path / "data")

    done = home.inside("link", "tiny", "--data", folder)

    assert done.returncode == 0
    (person,) = home.json("link", "tiny", "--data", folder)
    (warning,) = person["warnings"]
    assert warning.startswith("person.phone: all ")
    assert "records that have one say 135***; it is not used to link" in warning
    assert warning.split(" say ")[0] in " ".join(done.stdout.split())
    assert PHONE not in done.stdout
    assert not [r for r in person["blocks"] if "phone" in r["blocking rule"]]


def test_garbled_names_are_named_and_the_run_goes_on(
    models: Path, tmp_path: Path
) -> None:
    delivery = payments()
    names = delivery.payments["姓名"]
    delivery.payments["姓名"] = [n.encode().decode("gbk", "replace") for n in names]
    home = Home(tmp_path / "home", models)

    (person,) = home.json("link", "tiny", "--data", delivery.write(tmp_path / "data"))

    (warning,) = person["warnings"]
    assert warning.startswith("person.name: ")
    assert "look wrongly encoded" in warning


def test_a_judgement_changes_the_next_links_and_the_next_list(
    linked: Linked, told: dict[str, Any], tmp_path: Path
) -> None:
    home = linked.copy(tmp_path / "home")
    first, doubtful = home.run_ids(), told["doubtful links"][0]
    pair = doubtful["left"], doubtful["right"]

    home.ok("judge", "tiny", "person", *pair, "same", "--note", "file 12")
    (same,) = home.json("link", "tiny", "--data", linked.folder)
    home.ok("score", "tiny", "--data", linked.folder)
    home.ok("judge", "tiny", "person", *pair, "different", "--note", "file 13")
    (different,) = home.json("link", "tiny", "--data", linked.folder)

    assert same["entities"] == told["entities"] - 1
    judged = {"decision": "accepted", "how": "judged", "links": 1}
    assert judged in same["links"]
    assert pair not in {(r["left"], r["right"]) for r in same["doubtful links"]}
    assert different["entities"] == told["entities"]
    assert {**judged, "decision": "rejected"} in different["links"]
    runs = home.run_ids()
    assert len(runs) == 2
    assert set(first) < set(runs)


def test_a_judgement_on_no_digest_of_a_record_is_refused(linked: Linked) -> None:
    words = ("judge", "tiny", "person", "0ebe83ebac54", "da0c8c1a2a257e4850d3")
    done = linked.home.inside(*words, "same", "--note", "file 12")

    assert done.returncode == 1
    assert "'0ebe83ebac54' is no record: leadline link tiny" in done.stderr
    unknown = ("judge", "tiny", "persn", *("0ebe83ebac54fd7dcfac",) * 2)
    done = linked.home.inside(*unknown, "same", "--note", "file 12")
    assert "no entity 'persn'; did you mean 'person'?" in done.stderr


def test_scoring_uses_what_training_learnt(
    linked: Linked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = linked.copy(tmp_path / "home")
    (file,) = home.path.glob("mlruns/**/artifacts/linkage.json")
    learnt = json.loads(file.read_text(encoding="utf-8"))
    assert set(learnt) == {"person"}
    assert ["name"] in learnt["person"]["rules"]
    assert learnt["person"]["parameters"]["comparisons"]
    (plain,) = home.path.glob("mlruns/**/linkage/person.json")
    assert json.loads(plain.read_text(encoding="utf-8")) == learnt["person"]
    later = payments()
    later.payments = later.payments.iloc[:250]
    monkeypatch.delattr("features.linkage.resolve.trained")

    home.ok("score", "tiny", "--data", later.write(tmp_path / "later"))

    assert len(home.run_ids()) == 2


def test_changed_parameters_are_refused(linked: Linked, tmp_path: Path) -> None:
    home = linked.copy(tmp_path / "home")
    (file,) = home.path.glob("mlruns/**/artifacts/linkage.json")
    learnt = json.loads(file.read_text(encoding="utf-8"))
    learnt["person"]["parameters"]["probability_two_random_records_match"] = 0.5
    file.write_text(json.dumps(learnt), encoding="utf-8")

    done = home.inside("score", "tiny", "--data", linked.folder)

    assert done.returncode == 4
    assert "changed since they were registered" in done.stderr
