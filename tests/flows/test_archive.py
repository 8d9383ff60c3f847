"""What is frozen with a list is found again, or it is said why not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from configs.column import open_columns
from configs.errors import StoreError
from configs.settings import Settings
from flows.archive import FrozenUnits, archived, frozen_units
from serving import queries
from serving.connect import close_store, open_store
from serving.publish import publish
from serving.records import RunRecord
from tests import factories
from tests.flows.homes import Home
from tests.serving.publications import make_publication


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home", store_url="")
    publish(make_publication(tmp_path), settings)
    yield settings
    close_store()


def newest() -> RunRecord:
    return queries.latest_run("vehicle_insurance")


@pytest.mark.parametrize("name", ["feature_matrix", "rule_flags", "units", "scores"])
def test_a_frozen_file_is_the_one_that_was_published(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    path = archived(newest(), settings, name)  # type: ignore[arg-type]

    given = tmp_path / "work" / f"{name}.parquet"
    assert path.read_bytes() == given.read_bytes()


def test_a_changed_or_missing_file_is_refused(settings: Settings) -> None:
    path = archived(newest(), settings, "units")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(StoreError, match=r"its units file was changed: .*; restore it"):
        archived(newest(), settings, "units")
    path.unlink()
    with pytest.raises(StoreError, match=r"its units file is gone: .*; restore it"):
        archived(newest(), settings, "units")


def test_a_run_of_before_froze_nothing(settings: Settings, tmp_path: Path) -> None:
    bare = replace(make_publication(tmp_path), run_id="b", inputs="6" * 64, files={})
    publish(bare, settings)

    with pytest.raises(StoreError, match=r"run b froze no 'units'.*score again with"):
        archived(queries.run("b"), settings, "units")


def test_units_are_kept_without_sensitive_columns_and_copies_of_them() -> None:
    claims = factories.CLAIMS["columns"] | {
        "person": {"type": "id", "sensitive": True},
        "income": {"type": "money", "sensitive": True},
    }
    sources = {
        "claims": {**factories.CLAIMS, "columns": claims},
        "visits": factories.VISITS,
    }
    loaded = factories.model(
        {"columns": ["amount", "income"]},
        {"derive": {"who": {"expression": "person", "feature": False}}},
        {"derive": {"named": "who is not null", "taxed": "income * 0.2"}},
        {"derive": {"half": {"expression": "income / 2", "feature": False}}},
        sources=sources,
    )

    kept = open_columns(loaded.spec, loaded.known.columns)

    assert not {"person", "who", "half"} & set(kept)
    # Features are scored, so they are in the feature matrix as well.
    assert {"claim_no", "amount", "kind", "named", "taxed", "income"} <= set(kept)


@pytest.mark.slow
def test_a_list_keeps_the_matrix_flags_and_open_units_it_was_scored_from(
    home: Home,
) -> None:
    settings = Settings(home=home.path, store_url="")
    open_store(settings)
    run = queries.latest_run("tiny")
    frames = {
        name: pd.read_parquet(archived(run, settings, name))  # type: ignore[arg-type]
        for name in ("feature_matrix", "rule_flags", "units", "scores")
    }
    close_store()

    ids = [sorted(frame["unit_id"]) for frame in frames.values()]
    assert all(found == ids[0] for found in ids)
    assert {"T1", "T2"} <= set(frames["rule_flags"])
    assert not {"person_id", "name", "phone", "sex"} & set(frames["units"])
    assert {"kind", "paid_at"} <= set(frames["units"])
    features = set(frames["feature_matrix"]) - {"unit_id", "as_of"}
    assert "amount" in features
    assert not features & set(frames["units"])
    slots = home.json("worklist", "tiny")["worklist"]
    assert any(record["drawn"] for record in slots)
    assert home.is_sound()


@pytest.mark.slow
def test_kept_units_have_their_features_beside_their_other_columns(home: Home) -> None:
    settings = Settings(home=home.path, store_url="")
    open_store(settings)
    run = queries.latest_run("tiny")
    kept = frozen_units(run, settings)
    matrix = pd.read_parquet(archived(run, settings, "feature_matrix"))
    units = pd.read_parquet(archived(run, settings, "units"))
    close_store()

    found = kept.read(["kind", "amount"]).to_pandas()

    want = matrix[["unit_id", "amount"]].merge(units[["unit_id", "kind"]], on="unit_id")
    assert len(want) == len(found)
    pd.testing.assert_frame_equal(found, want[["unit_id", "kind", "amount"]])
    assert {"kind", "amount"} <= kept.columns


def test_files_of_other_units_are_not_put_together(tmp_path: Path) -> None:
    for name, ids in (("matrix", ["a", "b"]), ("units", ["a", "c"])):
        frame = pd.DataFrame({"unit_id": ids, f"{name}_column": [1.0, 2.0]})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    kept = FrozenUnits(tmp_path / "matrix.parquet", tmp_path / "units.parquet")

    with pytest.raises(StoreError, match="hold other units"):
        kept.read(["matrix_column"])
