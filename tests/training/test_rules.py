import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import LeadlineError
from training.fusion import (
    DAMPING,
    RULE_WEIGHT,
    Rule,
    RuleEvidence,
    own_evidence,
    ranks,
)
from training.pridit import Pridit


def table(*rows: tuple[int, ...], codes: str = "ABC") -> pd.DataFrame:
    names = list(codes[: len(rows[0])])
    ids = [f"u{i}" for i in range(len(rows))]
    return pd.DataFrame(np.array(rows, dtype=bool), index=ids, columns=names)


def test_pridit_equals_a_computation_by_hand():
    # Rates 2/5 each, both fire once together: phi = (1/5 - 4/25) / (6/25) = 1/6.
    H = table((1, 1), (1, 0), (0, 1), (0, 0), (0, 0))
    fitted = Pridit().fit(H)
    np.testing.assert_allclose(fitted.weights_, [np.sqrt(0.5)] * 2)
    # Column norm sqrt(5 * 0.4 * 0.6) = sqrt(1.2); RIDIT 0.6 fired, -0.4 not.
    unit = np.sqrt(0.5) / np.sqrt(1.2)
    np.testing.assert_allclose(
        fitted.score(H), np.array([1.2, 0.2, 0.2, -0.8, -0.8]) * unit
    )


def test_pridit_agreeing_flags_outweigh_a_stranger():
    rng = np.random.default_rng(0)
    core = rng.random(2000) < 0.05
    noisy = [core ^ (rng.random(2000) < 0.01) for _ in range(2)]
    H = pd.DataFrame({"A": noisy[0], "B": noisy[1], "C": rng.random(2000) < 0.05})
    weights = Pridit().fit(H).weight_by_code_
    assert min(weights["A"], weights["B"]) > 3 * weights["C"]


@pytest.mark.parametrize(
    "H",
    [
        table((0, 1), (0, 1), (0, 1)),
        pd.DataFrame(index=["u1", "u2"]),
        table((1, 0), (1, 0))[:0],
    ],
    ids=["never and always", "no rules", "no units"],
)
def test_pridit_without_information_scores_zero(H):
    fitted = Pridit().fit(H)
    assert not fitted.score(H).any()
    assert not any(fitted.weight_by_code_.values())


def test_pridit_opposed_flags_never_lower_a_score():
    H = table((1, 0), (1, 0), (0, 1), (0, 1), (1, 0))
    fitted = Pridit().fit(H)
    none, both = fitted.score(table((0, 0), (1, 1)))
    assert (fitted.weights_ >= 0).all()
    assert both > none


def test_pridit_is_frozen_and_free_of_the_batch():
    H = table((1, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0), (0, 0, 1))
    fitted = Pridit().fit(H)
    whole = fitted.score(H)
    alone = [fitted.score(H.iloc[[i]])[0] for i in range(5)]
    np.testing.assert_allclose(whole, alone)
    with pytest.raises(LeadlineError, match="'C' is missing"):
        fitted.score(H[["A", "B"]])


RULES = (
    Rule("S", 1),
    Rule("A", 2, 0.2),
    Rule("B", 2, 0.1),
    Rule("C", 3),
    Rule("D", 4, 0.4),
)


def flags(*fired: str) -> pd.DataFrame:
    return pd.DataFrame({r.code: [r.code in fired] for r in RULES}, index=["u"])


@pytest.fixture(scope="module")
def evidence() -> RuleEvidence:
    none = pd.concat([flags()] * 20)
    return RuleEvidence(RULES, base_rate=0.05).fit(none)


def test_one_rule_alone_gives_its_stated_precision(evidence):
    raised = evidence.score(flags("A"))[0]
    assert raised * 0.95 + 0.05 == pytest.approx(0.2)


def test_no_rule_or_scope_alone_gives_zero(evidence):
    assert evidence.score(flags())[0] == 0
    assert evidence.score(flags("S"))[0] == 0


def test_rules_alone_add_up_and_damped_count_ever_less():
    """The rules order is plain weight of evidence; the fused one trusts it less."""
    none = pd.concat([flags()] * 20)
    evidence = RuleEvidence(RULES, base_rate=0.05).fit(none)
    one = {code: evidence.log_odds(flags(code))[0] for code in "ABD"}
    assert evidence.log_odds(flags("A", "B", "D"))[0] == pytest.approx(
        sum(one.values())
    )
    first, second, third = sorted(one.values(), reverse=True)
    expected = RULE_WEIGHT * (first + DAMPING * second + DAMPING**2 * third)
    assert evidence.damped(flags("A", "B", "D"))[0] == pytest.approx(expected)
    # Beside the detectors even a rule by itself counts for less than it does alone.
    assert evidence.damped(flags("A"))[0] == pytest.approx(RULE_WEIGHT * one["A"])
    assert 0 < RULE_WEIGHT < 1


def test_many_copies_of_a_rule_count_for_little_more_than_three():
    copies = tuple(Rule(f"R{i}", 3, 0.3) for i in range(30))
    H = pd.DataFrame(True, index=["u"], columns=[r.code for r in copies])
    fitted = RuleEvidence(copies).fit(H)
    one = RULE_WEIGHT * fitted.evidence_["R0"]
    assert one < fitted.damped(H)[0] < one / (1 - DAMPING)


def test_rule_that_hits_everybody_says_nothing_unless_stated_otherwise():
    H = table((1, 1), (1, 1))
    fitted = RuleEvidence((Rule("A", 4), Rule("B", 4, 0.3))).fit(H)
    assert fitted.evidence_["A"] == 0
    assert fitted.evidence_["B"] > 0


def test_agreement_tilts_default_evidence_within_bounds():
    rules = tuple(Rule(code, 3) for code in "ABC")
    H = table((1, 0, 0), (0, 1, 0), (0, 0, 1), *[(0, 0, 0)] * 30)
    plain = RuleEvidence(rules).fit(H).evidence_
    tilted = RuleEvidence(rules).fit(H, {"A": 1.0, "B": 0.1, "C": 0.0}).evidence_
    assert tilted["A"] == pytest.approx(1.5 * plain["A"])
    assert tilted["C"] == pytest.approx(0.5 * plain["C"])


def test_a_rule_that_never_fired_leaves_the_others_as_they_were():
    rules = tuple(Rule(code, 3) for code in "ABC")
    H = table((1, 0, 0), (0, 1, 0), *[(0, 0, 0)] * 30)
    weights = Pridit().fit(H).weight_by_code_ | {"A": 0.9, "B": 0.3}
    with_it = RuleEvidence(rules).fit(H, weights).evidence_
    without = RuleEvidence(rules[:2]).fit(H[["A", "B"]], weights).evidence_
    assert {code: with_it[code] for code in "AB"} == without


def test_missing_flag_is_refused(evidence):
    with pytest.raises(LeadlineError, match="rule flag 'D' is missing"):
        evidence.score(flags()[["S", "A", "B", "C"]])


@given(
    fired=st.sets(st.sampled_from("SABCD")),
    more=st.sampled_from("ABCD"),
    score=st.floats(0, 1),
    higher=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_own_evidence_is_monotone_in_rules_and_score(
    evidence, fired, more, score, higher
):
    before = evidence.score(flags(*fired))
    after = evidence.score(flags(*fired, more))
    assert after[0] >= before[0]
    weak, strong = np.array([min(score, higher)]), np.array([max(score, higher)])
    low, high = evidence.damped(flags(*fired)), evidence.damped(flags(*fired, more))
    assert own_evidence(low, weak)[0] <= own_evidence(high, strong)[0] < np.inf


def test_ranks_break_ties_by_unit_id():
    assert ranks(np.array([0.5, 0.9, 0.5]), ["b", "c", "a"]).tolist() == [3, 1, 2]
    assert ranks(np.array([]), []).tolist() == []
