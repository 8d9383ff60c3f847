"""Distinct records of an entity: what they say, what they are called, who has none."""

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from configs.tables import ENTITIES
from features.contracts import conform
from features.linkage.names import NUMBER, OWN
from features.linkage.records import is_renamed, linked, renamed
from features.links import STRONG, SURE
from flows.catalog import Catalog
from tests.factories import BOTH, model
from tests.features.linkage.registers import (
    LOADED,
    POSTED,
    cores,
    declared,
    subject,
    told,
)
from training.simulation.identifiers import resident_ids

VALID, OTHER = resident_ids(
    np.full(2, 330106), np.array(["1990-01-01", "1985-05-05"], "datetime64[D]")
)
MASKED = VALID[:6] + "********" + VALID[-4:]
LI = {
    "record": "1",
    "posted": POSTED,
    "person_id": VALID,
    "name": "李伟",
    "birth": "1990-01-01",
    "phone": "13800001111",
    "address": "越城区塔山街道市场路97号7幢201室",
}
LI_SAYS = ("id", "name", "birth", "phone", "address")


def said(catalog: Catalog, left, right=(), loaded=LOADED) -> list[dict]:
    rows = catalog.rows(told(catalog, left, right, loaded).order_by("record"))
    assert len({row["record"] for row in rows}) == len(rows)
    return rows


def digests(catalog: Catalog, left, right=(), loaded=LOADED) -> list[str]:
    return [row["record"] for row in said(catalog, left, right, loaded)]


def test_rows_that_say_the_same_are_one_record_whatever_source_and_spelling(catalog):
    spelt = {
        **LI,
        "name": " 李　伟",
        "birth": "1990/1/1",
        "phone": "+86 138-0000-1111",
    }
    (row,) = said(catalog, [LI, {**LI, "record": "2"}], [spelt])
    assert row["rows"] == 3
    assert row["_key"] == row["id"] == VALID
    assert (row["name"], row["birth"], row["phone"]) == (
        *("李伟", "1990-01-01", "13800001111"),
    )


def test_a_record_has_the_same_digest_in_any_order_company_and_source(catalog):
    one = {**LI, "person_id": ""}
    others = [{**LI, "record": str(n), "name": f"李{n}"} for n in range(2, 6)]
    (alone,) = digests(catalog, [], [one])
    first = digests(catalog, [one, *others], others)
    assert alone in first
    assert digests(catalog, [*reversed(others), one]) == first
    assert len(alone) == 20


def test_each_value_makes_another_record(catalog):
    other = {
        "person_id": OTHER,
        "name": "王芳",
        "birth": "1985-05-05",
        "phone": "13900002222",
        "address": "柯桥区福全街道二环路172号38幢1603室",
    }
    changed = [{**LI, name: v} for name in other for v in (other[name], "")]
    rows = [{**row, "record": str(n)} for n, row in enumerate([LI, *changed])]
    assert len(said(catalog, rows)) == 11


def test_no_value_is_read_as_the_end_of_another_one(catalog):
    texts = {"source": "left", "match": {"a": "note", "b": "remark"}, "role": "person"}
    columns = {name: {"type": "string"} for name in ("note", "remark")}
    columns |= {"record": {"type": "id"}, "posted": {"type": "date"}}
    source = {
        "table": "left",
        "title": BOTH,
        "department": BOTH,
        "key": "record",
        "known_at": "posted",
        "columns": columns,
    }
    loaded = model(
        {"columns": []},
        unit={"name": "row", "title": BOTH, "source": "left", "key": "record"},
        sources={"left": source, "right": source},
        entities={"person": {"from": [texts]}},
    )
    rows = [
        {"record": "1", "posted": POSTED, "note": "x\ny", "remark": "z"},
        {"record": "2", "posted": POSTED, "note": "x", "remark": "y\nz"},
    ]
    assert len(said(catalog, rows, loaded=loaded)) == 2


def test_rows_that_are_posted_later_are_not_there(catalog):
    later = {**LI, "record": "2", "posted": "2024-07-02"}
    (row,) = said(catalog, [LI, later], [{**later, "name": "王芳"}])
    assert (row["name"], row["rows"]) == ("李伟", 1)


def test_what_tells_too_little_is_no_record(catalog):
    telling = [
        {"person_id": OTHER},
        {"person_id": MASKED, "name": "李伟"},
        {"name": "李伟", "birth": "1990-01-01"},
        {"name": "李伟", "phone": "13800001111"},
    ]
    too_little = [
        {"person_id": MASKED},
        {"name": "李伟"},
        {"name": "李伟", "phone": "0000"},  # which is none
        {},
    ]
    rows = [
        {"record": str(n), "posted": POSTED, **values}
        for n, values in enumerate([*telling, *too_little])
    ]
    found = [{n: row[n] for n in LI_SAYS if row[n]} for row in said(catalog, rows)]
    expected = [
        {n.replace("person_id", "id"): v for n, v in row.items()} for row in telling
    ]
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_two_registers_may_give_their_role_one_name(catalog):
    rows = said(catalog, [LI], [{**LI, "name": "李炜"}])
    assert len({row["_unique"] for row in rows}) == 2
    loose = said(catalog, [LI], loaded=declared(unique=False))
    assert [row["_unique"] for row in loose] == [None]


def others(
    catalog: Catalog, records: Table, entity_id: str, *, own: bool = False
) -> Table:
    """The renamed ones of records, the first of which is of this entity."""
    row = {
        "entity": "person",
        "record": "",
        "entity_id": entity_id,
        "rows": 1,
        "probability": 0.75,
        "flag": "",
        NUMBER: 0,
        OWN: own,
    }
    made = catalog.register("entities_by_hand", pa.Table.from_pylist([row]))
    entities = conform(made, ENTITIES, NUMBER, OWN)
    fields = [n for n in LI_SAYS if n in records.columns]
    return renamed(records, entities, fields)


def test_linked_rows_have_their_entity_beside_the_right_column(catalog):
    """One of three rows is a record of an entity; one is not known yet, one tells nobody."""
    rows = [
        LI,
        {**LI, "record": "2", "person_id": OTHER, "posted": "2024-07-02"},
        {"record": "3", "posted": POSTED, "name": "李伟"},
    ]
    tables = cores(catalog, rows)
    found = others(catalog, told(catalog, rows), "~e")
    role, fields = LOADED.spec.entities["person"].roles[0], subject().fields
    assert len(catalog.rows(is_renamed(tables["left"], role, fields, found))) == 1
    made = linked(tables["left"], role, fields, found)
    found = catalog.rows(made.order_by("record"))
    key, sure = STRONG + "person_id", SURE + "person_id"
    assert [row[key] for row in found] == ["~e", OTHER, None]
    assert [row[sure] for row in found] == [0.75, 1.0, 1.0]
    assert [row["person_id"] for row in found] == [VALID, OTHER, None]
    assert set(made.columns) == {*tables["left"].columns, sure}


def test_a_row_whose_entity_is_called_by_its_own_identifier_is_surely_its_row(catalog):
    """However sure it is that another record, of whom nobody knows the number, is his."""
    tables = cores(catalog, [LI])
    found = others(catalog, told(catalog, [LI]), VALID, own=True)
    role, fields = LOADED.spec.entities["person"].roles[0], subject().fields
    assert catalog.rows(is_renamed(tables["left"], role, fields, found)) == []
    (row,) = catalog.rows(linked(tables["left"], role, fields, found))
    assert row[STRONG + "person_id"] == VALID
    assert row[SURE + "person_id"] == 1.0


def test_a_role_without_identifier_has_its_entity_beside_its_first_column(catalog):
    loaded = declared(id=None)
    tables = cores(catalog, [LI], loaded=loaded)
    found = others(catalog, told(catalog, [LI], loaded=loaded), "~e")
    role = loaded.spec.entities["person"].roles[0]
    fields = subject(loaded=loaded).fields
    (row,) = catalog.rows(linked(tables["left"], role, fields, found))
    assert row[STRONG + "name"] == "~e"
    assert row[STRONG + "person_id"] == VALID
