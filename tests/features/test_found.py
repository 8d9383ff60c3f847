"""What steps find is joined to the right units, whatever the keys are made of."""

import ibis
import pytest
from ibis.expr.types import Table

from features.found import Found, joined
from tests.factories import claim, frame_of, model, units_of, visit

UNITS = ibis.memtable(
    [("u1", "a", 1), ("u2", "a", 2), ("u3", "b", 3), ("u4", None, 4)],
    schema={"unit_id": "string", "kind": "string", "amount": "int64"},
)


def largest(units: Table, below: int, name: str) -> Found:
    """The largest amount under `below` among the units of the same kind."""
    grouped = units.select("amount", group=units["kind"] + "!")
    grouped = grouped.filter(grouped["amount"] < below)
    return Found(
        grouped.group_by("group").aggregate(**{name: grouped["amount"].max()}),
        lambda table: {"group": table["kind"] + "!"},
        frozenset({"kind"}),
        lambda table: {name: table[name]},
    )


@pytest.mark.parametrize("limits", [{"small": 3, "all": 9}, {"all": 9, "small": 3}])
def test_equal_expressions_as_keys_are_not_taken_for_each_other(catalog, limits):
    """The two are one table, with the keys that either found."""
    units = catalog.keep(UNITS, "given")
    found = [largest(units, below, name) for name, below in limits.items()]
    got = frame_of(catalog, joined(units, found))[["small", "all"]].fillna(-1)
    assert got.index.tolist() == ["u1", "u2", "u3", "u4"]
    assert got["small"].tolist() == [2, 2, -1, -1]
    assert got["all"].tolist() == [2, 2, 3, -1]


def test_a_key_that_a_step_has_just_found_is_joined_by(catalog):
    data = {
        "claims": [claim(1), claim(2, person="p2")],
        "visits": [visit("2024-05-01", place="x"), visit("2024-05-02", place="x")],
    }
    step = {"of": "visits", "by": "seen", "as": "place", "named": "there"}
    loaded = model(
        {"lookup": {"of": "visits", "by": "claimant", "take": {"seen": "place"}}},
        {"history": {**step, "measures": {"n": "*"}}},
    )
    got = frame_of(catalog, units_of(catalog, loaded, data))
    assert got["there_n"].fillna(-1).tolist() == [2, -1]


def test_times_as_keys_agree_to_the_second(catalog):
    visits = [visit("2024-05-01"), visit("2024-05-01 10:30:00"), visit("2024-05-02")]
    step = {"of": "visits", "by": ["claimant", "happened"], "as": ["patient", "day"]}
    loaded = model({"history": {**step, "named": "that_day", "measures": {"n": "*"}}})
    claims = [claim(1, happened="2024-05-01"), claim(2, happened="2024-05-03")]
    got = frame_of(
        catalog, units_of(catalog, loaded, {"claims": claims, "visits": visits})
    )
    assert got["that_day_n"].tolist() == [1, 0]
