"""Estimates from reviews, from the command line."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from configs.settings import Settings
from serving import queries
from serving.connect import close_store, open_store
from serving.dispositions import dispose
from serving.publication import Publication
from serving.publish import publish
from tests.flows.homes import Home
from tests.serving.changes import table
from tests.serving.publications import make_publication, without_groups
from tests.serving.rings import as_table
from training.exploration import draw_slots

MODEL = "vehicle_insurance"


def drawn(publication: Publication, capacity: int, share: float) -> Publication:
    """The publication with slots as a run draws them."""
    leads = publication.tables["leads"]
    slots = draw_slots(
        leads["unit_id"].to_pylist(), leads["rank_fused"].to_pylist(),
        capacity=capacity, explore_share=share, seed=5,
    )  # fmt: skip
    rows = slots.to_dict("records")
    return table("slots", lambda _: as_table("slots", rows))(publication)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Home]:
    """A list of 800 units, 25 of the top and 25 drawn; nothing reviewed."""
    home = Home(tmp_path / "home")
    bare = without_groups(make_publication(tmp_path, 800, each=1))
    publish(drawn(bare, 50, 0.5), Settings(home=home.path, store_url=""))
    yield home
    close_store()


def review(home: Home, *, every: int) -> None:
    """All slots are decided on, every so manieth is confirmed."""
    open_store(Settings(home=home.path, store_url=""))
    run = queries.latest_run(MODEL).id
    for number, slot in enumerate(queries.slots(run)):
        verdict = "confirmed" if number % every == 0 else "excluded"
        dispose(MODEL, run, slot.unit_id, verdict, user="li", reason="so")


def test_without_reviews_nothing_is_claimed(office: Home) -> None:
    found = office.json("estimates", MODEL)

    assert [row["value"] for row in found["figures"]] == [None] * 4
    assert next(row["naive"] for row in found["figures"]) is None
    assert "20 drawn units" in found["note"]["en"]
    said = office.ok("estimates", MODEL)
    assert said.count("not enough") == 4
    assert "复核数量不足" in said


def test_reviews_give_figures_with_intervals_beside_the_naive_ones(
    office: Home,
) -> None:
    review(office, every=5)

    found = office.json("estimates", MODEL)

    rows = {row["figure"]: row for row in found["figures"]}
    assert rows["precision_at_capacity"]["value"] == pytest.approx(0.2)
    assert (rows["precision_at_capacity"]["reviewed"], found["note"]) == (25, {})
    below = rows["cases_below"]
    assert below["naive"] == 5
    assert below["low"] < 155 < below["high"]  # a fifth of the 775 below the top
    assert rows["recall_at_capacity"]["naive"] == pytest.approx(0.5)
    assert rows["recall_at_capacity"]["high"] < 0.2
    said = office.ok("estimates", MODEL)
    assert "20.0%" in said
    assert "前列查实率" in said


def test_draws_of_earlier_lists_are_used_as_long_as_they_are_recent(
    office: Home, tmp_path: Path
) -> None:
    review(office, every=5)
    later = without_groups(make_publication(tmp_path, 800, each=1))
    later = drawn(replace(later, run_id="later", inputs="6" * 64), 50, 0.5)
    publish(later, Settings(home=office.path, store_url=""))

    found = office.json("estimates", MODEL)
    alone = office.json("estimates", MODEL, "--days", "0")

    assert len(found["lists"]) == 2
    assert [row["asked"] for row in found["figures"]] == [25, 50, 50, 50]
    assert found["figures"][2]["value"] is not None
    assert alone["lists"] == ["later"]
    assert alone["figures"][2]["value"] is None
