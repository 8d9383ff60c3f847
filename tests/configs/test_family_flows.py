"""Mistakes in concentration, flows and rotation are named; what is right gets words."""

import pytest
from pydantic import ValidationError

from configs.network import ConcentrationSpec, FlowsSpec
from tests.factories import CLAIMS, PERSON, VISITS, model, problems

SHARE = {
    "of": "visits",
    "by": "claimant",
    "over": "place",
    "stats": "hhi",
    "named": "c",
}
FLOWS = {"of": "visits", "by": "claimant", "from": "patient", "to": "place"} | {
    "stats": "reciprocity",
    "named": "f",
}
TURNS = {"of": "visits", "by": "claimant", "party": "patient", "contest": "place"} | {
    "won": "paid",
    "stats": "rotation",
    "named": "r",
}
MISTAKES = {
    "source": (
        {"concentration": {**SHARE, "of": "visit"}},
        "concentration: unknown source 'visit'; did you mean 'visits'?",
    ),
    "key": (
        {"concentration": {**SHARE, "by": "claimnt"}},
        "concentration: 'claimnt' is no role or column of the unit; "
        "did you mean 'claimant'?",
    ),
    "value": (
        {"concentration": {**SHARE, "over": "plase"}},
        "concentration.over: unknown name 'plase'; did you mean 'place'?",
    ),
    "weight": (
        {"concentration": {**SHARE, "weight": "place"}},
        "concentration.weight: must be number, got a text",
    ),
    "condition": (
        {"concentration": {**SHARE, "where": "cost"}},
        "concentration.where: must be boolean, got a number",
    ),
    "no own value": (
        {"concentration": {**SHARE, "stats": "own_share"}},
        "concentration: own_share of visits needs own:, the unit's value of over",
    ),
    "own value of another kind": (
        {"concentration": {**SHARE, "stats": "own_share", "own": "amount"}},
        "concentration.own: must be text, got a number",
    ),
    "protected value": (
        {"concentration": {**SHARE, "of": "claims", "over": "sex"}},
        "concentration.over: 'sex' is protected or excluded by privacy and never scored",
    ),
    "payer": (
        {"flows": {**FLOWS, "from": "patint"}},
        "flows: 'patint' is no role or column of visits; did you mean 'patient'?",
    ),
    "payee": (
        {"flows": {**FLOWS, "to": "plce"}},
        "flows: 'plce' is no role or column of visits; did you mean 'place'?",
    ),
    "party of the unit": (
        {"flows": {**FLOWS, "by": "persn"}},
        "flows: 'persn' is no role or column of the unit; did you mean 'person'?",
    ),
    "amount": (
        {"flows": {**FLOWS, "amount": "paid"}},
        "flows.amount: must be number, got a boolean",
    ),
    "contest": (
        {"rotation": {**TURNS, "contest": "plce"}},
        "rotation: 'plce' is no role or column of visits; did you mean 'place'?",
    ),
    "outcome": (
        {"rotation": {**TURNS, "won": "cost"}},
        "rotation.won: must be boolean, got a number",
    ),
}


@pytest.mark.parametrize(("step", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_what_is_near(step, message):
    assert problems(step) == [f"features[0].{message}"]


def test_turns_need_a_date():
    undated = {name: VISITS[name] for name in VISITS if name not in ("at", "known_at")}
    sources = {"claims": CLAIMS, "visits": undated}
    found = problems({"rotation": TURNS}, sources=sources)
    assert found == [
        "features[0].rotation: visits declares neither at nor known_at: no turns in time"
    ]
    wins = {**TURNS, "stats": ["rivals", "win_share"]}
    assert problems({"rotation": wins}, sources=sources) == []


def test_own_without_its_statistic_and_two_equal_ends_are_refused():
    with pytest.raises(ValidationError, match="own: goes with the stat own_share"):
        ConcentrationSpec.model_validate({**SHARE, "own": "kind"})
    with pytest.raises(ValidationError, match="from and to must differ, got patient"):
        FlowsSpec.model_validate({**FLOWS, "to": "patient"})


def test_names_twice_are_refused():
    found = problems({"concentration": SHARE}, {"concentration": SHARE})
    assert found == [
        "features[1].concentration: 'c_hhi' exists already (concentration)"
    ]


def test_columns_say_what_they_mean_in_both_languages():
    place = {
        **VISITS["columns"]["place"],
        "meaning": {"en": "clinic", "zh": "诊所"},
    }
    visits = {**VISITS, "columns": {**VISITS["columns"], "place": place}}
    first, *others = PERSON["from"]
    titled = {**first, "title": {"en": "claimant", "zh": "索赔人"}}
    loaded = model(
        {"concentration": {**SHARE, "stats": ["top_share", "hhi"]}},
        {"flows": {**FLOWS, "stats": ["circle_size"]}},
        {"rotation": {**TURNS, "stats": ["turns"]}},
        sources={"claims": CLAIMS, "visits": visits},
        entities={"person": {"from": [titled, *others]}},
    )
    said = {c.name: (c.unit, c.meaning.en, c.meaning.zh) for c in loaded.known.features}
    assert said == {
        "c_top_share": (
            "share",
            "word, same claimant: largest share of one clinic",
            "词，同一索赔人：同一诊所的最大占比",
        ),
        "c_hhi": (
            "index",
            "word, same claimant: concentration by clinic (Herfindahl-Hirschman index, "
            "1 = one alone)",
            "词，同一索赔人：诊所的集中度（赫芬达尔-赫希曼指数，1为仅一种）",
        ),
        "f_circle_size": (
            "count",
            "word, claimant: parties in its circle of payments (1 = no circle)",
            "词，索赔人：所在资金回路的成员数（1为无回路）",
        ),
        "r_turns": (
            "count",
            "word, claimant: most times that the winner switched between it and one rival",
            "词，索赔人：与单一对手轮流胜出的最多次数",
        ),
    }
