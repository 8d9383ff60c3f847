"""Which version scores, and the way back: releases, comparisons, past lists."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest

from configs.errors import StoreError
from configs.settings import Settings
from flows.rebuild import _as_declared
from serving import queries
from serving.connect import open_store
from tests.flows.homes import Home, copied
from tests.flows.office import MODELS, Delivery, office
from training.selection_rule import RULE
from training.tracking import DIGEST_TAG, Tracking
from training.tracking_files import files_digest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def proposed(
    template: Home, delivered: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """An office of two: li has trained and proposed version 2. Tests copy it."""
    folder = tmp_path_factory.mktemp("proposed")
    shutil.copytree(MODELS, folder / "models")
    declared = folder / "models" / "tiny" / "model.yaml"
    text = declared.read_text("utf-8")
    assert "approvals: 1" in text
    declared.write_text(text.replace("approvals: 1", "approvals: 2"), "utf-8")
    home = replace(copied(template, folder / "home"), models=folder / "models")
    said = home.ok("train", "tiny", "--data", delivered, "--promote")
    assert "version 2 is proposed as champion; another person approves it" in said
    return home


@pytest.fixture
def two(proposed: Home, tmp_path: Path) -> Home:
    return copied(proposed, tmp_path / "home")


def by(home: Home, user: str) -> Home:
    return replace(home, user=user)


def champion(home: Home) -> int:
    (found,) = [v for v in known(home)["versions"] if "champion" in v["alias"]]
    return int(found["version"])


def known(home: Home) -> Any:
    return home.json("versions", "tiny")


def test_two_persons_release_and_one_rolls_back(two: Home) -> None:
    assert champion(two) == 1
    own = two.inside("approve", "tiny", 2, "--reason", "mine")
    assert own.returncode == 4
    assert "li proposed it, so li cannot approve it; another person" in own.stderr
    assert champion(two) == 1

    two.ok("promote", "tiny", 2, "--reason", "又一次")
    said = by(two, "wang").ok("approve", "tiny", 2, "--reason", "查过 [红色]")
    assert "tiny version 2 is now champion" in said
    assert champion(two) == 2
    by(two, "zhao").ok("rollback", "tiny", "--reason", "list of Monday is odd")
    assert champion(two) == 1

    steps = [(r["version"], r["action"], r["user"]) for r in known(two)["releases"]]
    assert steps == [
        ("1", "promoted", "li"),
        ("2", "proposed", "li"),
        ("2", "proposed", "li"),
        ("2", "approved", "wang"),
        ("2", "promoted", "wang"),
        ("1", "rolled_back", "zhao"),
    ]
    reasons = [r["reason"] for r in known(two)["releases"]]
    assert reasons[:3] == ["first model", "asked for at training", "又一次"]
    shown = two.ok("versions", "tiny")
    assert "查过 [红色]" in shown
    assert "list of Monday is odd" in shown
    assert two.inside("rollback", "tiny", "--reason", "x").returncode == 4
    assert two.is_sound()


@pytest.mark.parametrize("step", ["approve", "rollback"])
def test_a_kill_between_record_and_alias_is_seen_and_completed(
    step: str, two: Home
) -> None:
    wang = by(two, "wang")
    if step == "rollback":
        wang.ok("approve", "tiny", 2, "--reason", "checked")
    words = ("approve", "tiny", 2) if step == "approve" else ("rollback", "tiny")
    before = champion(two)
    killed = mock.patch.object(Tracking, "promote", side_effect=KeyboardInterrupt)

    with killed:
        assert wang.inside(*words, "--reason", "killed").returncode != 0

    assert champion(two) == before
    wanted = 3 - before
    assert f"version {wanted} was released, but the alias" in known(two)["unfinished"]
    assert f"version {wanted} was released" in two.ok("versions", "tiny")
    recorded = known(two)["releases"]
    assert f"version {wanted} is now champion" in wang.ok(*words, "--reason", "again")
    assert champion(two) == wanted
    assert known(two)["unfinished"] == ""
    assert known(two)["releases"] == recorded


def test_a_version_whose_files_were_changed_is_not_released(two: Home) -> None:
    (file, *_) = sorted(
        (two.path / "mlruns").rglob("linkage.json"), key=lambda p: p.stat().st_mtime
    )[::-1]
    file.write_text("{} ")

    done = by(two, "wang").inside("approve", "tiny", 2, "--reason", "checked")

    assert done.returncode == 4
    assert "version 2: the files in" in done.stderr
    assert champion(two) == 1
    assert [r["action"] for r in known(two)["releases"]] == ["promoted", "proposed"]


def dispose(home: Home, folder: Path, each: int) -> None:
    """Reviews of as many planted and as many honest units of the newest list."""
    truth = office().truth
    judged = [truth[truth["fraud"] == label].head(each) for label in (1, 0)]
    table = pd.concat(judged).rename(columns={"编号": "unit_id"})
    words = {1: "confirmed", 0: "excluded"}
    table = table.assign(verdict=table["fraud"].map(words), reason="file read")
    table[["unit_id", "verdict", "reason"]].to_csv(folder / "said.csv", index=False)
    home.ok("dispose-many", "tiny", folder / "said.csv")


def test_a_challenger_is_judged_by_reviews_after_its_training(
    two: Home, tmp_path: Path
) -> None:
    first = two.json("compare", "tiny")
    assert first["verdict"]["decision"] == "undecided"
    assert "10 confirmed and 10 excluded more" in first["verdict"]["text_en"]

    dispose(two, tmp_path, each=12)
    # In a process of its own: within one MLflow remembers where a run's files were, and
    # homes are copies of each other.
    done = two.run("compare", "tiny", "--challenger", 2, "--json")
    found = json.loads(done.stdout)

    (versions,) = found["tables"]["Versions"]
    assert (versions["champion"], versions["challenger"]) == (1, 2)
    assert versions["shared of the first 10"] == 1  # trained on the same delivery
    (later,) = found["tables"]["Reviews that neither has learnt from"]
    assert later == {
        "later reviews": 24,
        "confirmed examples": 12,
        "excluded examples": 12,
    }
    assert found["verdict"]["decision"] == "promote"
    assert known(two)["versions"][1]["rule says"] == "promote (against 1)"
    tracking = Tracking(two.path / "mlruns")
    run = tracking.version("tiny", 2).run_id
    assert tracking.client.get_run(run).data.metrics["compare_later_reviews"] == 24
    (file,) = (two.path / "mlruns").rglob("comparison/*-against-1.txt")
    text = file.read_text("utf-8")
    assert "建议更换" in text
    assert RULE in text
    assert "不少于10个" in two.ok("compare", "tiny")


def test_reviews_before_the_training_prove_nothing(
    two: Home, delivered: Path, tmp_path: Path
) -> None:
    dispose(two, tmp_path, each=12)
    two.ok("train", "tiny", "--data", delivered)

    found = two.json("compare", "tiny")

    assert found["verdict"]["decision"] == "undecided"
    (later,) = found["tables"]["Reviews that neither has learnt from"]
    assert later["later reviews"] == 0


def test_the_champion_is_not_compared_with_itself(home: Home) -> None:
    done = home.inside("compare", "tiny")

    assert done.returncode == 4
    assert "version 1 is the champion itself" in done.stderr


def test_a_past_list_is_made_again_to_the_last_byte(two: Home, delivered: Path) -> None:
    """Though another version scores today, by other rules, and people have judged since."""
    (run,) = two.run_ids()
    by(two, "wang").ok("approve", "tiny", 2, "--reason", "checked")
    rules = two.models / "tiny" / "rules.yaml"
    declared = rules.read_text("utf-8")
    rules.write_text(declared.replace("most: 3", "most: 4"), "utf-8")
    records = ("0" * 20, "1" * 20)
    two.ok("judge", "tiny", "person", *records, "same", "--note", "seen since")
    files = list((two.path / "var" / "published").rglob("*.parquet"))
    kept = {path: path.read_bytes() for path in files}
    try:
        said = two.ok("rebuild", run, "--data", delivered)
    finally:
        rules.write_text(declared, "utf-8")

    assert f"{run}: identical (scores, feature_matrix, rule_flags, units" in said
    assert two.run_ids() == [run]
    assert {path: path.read_bytes() for path in files} == kept
    assert len(files) >= 4
    assert not two.rejects.exists()  # what the last delivery's clerk is to see


def test_another_delivery_is_refused_before_anything_is_built(
    home: Home, delivery: Delivery, tmp_path: Path
) -> None:
    (run,) = home.run_ids()
    delivery.visits = delivery.visits[:-1]
    folder = delivery.write(tmp_path / "other")

    done = home.inside("rebuild", run, "--data", folder)

    assert done.returncode == 3
    assert "- visits: 149 rows" in done.stderr
    assert "the run was made from 150 rows" in done.stderr
    assert "- payments" not in done.stderr
    assert home.inside("rebuild", "tiny-1", "--data", folder).returncode == 4


def test_what_differs_is_said_and_ends_with_an_error(home: Home) -> None:
    (run,) = home.run_ids()
    found = mock.Mock(identical=False, differs=("scores.parquet",), note="why")

    with mock.patch("flows.rebuild.rebuild", return_value=found):
        done = home.inside("rebuild", run, "--data", ".")

    assert done.returncode == 4
    assert done.stdout == f"{run}: differs in scores.parquet\nwhy\n"


def test_a_list_of_an_earlier_leadline_names_the_code_that_changed(
    home: Home, delivered: Path
) -> None:
    (run,) = home.run_ids()
    lacking = mock.patch(
        "flows.rebuild.build", side_effect=AttributeError("no attribute 'new_'")
    )
    older = mock.patch.object(Tracking, "changed_code", return_value=["training/x.py"])

    with lacking, older:
        done = home.inside("rebuild", run, "--data", delivered)

    assert done.returncode == 4
    assert "no attribute 'new_'" in done.stderr
    assert "since version 1 was trained (training/x.py;" in done.stderr
    assert "use the Leadline of its time" in done.stderr


def test_a_declaration_that_is_gone_is_named(home: Home) -> None:
    settings = Settings(home=home.path, models=home.models)
    open_store(settings)
    run = replace(queries.latest_run("tiny"), config_hash="0" * 64)

    with (
        pytest.raises(StoreError, match=r"hash 000000000000.* use the Leadline of its"),
        _as_declared(run, settings),
    ):
        pass


def test_a_version_scores_only_with_the_files_that_earlier_runs_name(
    home: Home, delivered: Path
) -> None:
    """The files, the registry and the run of training were all changed to agree."""
    tracking = Tracking(home.path / "mlruns")
    first = tracking.version("tiny", 1)
    assert home.json("leads", "tiny")["run"]["model_digest"] == first.digest
    folder = tracking.verify(first)
    (folder / "artifacts" / "linkage.json").write_text('{"person": {}}')
    forged = files_digest(folder)
    tracking.client.set_model_version_tag("tiny", "1", DIGEST_TAG, forged)
    tracking.client.set_tag(first.run_id, DIGEST_TAG, forged)

    (run,) = home.run_ids()
    for words in (
        ("score", "tiny", "--data", delivered),
        ("promote", "tiny", 1, "--reason", "checked"),
        ("rebuild", run, "--data", delivered),
    ):
        done = home.inside(*words)
        assert done.returncode == 4
        assert "a published run was scored by this version with" in done.stderr
