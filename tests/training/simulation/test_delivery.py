import hashlib
from pathlib import Path

import pytest

from tests.training.simulation.delivered import HEADERS, Delivered, encoding
from training.simulation import SIMULATIONS, simulator
from training.simulation.vehicle_fraud import TYPOLOGIES
from training.simulation.vehicle_honest import HARD_NEGATIVES
from training.simulation.vehicle_insurance import simulate

EXTRAS = {"SIMULATED.txt", "truth/README.txt", "truth/units.csv"}


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_registry_finds_the_simulator() -> None:
    assert "vehicle_insurance" in SIMULATIONS
    assert simulator("vehicle_insurance") is simulate


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        simulate(units=1000, seed=5, out=tmp_path / name)
    assert digests(tmp_path / "first") == digests(tmp_path / "second")


def test_another_seed_gives_another_delivery(tmp_path: Path) -> None:
    counts = [
        simulate(units=1000, seed=seed, out=tmp_path / str(seed)) for seed in (1, 2)
    ]
    first, second = (digests(tmp_path / str(seed)) for seed in (1, 2))
    assert counts[0]["claims"] == counts[1]["claims"] == 1000
    assert not set(first.values()) - {first["truth/README.txt"]} & set(second.values())


def test_too_few_claims_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=10 is too few"):
        simulate(units=10, seed=1, out=tmp_path)


def test_files_are_exactly_those_promised(delivery: Path) -> None:
    assert set(digests(delivery)) == set(HEADERS) | EXTRAS


@pytest.mark.parametrize("name", HEADERS)
def test_headers(delivered: Delivered, name: str) -> None:
    assert list(delivered.table(name).columns) == HEADERS[name].split()


@pytest.mark.parametrize("name", ["appraisals.csv", "court_cases.csv", "companies.csv"])
def test_chinese_encodings_are_not_utf8(delivery: Path, name: str) -> None:
    content = (delivery / name).read_bytes()
    content.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_no_table_but_truth_names_the_plan(delivered: Delivered) -> None:
    planted = (*TYPOLOGIES, *HARD_NEGATIVES)
    words = {planted.name for planted in planted} | {"fraud", "ring_id", "typology"}
    for name in HEADERS:
        table = delivered.table(name)
        assert not words & set(table.columns)
        assert not table.astype(str).isin(words).any(axis=None)


def test_note_says_simulated(delivery: Path) -> None:
    note = (delivery / "SIMULATED.txt").read_text(encoding="utf-8")
    assert "simulated, no real person" in note
    assert "seed: 11" in note


def test_encoding_of_plain_files_is_utf8() -> None:
    assert encoding("claims.csv") == "utf-8"
