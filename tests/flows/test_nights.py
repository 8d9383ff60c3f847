"""A night with little that is new: what did not change is not done again, and the list is
the one that a run from nothing gives."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.flows.homes import Home
from tests.flows.office import Delivery

pytestmark = pytest.mark.slow


def in_parts(delivery: Delivery, folder: Path, payments: list[pd.DataFrame]) -> Path:
    """The delivery with its payments in several files, as a map of sources."""
    delivery.write(folder)
    (folder / "payments.csv").unlink()
    for number, rows in enumerate(payments):
        rows.to_csv(folder / f"payments-{number}.csv", index=False)
    places = folder / "places.yaml"
    names = [f"payments-{number}.csv" for number in range(len(payments))]
    places.write_text(
        f"payments: [{', '.join(names)}]\npersons: persons.csv\nvisits: visits.csv\n"
    )
    return places


@pytest.fixture
def nights(delivery: Delivery, tmp_path: Path) -> tuple[Path, Path]:
    """Two deliveries: the second has a new file, and a changed row in another one."""
    old, new = delivery.payments[:290], delivery.payments[290:]
    first, second = old[:150], old[150:].copy()
    tonight = in_parts(delivery, tmp_path / "first", [first, second])
    second.loc[200, "金额"] = "4321.00"
    return tonight, in_parts(delivery, tmp_path / "second", [first, second, new])


def kept_parts(home: Home) -> set[str]:
    return {place.name for place in home.path.glob("var/work/tiny/kept/part-*")}


def test_a_night_reads_what_is_new_and_gives_the_list_of_a_run_from_nothing(
    unpublished: Home, nights: tuple[Path, Path]
) -> None:
    first, second = nights
    unpublished.ok("score", "tiny", "--data", first)
    before = kept_parts(unpublished)

    said = unpublished.inside("score", "tiny", "--data", second).stderr

    (scored,) = re.findall(r"scored ([\d,]+) units; the rows of the others", said)
    assert 0 < int(scored) < 300
    new = sorted(name.partition("-")[2] for name in kept_parts(unpublished) - before)
    assert [name.partition("-")[0] for name in new] == ["payments", "payments"]
    newest = unpublished.json("runs", "tiny")[0]
    assert newest["units"] == 300
    # A list that is made again is made of nothing kept.
    said = unpublished.ok("rebuild", newest["run"], "--data", second)
    assert "identical" in said


def test_a_key_that_comes_again_in_a_later_file_is_rejected_there(
    unpublished: Home, delivery: Delivery, tmp_path: Path
) -> None:
    again = delivery.payments[295:].copy()
    again.loc[299, "编号"] = "P00000"
    parts = [delivery.payments[:295], again]
    unpublished.ok("score", "tiny", "--data", in_parts(delivery, tmp_path / "d", parts))

    (row,) = pd.read_csv(unpublished.rejects, dtype=str).to_dict("records")
    assert (row["file"], row["line"], row["value"]) == ("payments-1.csv", "6", "P00000")


def trained(home: Home, delivered: Path, folder: Path) -> Home:
    """The home after a training, with declarations of its own that a test may change."""
    models = folder / "models"
    shutil.copytree(home.models, models)
    own = Home(home.path, models)
    own.ok("train", "tiny", "--data", delivered)
    return own


def test_a_changed_rule_builds_no_features_again(
    unpublished: Home, delivered: Path, tmp_path: Path
) -> None:
    home = trained(unpublished, delivered, tmp_path)
    rules = home.models / "tiny" / "rules.yaml"
    text = rules.read_text()
    rules.write_text(text.replace("layer: 3", "layer: 2", 1))
    assert rules.read_text() != text

    done = home.inside("train", "tiny", "--data", delivered)

    assert "features: as in an earlier run" in done.stderr
    assert "rules: as in an earlier run" not in done.stderr


def test_a_changed_feature_reads_nothing_again(
    unpublished: Home, delivered: Path, tmp_path: Path
) -> None:
    home = trained(unpublished, delivered, tmp_path)
    before = kept_parts(home)
    declared = home.models / "tiny" / "model.yaml"
    text = declared.read_text()
    declared.write_text(text.replace("windows: [30d]", "windows: [60d]"))
    assert declared.read_text() != text

    done = home.inside("train", "tiny", "--data", delivered)

    assert "features: as in an earlier run" not in done.stderr
    assert kept_parts(home) == before
