"""Publishing and reading back, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from configs.errors import StoreError
from configs.settings import Settings
from serving import publish as publishing
from serving import queries
from serving.leads.models import Evidence, Lead, Reason, RuleHit, RunRule
from serving.publication import Publication
from serving.publish import publish
from serving.verify import verify
from tests.serving.publications import AS_OF, make_publication, with_column


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


def test_publish_keeps_the_scores_file(store: Settings, published: Publication) -> None:
    run = queries.run(published.run_id)
    kept = store.published / run.scores_path

    assert kept == store.published / "vehicle_insurance" / run.id / "scores.parquet"
    assert pq.read_table(kept).equals(pq.read_table(published.scores_file))
    assert list(kept.parent.iterdir()) == [kept]


def test_publish_the_same_inputs_again_changes_nothing(
    store: Settings, published: Publication
) -> None:
    before = [
        model.objects.count() for model in (Lead, RuleHit, Reason, Evidence, RunRule)
    ]

    again = publish(replace(published, run_id="another-id"), store)

    assert (again.run_id, again.new) == (published.run_id, False)
    after = [
        model.objects.count() for model in (Lead, RuleHit, Reason, Evidence, RunRule)
    ]
    assert after == before
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

    publish(bare, store)

    detail = queries.lead(bare.run_id, "CLM-000001")
    assert (detail.hits, detail.reasons, detail.evidence) == ((), (), ())
    assert verify(store) == []
