"""Values that would link everybody or nobody are named, masked and left out."""

import time
from collections.abc import Mapping

import pyarrow as pa
import pytest
from ibis.expr.types import Table

from configs.network import LinkSpec
from configs.schema import ColumnType
from features.linkage.names import KEY
from features.linkage.records import numbered
from features.linkage.resolve import Resolution, Subject, resolve
from features.linkage.suspects import FEW, without_suspects
from flows.catalog import Catalog

SPEC = LinkSpec()
FIELDS: dict[str, ColumnType] = {
    "id": "person_id",
    "name": "person_name",
    "phone": "phone",
    "birth": "date",
}
NUMBER = "330106199001011237"
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静磊洋艳勇军"
MANY = 200_000


def record(n: int, **values: str | None) -> dict[str, str | int | None]:
    """A person like nobody else."""
    row = {
        "id": None,
        "name": SURNAMES[n % 10] + GIVEN[n // 10 % 10] + GIVEN[n // 100 % 10],
        "phone": f"139{n:08d}",
        "birth": f"{1930 + n // 300}-{1 + n // 25 % 12:02d}-{1 + n % 25:02d}",
        "rows": 1,
        **values,
    }
    return {"record": f"r{n:06d}", KEY: row["id"], "_unique": None, **row}


def table(catalog: Catalog, rows: list[dict[str, str | int | None]]) -> Table:
    texts = ("record", KEY, "_unique", *FIELDS)
    schema = pa.schema([*((n, pa.string()) for n in texts), ("rows", pa.int64())])
    return catalog.register("people", pa.Table.from_pylist(rows, schema=schema))


def cleared(
    catalog: Catalog, rows: list[dict[str, str | int | None]]
) -> tuple[Mapping[str, list[str | None]], set[str], list[str]]:
    made, dropped, said = without_suspects(
        "person", table(catalog, rows), FIELDS, SPEC, catalog
    )
    return catalog.arrow(made.order_by("record")).to_pydict(), dropped, said


def resolved(
    catalog: Catalog, rows: Table, fields: Mapping[str, ColumnType]
) -> Resolution:
    told = catalog.keep(numbered(rows), "numbered")
    return resolve(Subject("person", fields, SPEC), told, catalog)


def test_people_unlike_each_other_give_no_warning(catalog):
    values, dropped, said = cleared(catalog, [record(n) for n in range(FEW + 1)])
    assert said == []
    assert dropped == set()
    assert values["phone"] == [f"139{n:08d}" for n in range(FEW + 1)]


def test_an_identifier_that_is_one_value_in_all_rows_is_named_and_links_nobody(catalog):
    rows = [record(n, id=NUMBER) for n in range(60)]
    values, dropped, said = cleared(catalog, rows)
    assert said == [
        "person.id: all 60 records that have one say 330***; it is not used to link"
    ]
    assert dropped == {"id"}
    assert set(values["id"]) == set(values[KEY]) == {None}
    found = resolved(catalog, table(catalog, rows), FIELDS)
    assert found.warnings == tuple(said)
    assert catalog.rows(found.links) == []
    entities = catalog.rows(found.entities)
    assert {row["entity_id"] for row in entities} == {f"~r{n:06d}" for n in range(60)}


def test_an_identifier_of_more_records_than_one_person_has_is_taken_out(catalog):
    some = [record(n, id=NUMBER) for n in range(SPEC.max_block + 1)]
    others = [record(300 + n, id=f"x{n}") for n in range(5)]
    values, dropped, said = cleared(catalog, [*some, *others])
    assert said == ["person.id: 330*** in 201 records; such values link nobody"]
    assert dropped == set()
    assert values["id"] == values[KEY] == [None] * 201 + [f"x{n}" for n in range(5)]


def test_as_many_records_as_one_person_may_have_are_kept(catalog):
    rows = [record(n, phone="13900001111") for n in range(SPEC.max_block)]
    _, _, said = cleared(catalog, [*rows, record(300)])
    assert said == []


def garbled(text: str) -> str:
    """UTF-8 read as GBK."""
    return text.encode().decode("gbk", "replace")


def test_names_in_a_wrong_encoding_are_not_used(catalog):
    rows = [record(n) for n in range(60)]
    bad = [{**row, "name": garbled(str(row["name"]))} for row in rows[:20]]
    values, dropped, said = cleared(catalog, [*bad, *rows[20:]])
    assert said == [
        "person.name: 33% of 60 values look wrongly encoded; it is not used to link: "
        "deliver the table as UTF-8 or GB18030"
    ]
    assert dropped == {"name"}
    assert set(values["name"]) == {None}


def test_few_garbled_names_are_let_through(catalog):
    rows = [record(n) for n in range(60)]
    rows[0]["name"] = garbled(str(rows[0]["name"]))
    _, dropped, said = cleared(catalog, rows)
    assert (dropped, said) == (set(), [])


def test_a_constant_name_is_masked_after_its_first_character(catalog):
    _, _, said = cleared(catalog, [record(n, name="张三") for n in range(60)])
    assert said == [
        "person.name: all 60 records that have one say 张***; it is not used to link"
    ]


def test_among_few_records_one_value_for_all_is_no_sign(catalog):
    _, dropped, said = cleared(
        catalog, [record(n, phone="13900001111") for n in range(FEW - 1)]
    )
    assert (dropped, said) == (set(), [])


@pytest.mark.parametrize(
    ("share", "warning"),
    [
        (
            MANY,
            "person.phone: all 200,000 records that have one say 139***; it is not used "
            "to link",
        ),
        (
            MANY - 1000,
            "person.phone: 139*** in 199,000 records; such values link nobody",
        ),
    ],
)
def test_one_phone_on_two_hundred_thousand_rows_is_named_in_seconds(
    catalog, share, warning
):
    rows = catalog.sql(
        "many",
        f"""SELECT printf('r%06d', n) AS record, NULL::VARCHAR AS {KEY},
            NULL::VARCHAR AS _unique, 1::BIGINT AS rows,
            chr(19968 + n::INTEGER % 5000) || chr(20000 + n::INTEGER // 5000) AS name,
            CASE WHEN n < {share} THEN '13900001111'
            ELSE printf('138%08d', n) END AS phone
        FROM range({MANY}) AS t(n)""",
    )
    started = time.process_time()
    found = resolved(catalog, rows, {"name": "person_name", "phone": "phone"})
    assert time.process_time() - started < 20
    assert found.warnings == (warning,)
    assert catalog.rows(found.links) == []
    assert (
        catalog.rows(found.entities.aggregate(n=found.entities["entity_id"].nunique()))[
            0
        ]["n"]
        == MANY
    )
