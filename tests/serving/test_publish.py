"""Publishing and reading back, on both databases."""

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import StoreError
from configs.settings import Settings
from serving import publish as publishing
from serving import queries
from serving.leads.models import (
    Counterfactual,
    Evidence,
    Group,
    GroupMember,
    GroupTie,
    Lead,
    Part,
    PathStep,
    Reason,
    RuleHit,
    RunRule,
    Slot,
)
from serving.publication import Publication
from serving.publish import publish
from serving.records import TieRecord
from serving.verify import verify
from tests.serving.publications import AS_OF, make_publication, with_column

TABLES = (
    *(Lead, Group, RuleHit, Reason, Evidence, RunRule),
    *(GroupMember, GroupTie, PathStep),
    *(Slot, Part, Counterfactual),
)


def test_publish_then_read_back_gives_what_was_published(
    store: Settings, publication: Publication
) -> None:
    result = publish(publication, store)

    assert (result.run_id, result.new) == (publication.run_id, True)
    run = queries.latest_run("vehicle_insurance")
    assert (run.as_of, run.units, run.title_zh) == (AS_OF, 12, "车辆保险理赔监督模型")
    assert datetime.now(UTC) - run.published_at < timedelta(minutes=1)
    assert run.coverage["claims"]["last"] == "2025-06-30T00:00:00"
    assert run.counts == {n: t.num_rows for n, t in publication.tables.items()}
    assert verify(store) == []


def test_publish_keeps_every_value_of_a_lead(
    store: Settings, published: Publication
) -> None:
    given = published.tables["leads"].to_pylist()

    found = {lead.unit_id: lead for lead in queries.leads(published.run_id, 100)}

    for row in given:
        lead = found[row["unit_id"]]
        silent = (
            tuple(row.pop("silent").replace(" ", "").split(","))
            if row["silent"]
            else ()
        )
        assert lead.silent == silent
        assert {name: getattr(lead, name) for name in row if name != "silent"} == {
            name: value for name, value in row.items() if name != "silent"
        }


def test_publish_keeps_every_value_of_groups_ties_and_paths(
    published: Publication,
) -> None:
    given = {name: table.to_pylist() for name, table in published.tables.items()}

    found = [queries.group(published.run_id, g["group_id"]) for g in given["groups"]]

    for row, detail in zip(given["groups"], found, strict=True):
        row["codes"] = tuple(row["codes"].split(",")) if row["codes"] else ()
        assert {name: getattr(detail.group, name) for name in row} == row
    assert [tie_of(row) for row in given["group_ties"]] == [
        asdict(tie) for detail in found for tie in detail.ties
    ]
    assert [(row["group_id"], row["unit_id"]) for row in given["group_members"]] == [
        (detail.group.group_id, lead.unit_id)
        for detail in found
        for lead in detail.members
    ]
    for unit_id in {row["unit_id"] for row in given["paths"]}:
        rows = [row for row in given["paths"] if row["unit_id"] == unit_id]
        paths = queries.lead(published.run_id, unit_id).paths
        assert [(row["path"], row["other"], tie_of(row)) for row in rows] == [
            (path.path, path.other, asdict(step))
            for path in paths
            for step in path.steps
        ]


def tie_of(row: dict[str, Any]) -> dict[str, Any]:
    tie = {field.name: row[field.name] for field in fields(TieRecord)}
    return {**tie, "role_en": tie["role_en"] or "", "role_zh": tie["role_zh"] or ""}


def test_publish_keeps_titles_of_kinds_and_the_summary_of_links(
    published: Publication,
) -> None:
    run = queries.run(published.run_id)

    assert run.kinds["person"] == {"en": "person", "zh": "自然人"}
    assert run.links == {"records": 12, "entities": 11, "warnings": ["few names"]}


def test_publish_times_of_any_year_keeps_the_digest(
    store: Settings, publication: Publication
) -> None:
    times = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), None]
    odd = with_column(publication, "group_ties", "event_at", [*times, *times])

    publish(odd, store)

    assert verify(store) == []
    ties = queries.group(odd.run_id, "G0001").ties
    assert [tie.event_at for tie in ties] == [*times, times[0]]


def test_publish_keeps_the_scores_file(store: Settings, published: Publication) -> None:
    run = queries.run(published.run_id)
    kept = store.published / run.scores_path

    assert kept == store.published / "vehicle_insurance" / run.id / "scores.parquet"
    assert pq.read_table(kept).equals(pq.read_table(published.scores_file))


def test_publish_freezes_the_inputs_beside_the_scores(
    store: Settings, published: Publication
) -> None:
    files = queries.run(published.run_id).files

    assert set(files) == {"feature_matrix", "rule_flags", "units"}
    for name, given in published.files.items():
        kept = store.published / files[name]["path"]
        assert kept.name == f"{name}.parquet"
        assert kept.read_bytes() == given.read_bytes()
        assert kept.stat().st_mode & 0o222 == 0
    folder = (store.published / files["units"]["path"]).parent
    assert len(list(folder.iterdir())) == 4


def test_publish_the_same_inputs_again_changes_nothing(
    store: Settings, published: Publication
) -> None:
    before = [model.objects.count() for model in TABLES]

    again = publish(replace(published, run_id="another-id"), store)

    assert (again.run_id, again.new) == (published.run_id, False)
    assert [model.objects.count() for model in TABLES] == before
    assert min(before) > 0
    assert verify(store) == []


def test_publish_other_inputs_under_the_same_run_id_is_refused(
    store: Settings, published: Publication
) -> None:
    with pytest.raises(StoreError, match="is published already, from other inputs"):
        publish(replace(published, inputs="9" * 64), store)

    assert verify(store) == []


def test_publish_a_second_run_leaves_the_first(
    store: Settings, published: Publication, tmp_path: Path
) -> None:
    later = make_publication(tmp_path, 20, seed=8)
    later = replace(
        later, run_id="later", inputs="6" * 64, title_en="Claims", mlflow_run="m2"
    )

    publish(later, store)

    assert [run.id for run in queries.runs()] == ["later", published.run_id]
    assert len(queries.leads(published.run_id, 100)) == 12
    assert queries.models()[0].title_en == "Claims"
    assert verify(store) == []


def test_publish_that_fails_half_way_leaves_nothing(
    store: Settings, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publishing, "insert_run", full)
    with pytest.raises(
        StoreError, match="No space left on device; nothing was changed"
    ):
        publish(publication, store)
    monkeypatch.undo()

    assert queries.runs() == []
    assert Lead.objects.count() == 0
    assert all(finding.harmless for finding in verify(store))
    assert publish(publication, store).new
    assert verify(store) == []


def test_publish_values_that_a_database_would_change_keeps_the_digest(
    store: Settings, publication: Publication
) -> None:
    money = [float("nan"), -0.0, 1e16, 0.1, None, *range(7)]
    odd = with_column(publication, "leads", "money", [float(m or 0) for m in money])
    odd = with_column(odd, "leads", "money", money)
    odd = with_column(odd, "leads", "title", ["a\x00b", "𠮷", '"\\', None, *["x"] * 8])
    odd = replace(odd, funnel={"share": -0.0, "big": 1e300, "small": 1e-7, "t": "\x00"})

    publish(odd, store)

    assert verify(store) == []
    assert queries.lead(odd.run_id, "CLM-000001").lead.title == "a\ufffdb"
    assert queries.lead(odd.run_id, "CLM-000001").lead.money is None


def test_publish_a_run_without_hits_reasons_and_evidence(
    store: Settings, publication: Publication
) -> None:
    tables = {
        name: table if name == "leads" else table.slice(0, 0)
        for name, table in publication.tables.items()
    }
    bare = replace(publication, tables=tables, rules=[])
    bare = with_column(bare, "leads", "group_id", pa.nulls(12))

    publish(bare, store)

    detail = queries.lead(bare.run_id, "CLM-000001")
    assert (detail.hits, detail.reasons, detail.evidence) == ((), (), ())
    assert (detail.group, detail.paths) == (None, ())
    assert queries.groups(bare.run_id, 5) == []
    assert verify(store) == []
