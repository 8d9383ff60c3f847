import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from configs.errors import StoreError
from training.drift import feature_stats, stability_index
from training.records import TrainingRun, metrics, params
from training.tracking import DIGEST_TAG, Tracking, Version
from training.tracking_files import changed_code, files_digest

MODEL = "vehicle_insurance"


@pytest.fixture(scope="module")
def run(scorer, features, flags) -> TrainingRun:
    return TrainingRun(
        model=MODEL,
        scorer=scorer,
        features=features,
        scores=scorer.score(features, flags),
        config={"id": MODEL, "review": {"weekly_capacity": 40, "tags": ["a", "b"]}},
        config_hash="c0ffee",
        fingerprints=[{"source": "claims", "rows": 600, "hash": "ab12"}],
        dictionary=pd.DataFrame({"name": ["f0"], "title_zh": ["金额"]}),
        rule_hits={"V2": 30},
        funnel={"all": 600, "层 1": 300},
    )


@pytest.fixture(scope="module")
def tracking(mlruns) -> Tracking:
    return Tracking(mlruns)


@pytest.fixture(scope="module")
def trained(tracking, run) -> tuple[Version, Version]:
    """The first is champion, the second was trained since."""
    first = tracking.train_run(run)
    tracking.promote(MODEL, first.version, "first model")
    return first, tracking.train_run(run)


def test_no_champion_names_the_command_to_run(tracking):
    with pytest.raises(StoreError, match="leadline train bid_rigging --data DIR"):
        tracking.champion("bid_rigging")


def test_training_moves_the_challenger_and_leaves_the_champion(tracking, trained):
    first, second = trained
    assert tracking.champion(MODEL).version == first.version
    assert tracking.load(MODEL, "challenger").version == second.version
    known = tracking.versions(MODEL)
    assert [v.aliases for v in known] == [("champion",), ("challenger",)]
    assert known[0].trained_at < known[1].trained_at
    assert tracking.versions("bid_rigging") == []


def test_champion_scores_like_the_model_that_was_trained(
    tracking, trained, run, features, flags
):
    loaded = tracking.champion(MODEL)
    assert loaded.config_hash == "c0ffee"
    assert loaded.run_id == trained[0].run_id
    assert set(loaded.stats) == set(features.columns)
    again = loaded.scorer.score(features, flags)
    pd.testing.assert_frame_equal(again, run.scores, check_exact=True)


def test_run_records_params_metrics_tags_and_artifacts(tracking, trained):
    stored = tracking.client.get_run(trained[1].run_id)
    assert stored.data.params["review.weekly_capacity"] == "40"
    assert stored.data.params["data.claims.hash"] == "ab12"
    assert stored.data.tags["config_hash"] == "c0ffee"
    assert stored.data.metrics["rule_hits_V2"] == 30
    assert stored.data.metrics["drift_psi_max"] == pytest.approx(0, abs=1e-9)
    names = {a.path for a in tracking.client.list_artifacts(trained[1].run_id)}
    assert {"data_fingerprints.json", "feature_dictionary.csv", "funnel.json"} <= names
    plots = {a.path for a in tracking.client.list_artifacts(trained[1].run_id, "plots")}
    assert plots == {f"plots/{n}.png" for n in ("scores", "funnel", "feature_drift")}


def test_promotion_moves_the_alias_and_writes_the_reason(tracking, trained):
    first, second = trained
    tracking.promote(MODEL, second.version, "better at 40")
    try:
        assert tracking.champion(MODEL).version == second.version
        entry = tracking.client.get_model_version(MODEL, str(second.version))
        assert entry.tags["promoted_reason"] == "better at 40"
    finally:
        tracking.promote(MODEL, first.version, "back")
    with pytest.raises(StoreError, match="no version 99; known: 1, 2"):
        tracking.promote(MODEL, 99, "typo")


def artifacts(tracking, version: Version, pattern: str = "*") -> list[Path]:
    folder = tracking.verify(version)
    return sorted(p for p in folder.rglob(pattern) if p.is_file())


@pytest.fixture
def restored(tracking, trained) -> Iterator[list[Path]]:
    """The champion's files; whatever a test does to them is undone."""
    kept = {path: path.read_bytes() for path in artifacts(tracking, trained[0])}
    yield list(kept)
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    ["scorer.skops", "linkage.json", "declaration.json", "MLmodel", "model_code.py"],
)
def test_a_changed_file_is_refused_whichever_it_is(name, tracking, restored):
    (path,) = [p for p in restored if p.name == name]
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(StoreError, match="changed since they were registered"):
        tracking.champion(MODEL)


def test_an_added_or_a_lost_file_is_refused(tracking, restored):
    (path,) = [p for p in restored if p.name == "feature_stats.json"]
    extra = path.with_name("more.json")
    extra.write_text("{}")
    try:
        with pytest.raises(StoreError, match="changed since they were registered"):
            tracking.champion(MODEL)
    finally:
        extra.unlink()
    path.unlink()
    with pytest.raises(StoreError, match="changed since they were registered"):
        tracking.champion(MODEL)


def test_a_file_of_another_version_is_refused(tracking, trained, restored):
    """Each is genuine; together they are no version that was ever trained."""
    (other,) = artifacts(tracking, trained[1], "MLmodel")
    (own,) = [p for p in restored if p.name == "MLmodel"]
    own.write_bytes(other.read_bytes())

    with pytest.raises(StoreError, match=r"version 1: the files in .* changed"):
        tracking.champion(MODEL)


def test_a_changed_registry_does_not_vouch_for_a_changed_file(
    tracking, trained, restored
):
    """Who swaps the files and the registry's digest meets the digest of the run."""
    (path,) = [p for p in restored if p.name == "linkage.json"]
    path.write_bytes(b'{"person": {}}')
    first = trained[0]
    forged = files_digest(path.parents[1])
    tag = (MODEL, str(first.version), DIGEST_TAG)
    tracking.client.set_model_version_tag(*tag, forged)
    try:
        with pytest.raises(StoreError, match="the run that trained it"):
            tracking.champion(MODEL)
    finally:
        tracking.client.set_model_version_tag(*tag, first.digest)


def test_reading_a_model_changes_no_digest(tracking, trained):
    """MLflow notes beside the files under which name they were read."""
    tracking.champion(MODEL)
    folder = tracking.verify(trained[0])
    (folder / "code" / "__pycache__").mkdir(exist_ok=True)
    (folder / "code" / "__pycache__" / "x.pyc").write_bytes(b"compiled")

    assert tracking.champion(MODEL).digest == trained[0].digest


def test_code_that_changed_since_the_training_is_named(tracking, trained, restored):
    assert tracking.changed_code(trained[0]) == []
    (path,) = [p for p in restored if p.match("code/training/drift.py")]
    path.write_bytes(b"# as it was then")

    assert changed_code(tracking.verify(trained[1])) == []
    assert changed_code(path.parents[2]) == ["training/drift.py"]


def test_training_again_mends_a_changed_champion(tracking, run, trained, restored):
    restored[0].write_bytes(b"broken")

    again = tracking.train_run(run)

    assert "drift_psi_max" not in tracking.client.get_run(again.run_id).data.metrics
    assert tracking.open(again).digest == again.digest


def test_a_comparison_is_added_to_the_version_and_its_run(tracking, trained):
    second = trained[1]
    tracking.record_comparison(
        second, "keep", {"compare_overlap": 0.5}, {"compare/rule.txt": "规则"}
    )

    stored = tracking.client.get_run(second.run_id)
    assert stored.data.metrics["compare_overlap"] == 0.5
    files = tracking.client.list_artifacts(second.run_id, "compare")
    assert [f.path for f in files] == ["compare/rule.txt"]
    assert [v.verdict for v in tracking.versions(MODEL)][:2] == ["", "keep"]


def test_plain_mlflow_loads_it_in_another_process_and_folder(
    tracking, trained, run, features, flags, tmp_path: Path
):
    inputs = pd.concat([features.astype("float64"), flags], axis=1)
    inputs.to_parquet(tmp_path / "inputs.parquet")
    code = (
        "import json, sys, mlflow, pandas as pd\n"
        f"mlflow.set_tracking_uri({tracking.uri!r})\n"
        f"model = mlflow.pyfunc.load_model('models:/{MODEL}@champion')\n"
        "out = model.predict(pd.read_parquet('inputs.parquet'))\n"
        "sys.stdout.write(json.dumps(out['fused'].to_dict()))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    got = pd.Series(json.loads(done.stdout))
    expected = run.scores.set_index("unit_id")["fused"].loc[got.index]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_params_are_flat_and_short(run):
    flat = params(run)
    assert flat["review.tags"] == '["a", "b"]'
    assert all(len(value) <= 500 for value in flat.values())
    assert metrics(run, None)["funnel_all"] == 600


def test_drift_is_zero_for_the_same_table_and_large_for_a_shifted_one(features):
    stats = feature_stats(features)
    assert stability_index(stats, features).abs().max() == pytest.approx(0, abs=1e-9)
    shifted = features.assign(f0=features["f0"] + 5 * features["f0"].std())
    index = stability_index(stats, shifted)
    assert index.index[0] == "f0"
    assert index.iloc[0] > 0.25


def test_drift_sees_a_source_falling_silent_and_ignores_new_columns(features):
    stats = feature_stats(features.assign(empty=np.nan))
    silent = features.assign(f2=np.nan, brand_new=1.0, empty=np.nan)
    index = stability_index(stats, silent)
    assert index["f2"] > 0.25
    assert index["empty"] == pytest.approx(0)
    assert "brand_new" not in index
