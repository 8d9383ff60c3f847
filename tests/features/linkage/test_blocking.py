"""Which records are compared: counts, values too common, rules as declared."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from configs.errors import LeadlineError
from configs.linkage import PARTS, parts_of
from configs.network import LinkSpec
from features.linkage.blocking import (
    KEY_RULE,
    TOTAL,
    Block,
    candidates,
    chosen,
    coded,
    counted,
    lessons,
    pairs,
)
from features.linkage.grouping import once
from features.linkage.names import KEY, NUMBER, ROWS, UNIQUE
from features.linkage.parts import READERS, with_parts

SIZE, SPEC = 160, LinkSpec(max_block=12)
FIELDS = {"name": "person_name", "phone": "phone", "birth": "date", "town": "category"}
RULES = [
    ("_key",),
    ("phone",),
    ("name",),
    ("name_first", "birth_month"),
    ("town", "name"),
]


@pytest.fixture(scope="module")
def rows():
    """Few values each; some unknown, some empty, one town that most share."""
    rng = np.random.default_rng(2)

    def some(values, weights=None):
        drawn = rng.choice(np.array([*values, "", "?"]), SIZE, p=weights)
        return [None if value == "?" else str(value) for value in drawn]

    days = [f"19{80 + n % 4}-0{1 + n % 3}-1{n % 10}" for n in range(12)]
    return {
        NUMBER: list(range(SIZE)),
        ROWS: [1] * SIZE,
        KEY: some([f"k{n}" for n in range(70)]),
        UNIQUE: [None] * (SIZE - 20) + ["list"] * 20,
        "name": some(["王伟", "王芳", "李娜", "李强", "张敏", "张磊", "欧阳修"] * 3),
        "phone": some([f"1380000{n:04d}" for n in range(60)]),
        "birth": some(days),
        "town": some(["a", "b", "c"], [0.8, 0.05, 0.05, 0.05, 0.05]),
    }


@pytest.fixture(scope="module")
def table(catalog, rows):
    made = with_parts(catalog.register("blocked", pa.table(rows)), FIELDS, catalog)
    return catalog.keep(made, "blocked_parts")


@pytest.fixture(scope="module")
def codes(catalog, table):
    every = [*RULES, *candidates(FIELDS, SPEC), ("birth_month", "name_sound")]
    return coded(table, every, catalog, "blocked_codes")


@pytest.fixture(scope="module")
def values(catalog, table):
    found = catalog.arrow(table.order_by(NUMBER)).to_pydict()
    return {rule: list(zip(*(found[p] for p in rule), strict=True)) for rule in RULES}


def agreeing(values):
    """Pairs that agree in all attributes, and records whose value too many share."""
    known = {n: value for n, value in enumerate(values) if all(value)}
    shared = Counter(known.values())
    common = {value for value, count in shared.items() if count > SPEC.max_block}
    places = defaultdict(list)
    for n, value in known.items():
        if value not in common:
            places[value].append(n)
    pairs = {pair for members in places.values() for pair in combinations(members, 2)}
    return pairs, sum(shared[value] for value in common)


@pytest.mark.parametrize("rule", RULES)
def test_pairs_and_records_left_out_are_counted_as_by_hand(
    catalog, codes, values, rule
):
    pairs, left_out = agreeing(values[rule])
    (block,) = counted(codes, [rule], SPEC, catalog)
    assert (block.pairs, block.left_out) == (len(pairs), left_out)
    assert pairs or left_out


def test_a_value_that_too_many_share_is_left_out(values):
    assert agreeing(values[("name",)])[1] > SPEC.max_block
    assert agreeing(values[("phone",)])[1] == 0


def test_pairs_are_those_that_agree_and_can_be_one_each_by_the_first_rule(
    catalog, codes, rows, values
):
    table, blocks = pairs(codes, RULES, SPEC, catalog)
    assert blocks == counted(codes, RULES, SPEC, catalog)
    told = catalog.arrow(table).to_pylist()
    found = {(row["join_key_l"], row["join_key_r"]): row["match_key"] for row in told}
    keys, lists = ([v or None for v in rows[name]] for name in (KEY, UNIQUE))
    expected = {}
    for place, rule in enumerate(RULES):
        for left, right in agreeing(values[rule])[0]:
            other = keys[left] and keys[right] and keys[left] != keys[right]
            listed = lists[left] and lists[left] == lists[right]
            if not (other or listed):
                expected.setdefault((left, right), place)
    assert len(told) == len(found)
    assert found == expected
    assert len(set(found.values())) > 3


def test_pairs_of_more_records_than_can_be_numbered_are_refused():
    ends = [tuple(pa.chunked_array([[end]]) for end in (0, 1_000_000_000))]
    with pytest.raises(LeadlineError, match="at most 619,925,131 records are allowed"):
        once(ends, 24)
    assert [side.tolist() for side in once(ends, 2)] == [[0], [1_000_000_000], [0]]


def test_lessons_are_whole_values_of_a_share_of_each_block(catalog, codes, values):
    phone = Block(("phone",), 1, 0)
    day = Block(("name_first", "birth_month"), 1, 0)
    whole, half = (
        catalog.arrow(lessons(codes, shares, SPEC, catalog)).to_pandas()
        for shares in ({phone: 1.0, day: 1.0}, {phone: 0.5})
    )
    pairs, _ = agreeing(values[("phone",)])
    taught = whole.dropna(subset="_lesson0").set_index(NUMBER)["_lesson0"]
    assert set(taught.index) == {number for pair in pairs for number in pair}
    assert all(
        taught[left] == taught[right] == min(taught.index[taught == taught[left]])
        for left, right in pairs
    )
    assert whole["_lesson1"].notna().any()
    drawn = half.set_index(NUMBER)["_lesson0"]
    assert 0 < len(drawn) < len(taught)
    assert drawn.to_dict() == taught[taught.isin(set(drawn))].to_dict()


def test_two_attributes_that_say_the_same_do_not_cancel_out(catalog):
    """Else all records with such pairs of values would share one value."""
    said = ["a", "b", "c", None, "d"] * 2
    none = pa.nulls(10, pa.string())
    told = {
        NUMBER: range(10),
        ROWS: range(10),
        KEY: none,
        UNIQUE: none,
        "x": said,
        "y": said,
    }
    table = catalog.register("twice", pa.table(told))
    (block,) = counted(
        coded(table, [("x", "y")], catalog, "twice_codes"), [("x", "y")], SPEC, catalog
    )
    assert (block.pairs, block.left_out) == (4, 0)


def test_declared_rules_are_used_as_given(catalog, codes):
    declared = (("town", "name"), ("birth_month", "name_sound"))
    spec = LinkSpec(block=declared, max_block=12)
    rules = candidates(FIELDS, spec)
    assert rules == [KEY_RULE, *declared]
    assert [b.rule for b in chosen(codes, rules, spec, catalog, FIELDS)] == rules


def test_a_rule_whose_pairs_another_one_brings_is_not_chosen(catalog, codes):
    rules = [("phone",), ("phone", "name"), ("name",), ("name", "birth")]
    found = [block.rule for block in chosen(codes, rules, SPEC, catalog, FIELDS)]
    assert ("phone",) in found
    assert ("phone", "name") not in found
    assert ("name", "birth") in found  # the name alone leaves records out


def test_rules_together_stay_affordable(catalog, codes, monkeypatch):
    rules = candidates(FIELDS, SPEC)
    every = chosen(codes, rules, SPEC, catalog, FIELDS)
    affordable = max(block.pairs for block in every) // 2
    monkeypatch.setattr("features.linkage.blocking.FEW_PAIRS", affordable)
    monkeypatch.setattr("features.linkage.blocking.PAIRS_PER_RECORD", 0)
    few = chosen(codes, rules, SPEC, catalog, FIELDS)
    assert 0 < len(few) < len(every)
    assert max(block.pairs for block in few) <= affordable
    assert sum(block.pairs for block in few) <= TOTAL * affordable


def test_telling_attributes_stand_alone_and_others_in_pairs():
    rules = candidates(FIELDS, LinkSpec())
    assert ("phone",) in rules
    assert ("name_sound", "birth_day") in rules
    assert ("phone", "name") not in rules
    assert not [r for r in rules if len(r) == 2 and r[0][:4] == r[1][:4]]


def test_every_part_that_may_be_declared_is_made(catalog):
    kinds = {**PARTS, "category": ()}
    fields = {f"x_{kind}": kind for kind in kinds}
    none = pa.table({name: pa.array([None], pa.string()) for name in fields})
    made = with_parts(catalog.register("empty_parts", none), fields, catalog)
    for name in fields:
        assert set(parts_of(name, fields)) <= set(made.columns)
    named = {kind: set(parts) - {"sound"} for kind, parts in PARTS.items()}
    assert {kind: set(readers) for kind, readers in READERS.items()} == named
