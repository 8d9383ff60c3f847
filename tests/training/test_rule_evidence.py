import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from training.fusion import Rule, RuleEvidence
from training.rule_evidence import (
    DEFAULT_STRENGTH,
    STATED_STRENGTH,
    precision_from_reviews,
    reviewed_hits,
    share_interval,
)

RULES = (Rule("S", 1), Rule("A", 2, 0.2), Rule("B", 3), Rule("C", 4, 0.5))
UNITS = [f"u{i}" for i in range(40)]


def flags(**fired: str) -> pd.DataFrame:
    """Each rule with the units that it hit: `A='0 1 2'`."""
    hits = {code: {f"u{i}" for i in listed.split()} for code, listed in fired.items()}
    return pd.DataFrame(
        {r.code: [u in hits.get(r.code, ()) for u in UNITS] for r in RULES},
        index=UNITS,
    )


def judged(confirmed: str = "", cleared: str = "", **rings: str) -> pd.DataFrame:
    """LABELS of the units listed; `r1='0 1'` says that two of them are one ring."""
    rows = [(f"u{i}", 1.0) for i in confirmed.split()]
    rows += [(f"u{i}", 0.0) for i in cleared.split()]
    ring = {f"u{i}": name for name, members in rings.items() for i in members.split()}
    table = pd.DataFrame(rows, columns=["unit_id", "label"])
    return table.assign(run_id="run", group_id=table["unit_id"].map(ring))


def learnt(H: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    found = precision_from_reviews(RuleEvidence(RULES).fit(H), H, labels)
    return found.set_index("code")


def test_posterior_equals_a_computation_by_hand():
    H = flags(A="0 1 2 3 4", C="4 5")
    rule = learnt(H, judged(confirmed="0 1 2", cleared="3")).loc["A"]
    assert (rule["judged"], rule["confirmed"], rule["prior"]) == (4, 3, 0.2)
    assert rule["precision"] == pytest.approx(
        (0.2 * STATED_STRENGTH + 3) / (STATED_STRENGTH + 4)
    )
    low, high = beta.ppf(
        [0.025, 0.975], 0.2 * STATED_STRENGTH + 3, 0.8 * STATED_STRENGTH + 1
    )
    assert (rule["low"], rule["high"]) == pytest.approx((low, high))


def test_scope_rules_are_not_judged_and_a_rule_without_reviews_keeps_its_prior():
    found = learnt(flags(S="0 1", A="0 1"), judged(confirmed="0 1"))
    assert list(found.index) == ["A", "B", "C"]
    assert found.loc["C", "precision"] == 0.5
    assert found.loc["C", "judged"] == 0


def test_without_reviews_nothing_changes():
    H = flags(A="0 1", B="1 2 3", C="5")
    plain = RuleEvidence(RULES).fit(H, {"A": 0.9, "B": 0.1, "C": 0.4})
    found = precision_from_reviews(plain, H, judged())
    taught = dict(zip(found["code"], found["precision"], strict=True))
    again = RuleEvidence(RULES).fit(H, reviewed=taught)
    assert again.evidence_ == pytest.approx(plain.evidence_)


def test_an_unstated_rule_begins_from_its_layer_and_yields_sooner():
    H = flags(B="0 1 2 3")
    rule = learnt(H, judged(cleared="0 1 2 3")).loc["B"]
    # Hits of a tenth could be right in a fifth of the cases: the layer says less.
    assert rule["prior"] == pytest.approx(0.12)
    assert rule["precision"] == pytest.approx(
        0.12 * DEFAULT_STRENGTH / (DEFAULT_STRENGTH + 4)
    )


def test_a_ring_counts_once():
    H = flags(A="0 1 2 3 4 5")
    ring = learnt(H, judged("0 1 2 3", "4 5", r="0 1 2 3")).loc["A"]
    alone = learnt(H, judged("0", "4 5")).loc["A"]
    assert ring["judged"] == pytest.approx(3)
    assert ring["precision"] == pytest.approx(alone["precision"])


def test_only_the_members_that_the_rule_hit_share_its_one_case():
    H = flags(A="0 1 2", C="2")
    found = learnt(H, judged("0 1 2", r="0 1 2"))
    assert found.loc["A", "judged"] == pytest.approx(1)
    assert found.loc["C", "judged"] == pytest.approx(1)


def test_a_ring_judged_in_two_ways_counts_in_parts():
    found = learnt(flags(A="0 1 2 3"), judged("0", "1 2 3", r="0 1 2 3"))
    assert found.loc["A", "judged"] == pytest.approx(1)
    assert found.loc["A", "confirmed"] == pytest.approx(0.25)


def test_rings_of_two_runs_are_two_whatever_their_numbers():
    labels = judged("0 1", r="0 1").assign(run_id=["first", "second"])
    counts = reviewed_hits(["A"], flags(A="0 1"), labels)
    assert counts.loc[0, "judged"] == 2


def test_undecided_and_unknown_units_are_no_reviews():
    labels = judged("0 1")
    labels.loc[len(labels)] = ["u2", np.nan, "run", None]
    labels.loc[len(labels)] = ["stranger", 1.0, "run", None]
    counts = reviewed_hits(["A"], flags(A="0 1 2"), labels)
    assert counts.loc[0, "judged"] == 2


def test_evidence_follows_a_precision_given_and_is_never_negative():
    H = flags(A="0 1 2")
    plain = RuleEvidence(RULES).fit(H)
    assert RuleEvidence(RULES).fit(H, reviewed={"A": 0.2}).evidence_ == plain.evidence_
    surer = RuleEvidence(RULES).fit(H, reviewed={"A": 0.4}).evidence_
    assert surer["A"] > plain.evidence_["A"]
    assert surer["B"] == plain.evidence_["B"]
    assert RuleEvidence(RULES).fit(H, reviewed={"A": 0.001}).evidence_["A"] == 0


@given(
    labels=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30),
    more=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_confirmed_hit_raises_and_a_cleared_one_lowers(labels, more):
    rows = [(f"u{i}", float(y), "run", f"g{g}") for i, (y, g) in enumerate(labels)]
    before = pd.DataFrame(rows, columns=["unit_id", "label", "run_id", "group_id"])
    last = pd.DataFrame([("u39", float(more), "run", "own")], columns=before.columns)
    after = pd.concat([before, last])
    H = flags(A=" ".join(map(str, range(40))))
    first, then = (learnt(H, t.astype({"label": float})) for t in (before, after))
    change = then.loc["A", "precision"] - first.loc["A", "precision"]
    assert change > 0 if more else change < 0
    assert then.loc["A", "low"] <= then.loc["A", "precision"] <= then.loc["A", "high"]


def test_interval_of_a_share_takes_parts_and_edges():
    low, high = share_interval(np.array([0, 2.5, 5, 0]), np.array([5, 5, 5, 0]))
    assert low[0] == 0
    assert high[2] == 1
    assert low[1] < 0.5 < high[1]
    assert (low[3], high[3]) == (0, 1)
