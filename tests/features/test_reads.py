"""Which steps are put together into one query, and that it does not change what they say."""

import pytest

from features.known import counted
from features.matrix import enriched_units
from flows.catalog import Limits, opened
from tests.factories import BOTH, claim, frame_of, known, model, units_of, visit

STEPS = (
    {"history": {"of": "visits", "by": "claimant", "measures": {"n": "*"}}},
    {"derive": {"often": "claimant_visits_n > 1"}},
    {
        "history": {
            "of": "claims",
            "by": "claimant",
            "named": "own",
            "measures": {"often": {"share": "often"}},
        }
    },
    {"derive": {"mostly": "own_often > 0.5"}},
)
DATA = {
    "claims": [claim(1), claim(2), claim(3, person="p2")],
    "visits": [visit("2024-05-01"), visit("2024-05-02")],
}


class Counting:
    """An engine that tells which tables it was asked to compute."""

    def __init__(self, catalog, memory=None):
        self.catalog, self.names, self._memory = catalog, [], memory

    def memory(self):
        return self._memory

    def keep(self, table, name):
        self.names.append(name)
        return self.catalog.keep(table, name)

    def __getattr__(self, name):
        return getattr(self.catalog, name)


def test_units_are_computed_only_where_a_step_reads_new_columns_as_rows(catalog):
    engine = Counting(catalog)
    found = known(catalog, model(*STEPS), DATA)
    rows = frame_of(catalog, enriched_units(found, engine))
    assert engine.names == ["units_2"]
    assert rows["mostly"].tolist() == [True, True, False]


VISITS = [
    {"history": {**STEPS[0]["history"], "named": f"visits_{number}"}}
    for number in range(30)
]
COSTS = [
    {"lookup": {"of": "visits", "by": "claimant", "take": {f"cost_{number}": "cost"}}}
    for number in range(30)
]


@pytest.mark.parametrize(
    ("steps", "bytes_a_unit", "computed"),
    [
        (VISITS, 2_000, [28]),
        (VISITS, 1_999, [14]),
        (VISITS, None, [14]),
        (COSTS, 2_000, [28]),
        (COSTS, 1_999, [6, 14, 22]),
    ],
)
def test_a_query_joins_what_memory_has_room_for(catalog, steps, bytes_a_unit, computed):
    """Each join holds a table; a lookup each row of a register, and counts twice.

    Where there is little room the last queries are full, and few columns are written.
    """
    found = counted(known(catalog, model(*steps), DATA), catalog)
    memory = bytes_a_unit and bytes_a_unit * len(DATA["claims"])
    engine = Counting(catalog, memory)
    enriched_units(found, engine)
    assert engine.names == [f"units_{number}" for number in computed]


def test_an_engine_says_how_much_memory_it_may_use(tmp_path):
    with opened(tmp_path, Limits("3GB")) as catalog:
        assert catalog.memory() == pytest.approx(3e9, rel=0.05)


def test_a_unit_that_a_window_leaves_out_still_has_the_window(catalog):
    """Only units that are all among the rows may be windowed without markers."""
    step = {
        "of": "claims",
        "by": "claimant",
        "anchor": "around",
        "windows": "365d",
        "where": "amount > 50",
        "measures": {"n": "*"},
    }
    claims = [claim(1, amount=10), claim(2, amount=100), claim(3, person=None)]
    loaded = model({"history": step})
    found = frame_of(catalog, units_of(catalog, loaded, {"claims": claims}))
    assert found["claimant_claims_n_365d"].fillna(-1).tolist() == [1, 1, -1]


def test_the_graph_and_ways_join_to_the_units_without_computing_them_anew(catalog):
    """To write all columns again costs more than most steps."""
    kind = {"title": BOTH}
    ties = {
        "kinds": {"claim": kind, "person": kind},
        "ties": [
            {
                "source": "claims",
                "of": {"claim": "claim_no"},
                "with": {"person": "claimant"},
            }
        ],
    }
    steps = [
        *STEPS[:2],
        {"network": {"of": "claimant", "kind": "person", "stats": "degree"}},
        {
            "path": {
                "from": {"person": "claimant"},
                "to": {"source": "visits", "by": "patient", "kind": "person"},
                "through": "person",
                "named": "way",
            }
        },
        {"derive": {"both": "often and way_closeness > 0"}},
    ]
    engine = Counting(catalog)
    found = known(catalog, model(*steps, associations=ties), DATA)
    rows = frame_of(catalog, enriched_units(found, engine))
    assert not [name for name in engine.names if name.startswith("units")]
    assert rows["claimant_degree_claim"].tolist() == [2, 2, 1]
    assert rows["both"].tolist() == [True, True, False]
