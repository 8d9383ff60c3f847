import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from training.fusion import Rule, RuleEvidence
from training.model import LeadScorer
from training.reorder import Nearest, Population, population
from training.yields import reviewed_units, rule_yields, without_each

RULES = (Rule("S", 1), Rule("A", 2, 0.2), Rule("B", 3, 0.4), Rule("C", 4, 0.3))
NOBODY = pd.DataFrame({"unit_id": [], "label": [], "run_id": [], "group_id": []})


def flags(units: int, **fired: str) -> pd.DataFrame:
    hits = {code: {int(i) for i in listed.split()} for code, listed in fired.items()}
    return pd.DataFrame(
        {r.code: [i in hits.get(r.code, ()) for i in range(units)] for r in RULES},
        index=[f"u{i:02d}" for i in range(units)],
    )


def alone(score: np.ndarray) -> Population:
    """A population in which nobody is like anybody."""
    none = np.zeros((len(score), 1))
    ids = [f"u{i:02d}" for i in range(len(score))]
    return Population(ids, score, Nearest(none.astype(np.intp), none))


def labels(confirmed: str = "", cleared: str = "", ring: str = "") -> pd.DataFrame:
    rows = [(f"u{int(i):02d}", 1.0) for i in confirmed.split()]
    rows += [(f"u{int(i):02d}", 0.0) for i in cleared.split()]
    table = pd.DataFrame(rows, columns=["unit_id", "label"])
    members = {f"u{int(i):02d}": "r" for i in ring.split()}
    return table.assign(run_id="run", group_id=table["unit_id"].map(members))


def yields(H: pd.DataFrame, known: pd.DataFrame, capacity: int = 3) -> pd.DataFrame:
    """Scores fall from unit to unit: the detectors alone show u00, u01, u02."""
    score = np.linspace(0.75, 0.25, len(H))
    evidence = RuleEvidence(RULES).fit(H)
    table = rule_yields(alone(score), H, evidence, known, capacity)
    return table.set_index("code")


def test_what_a_rule_alone_found():
    # u01 the detectors show as well, u05 B hits too.
    found = yields(flags(12, S="0 1 2 3 4 5", A="1 5 6 7", B="5 8"), NOBODY)
    assert found.loc["A", ["hits", "alone"]].tolist() == [4, 2]
    assert found.loc["B", ["hits", "alone"]].tolist() == [2, 1]
    assert found.loc["C", ["hits", "alone"]].tolist() == [0, 0]
    assert list(found.index) == ["A", "B", "C"]


def test_without_reviews_what_they_would_say_is_empty():
    found = yields(flags(12, A="1 5 6"), NOBODY)
    counted = [c for c in found if c.endswith(("_confirmed", "_cleared"))]
    assert len(counted) == 8
    empty = found[[*counted, "precision", "low", "high", "false_leads"]]
    assert empty.isna().all(axis=None)


def test_what_reviews_say_of_a_rule():
    known = labels(confirmed="5 6 7", cleared="8 9", ring="6 7")
    found = yields(flags(12, A="5 6 7 8", B="9"), known)
    rule = found.loc["A"]
    assert rule[["hits_confirmed", "hits_cleared"]].tolist() == [3, 1]
    assert rule[["alone_confirmed", "alone_cleared"]].tolist() == [3, 1]
    assert rule["precision"] == pytest.approx(2 / 3)  # u06 and u07 are one case
    assert rule["low"] < 2 / 3 < rule["high"]
    assert rule["false_leads"] == pytest.approx(1 / 2)
    # B's only judged hit is a false lead: no case to set it against.
    assert found.loc["B", "precision"] == 0
    assert np.isnan(found.loc["B", "false_leads"])
    assert found.loc["C", "hits_confirmed"] == 0


def test_a_model_without_rules_above_the_scope_has_nothing_to_report():
    scope = flags(12, S="0 1")[["S"]]
    evidence = RuleEvidence(RULES[:1]).fit(scope)
    crowd = alone(np.linspace(0.9, 0.1, 12))
    assert rule_yields(crowd, scope, evidence, labels("0", "1"), 3).empty


def test_dropping_the_rule_gives_its_places_to_the_next():
    # B lifts u08 and u09 into the first three, over u01 and u02.
    found = yields(flags(12, B="8 9"), labels(confirmed="8 1", cleared="9 2"))
    rule = found.loc["B"]
    assert rule[["leave", "leave_confirmed", "leave_cleared"]].tolist() == [2, 1, 1]
    assert rule[["enter", "enter_confirmed", "enter_cleared"]].tolist() == [2, 1, 1]


def test_dropping_a_rule_that_never_fired_changes_nothing():
    found = yields(flags(12, A="8 9"), labels(confirmed="8"))
    moved = [c for c in found if c.startswith(("leave", "enter"))]
    assert (found.loc["C", moved] == 0).all()


@given(
    hits=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=5, max_size=30
    ),
    capacity=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_who_leaves_without_a_rule_was_hit_by_it_and_is_replaced(hits, capacity):
    H = pd.DataFrame(hits, columns=list("ABC")).assign(S=True)
    ids = [f"u{i:02d}" for i in range(len(H))]
    evidence = RuleEvidence(RULES).fit(H.set_index(pd.Index(ids)))
    crowd = alone(np.random.default_rng(len(H)).random(len(H)))
    before = crowd.first(crowd.fused(evidence.damped(H), H), capacity)
    for place, code in enumerate("ABC"):
        rest = [c for c in "ABC" if c != code]
        kept = RuleEvidence(tuple(r for r in RULES if r.code != code)).fit(H)
        left = H[[*rest, "S"]]
        after = crowd.first(crowd.fused(kept.damped(left), left), capacity)
        assert not (before & ~after & ~H[code].to_numpy()).any()
        assert before.sum() == after.sum() == min(capacity, len(H))
        nobody = reviewed_units(ids, NOBODY)
        table = without_each(crowd, H, evidence, nobody, capacity)
        assert table.loc[place, "leave"] == (before & ~after).sum()
        assert table.loc[place, "enter"] == table.loc[place, "leave"]


@pytest.fixture(params=["no reviews", "reviews"])
def trained(request, scorer, features, flags) -> LeadScorer:
    """A scorer, and the same one after forty reviews."""
    if request.param == "no reviews":
        return scorer
    y = np.full(len(features), np.nan)
    y[:40] = np.arange(40) % 3 == 0
    return scorer.learn(features, flags, y)


def test_the_order_is_the_scorers_own(trained, features, flags):
    """Trained and scored on the same units, the order recomputed is the published one."""
    scores = trained.score(features, flags)
    damped = trained.evidence_.damped(flags)
    crowd = population(trained, features, flags, scores, damped)
    found = pd.Series(crowd.fused(damped, flags), features.index)
    places = found.rank(ascending=False, method="first")
    published = scores.set_index("unit_id")["rank_fused"]
    assert (places - published.loc[features.index]).abs().max() <= 1


def test_the_learnt_order_follows_the_flags(trained, features, flags):
    """As if the units had been scored with the other flags, but for the reference."""
    other = flags.assign(V4=False, V2=True)
    crowd = population(
        trained, features, flags, trained.score(features, flags),
        trained.evidence_.damped(flags),
    )  # fmt: skip
    found = crowd.fused(trained.evidence_.damped(other), other)
    scored = trained.score(features, other).set_index("unit_id").loc[features.index]
    assert spearmanr(found, scored["fused"]).statistic > 0.99


def test_25_000_units_and_15_rules_take_seconds():
    rng = np.random.default_rng(0)
    rules = tuple(Rule(f"R{i:02d}", 3, 0.3) for i in range(15))
    ids = [f"u{i:05d}" for i in range(25_000)]
    H = pd.DataFrame(
        rng.random((25_000, 15)) < 0.02, index=ids, columns=[r.code for r in rules]
    )
    rows = rng.integers(0, 25_000, (25_000, 10))
    crowd = Population(ids, rng.random(25_000), Nearest(rows, np.full(rows.shape, 0.1)))
    known = pd.DataFrame(
        {"unit_id": ids[:500], "label": rng.integers(0, 2, 500)}
    ).assign(run_id="run", group_id=None)
    started = time.process_time()
    table = rule_yields(crowd, H, RuleEvidence(rules).fit(H), known, 40)
    assert len(table) == 15
    assert time.process_time() - started < 5
