"""A list that was made again is compared with the published one, to the last byte."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.publication import Publication
from serving.rebuilt import differences
from tests.serving.changes import Change, fields, rows, table
from tests.serving.publications import make_publication


def test_the_same_again_is_identical_and_publishes_nothing(
    published: Publication, store: Settings, tmp_path: Path
) -> None:
    before = queries.runs()

    assert differences(make_publication(tmp_path / "again"), store) == []
    assert queries.runs() == before


CHANGES: dict[str, tuple[Change, list[str]]] = {
    "a lead": (rows("leads", 3, money=1.0), ["table leads"]),
    "a reason": (rows("reasons", 0, text_zh="另一句"), ["table reasons"]),
    "a slot": (rows("slots", 0, propensity=0.5), ["table slots"]),
    "a part lost": (
        table("parts", lambda t: t.slice(0, t.num_rows - 1)),
        ["table parts", "run.counts"],
    ),
    "evidence in another order": (
        table("evidence", lambda t: t.take(pa.array(range(t.num_rows))[::-1])),
        ["table evidence"],
    ),
    "another funnel": (fields(funnel=[]), ["run.funnel"]),
    "another model": (
        fields(model_version="5", model_digest="ab"),
        ["run.model_version", "run.model_digest"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_named(
    name: str, published: Publication, store: Settings
) -> None:
    change, said = CHANGES[name]

    assert differences(change(published), store) == said


@pytest.mark.parametrize("name", ["scores", "feature_matrix"])
def test_files_are_compared_by_their_bytes(
    name: str, published: Publication, store: Settings, tmp_path: Path
) -> None:
    """The same values, compressed in another way, are not the same bytes."""
    path = tmp_path / "other.parquet"
    own = {"scores": published.scores_file, **published.files}[name]
    pq.write_table(pq.read_table(own), path, compression="gzip")
    change = (
        {"scores_file": path}
        if name == "scores"
        else {"files": {**published.files, name: path}}
    )

    assert differences(replace(published, **change), store) == [f"{name}.parquet"]


def test_another_rule_is_named(published: Publication, store: Settings) -> None:
    changed = [{**rule, "lawful_en": "another"} for rule in published.rules]

    assert differences(replace(published, rules=changed), store) == ["rules"]


def test_a_run_that_was_never_published_is_refused(
    published: Publication, store: Settings
) -> None:
    with pytest.raises(StoreError, match="no run 'never' is published"):
        differences(replace(published, run_id="never"), store)
