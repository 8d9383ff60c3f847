"""Single nodes and ties, looked up in the engine by number."""

import numpy as np
import pyarrow as pa

from features.graph import UNKNOWN
from tests.features.tied import tied

# Numbers: claims c1 and c2 are 0 and 1, person p1 is 2, phones 1 and 2 are 3 and 4.
PAIRS = [
    (("claim", "c1"), ("person", "p1")),
    (("claim", "c2"), ("person", "p1")),
    (("claim", "c2"), ("phone", "1")),
    (("person", "p1"), ("phone", "2")),
]


def test_nodes_are_found_by_kind_and_value_and_named_by_number():
    tables = tied(PAIRS).tables
    kinds, values = ["claim", "phone", "phone", None], ["c2", "1", "c2", "1"]
    found = tables.numbers(pa.array(kinds), pa.array(values))
    assert found.tolist() == [1, 3, UNKNOWN, UNKNOWN]
    assert tables.numbers_of("claim", pa.array([None, "c1"])).tolist() == [UNKNOWN, 0]
    named = tables.values(np.array([3, UNKNOWN, 0, 3]))
    assert named.to_pylist() == ["1", None, "c1", "1"]
    assert tables.values(np.array([], np.int64)).to_pylist() == []
    kinds, _ = tied(PAIRS).named(np.array([4, UNKNOWN]))
    assert kinds.to_pylist() == ["phone", None]


def test_rows_that_touch_a_node_come_once_and_in_order():
    tables = tied(PAIRS).tables
    rows = tables.touching(np.array([1, 2]))
    ends = list(zip(rows["left"].to_pylist(), rows["right"].to_pylist(), strict=True))
    assert ends == [("c1", "p1"), ("c2", "p1"), ("c2", "1"), ("p1", "2")]
    assert tables.touching(np.array([0]))["right_kind"].to_pylist() == ["person"]


def test_ties_are_found_in_the_order_they_are_asked_for():
    tables = tied(PAIRS).tables
    rows = tables.between(np.array([4, 0, 4]), np.array([2, 2, 2]))
    assert rows["right_node"].to_pylist() == [4, 2, 4]
    assert rows["left"].to_pylist() == ["p1", "c1", "p1"]
