"""Roles and columns that tie the unit to a source."""

import pytest

from configs.keys import KeyProblem, key_pairs
from configs.schema import ModelSpec
from tests.factories import CLAIMS, PERSON, VISITS, declaration

UNIT = ["claim_no", "person", "kind"]


def spec(**changes) -> ModelSpec:
    return ModelSpec.model_validate(declaration(**changes))


@pytest.mark.parametrize(
    ("of", "by", "as_", "pairs"),
    [
        ("visits", ("claimant",), (), [("person", "person")]),
        ("visits", ("claimant",), ("place",), [("person", "place")]),
        ("visits", ("kind",), ("place",), [("kind", "place")]),
        (
            "visits",
            ("claimant", "kind"),
            ("patient", "place"),
            [("person", "person"), ("kind", "place")],
        ),
        ("claims", ("claimant",), (), [("person", "person")]),
        ("claims", ("kind",), (), [("kind", "kind")]),
    ],
)
def test_names_resolve_to_column_pairs(of, by, as_, pairs):
    assert key_pairs(spec(), of, by, as_, UNIT) == pairs


def test_a_column_made_so_far_is_a_key_of_the_units_own_source_alone():
    made = [*UNIT, "made"]
    pairs = key_pairs(spec(), "claims", ("claimant",), ("made",), made)
    assert pairs == [("person", "made")]
    with pytest.raises(KeyProblem, match="'made' is no role or column of visits"):
        key_pairs(spec(), "visits", ("claimant",), ("made",), made)


@pytest.mark.parametrize(
    ("by", "as_", "message"),
    [
        (
            ("claimnt",),
            (),
            "'claimnt' is no role or column of the unit; did you mean 'claimant'?",
        ),
        (
            ("kind",),
            (),
            "no single role of visits matches 'kind' (it has none): say 'as: ...'",
        ),
        (
            ("kind",),
            ("plac",),
            "'plac' is no role or column of visits; did you mean 'place'?",
        ),
        (("kind", "claimant"), ("place",), "'as' names 1 keys, 'by' names 2"),
    ],
)
def test_names_that_lead_nowhere_say_what_is_there(by, as_, message):
    with pytest.raises(KeyProblem) as caught:
        key_pairs(spec(), "visits", by, as_, UNIT)
    assert str(caught.value) == message


def test_two_roles_of_one_entity_must_be_told_apart():
    roles = [*PERSON["from"], {"source": "visits", "id": "place", "role": "nurse"}]
    with pytest.raises(KeyProblem, match="it has patient, nurse"):
        key_pairs(
            spec(entities={"person": {"from": roles}}),
            "visits",
            ("claimant",),
            (),
            UNIT,
        )


def test_protected_column_of_another_source_is_no_key():
    columns = {**VISITS["columns"], "sex": {"type": "category"}}
    changed = spec(sources={"claims": CLAIMS, "visits": {**VISITS, "columns": columns}})
    with pytest.raises(KeyProblem, match="'sex' is no role or column of visits"):
        key_pairs(changed, "visits", ("kind",), ("sex",), UNIT)
