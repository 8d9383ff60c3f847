"""What a declaration of groups may say."""

import pytest
from pydantic import ValidationError

from configs.network import GroupsSpec
from configs.schema import ModelSpec
from tests.factories import BOTH, declaration

TIED = {
    "kinds": {kind: {"title": BOTH} for kind in ("case", "person")},
    "ties": [
        {"source": "claims", "of": {"case": "claim_no"}, "with": {"person": "person"}}
    ],
}


def refusal(**sections) -> str:
    with pytest.raises(ValidationError) as caught:
        ModelSpec.model_validate(declaration(**sections))
    return str(caught.value)


def test_groups_need_associations():
    assert "got no associations" in refusal(groups={})


def test_an_unknown_kind_is_answered_with_the_nearest():
    said = refusal(groups={"through": ["persn"]}, associations=TIED)
    assert "'persn'; did you mean 'person'?" in said


def test_one_kind_may_be_named_without_a_list():
    sections = {"groups": {"through": "person"}, "associations": TIED}
    spec = ModelSpec.model_validate(declaration(**sections))
    assert spec.groups == GroupsSpec(through=("person",))


def test_sizes_upside_down_are_refused():
    with pytest.raises(ValidationError, match="got 12 and 4"):
        GroupsSpec(min_size=12, max_size=4)
