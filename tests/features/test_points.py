"""Association points as they are kept with a run: who shares what, and no more."""

import pyarrow as pa

from configs.network import GroupsSpec
from features.points import unit_points
from tests.features.tied import tied, units_of

PAIRS = [
    (("claim", "c1"), ("company", "Shop")),
    (("claim", "c2"), ("company", "Shop")),
    (("claim", "c3"), ("company", "Shop")),
    (("claim", "c1"), ("person", "330602-a")),
    (("claim", "c2"), ("person", "330602-a")),
    (("claim", "c3"), ("person", "330602-b")),
]


def points(pairs=PAIRS, ids=("c1", "c2", "c3", "c4"), declared=None) -> dict[str, list]:
    of = tied(pairs)
    units = units_of(of, pa.table({"unit_id": pa.array(ids, pa.string())}))
    table = pa.concat_tables(unit_points(of, units, declared))
    return dict(
        zip(table["unit_id"].to_pylist(), table["points"].to_pylist(), strict=True)
    )


def test_a_unit_has_the_points_that_others_share_the_rarest_first():
    found = points()
    assert [(p["kind"], p["units"]) for p in found["c1"]] == [
        ("person", 2),
        ("company", 3),
    ]
    assert [p["kind"] for p in found["c3"]] == ["company"]  # nobody else has 330602-b
    assert found["c4"] == []


def test_units_that_share_a_point_have_its_number():
    found = points()
    assert found["c1"] == found["c2"]
    assert found["c1"][1]["point"] == found["c3"][0]["point"]


def test_sensitive_values_are_masked_and_others_are_not():
    labels = {p["kind"]: p["label"] for p in points()["c1"]}
    assert labels == {"person": "330***", "company": "Shop"}


def test_a_point_of_more_units_than_the_hub_ties_nobody():
    found = points(declared=GroupsSpec(hub=2))
    assert [p["kind"] for p in found["c1"]] == ["person"]


def test_only_declared_kinds_are_gone_through():
    found = points(declared=GroupsSpec(through=["company"]))
    assert [p["kind"] for p in found["c1"]] == ["company"]


def test_parts_give_what_the_whole_gives(monkeypatch):
    whole = points()
    monkeypatch.setattr("features.points.UNITS_AT_ONCE", 1)
    assert points() == whole


def test_without_units_there_is_a_table_without_rows():
    assert points(ids=()) == {}


def test_nothing_is_asked_of_the_engine_while_parts_are_written(monkeypatch):
    """Protects large runs from waiting forever: the engine writes them meanwhile."""
    whole = points()
    monkeypatch.setattr("features.points.UNITS_AT_ONCE", 1)
    of = tied(PAIRS)
    ids = pa.table({"unit_id": pa.array(["c1", "c2", "c3", "c4"], pa.string())})
    parts = unit_points(of, units_of(of, ids), None)

    def asked(*_):
        raise AssertionError("asked while the parts are written")

    monkeypatch.setattr("features.ties.Tied.named", asked)
    rows = pa.concat_tables(parts).to_pylist()
    assert {row["unit_id"]: row["points"] for row in rows} == whole
