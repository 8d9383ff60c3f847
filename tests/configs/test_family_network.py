"""Mistakes in ties, network and path steps are named, and what is right gets words."""

import pytest
from pydantic import ValidationError

from configs.network import PathSpec
from tests.factories import BOTH, CLAIMS, VISITS, declaration, model, problems

KIND = {"title": BOTH}
PHONE = {"title": {"en": "phone", "zh": "电话"}}
COLUMNS = {**CLAIMS["columns"], "phone": {"type": "id"}}
SOURCES = {"claims": {**CLAIMS, "columns": COLUMNS}, "visits": VISITS}
TITLE = {"en": "claimant", "zh": "索赔人"}
ENTITIES = {
    "person": {
        "from": [
            {"source": "claims", "id": "person", "role": "claimant", "title": TITLE},
            {"source": "visits", "id": "person", "role": "patient"},
        ]
    }
}
PLACE = {"title": {"en": "place", "zh": "地点"}}
KINDS = {"claim": KIND, "person": KIND, "phone": PHONE, "place": PLACE}
OF_CLAIM = {"source": "claims", "of": {"claim": "claim_no"}}
TIES = [
    {**OF_CLAIM, "with": {"person": "claimant", "phone": "phone"}},
    {"source": "visits", "of": {"person": "patient"}, "with": {"place": "place"}},
]
NETWORK = {"of": "claimant", "kind": "person", "stats": "degree"}
PATH = {
    "from": {"person": "claimant"},
    "to": {"phone": "phone"},
    "through": ["person", "place"],
    "named": "near",
}
MARKED = {"source": "visits", "by": "patient"}


def said(*features, kinds=KINDS, ties=TIES):
    """The problems of a model with these steps and ties."""
    return problems(
        *(features or ({"columns": ["amount"]},)),
        sources=SOURCES,
        entities=ENTITIES,
        associations={"kinds": kinds, "ties": ties},
    )


def tie(**changes):
    return {**TIES[0], **changes}


REFUSED_TIES = {
    "unknown source": (
        [tie(source="claim"), *TIES],
        "associations.ties[0].source: unknown source 'claim'; did you mean 'claims'?",
    ),
    "unknown kind": (
        [tie(**{"with": {"persons": "claimant"}}), *TIES],
        "associations.ties[0].with: unknown kind 'persons'; did you mean 'person'?",
    ),
    "unknown role": (
        [tie(**{"with": {"person": "claimnt"}}), *TIES],
        "associations.ties[0].with.person: 'claimnt' is no role or column of the unit;"
        " did you mean 'claimant'?"
        " (ties use columns made before the first network or path step)",
    ),
    "unknown column of another source": (
        [*TIES, {**TIES[1], "of": {"person": "patent"}}],
        "associations.ties[2].of.person: 'patent' is no role or column of visits;"
        " did you mean 'patient'?",
    ),
    "protected column": (
        [tie(**{"with": {"person": "sex"}}), *TIES],
        "associations.ties[0].with.person: 'sex' is no role or column of the unit;",
    ),
    "condition that is none": (
        [tie(where="amount"), *TIES],
        "associations.ties[0].where: must be boolean, got a number",
    ),
    "tie to itself": (
        [tie(**{"with": {"person": ["claim_no"]}}), *TIES],
        "associations.ties[0]: ties 'claim_no' to itself; name another column",
    ),
    "kind that nothing ties": (
        TIES[:1],
        "associations.kinds.place: no tie has this kind; known: claim, person, phone",
    ),
}


@pytest.mark.parametrize(
    ("ties", "message"), REFUSED_TIES.values(), ids=REFUSED_TIES.keys()
)
def test_mistakes_in_ties_are_named(ties, message):
    [problem] = said(ties=ties)
    assert problem.startswith(message)


def test_all_mistakes_are_collected_once():
    steps = [{"network": NETWORK}, {"network": {**NETWORK, "named": "again"}}]
    bad = tie(**{"with": {"person": "nobody", "phon": "phone"}}, where="amount")
    assert len(said(*steps, ties=[bad, *TIES])) == 3


def test_ties_may_use_columns_made_before_the_first_step_that_needs_them():
    derive = {
        "derive": {"who": {"expression": "coalesce(person, kind)", "feature": False}}
    }
    ties = [tie(**{"with": {"person": "who"}}), *TIES]
    assert said(derive, {"network": NETWORK}, ties=ties) == []
    assert said(derive, ties=ties) == []
    [problem] = said({"network": NETWORK}, derive, ties=ties)
    assert "'who' is no role or column of the unit" in problem


REFUSED_STEPS = {
    "unknown kind": (
        {"network": {**NETWORK, "kind": "persn"}},
        "network.of: unknown kind 'persn'; did you mean 'person'?",
    ),
    "unknown role": (
        {"network": {**NETWORK, "of": "claiment"}},
        "network.of: 'claiment' is no role or column of the unit;"
        " did you mean 'claimant'?",
    ),
    "another kind": (
        {"network": {**NETWORK, "of": "phone"}},
        "network.of: 'phone' is a phone, not a person",
    ),
    "unknown kind on the way": (
        {"network": {**NETWORK, "through": "phnoe"}},
        "network.through: unknown kind 'phnoe'; did you mean 'phone'?",
    ),
    "kinds on the way that nothing ties it to": (
        {"network": {**NETWORK, "through": "phone"}},
        "network.through: no tie ties a person to any of it",
    ),
    "unknown source of confirmations": (
        {
            "network": {
                **NETWORK,
                "stats": "confirmed_share",
                "confirmed": {**MARKED, "source": "visit"},
            }
        },
        "network.confirmed.source: unknown source 'visit'; did you mean 'visits'?",
    ),
    "confirmations of another kind": (
        {
            "network": {
                **NETWORK,
                "stats": "confirmed_share",
                "confirmed": {**MARKED, "by": "place"},
            }
        },
        "network.confirmed.by: 'place' is a place, not a person",
    ),
    "condition that is none": (
        {
            "network": {
                **NETWORK,
                "stats": "confirmed_share",
                "confirmed": {**MARKED, "where": "cost"},
            }
        },
        "network.confirmed.where: must be boolean, got a number",
    ),
    "path from another kind": (
        {"path": {**PATH, "from": {"place": "claimant"}}},
        "path.from: 'claimant' is a person, not a place",
    ),
    "path to nothing": (
        {"path": {**PATH, "to": {"phone": "fone"}}},
        "path.to: 'fone' is no role or column of the unit; did you mean 'phone'?",
    ),
    "path to marks of no known kind": (
        {"path": {**PATH, "to": {"source": "visits", "by": "cost"}}},
        "path.to.by: 'cost' of visits is of no single kind (no tie names it):"
        " say 'kind: ...'; known: claim, person, phone, place",
    ),
    "path through its own unit": (
        {"path": {**PATH, "through": "claim"}},
        "path: the unit's own row ties both ends, so the way says nothing:"
        " leave the unit's kind out of 'through', or take another end",
    ),
}


@pytest.mark.parametrize(
    ("step", "message"), REFUSED_STEPS.values(), ids=REFUSED_STEPS.keys()
)
def test_mistakes_in_steps_are_named(step, message):
    assert said(step) == [f"features[0].{message}"]


@pytest.mark.parametrize("step", [{"network": NETWORK}, {"path": PATH}])
def test_a_step_needs_associations(step):
    [problem] = problems(step, sources=SOURCES, entities=ENTITIES)
    assert problem.endswith("needs a section associations: it says what ties whom")


def test_confirmed_share_and_confirmations_go_together():
    steps = [{"network": {**NETWORK, "stats": "confirmed_share"}}]
    with pytest.raises(ValidationError, match="go together"):
        model(*steps, associations={"kinds": KINDS, "ties": TIES})


@pytest.mark.parametrize(
    "end", [{"person": "claimant", "phone": "phone"}, {}, {"by": "patient"}]
)
def test_a_path_ends_at_one_node_or_where_a_source_marks(end):
    with pytest.raises(ValidationError):
        PathSpec.model_validate({**PATH, "to": end})
    marked = PathSpec.model_validate({**PATH, "to": MARKED})
    assert PathSpec.model_validate(marked.model_dump(by_alias=True)) == marked


def test_columns_have_names_words_and_units_in_both_languages():
    stats = ["degree", "core_number", "confirmed_share"]
    few = ["degree", "core_number"]
    network = {**NETWORK, "stats": stats, "confirmed": MARKED}
    path = {**PATH, "to": {**MARKED, "kind": "person"}}
    loaded = model(
        {"network": network},
        {"network": {**NETWORK, "through": "place", "named": "seen", "stats": few}},
        {"path": path},
        sources=SOURCES,
        entities=ENTITIES,
        associations={"kinds": KINDS, "ties": TIES},
    )
    features = {column.name: column for column in loaded.known.features}
    assert list(features) == [
        "claimant_degree_claim",
        "claimant_degree_place",
        "claimant_core_number",
        "claimant_confirmed_share",
        "seen_degree_place",
        "seen_core_number",
        "near_closeness",
    ]
    assert features["claimant_confirmed_share"].unit == "share"
    assert features["claimant_confirmed_share"].source == "visits"
    assert "claimant" in features["near_closeness"].meaning.en
    assert "索赔人" in features["near_closeness"].meaning.zh
    told = {column.meaning.en for column in features.values()}
    assert len(told) == len(features) - 1  # the same degree by two names


def test_the_shared_declaration_has_no_ties():
    """The other tests' tiny model stays what it is."""
    assert "associations" not in declaration()
