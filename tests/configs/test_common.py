"""What models share is declared once and reaches each of them; a wrong name is answered."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.common import NAME, PACKAGED, with_common
from configs.errors import DeclarationError
from configs.loading import load_model, model_names
from configs.settings import PACKAGE_MODELS


def test_named_sources_and_windows_are_written_out(tmp_path: Path) -> None:
    content = {
        "common": ["persons"],
        "sources": {"claims": {}},
        "features": [{"history": {"windows": "usual"}}, {"columns": ["a"]}],
    }
    found = with_common(tmp_path / "model.yaml", content)
    known = yaml.safe_load(PACKAGED.read_text("utf-8"))
    assert found["sources"]["persons"] == known["sources"]["persons"]
    assert found["features"][0]["history"]["windows"] == known["windows"]["usual"]
    assert "common" not in found
    assert content["features"][0]["history"]["windows"] == "usual"  # left as it was


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"common": ["person"]}, "no common source 'person'; did you mean 'persons'"),
        ({"common": ["deaths"], "sources": {"deaths": {}}}, "is declared here, too"),
        ({"common": "persons"}, "must be a list of names"),
    ],
)
def test_wrong_names_are_answered(
    tmp_path: Path, content: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeclarationError, match=said):
        with_common(tmp_path / "model.yaml", content)


def test_a_file_of_the_models_own_folder_stands_in(tmp_path: Path) -> None:
    own = {"windows": {}, "sources": {"persons": {"table": "people"}}}
    (tmp_path / NAME).write_text(yaml.safe_dump(own), "utf-8")
    found = with_common(tmp_path / "model.yaml", {"common": ["persons"]})
    assert found["sources"]["persons"]["table"] == "people"


def test_no_model_declares_again_what_is_common() -> None:
    known = yaml.safe_load(PACKAGED.read_text("utf-8"))["sources"]
    for name in model_names(PACKAGE_MODELS):
        text = (PACKAGE_MODELS / name / "model.yaml").read_text("utf-8")
        own = yaml.safe_load(text)
        assert not set(own["sources"]) & set(known), name
        assert load_model(name, PACKAGE_MODELS).spec.id == name
