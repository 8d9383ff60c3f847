"""Which units a person, a phone or a company is tied to, of all units of a run."""

import numpy as np
import pyarrow as pa

from configs.spec import Text
from configs.tables import TOKENS
from features.token_rows import NodeKeys, TokenRows
from features.unit_nodes import unit_nodes
from serving.tokens import DIGEST, digests, token
from tests.features.tied import tied

KEY = b"key of the tests"
AT_ONCE = 3  # rows of a part
CLAIM = Text(en="claim", zh="案件")
PAIRS = [
    (("claim", "c1"), ("person", "p1")),
    (("claim", "c2"), ("person", "p1")),
    (("claim", "c2"), ("phone", "139")),
    (("person", "p1"), ("phone", "138")),
]


def rows(pairs, *ids):
    of = tied(pairs)
    made, bench = of.tables.made, of.tables.engine
    units = bench.register(
        "unit_ids", pa.table({"unit_id": pa.array(ids, pa.string())})
    )
    found = unit_nodes(made, units, of.wording, CLAIM, bench)
    named = bench.arrow(found.nodes)
    said = zip(named["kind"].to_pylist(), named["value"].to_pylist(), strict=True)
    keys = np.frombuffer(digests(KEY, said), dtype=np.uint8).reshape(-1, DIGEST)
    kinds = named["kind"].combine_chunks().dictionary_encode()
    keyed = NodeKeys(named["node"].to_numpy(), kinds, keys)
    ties, own = bench.arrow(found.ties), bench.arrow(found.units)
    made = TokenRows.made(ties, own, keyed, found.roles)
    return made.batches(AT_ONCE).read_all()


def test_every_node_of_every_unit_stands_there_with_its_role():
    table = rows(PAIRS, "c1", "c2", "c3")
    assert table.column_names == list(TOKENS)
    found = {(r["key"], r["unit_id"]): r["role_en"] for r in table.to_pylist()}
    assert found == {
        (token(KEY, "person", "p1"), "c1"): "claimant",
        (token(KEY, "person", "p1"), "c2"): "claimant",
        (token(KEY, "phone", "139"), "c2"): None,
        (token(KEY, "claim", "c1"), "c1"): "claim",
        (token(KEY, "claim", "c2"), "c2"): "claim",
    }


def test_rows_come_by_key_and_unit():
    ids = [f"c{n}" for n in range(20)]
    table = rows(
        [(("claim", unit), ("person", f"p{n % 3}")) for n, unit in enumerate(ids)], *ids
    )
    ends = list(zip(*(table[n].to_pylist() for n in ("key", "unit_id")), strict=True))
    assert ends == sorted(ends)
    assert len(ends) == 40


def test_nodes_of_no_unit_are_left_out():
    assert rows(PAIRS).num_rows == 0


def test_two_spellings_of_a_value_are_found_under_one_key():
    pairs = [(("claim", "c1"), ("company", name)) for name in ("shop a", "Shop A")]
    keys = rows(pairs, "c1")["key"].to_pylist()
    assert sorted(keys) == sorted(
        {token(KEY, "company", "SHOPA"), token(KEY, "claim", "c1")}
    )


def test_two_tied_units_find_each_other():
    found = rows([(("claim", "c1"), ("claim", "c2"))], "c1", "c2").to_pylist()
    ends = {(row["key"], row["unit_id"]) for row in found}
    assert (token(KEY, "claim", "c1"), "c2") in ends
    assert (token(KEY, "claim", "c2"), "c1") in ends


def test_the_same_inputs_give_the_same_rows_in_whatever_order_they_come():
    order = np.random.default_rng(3).permutation(len(PAIRS))
    again = [PAIRS[n] for n in order]
    assert rows(PAIRS, "c1", "c2").equals(rows(again, "c2", "c1"))
