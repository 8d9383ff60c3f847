"""The links that persons should judge, with what both records say."""

import json

import ibis
import pytest

from configs.schema import ModelSpec
from configs.tables import ENTITY_LINKS
from features.contracts import ibis_schema
from features.linkage.resolve import Subject
from features.linkage.to_judge import sensitive_attributes, to_judge
from flows.catalog import opened
from tests.factories import CLAIMS, declaration

SAYS = {
    "a": ("王芳", "13800000001"),
    "b": ("王方", "13800000001"),
    "c": ("李静", None),
}


@pytest.fixture
def catalog(tmp_path):
    with opened(tmp_path) as engine:
        yield engine


def links(*rows):
    told = [
        ("person", left, right, probability, "match", "name, phone", decision)
        for left, right, probability, decision in rows
    ]
    return ibis.memtable(told, schema=ibis_schema(ENTITY_LINKS))


def judged(catalog, *rows, **more):
    spec = ModelSpec.model_validate(declaration())
    fields = {"name": "person_name", "phone": "phone"}
    subject = Subject("person", fields, spec.entities["person"].link)
    said = [(record, name, phone) for record, (name, phone) in SAYS.items()]
    records = ibis.memtable(
        said, schema={"record": "string", "name": "string", "phone": "string"}
    )
    found = to_judge(
        subject, records, links(*rows), catalog, sensitive={"phone"}, **more
    )
    return found.to_pylist()


def test_the_most_doubtful_comes_first_and_decided_ones_are_left_out(catalog):
    found = judged(
        catalog,
        ("a", "b", 0.93, "review"),
        ("a", "c", 0.52, "review"),
        ("b", "c", 0.99, "accepted"),
        ("b", "a", 0.10, "rejected"),
    )
    assert [(row["left"], row["right"]) for row in found] == [("a", "c"), ("a", "b")]


def test_both_records_tell_all_that_they_know(catalog):
    [found] = judged(catalog, ("a", "c", 0.52, "review"))
    assert json.loads(found["left_says"]) == {"name": "王芳", "phone": "13800000001"}
    assert json.loads(found["right_says"]) == {"name": "李静", "phone": None}
    assert (found["sensitive"], found["found_by"]) == ("phone", "name, phone")


def test_of_many_only_so_many_are_shown(catalog):
    rows = [("a", "b", 0.9, "review"), ("a", "c", 0.6, "review")]
    [found] = judged(catalog, *rows, most=1)
    assert found["right"] == "c"


def test_without_doubts_there_is_an_empty_table(catalog):
    assert judged(catalog, ("a", "b", 0.99, "accepted")) == []


def test_an_attribute_is_sensitive_where_one_source_says_so():
    columns = {**CLAIMS["columns"], "phone": {"type": "phone", "sensitive": True}}
    claims = {**CLAIMS, "columns": columns}
    given = declaration()
    roles = [
        {"source": "claims", "id": "person", "match": {"phone": "phone"}, "role": "x"}
    ]
    given["sources"]["claims"] = claims
    given["entities"] = {"person": {"from": roles}}
    spec = ModelSpec.model_validate(given)
    assert sensitive_attributes(spec, spec.entities["person"]) == {"phone"}
