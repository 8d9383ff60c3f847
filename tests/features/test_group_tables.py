"""What is published of a group: numbers, reasons, ties, and what nobody may read."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from configs.network import GroupsSpec
from configs.privacy import sensitive_columns, sensitive_kinds
from configs.tables import PUBLISHED
from features.association_tables import association_tables
from features.group_ties import MOST
from features.ties import labelled, unit_kind, wording
from tests.factories import BOTH, CLAIMS, VISITS, model
from tests.features.tied import (
    WORDS,
    associations,
    nodes_of,
    ranked,
    tied,
    tied_from,
    units_of,
)

SHOP, EMPLOYEE = ("company", "Shop"), ("person", "330602-a")
MEMBERS = [f"c{number}" for number in range(4)]
PAIRS = [
    *[(("claim", name), SHOP) for name in MEMBERS],
    *[(("claim", name), EMPLOYEE) for name in MEMBERS[:2]],
    (("claim", MEMBERS[2]), ("person", "330602-b")),
    (("claim", MEMBERS[3]), ("person", "330602-c")),
    (EMPLOYEE, SHOP),
    (("person", "330602-b"), ("household", "h")),
    (("person", "330602-c"), ("household", "h")),
    (("person", "330602-b"), ("phone", "own")),
]
HITS = [(name, "V1", 1) for name in MEMBERS] + [
    *[(name, "V10", 2) for name in MEMBERS[:3]],
    *[(name, "V9", 2) for name in MEMBERS[:2]],
    (MEMBERS[0], "V2", 2),
]


def hits(unit_ids: pa.Array, rows=tuple(HITS)) -> pa.Table:
    """Those of some units."""
    keys = {"unit_id": pa.string(), "code": pa.string(), "layer": pa.int64()}
    rows = [dict(zip(keys, row, strict=True)) for row in rows]
    found = pa.Table.from_pylist(rows, pa.schema(keys))
    return found.filter(pc.is_in(found["unit_id"], value_set=unit_ids))


def published(pairs=PAIRS, others=96, sensitive=None, **spec) -> dict[str, pa.Table]:
    """One group of four claims among a hundred that nothing else ties."""
    found = tied(pairs)
    if sensitive is not None:
        words = {**WORDS.__dict__, "sensitive": frozenset(sensitive)}
        found = replace(found, wording=type(WORDS)(**words))
    order = [*MEMBERS, *(f"n{number}" for number in range(others))]
    declared = GroupsSpec(suspects=0.04, **spec)
    units, explained = units_of(found, ranked(order)), nodes_of(found, MEMBERS[:3])
    return association_tables(found, units, hits, explained, declared)


def rows(name: str, **spec) -> list[dict]:
    return published(**spec)[name].to_pylist()


def test_tables_have_the_columns_and_types_of_their_contracts():
    for name, table in published().items():
        types = {c: pa.type_for_alias(kind) for c, kind in PUBLISHED[name].items()}
        assert table.schema.remove_metadata() == pa.schema(types)
        assert table.num_rows


def test_a_group_is_described_by_its_counts():
    (group,) = rows("groups")
    assert group["group_id"] == "G001"
    assert (group["rank"], group["units"], group["money"]) == (1, 4, 400.0)
    assert 0 < group["score"] < 1
    assert group["density"] == 1.0  # all of them share the shop
    assert group["title"] == "Shop"
    assert group["codes"] == "V9,V10"  # by half of them; scope is no news
    assert group["reason_en"] == (
        "Of 4 members, 4 share company Shop; 2 share person 330***·1; "
        "2 are among the 2% most suspect; 3 fired V10"
    )
    assert group["reason_zh"] == (
        "4个成员中，4个关联同一company中“Shop”；2个关联同一person中“330***·1”；"
        "2个位列最可疑的2%；3个触发规则V10"
    )


def test_density_counts_pairs_that_share_something():
    chain = [
        (("claim", name), ("person", f"p{place + step}"))
        for place, name in enumerate(MEMBERS)
        for step in (0, 1)
    ]
    (group,) = rows("groups", pairs=chain)
    assert group["density"] == pytest.approx(3 / 6)


def test_members_stand_in_the_order_of_their_ranks():
    found = [(row["position"], row["unit_id"]) for row in rows("group_members")]
    assert found == list(enumerate(MEMBERS, 1))


def test_ties_name_what_several_share_and_what_ties_the_points():
    ends = {(row["left"], row["right"]) for row in rows("group_ties", sensitive=())}
    assert ends == {
        *{(name, "Shop") for name in MEMBERS},
        *{(name, "330602-a") for name in MEMBERS[:2]},
        ("Shop", "330602-a"),  # the claimant works there
        ("h", "330602-b"),  # two claimants of one household
        ("h", "330602-c"),
        ("c2", "330602-b"),  # with whom they hang on the members
        ("c3", "330602-c"),
    }


def test_ties_come_by_worth_and_no_more_than_anybody_reads():
    many = [
        (("claim", name), ("phone", f"t{number}"))
        for name in MEMBERS
        for number in range(80)
    ]
    found = rows("group_ties", pairs=[*PAIRS, *many])
    assert [row["position"] for row in found] == list(range(1, MOST + 1))
    first = rows("group_ties")[0]
    assert (first["left_kind"], first["right_kind"]) == ("company", "person")


def test_a_tie_tells_its_source_department_role_and_dates():
    by_end = {(r["left_kind"], r["right_kind"]): r for r in rows("group_ties")}
    claimant = by_end["claim", "person"]
    assert (claimant["role_en"], claimant["role_zh"]) == ("claimant", "claimant中")
    assert claimant["department_en"] == "office"
    assert claimant["row_key"].startswith("r")
    assert claimant["known_at"] is not None
    assert by_end["claim", "company"]["role_en"] is None


def test_no_table_shows_a_sensitive_value():
    tables = published()
    text = "\n".join(str(table.to_pylist()) for table in tables.values())
    assert "330602" not in text
    assert "330***" in text
    assert "330602" in "".join(
        str(t.to_pylist()) for t in published(sensitive=()).values()
    )


def test_masked_nodes_stay_apart_and_keep_their_number_in_all_tables():
    kinds = pa.array(["person", "person", "phone", "person", "company", "person"])
    values = pa.array(["330a", "330b", "330c", "330a", "330d", "440x"])
    shown = labelled(kinds, values, {"person", "phone"})
    assert shown.to_pylist() == [
        "330***·1",
        "330***·2",
        "330***",
        "330***·1",
        "330d",
        "440***",
    ]
    tables = published()
    claimant = {row["right"] for row in tables["group_ties"].to_pylist()}
    passed = {row["right"] for row in tables["paths"].to_pylist()}
    assert "330***·1" in claimant & passed


def test_only_the_declared_kinds_tie_and_title():
    (group,) = rows("groups", through=("person",), min_size=2)
    assert group["units"] == 2
    assert group["title"] == "330***"


def test_a_model_without_groups_still_has_paths():
    of = tied(PAIRS)
    leads = nodes_of(of, MEMBERS)
    found = association_tables(of, units_of(of, ranked(MEMBERS)), hits, leads, None)
    assert found["paths"].num_rows
    assert found["groups"].num_rows == 0
    assert found["groups"].schema.names == list(PUBLISHED["groups"])


def test_money_is_null_where_no_member_has_any():
    units = ranked([*MEMBERS, *(f"n{number}" for number in range(96))])
    units = units.set_column(2, "money", pa.nulls(100, pa.float64()))
    of, declared = tied(PAIRS), GroupsSpec(suspects=0.04)
    leads = nodes_of(of, MEMBERS)
    found = association_tables(of, units_of(of, units), hits, leads, declared)
    assert found["groups"]["money"].to_pylist() == [None]


def declared_model():
    claims = {
        **CLAIMS,
        "columns": {**CLAIMS["columns"], "person": {"type": "id", "sensitive": True}},
    }
    kinds = {kind: {"title": BOTH} for kind in ("case", "person", "place", "home")}
    person = {
        "from": [
            {"source": "claims", "id": "person", "role": "claimant", "title": BOTH},
            {"source": "visits", "id": "person", "role": "patient"},
        ]
    }
    ties = [
        {
            "source": "claims",
            "of": {"case": "claim_no"},
            "with": {"person": "claimant", "home": "flat"},
        },
        {"source": "visits", "of": {"person": "patient"}, "with": {"place": "place"}},
    ]
    return model(
        {
            "lookup": {
                "of": "visits",
                "by": "claimant",
                "as": "patient",
                "take": {"seen": "place"},
            }
        },
        {
            "derive": {
                "flat": {"expression": "coalesce(person, seen)", "feature": False}
            }
        },
        sources={"claims": claims, "visits": VISITS},
        entities={"person": person},
        associations={"kinds": kinds, "ties": ties},
    )


def test_what_is_sensitive_follows_from_the_columns_and_what_is_made_of_them():
    spec = declared_model().spec
    assert sensitive_columns(spec, "claims") == {"person", "flat"}
    assert sensitive_kinds(spec) == {"person", "home"}


def test_words_come_from_the_declaration():
    loaded = declared_model()
    words = wording(loaded)
    assert unit_kind(loaded.spec) == words.unit == "case"
    assert set(words.kinds) == {"case", "person", "place", "home"}
    assert words.roles["claims", "case", "person"].en == "word"
    assert ("visits", "person", "place") not in words.roles  # nothing is said of it
    assert words.departments["visits"].en == "word"


def test_between_picks_the_surest_row_of_a_pair():
    rows = associations(PAIRS)
    doubt = rows.set_column(9, "probability", pa.array([0.5] * len(rows)))
    doubt = doubt.set_column(4, "source", pa.array(["a"] * len(rows)))
    both = tied_from(pa.concat_tables([doubt, rows]))
    first = both.tables.numbers_of("claim", pa.array(["c0", "c1"]))
    second = both.tables.numbers_of("company", pa.array(["Shop", "Shop"]))
    found = both.tables.between(first, second)
    assert found["source"].to_pylist() == ["register"] * 2
    assert found["left"].to_pylist() == ["c0", "c1"]
    turned = both.shown(found, second).to_pylist()[0]
    assert (turned["left"], turned["right"]) == ("Shop", "c0")
