"""A simulated population is put together rightly, again, and as persons judged."""

import copy
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis.expr.types import Table

from configs.errors import LeadlineError
from features.linkage.candidates import Judgement
from features.linkage.records import numbered
from features.linkage.report import report
from features.linkage.resolve import Model, Resolution, Subject, resolve
from flows.bench import Bench
from flows.catalog import Catalog
from tests.features.linkage.registers import (
    POSTED,
    Row,
    cores,
    entities_of_rows,
    people,
    subject,
    told_by,
)
from training.simulation.identifiers import resident_ids

HOME = "绍兴市越城区塔山街道市场路997号7幢201室"
(STOLEN,) = resident_ids(np.array([330602]), np.array(["1975-04-02"], "datetime64[D]"))


def person(record: str, name: str, birth: str, phone: str, **other: str) -> Row:
    told = {"person_id": "", "address": HOME, "posted": POSTED, **other}
    return {"record": record, "name": name, "birth": birth, "phone": phone, **told}


# Twins at home with one phone; a woman whose number a stranger gave.
ELDER = person("L-twin", "褚建国", "1988-02-03", "13911110000")
YOUNGER = person("R-twin", "褚红梅", "1988-02-03", "13911110000")
VICTIM = person(
    *("L-victim", "褚秀英", "1975-04-02", "13911110001"),
    person_id=STOLEN,
    address="绍兴市柯桥区福全街道二环路1172号38幢1603室",
)
THIEF = person(
    *("R-thief", "卫志强", "1990-08-09", "13911110002"),
    person_id=STOLEN,
    address="绍兴市诸暨市枫桥镇工业大道1947号34幢1501室",
)


@dataclass(frozen=True)
class Linked:
    """Both registers, their records and what was made of them."""

    tables: dict[str, Table]
    records: Table
    digest: dict[str, str]  # name -> record
    found: Resolution
    links: pd.DataFrame
    entity: dict[str, str]  # record -> entity_id


def frame(catalog: Catalog, table: Table) -> pd.DataFrame:
    made: pd.DataFrame = catalog.arrow(table).to_pandas()
    return made


def entity_of(catalog: Catalog, found: Resolution) -> dict[str, str]:
    rows = catalog.rows(found.entities)
    return {row["record"]: row["entity_id"] for row in rows}


@pytest.fixture(scope="module")
def population(catalog: Catalog) -> Linked:
    left, right = people().delivered
    tables = dict(cores(catalog, [*left, ELDER, VICTIM], [*right, YOUNGER, THIEF]))
    records = catalog.keep(told_by(catalog, tables), "population")
    named = catalog.rows(records.select("record", "name"))
    found = kept(catalog, resolve(subject(), records, catalog), "population")
    return Linked(
        tables,
        records,
        {row["name"]: row["record"] for row in named},
        found,
        frame(catalog, found.links),
        entity_of(catalog, found),
    )


def kept(catalog: Catalog, found: Resolution, name: str) -> Resolution:
    """Tables that the next resolution does not replace."""
    return Resolution(
        catalog.keep(found.links, f"links_of_{name}"),
        catalog.keep(found.entities, f"entities_of_{name}"),
        found.blocks,
        found.model,
        found.warnings,
    )


def link_between(links: pd.DataFrame, *ends: str) -> Any:
    left, right = sorted(ends)
    (row,) = links[(links["left"] == left) & (links["right"] == right)].to_dict(
        "records"
    )
    return row


def test_the_same_people_of_two_registers_are_found_and_no_others(catalog, population):
    known = people()
    owners: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, who in enumerate((known.left_person, known.right_person)):
        name = ("left", "right")[side]
        of = entities_of_rows(catalog, population.found, population.tables, name)
        rows = known.delivered[side]
        for row, one in zip(rows, who.tolist(), strict=True):
            owners[of[row["record"]]][side].append(one)
    pairs = [(a, b) for left, right in owners.values() for a in left for b in right]
    right_ones = sum(a == b for a, b in pairs)
    both = np.intersect1d(known.left_person, known.right_person)
    assert right_ones / len(pairs) >= 0.99
    assert right_ones / len(both) >= 0.85


def test_records_are_each_in_one_entity_and_links_join_what_is_linked(population):
    links, entity = population.links, population.entity
    assert not links.duplicated(["left", "right"]).any()
    assert (links["left"] < links["right"]).all()
    assert set(links["left"]) | set(links["right"]) <= set(entity)
    accepted = links[links["decision"] == "accepted"]
    together = accepted["left"].map(entity) == accepted["right"].map(entity)
    assert together.all()
    review = links[links["decision"] == "review"]
    assert (review["probability"] < 0.95).all()
    assert set(links["how"]) == {"key", "match"}


def test_twins_at_one_address_are_left_to_a_person(population):
    ends = population.digest["褚建国"], population.digest["褚红梅"]
    row = link_between(population.links, *ends)
    assert (row["decision"], row["how"]) == ("review", "match")
    assert row["probability"] == pytest.approx(0.6)
    assert population.entity[ends[0]] != population.entity[ends[1]]


def test_a_number_with_another_name_and_birth_year_is_for_review(population):
    ends = population.digest["褚秀英"], population.digest["卫志强"]
    row = link_between(population.links, *ends)
    assert (row["decision"], row["how"]) == ("review", "key")
    assert row["probability"] == pytest.approx(0.3)
    names = {population.entity[end] for end in ends}
    assert len(names) == 2
    assert STOLEN in names  # and the other one is not called by the same number


def in_order(catalog: Catalog, found: Resolution) -> list[list[dict[str, Any]]]:
    links = found.links.order_by("left", "right")
    return [catalog.rows(table) for table in (links, found.entities.order_by("record"))]


def test_the_same_records_give_the_same_values_in_any_order(catalog, population):
    turned = catalog.keep(population.records.order_by(ibis.desc("record")), "turned")
    again = resolve(subject(), turned, catalog)
    assert in_order(catalog, again) == in_order(catalog, population.found)
    assert again.model == population.found.model


def test_with_a_model_nothing_is_learnt_and_the_results_agree(
    catalog, population, monkeypatch
):
    monkeypatch.delattr("features.linkage.resolve.trained")
    monkeypatch.delattr("features.linkage.resolve.chosen")
    again = resolve(
        subject(), population.records, catalog, model=population.found.model
    )
    assert in_order(catalog, again) == in_order(catalog, population.found)
    assert again.blocks == population.found.blocks


def test_a_model_of_an_earlier_version_is_read_with_the_conditions_of_this_one(
    catalog, population
):
    """Conditions name columns of the records, which are the program's own."""
    learnt = population.found.model
    stale = copy.deepcopy(learnt.parameters)
    for comparison in stale["comparisons"]:
        for level in comparison["comparison_levels"]:
            level["sql_condition"] = "column_of_old_l = column_of_old_r"
    model = Model(learnt.rules, stale)
    again = resolve(subject(), population.records, catalog, model=model)
    assert in_order(catalog, again) == in_order(catalog, population.found)


def test_a_model_that_was_learnt_with_other_levels_is_refused(catalog, population):
    """Weights of one level would be put on another one."""
    learnt = population.found.model
    other = copy.deepcopy(learnt.parameters)
    other["comparisons"][0]["comparison_levels"][1]["label_for_charts"] = "of old"
    with pytest.raises(LeadlineError, match=r"of old.*train again"):
        resolve(
            subject(), population.records, catalog, model=Model(learnt.rules, other)
        )


def test_an_entity_may_be_called_like_the_units(catalog):
    """A stage's engine drops all states of the units but the newest."""
    who = Subject("units", {"name": "person_name", "birth": "date"}, subject().spec)
    found = resolve(who, table_of(catalog, FEW), Bench(catalog))
    assert len(catalog.rows(found.entities)) == len(FEW)


def test_judgements_override_and_hold_in_the_next_delivery(
    catalog, population, monkeypatch
):
    """A doubtful pair, a linked one, and one that was never compared."""
    monkeypatch.delattr("features.linkage.resolve.trained")
    digest, links = population.digest, population.links
    twins = digest["褚建国"], digest["褚红梅"]
    by_score = links[(links["decision"] == "accepted") & (links["how"] == "match")]
    parted = tuple(by_score.iloc[0][["left", "right"]])
    far = digest["褚秀英"], digest["褚建国"]
    words = [
        Judgement(*twins, same=True),
        Judgement(*parted, same=False),
        Judgement(*far, same=True),
    ]
    left, right = people().delivered
    more = person("R-new", "诸葛明", "2001-01-01", "13911119999")
    tables = cores(catalog, [ELDER, *left[5:], VICTIM], [more, *right, YOUNGER, THIEF])
    records = catalog.keep(told_by(catalog, tables), "next_delivery")

    found = resolve(
        subject(),
        records,
        catalog,
        judgements=words,
        model=population.found.model,
    )

    entity, links = entity_of(catalog, found), frame(catalog, found.links)
    assert set(parted) <= set(entity)
    assert entity[twins[0]] == entity[twins[1]] == entity[far[0]]
    assert entity[far[0]] != entity[digest["卫志强"]]
    assert entity[parted[0]] != entity[parted[1]]
    rows = [link_between(links, *ends) for ends in (twins, parted, far)]
    assert [row["decision"] for row in rows] == ["accepted", "rejected", "accepted"]
    assert {row["how"] for row in rows} == {"judged"}
    assert rows[2]["found_by"] == ""
    told = report(subject(), records, found, catalog)
    assert {"decision": "rejected", "how": "judged", "links": 1} in told["links"]


def table_of(catalog: Catalog, rows: list[dict[str, Any]]) -> Table:
    names = ("record", "_key", "_unique", "name", "birth")
    schema = pa.schema([*((n, pa.string()) for n in names), ("rows", pa.int64())])
    table = catalog.register("few", pa.Table.from_pylist(rows, schema=schema))
    return catalog.keep(numbered(table), "few_numbered")


FEW = [
    {"record": f"r{n}", "rows": 1, "name": name, "birth": birth}
    for n, (name, birth) in enumerate(
        [("张伟", "1990-01-01"), ("李娜", "1985-06-07"), ("王芳", "1970-11-12")]
    )
]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_no_two_records_worth_comparing_is_no_error(catalog, size):
    who = Subject("person", {"name": "person_name", "birth": "date"}, subject().spec)
    records = table_of(catalog, FEW[:size])
    found = resolve(who, records, catalog)
    assert found.model is None
    assert catalog.rows(found.links) == []
    assert len(catalog.rows(found.entities)) == size
    assert {row["entity_id"] for row in catalog.rows(found.entities)} == {
        f"~r{n}" for n in range(size)
    }
    told = report(who, records, found, catalog)
    assert (told["records"], told["entities"]) == (size, size)


def test_a_judgement_ties_two_records_that_nothing_else_compares(catalog):
    who = Subject("person", {"name": "person_name", "birth": "date"}, subject().spec)
    words = [Judgement("r2", "r0", same=True)]
    found = resolve(who, table_of(catalog, FEW), catalog, judgements=words)
    assert entity_of(catalog, found) == {"r0": "~r0", "r1": "~r1", "r2": "~r0"}


def test_the_report_shows_no_whole_name_or_number(catalog, population):
    told = report(subject(), population.records, population.found, catalog)
    rows = {row["record"]: row for row in catalog.rows(population.records)}
    shown = str({name: told[name] for name in ("largest clusters", "doubtful links")})
    assert told["doubtful links"]
    for row in told["doubtful links"]:
        for end in ("left", "right"):
            values = rows[row[end]]
            assert f"{values['name'][0]}***" in row[f"{end}_says"]
            for name in ("id", "name", "birth", "phone", "address"):
                assert values[name] is None or values[name] not in shown


def test_the_report_counts_blocks_sizes_and_links(catalog, population):
    told = report(subject(), population.records, population.found, catalog)
    accepted = population.links[population.links["decision"] == "accepted"]
    assert told["records"] == len(population.entity)
    assert told["entities"] == len(set(population.entity.values()))
    brought = sum(row["links first found"] for row in told["blocks"])
    assert brought == len(accepted)
    assert sum(row["links"] for row in told["links"]) == len(population.links)
    assert sum(row["records"] for row in told["cluster sizes"]) == told["records"]
    largest = told["largest clusters"][0]
    assert largest["records"] == max(
        pd.Series(population.entity.values()).value_counts()
    )
    assert largest["by_key"] + largest["by_match"] == largest["records"] - 1


def test_what_is_learnt_has_no_digit_that_the_order_of_sums_decides(population):
    for comparison in population.found.model.parameters["comparisons"]:
        for level in comparison["comparison_levels"]:
            for name in ("m_probability", "u_probability"):
                value = level.get(name)
                assert value is None or value == float(f"{value:.9g}")
