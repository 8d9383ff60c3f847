import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from configs.errors import StoreError
from training.drift import feature_stats, stability_index
from training.records import TrainingRun, metrics, params
from training.tracking import Registered, Tracking

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
def trained(tracking, run) -> tuple[Registered, Registered]:
    return tracking.train_run(run), tracking.train_run(run)


def test_no_champion_names_the_command_to_run(tracking):
    with pytest.raises(StoreError, match="leadline train bid_rigging --data DIR"):
        tracking.champion("bid_rigging")


def test_first_model_becomes_champion_and_the_next_a_challenger(tracking, trained):
    first, second = trained
    assert first.is_champion
    assert not second.is_champion
    assert tracking.champion(MODEL).version == first.version
    assert tracking.load(MODEL, "challenger").version == second.version


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
    with pytest.raises(StoreError, match="no version 99"):
        tracking.promote(MODEL, 99, "typo")


def test_changed_artifact_is_refused(tracking, trained, mlruns):
    original = {p: p.read_bytes() for p in mlruns.rglob("feature_stats.json")}
    try:
        for path, content in original.items():
            path.write_bytes(content + b" ")
        with pytest.raises(StoreError, match="changed since they were registered"):
            tracking.champion(MODEL)
    finally:
        for path, content in original.items():
            path.write_bytes(content)


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
