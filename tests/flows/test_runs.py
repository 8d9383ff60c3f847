"""Whole runs of the tiny model: rejects, dates, repetition, changed models, labels."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from configs.tables import DOSSIER
from tests.flows.homes import Home, copied
from tests.flows.office import MODELS, Delivery, office

pytestmark = pytest.mark.slow


def scores(home: Home) -> pd.DataFrame:
    (file,) = home.scores_files()
    return pd.read_parquet(file).sort_values("unit_id", ignore_index=True)


def people(delivery: Delivery) -> set[str]:
    """Names, identifiers, phones: what may never be shown."""
    tables = (
        (delivery.payments, ["身份证号", "姓名", "电话"]),
        (delivery.persons, ["person_id", "household"]),
    )
    return {str(v) for table, columns in tables for c in columns for v in table[c]}


def test_a_few_bad_rows_are_listed_and_the_rest_is_scored(
    unpublished: Home, delivery: Delivery, tmp_path: Path
) -> None:
    table = delivery.payments.astype(object)
    table.loc[3, "发放日期"] = "31.31.2024"
    table.loc[4, "审批日期"] = "=cmd|soon"
    table.loc[5, "金额"] = "-5"
    table.loc[6, "身份证号"] = ""
    table.loc[9, "编号"] = table.loc[8, "编号"]
    delivery.payments = table
    folder = delivery.write(tmp_path / "data")
    with (folder / "payments.csv").open("a") as file:
        file.write("王小明,330106199001011234\n")
    persons = delivery.persons.assign(posted="never")
    persons.loc[3:, "posted"] = delivery.persons["posted"]
    persons.to_csv(folder / "persons.csv", index=False)

    unpublished.ok("score", "tiny", "--data", folder)

    found = pd.read_csv(unpublished.rejects, dtype=str)
    rows = [tuple(r) for r in found[["line", "column", "value", "action"]].to_numpy()]
    assert (
        rows
        == [
            ("5", "发放日期", "31.31.2024", "row"),
            ("6", "审批日期", "'=cmd|soon", "value"),
            ("7", "金额", "-5", "row"),
            ("11", "编号", "P00008", "row"),
            ("302", "(line)", "王小明***", "row"),
            *((str(n), "posted", "never", "row") for n in (2, 3, 4)),
        ]
        or rows[5:] == rows[:3]
    )
    assert set(found["source"]) == {"payments", "persons"}
    assert set(found["file"]) == {"payments.csv", "persons.csv"}
    assert found["cause"].notna().all()
    newest = unpublished.json("runs", "tiny")[0]
    assert newest["units"] == 297
    reports = unpublished.json("check", "tiny", "--data", folder)["sources"]
    assert [r["rejected"] for r in reports] == [4, 3, 0]
    assert [r["malformed"] for r in reports] == [1, 0, 0]


def test_sensitive_values_in_rejects_are_masked(
    unpublished: Home, delivery: Delivery, tmp_path: Path
) -> None:
    twice = delivery.persons.iloc[[7]]
    delivery.persons = pd.concat([delivery.persons, twice])

    unpublished.ok("check", "tiny", "--data", delivery.write(tmp_path / "data"))

    (row,) = pd.read_csv(unpublished.rejects, dtype=str).to_dict("records")
    assert row["value"] == twice["person_id"].iloc[0][:3] + "***"
    assert row["cause"] == "repeats the key of an earlier row"


def test_the_same_bytes_twice_are_refused(
    unpublished: Home, delivery: Delivery, tmp_path: Path
) -> None:
    folder = delivery.write(tmp_path / "data")
    shutil.copy(folder / "visits.csv", folder / "visits_again.csv")
    places = folder / "places.yaml"
    places.write_text(
        "payments: payments.csv\npersons: persons.csv\nvisits: [visits*.csv]\n"
    )

    done = unpublished.inside("score", "tiny", "--data", places)

    assert done.returncode == 3
    assert "visits.csv and visits_again.csv hold the same bytes" in done.stderr


def test_an_earlier_date_gives_the_list_as_known_then(
    unpublished: Home, template: Home, delivery: Delivery, tmp_path: Path
) -> None:
    day = "2024-04-01"
    whole = delivery.write(tmp_path / "whole")
    for name, column in (("payments", "公示日期"), ("visits", "posted")):
        table = getattr(delivery, name)
        setattr(delivery, name, table[table[column] <= day])
    early = delivery.write(tmp_path / "early")
    other = copied(template, tmp_path / "other", published=False)

    unpublished.ok("score", "tiny", "--data", whole, "--as-of", day)
    other.ok("score", "tiny", "--data", early, "--as-of", day)

    found, known = unpublished.leads(), other.leads()
    for name in ("coverage", "fingerprints"):  # these tell what was delivered
        del found["run"][name], known["run"][name]
    assert {lead["unit_id"] for lead in found["leads"]} == set(
        delivery.payments["编号"]
    )
    assert found["leads"] == known["leads"]
    pd.testing.assert_frame_equal(scores(unpublished), scores(other))


def test_every_date_is_a_run_of_its_own_and_a_day_counts_whole(
    unpublished: Home, delivered: Path
) -> None:
    for moment in ("2024-04-01", "2024-04-01T12:00:00"):
        unpublished.ok("score", "tiny", "--data", delivered, "--as-of", moment)
    assert len(set(unpublished.run_ids())) == 2
    assert unpublished.leads()["run"]["as_of"].endswith("23:59:59")


def test_two_installations_give_the_same_list(
    template: Home, empty: Home, delivered: Path
) -> None:
    empty.ok("train", "tiny", "--data", delivered)
    empty.ok("score", "tiny", "--data", delivered)

    found, known = empty.leads(), template.leads()
    for run in (found["run"], known["run"]):
        for name in ("mlflow_run", "model_digest", "scores_path"):
            run.pop(name, None)
        run["files"] = {name: file["sha256"] for name, file in run["files"].items()}
    assert found == known
    pd.testing.assert_frame_equal(scores(empty), scores(template))


@pytest.fixture
def own_models(home: Home, tmp_path: Path) -> Home:
    """A home whose declaration a test may change."""
    shutil.copytree(MODELS, tmp_path / "models")
    return Home(home.path, tmp_path / "models")


def test_a_changed_declaration_must_be_trained_first(
    own_models: Home, delivered: Path
) -> None:
    rules = own_models.models / "tiny" / "rules.yaml"
    rules.write_text(rules.read_text("utf-8").replace("most: 3", "most: 4"), "utf-8")
    before = own_models.run_ids()

    done = own_models.inside("score", "tiny", "--data", delivered)

    assert done.returncode == 4
    assert "changed since version 1 was trained" in done.stderr
    assert "leadline train tiny --data DIR --promote" in done.stderr
    assert own_models.run_ids() == before
    own_models.ok("train", "tiny", "--data", delivered, "--promote")
    own_models.ok("score", "tiny", "--data", delivered)
    assert len(own_models.run_ids()) == 2


def test_a_tampered_champion_scores_nothing(home: Home, delivered: Path) -> None:
    (file,) = (home.path / "mlruns").rglob("feature_stats.json")
    file.write_text(file.read_text() + " ")

    done = home.inside("score", "tiny", "--data", delivered)

    assert done.returncode == 4
    assert "changed since they were registered" in done.stderr


def test_a_golden_case_that_disagrees_is_named(own_models: Home) -> None:
    cases = own_models.models / "tiny" / "cases.yaml"
    text = cases.read_text("utf-8")
    cases.write_text(text.replace("recent_30d: 2}", "recent_30d: 5}"), "utf-8")

    done = own_models.inside("check", "tiny")

    assert done.returncode == 2
    assert "T2[1]: near miss: the rule must not fire" in done.stderr


def test_labels_are_read_by_evaluation_alone(
    unpublished: Home, template: Home, delivery: Delivery, tmp_path: Path
) -> None:
    folder = delivery.write(tmp_path / "data")
    shutil.rmtree(folder / "truth")

    unpublished.ok("score", "tiny", "--data", folder)

    pd.testing.assert_frame_equal(scores(unpublished), scores(template))
    done = unpublished.inside("evaluate", "tiny", "--data", folder)
    assert done.returncode == 1
    assert "truth/payments.csv" in done.stderr
    labels = tmp_path / "labels.csv"
    delivery.truth.to_csv(labels, index=False)
    found = unpublished.json("evaluate", "tiny", "--labels", labels, "--baselines")
    arms = {row["arm"] for row in found["Ranking of the labelled units"]}
    assert any(arm.startswith("score_pyod_") for arm in arms)


def test_evaluation_compares_the_arms(home: Home, delivered: Path) -> None:
    found = home.json("evaluate", "tiny", "--data", delivered)

    quality = {row["arm"]: row for row in found["Ranking of the labelled units"]}
    assert {"rules", "score", "fused"} <= set(quality)
    assert quality["fused"]["auc"] > 0.8
    assert any("plant" in title for title in found)
    done = home.inside("evaluate", "tiny", "--data", delivered, "--baselines")
    assert "score the same delivery again first" in done.stderr
    assert "Ranking" in home.ok("evaluate", "tiny", "--data", delivered)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_labels_may_be_partial_and_in_any_encoding(
    encoding: str, home: Home, tmp_path: Path
) -> None:
    truth = office().truth[:80]
    strange = pd.DataFrame({"编号": ["X1"], "fraud": [1], "plant": ["贪"]})
    file = tmp_path / "labels.csv"
    pd.concat([truth, strange]).to_csv(file, index=False, encoding=encoding)

    found = home.json("evaluate", "tiny", "--labels", file)

    assert found["Ranking of the labelled units"][0]["judged"] == 80


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("编号,fruad\nP00001,1\n", "did you mean"),
        ("编号,fraud\nX1,1\n", "belong to another delivery"),
        ("编号,fraud\nP00001,1\nP00001,0\n", "more than once"),
        (None, "cannot be read"),
    ],
)
def test_unusable_labels_are_explained(
    content: str | None, said: str, home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "labels.csv"
    if content:
        file.write_text(content, "utf-8")

    done = home.inside("evaluate", "tiny", "--labels", file)

    assert done.returncode == 3
    assert said in done.stderr


def test_no_person_appears_in_any_output(
    home: Home, delivery: Delivery, delivered: Path
) -> None:
    hidden = people(delivery)
    first = home.leads()["leads"][0]["unit_id"]
    said = home.ok("show", "tiny", first) + home.ok("leads", "tiny", "--top", 300)
    said += home.ok("check", "tiny", "--data", delivered)
    said += home.ok("evaluate", "tiny", "--data", delivered)
    said += json.dumps(home.leads(), ensure_ascii=False)
    # Sensitive values stand in a dossier: a console masks them until they are opened.
    kept = [
        path
        for path in home.path.rglob("*")
        if path.is_file() and "work" not in path.parts and path.stem not in DOSSIER
    ]
    assert any(p.suffix == ".sqlite3" for p in kept)
    held = b"\n".join(p.read_bytes() for p in kept) + said.encode()
    frozen = [p for p in kept if p.suffix == ".parquet" and "published" in p.parts]
    assert len(frozen) == 4
    packed = "".join(pd.read_parquet(p).to_csv() for p in frozen)

    shown = [value for value in hidden if value.encode() in held + packed.encode()]

    assert shown == []


def test_protected_columns_are_not_read(home: Home, delivered: Path) -> None:
    reports: list[dict[str, Any]] = home.json("check", "tiny", "--data", delivered)[
        "sources"
    ]
    assert reports[0]["excluded"] == ["sex"]
