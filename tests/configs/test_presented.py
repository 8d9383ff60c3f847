"""What a list shows beside its scores: whose lead it is, its peers, what data say."""

import copy
from typing import Any

from configs.presented import Peers, column_problems, peers_of, shown_columns
from configs.schema import ModelSpec, RuleSpec
from configs.vocabulary import vocabulary
from tests.factories import CLAIMS, VISITS, declaration, model, rule

STEPS = [{"peers": {"value": "amount", "within": "kind", "min_size": 7}}]


def complaints(unit: dict[str, Any], *features: Any) -> list[str]:
    """What is wrong with a unit whose person is sensitive."""
    declared = declaration(features=list(features) or [{"columns": ["amount"]}])
    declared["unit"] = {**declared["unit"], **unit}
    claims, visits = copy.deepcopy(CLAIMS), copy.deepcopy(VISITS)
    claims["columns"]["person"]["sensitive"] = True  # type: ignore[index]
    visits["columns"]["place"]["sensitive"] = True  # type: ignore[index]
    declared["sources"] = {"claims": claims, "visits": visits}
    spec = ModelSpec.model_validate(declared)
    return [str(problem) for problem in column_problems(spec, vocabulary(spec))]


def peers(*features: Any, **unit: Any) -> Peers | None:
    declared = declaration()["unit"] | unit
    loaded = model(*features, unit=declared)
    return peers_of(loaded.spec, loaded.known)


def test_a_sensitive_column_names_no_office_and_counts_no_leads() -> None:
    found = complaints({"office": "person", "spots": ["kind", "person"]})

    assert found == [
        "unit.office: may not use 'person': it is sensitive",
        "unit.spots[1]: may not use 'person': it is sensitive",
    ]


def test_what_is_taken_or_derived_from_a_sensitive_column_is_refused_too() -> None:
    lookup = {"of": "visits", "by": "claimant", "as": "patient"}
    steps = (
        {"lookup": {**lookup, "take": {"seat": "place"}}},
        {"derive": {"town": {"expression": "if(hurt, seat, 'x')", "feature": False}}},
    )

    found = complaints({"office": "town", "peers": ["seat"]}, *steps)

    assert found == [
        "unit.office: may not use 'town': it is sensitive",
        "unit.peers[0]: may not use 'seat': it is sensitive",
    ]


def test_a_derived_text_may_name_the_office() -> None:
    step = {"derive": {"desk": {"expression": "if(hurt, 'a', 'b')", "feature": False}}}

    assert complaints({"office": "desk", "spots": "kind"}, step) == []


def test_peers_are_those_declared_else_those_of_the_first_step_that_has_any() -> None:
    assert peers(*STEPS) == Peers(("kind",), 7)
    assert peers(*STEPS, peers="person") == Peers(("person",), 20)
    assert peers(*STEPS, peers=[]) is None
    assert peers({"columns": ["amount"]}) is None


def test_peers_that_share_a_sensitive_value_are_not_taken_by_default() -> None:
    claims = copy.deepcopy(CLAIMS)
    claims["columns"]["kind"]["sensitive"] = True  # type: ignore[index]
    loaded = model(*STEPS, sources={"claims": claims, "visits": VISITS})

    assert peers_of(loaded.spec, loaded.known) is None


def test_a_rule_shows_the_columns_of_its_condition_unless_it_names_others() -> None:
    known = model().known
    plain = rule("kind = 'a' and amount > least and not hurt", params={"least": 3})
    lawful = {"en": "x", "zh": "x"}

    def shown(**changes: Any) -> list[str]:
        declared = RuleSpec.model_validate({**plain, **changes})
        return list(shown_columns(declared, known))

    assert shown() == ["kind", "amount", "hurt"]
    assert shown(lawful={**lawful, "shows": ["person"]}) == ["person"]
    assert shown(lawful={**lawful, "shows": []}) == []


def test_at_most_four_columns_of_a_long_condition_are_shown() -> None:
    long = "amount > 1 and hurt and kind = 'a' and person = 'b' and claim_no = 'c'"
    declared = RuleSpec.model_validate(rule(long))

    assert list(shown_columns(declared, model().known)) == [
        "amount",
        "hurt",
        "kind",
        "person",
    ]
