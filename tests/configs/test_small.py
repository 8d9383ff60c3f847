"""Templates, privacy, settings and the hint of the nearest name."""

import os
from pathlib import Path

import pytest

from configs.errors import nearest
from configs.privacy import excluded_columns, mask
from configs.schema import ModelSpec
from configs.settings import Settings, silence_telemetry
from configs.templates import Slot, TemplateError, placeholders, split
from tests.factories import CLAIMS, VISITS, declaration


def test_template_splits_into_text_and_slots():
    assert split("a {x} b {y:.1f}{z:.0%}") == [
        "a ",
        Slot("x"),
        " b ",
        Slot("y", 1),
        Slot("z", 0, percent=True),
    ]
    assert placeholders("{x} {x:.2f}") == ["x", "x"]
    assert split("无") == ["无"]


@pytest.mark.parametrize(
    "text", ["{}", "{x!r}", "{x:>5}", "{X}", "{x.y}", "{x[0]}", "{x", "x}", "{{x}}"]
)
def test_other_placeholders_are_refused(text):
    with pytest.raises(TemplateError):
        split(text)


def test_nearest_suggests_lists_or_says_that_nothing_is_there():
    assert nearest("amuont", ["amount", "kind"]) == "; did you mean 'amount'?"
    assert nearest("zzz", ["b", "a"]) == "; known: a, b"
    assert nearest("zzz", map(str, range(20))).endswith(", ...")
    assert nearest("x", []) == "; nothing is declared there"


def test_protected_columns_are_dropped_by_name_by_header_and_by_choice():
    columns = {
        "sex": {"type": "category"},
        "x1": {"type": "category", "header": "民族"},
        "x2": {"type": "number", "header": "AgeOfPolicyHolder"},
        "kind": {"type": "category"},
        "place": {"type": "string"},
        **VISITS["columns"],
    }
    spec = ModelSpec.model_validate(
        declaration(
            sources={"claims": CLAIMS, "visits": {**VISITS, "columns": columns}},
            privacy={"exclude": ["place"]},
        )
    )
    assert excluded_columns(spec, spec.sources["visits"]) == {
        "sex",
        "x1",
        "x2",
        "place",
    }


def test_mask_keeps_three_characters():
    assert (mask("13800138000"), mask("")) == ("138***", "")


def test_settings_lie_under_home_and_create_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "there"))
    settings = Settings()
    assert settings.store == f"sqlite:///{tmp_path}/there/var/leadline.sqlite3"
    folders = (settings.published, settings.work, settings.mlruns, settings.prefect)
    assert all(folder.is_relative_to(tmp_path / "there") for folder in folders)
    assert not (tmp_path / "there").exists()
    monkeypatch.setenv("LEADLINE_STORE_URL", "postgresql://db/leads")
    assert Settings().store == "postgresql://db/leads"
    assert (Settings().models / "illegal_fundraising" / "model.yaml").is_file()
    assert Settings(home=Path()).var.is_absolute()


def test_telemetry_is_silenced_whatever_was_set(monkeypatch, tmp_path):
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.setenv("PREFECT_HOME", "/kept")
    for name in ("MLFLOW_DISABLE_TELEMETRY", "PREFECT_SERVER_ANALYTICS_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    silence_telemetry(Settings(home=tmp_path))

    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert os.environ["PREFECT_HOME"] == "/kept"
