"""What is drawn around leads: who is shown, what is hidden, and where it ends."""

import numpy as np
import pyarrow as pa
import pytest

from configs.tables import NODES, TIES
from features.keyed import Keyed
from features.neighbourhood import Around, around, node_rows, tie_rows
from serving.tokens import token, tokens
from tests.features.tied import associations, nodes_of, tied, tied_from

KEY = b"key of the tests"
PERSON = "330602198001010011"
# c1 and c2 share a person, c2 and c3 a phone, c3 has a company of its own.
CHAIN = [
    (("claim", "c1"), ("person", PERSON)),
    (("claim", "c2"), ("person", PERSON)),
    (("claim", "c2"), ("phone", "13900000000")),
    (("claim", "c3"), ("phone", "13900000000")),
    (("claim", "c3"), ("company", "Shop")),
]


def keyed(of, numbers):
    return Keyed.made(of, numbers, lambda kind, said: tokens(KEY, kind, said))


def drawn(of, leads, members=(), **more):
    return around(of, nodes_of(of, leads), nodes_of(of, members), **more)


def ties(of, found: Around) -> list[dict]:
    return tie_rows(of, found, keyed(of, found.nodes)).to_pylist()


def shown(of, found: Around, units=("c1", "c2", "c3"), hidden=("person", "phone")):
    rows = node_rows(
        of, found.nodes, keyed(of, found.nodes), pa.array(units), set(hidden)
    )
    assert rows.column_names == list(NODES)
    return {row["value"]: row for row in rows.to_pylist()}


def pairs(of, found: Around) -> set[tuple[str, str]]:
    names = {row["key"]: value for value, row in shown(of, found).items()}
    return {(names[tie["node"]], names[tie["other"]]) for tie in ties(of, found)}


def test_a_leads_neighbours_can_be_opened_once_more_and_no_further():
    of = tied(CHAIN)
    found = drawn(of, ["c1"])
    assert pairs(of, found) == {
        ("c1", PERSON),
        (PERSON, "c1"),
        (PERSON, "c2"),
        ("c2", PERSON),
    }
    assert set(shown(of, found)) == {"c1", "c2", PERSON}


def test_members_of_groups_are_centres_too():
    of = tied(CHAIN)
    assert ("Shop", "c3") not in pairs(of, drawn(of, ["c1"]))
    assert ("Shop", "c3") in pairs(of, drawn(of, ["c1"], ["c3"]))


def test_a_hub_sees_leads_alone_but_is_seen_by_all_who_are_shown():
    hub = [(("claim", f"c{n}"), ("company", "Large")) for n in range(1, 6)]
    of = tied(hub, limit=3)
    found = pairs(of, drawn(of, ["c1"], ["c2"]))
    assert found == {("c1", "Large"), ("Large", "c1"), ("c2", "Large")}


def test_a_lead_keeps_its_own_ties_however_many_it_has():
    of = tied([(("claim", "c1"), ("phone", str(n))) for n in range(5)], limit=3)
    assert len(pairs(of, drawn(of, ["c1"]))) == 10


def test_of_a_node_the_surest_ties_are_kept_up_to_the_cap():
    rows = associations([(("claim", f"c{n}"), ("company", "Shop")) for n in range(6)])
    sure = pa.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.9])
    at = rows.column_names.index("probability")
    of = tied_from(rows.set_column(at, "probability", sure))
    found = ties(of, drawn(of, ["c0"], most=3))
    shop = token(KEY, "company", "Shop")
    kept = [tie for tie in found if tie["node"] == shop]
    assert [tie["probability"] for tie in kept] == [0.9, 0.9, 0.8]
    assert {tie["node"] for tie in found} > {shop}


def test_among_equally_sure_ties_those_to_leads_come_first():
    many = [(("claim", f"c{n}"), ("company", "Shop")) for n in range(9)]
    of = tied(many)
    found = pairs(of, drawn(of, ["c8"], most=1))
    assert [pair for pair in found if pair[0] == "Shop"] == [("Shop", "c8")]


def test_a_tie_says_what_both_are_to_each_other_and_who_says_so():
    of = tied(CHAIN)
    rows = tie_rows(of, found := drawn(of, ["c1"]), keyed(of, found.nodes))
    assert rows.column_names == list(TIES)
    first = rows.to_pylist()[0]
    assert (first["role_en"], first["role_zh"]) == ("claimant", "claimant中")
    assert (first["source"], first["department_zh"]) == ("register", "office中")
    assert first["probability"] == 1.0


def test_files_are_ordered_by_key():
    of = tied(CHAIN)
    found = drawn(of, ["c1", "c2", "c3"])
    said = [tie["node"] for tie in ties(of, found)]
    assert said == sorted(said)
    keys = [row["key"] for row in shown(of, found).values()]
    assert keys == sorted(set(keys))


def test_sensitive_values_never_stand_in_labels():
    of = tied(
        [
            *CHAIN,
            (("claim", "c1"), ("person", "王芳")),
            (("claim", "c1"), ("person", "李")),
        ]
    )
    found = shown(of, drawn(of, ["c1", "c2"]))
    labels = {value: row["label"] for value, row in found.items()}
    assert labels[PERSON] == "330***"
    assert labels["13900000000"] == "139***"
    assert (labels["王芳"], labels["李"]) == ("王***", "***")
    assert labels["c1"] == "c1"
    hidden = [value for value, row in found.items() if row["sensitive"]]
    assert set(hidden) == {PERSON, "13900000000", "王芳", "李"}
    assert not [v for v in hidden for label in labels.values() if v in label]


def test_an_entity_without_an_identifier_is_called_by_its_digest():
    of = tied([(("claim", "c1"), ("person", "~0a1b2c3d4e5f"))])
    node = shown(of, drawn(of, ["c1"]))["~0a1b2c3d4e5f"]
    assert (node["label"], node["sensitive"]) == ("~0a1b2c3d4e5f", False)


def test_units_are_told_from_other_nodes_of_their_kind():
    of = tied([(("claim", "c1"), ("claim", "old1")), (("claim", "c1"), ("phone", "1"))])
    found = shown(of, drawn(of, ["c1"]), units=["c1"], hidden=["claim", "phone"])
    assert (found["c1"]["unit_id"], found["c1"]["label"]) == ("c1", "c1")
    assert (found["old1"]["unit_id"], found["old1"]["label"]) == (None, "ol***")


def test_the_degree_is_that_of_the_whole_run():
    of = tied([*CHAIN, *((("claim", f"d{n}"), ("company", "Shop")) for n in range(9))])
    found = shown(of, drawn(of, ["c3"], most=2))
    assert found["Shop"]["degree"] == 10


def test_one_value_in_two_spellings_is_one_node():
    of = tied(
        [
            (("claim", "c1"), ("company", "shop a")),
            (("claim", "c1"), ("company", "Shop A")),
            (("claim", "c2"), ("company", "Shop A")),
        ]
    )
    found = shown(of, drawn(of, ["c1"]))
    assert set(found) == {"c1", "c2", "Shop A"}


def test_tokens_are_the_same_in_another_run_with_other_nodes():
    here, there = tied(CHAIN), tied([CHAIN[1], (("phone", "1"), ("person", "x"))])
    keys = []
    for of in (here, there):
        node = of.tables.numbers_of("person", pa.array([PERSON]))
        keys.append(keyed(of, np.arange(of.graph.size)).of(node)[0].as_py())
    assert keys == [token(KEY, "person", PERSON)] * 2


@pytest.mark.parametrize("rows", [[], CHAIN])
def test_without_leads_there_is_nothing(rows):
    of = tied(rows)
    found = drawn(of, ["unknown"])
    assert ties(of, found) == []
    assert shown(of, found) == {}
