"""What is wrong with attributes to match is said with the file, line and nearest name."""

from pathlib import Path
from typing import Any

import pytest

from configs.loading import load_model
from tests.configs.test_loading import complaint, written
from tests.factories import CLAIMS, VISITS, declaration

CLAIM_MATCH = {"name": "name", "birth": "birth"}
VISIT_MATCH = {"name": "name", "birth": "born"}


def declared(**changes: Any) -> dict[str, Any]:
    """Claimants and patients, compared by name and birth date."""
    person = {"type": "person_name"}
    claims = CLAIMS["columns"] | {"name": person, "birth": {"type": "date"}}
    visits = VISITS["columns"] | {"name": person, "born": {"type": "date"}}
    visits |= {"seen": {"type": "timestamp"}, "masked": {"type": "id"}}
    claimant = {"source": "claims", "id": "person", "role": "claimant"}
    patient = {"source": "visits", "id": "person", "role": "patient"}
    roles = [
        {**claimant, "match": CLAIM_MATCH} | changes.get("claimant", {}),
        {**patient, "match": VISIT_MATCH} | changes.get("patient", {}),
    ]
    return declaration(
        sources={
            "claims": {**CLAIMS, "columns": claims},
            "visits": {**VISITS, "columns": visits},
        },
        entities={"person": {"from": roles, "link": changes.get("link", {})}},
    )


def test_attributes_parts_and_the_identifier_may_block(tmp_path: Path) -> None:
    block = [["id"], ["name_sound", "birth_month"], ["name", "birth"]]
    written(tmp_path, declared(link={"block": block}))
    loaded = load_model("tiny", tmp_path)
    assert [list(rule) for rule in loaded.spec.entities["person"].link.block] == block


PROBLEMS = {
    "an attribute that no role has": (
        {"link": {"block": [["name"], ["name", "brith"]]}},
        "entities.person.link.block[1][1]: no attribute or part 'brith'; did you mean "
        "'birth'?",
    ),
    "a part that there is not": (
        {"link": {"block": [["birth_mont", "name"]]}},
        "entities.person.link.block[0][0]: no attribute or part 'birth_mont'; did you "
        "mean 'birth_month'?",
    ),
    "a column instead of its attribute": (
        {"link": {"block": [["born"]]}},
        "entities.person.link.block[0][0]: no attribute or part 'born'; known: birth, "
        "birth_day, birth_month, id, name, name_first, name_sound",
    ),
    "a block of nothing": (
        {"link": {"block": [[]]}},
        "entities.person.link.block[0]: Tuple should have at least 1 item after "
        "validation, not 0",
    ),
    "one attribute of two types": (
        {"patient": {"match": {"name": "name", "birth": "seen"}}},
        "entities.person.from[1].match.birth: visits.seen is of type timestamp, but "
        "'birth' of claims is of type date: declare one type for both",
    ),
    "identifiers of two types": (
        {"patient": {"id": "name"}},
        "entities.person.from[1].id: visits.name is of type person_name, but 'id' of "
        "claims is of type id: declare one type for both",
    ),
    "a second identifier": (
        {"patient": {"match": {"name": "name", "id": "masked"}}},
        "entities.person.from[1].match.id: the role's id is the attribute 'id' already",
    ),
    "a word of the records' own": (
        {"claimant": {"match": {"name": "name", "rows": "kind"}}},
        "entities.person.from[0].match.rows: 'rows' is a word of the records' own: "
        "rename it",
    ),
    "the name of another attribute's part": (
        {"claimant": {"match": {"name": "name", "name_first": "kind"}}},
        "entities.person.from[0].match.name_first: 'name_first' is made of 'name' "
        "already: rename it",
    ),
    "the name of the days of another attribute": (
        {"claimant": {"match": {"birth": "birth", "birth_days": "kind"}}},
        "entities.person.from[0].match.birth_days: 'birth_days' is made of 'birth' "
        "already: rename it",
    ),
}


@pytest.mark.parametrize(("changes", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_cannot_be_compared_is_named(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, declared(**changes)) / "model.yaml"
    found = [row for row in complaint(tmp_path) if message in row]
    assert found, complaint(tmp_path)
    file, line, _ = found[0].split(":", 2)
    assert file == str(path)
    assert int(line) > 1


def test_identifiers_alone_may_differ_in_type(tmp_path: Path) -> None:
    """Nothing is compared; what ties rows by identifier is checked elsewhere."""
    written(
        tmp_path, declared(claimant={"match": {}}, patient={"match": {}, "id": "name"})
    )
    assert not load_model("tiny", tmp_path).spec.entities["person"].is_linked


def test_a_masked_number_may_be_compared_where_a_role_has_no_identifier(
    tmp_path: Path,
) -> None:
    patient = {"id": None, "match": {"id": "masked", **VISIT_MATCH}}
    written(tmp_path, declared(patient=patient))
    assert load_model("tiny", tmp_path).spec.entities["person"].is_linked
