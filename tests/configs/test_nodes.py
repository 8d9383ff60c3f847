"""Which node of the associations an entity is."""

import pytest

from configs.nodes import entity_kind
from configs.schema import ModelSpec
from tests.factories import BOTH, declaration

CLAIM_TIED = {"source": "claims", "of": {"claim": "claim_no"}}


def kind(**tied: str) -> str | None:
    """The kind of `person`, with ties of claims to these kinds of nodes."""
    kinds = {name: {"title": BOTH} for name in ("claim", *tied)}
    ties = [CLAIM_TIED | {"with": tied}] if tied else []
    if not ties:
        kinds |= {"place": {"title": BOTH}}
        ties = [CLAIM_TIED | {"with": {"place": "kind"}}]
    declared = declaration(associations={"kinds": kinds, "ties": ties})
    spec = ModelSpec.model_validate(declared)
    return entity_kind(spec, "person", {"claim_no", "person", "kind"})


def test_an_entity_is_the_node_of_its_name():
    assert kind(person="claimant") == "person"
    assert kind(person="claimant", payee="person") == "person"


def test_an_entity_may_be_called_otherwise_by_ties():
    assert kind(citizen="claimant") == "citizen"


@pytest.mark.parametrize("tied", [{}, {"citizen": "claimant", "payee": "person"}])
def test_an_entity_of_no_single_kind_is_no_node(tied):
    assert kind(**tied) is None
