import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.fusion import Rule
from training.reorder import Nearest, Population
from training.rule_changes import Past, RuleSet, compared, hit_changes, list_changes

UNITS = [f"u{i:02d}" for i in range(12)]
A, B, C = Rule("A", 2, 0.3), Rule("B", 3, 0.4), Rule("C", 4, 0.5)
SCOPE = Rule("S", 1)


def rules(*listed: Rule, **fired: str) -> RuleSet:
    hits = {code: {int(i) for i in text.split()} for code, text in fired.items()}
    flags = {r.code: [i in hits.get(r.code, ()) for i in range(12)] for r in listed}
    return RuleSet(listed, pd.DataFrame(flags, index=UNITS))


def past(confirmed: str = "", cleared: str = "", ring: str = "") -> Past:
    """The detectors rank u00 first and u11 last; nobody is like anybody."""
    none = np.zeros((12, 1))
    crowd = Population(
        UNITS, np.linspace(0.75, 0.25, 12), Nearest(none.astype(np.intp), none)
    )
    rows = [(UNITS[int(i)], 1.0) for i in confirmed.split()]
    rows += [(UNITS[int(i)], 0.0) for i in cleared.split()]
    labels = pd.DataFrame(rows, columns=["unit_id", "label"])
    members = {UNITS[int(i)]: "r" for i in ring.split()}
    labels = labels.assign(run_id="run", group_id=labels["unit_id"].map(members))
    return Past(crowd, np.arange(12) * 100.0, labels, capacity=2)


def test_hits_before_and_after_against_what_people_said():
    known = past(confirmed="1 2 5", cleared="3 4 6")
    before, after = (np.isin(range(12), hit) for hit in ([1, 2, 3, 4], [2, 4, 5, 6, 7]))
    found = hit_changes(known, before, after)
    assert (found["hits_before"], found["hits_after"]) == (4, 5)
    assert [found[f"confirmed_{n}"] for n in ("kept", "lost", "gained")] == [1, 1, 1]
    assert [found[f"cleared_{n}"] for n in ("kept", "avoided", "added")] == [1, 1, 1]
    assert found["new_unjudged"] == 1
    assert (found["precision_before"], found["precision_after"]) == (0.5, 0.5)
    assert found["low_before"] < 0.5 < found["high_before"]


def test_a_ring_counts_once_in_a_precision():
    before, after = (np.isin(range(12), hit) for hit in ([1, 2, 3, 4], [4]))
    found = hit_changes(past("1 2 3", "4", ring="1 2 3"), before, after)
    assert found["precision_before"] == pytest.approx(0.5)
    assert found["precision_after"] == 0


def test_without_judged_hits_there_is_no_precision():
    found = hit_changes(past(), *(np.isin(range(12), hit) for hit in ([1], [2])))
    assert found["precision_before"] is found["confirmed_kept"] is None
    assert (found["hits_after"], found["new_unjudged"]) == (1, 1)
    assert found["high_after"] is None


def test_who_enters_and_leaves_both_orders_with_money():
    before, after = rules(A, A="8 9"), rules(A, A="9 10")
    orders = {r["order"]: r for r in list_changes(past("8", "10"), before, after)}
    by_rules = orders["rules"]
    assert (by_rules["stay"], by_rules["enter"], by_rules["leave"]) == (1, 1, 1)
    assert (by_rules["enter_money"], by_rules["leave_money"]) == (1000, 800)
    assert (by_rules["leave_confirmed"], by_rules["enter_cleared"]) == (1, 1)
    assert by_rules["enter_unjudged"] == 0
    # The detectors keep u00 first; the other place was u08's and goes to u01 or u09.
    assert orders["fused"]["leave"] == orders["fused"]["enter"] == 1


def test_the_rules_order_ends_where_no_rule_says_anything():
    orders = list_changes(past(), rules(A, A="8 9"), rules(A, A="9"))
    by_rules = orders[0]
    assert (by_rules["enter"], by_rules["leave"], by_rules["stay"]) == (0, 1, 1)


def test_each_changed_rule_by_itself_and_all_together():
    before = rules(A, B, A="8 9", B="3")
    after = rules(A, C, A="9", C="5 6")
    rows = {r["code"]: r for r in compared(past(), before, after, ["A", "B", "C"])}
    assert list(rows) == ["A", "B", "C", "all"]
    assert (rows["B"]["hits_before"], rows["B"]["hits_after"]) == (1, 0)
    assert (rows["C"]["hits_before"], rows["C"]["hits_after"]) == (0, 2)
    assert (rows["all"]["hits_before"], rows["all"]["hits_after"]) == (3, 3)
    # C alone would take both places of the rules order; A alone takes none from u03.
    assert rows["C"]["lists"][0]["enter"] == 2
    assert rows["A"]["lists"][0]["enter"] == 1


def test_a_scope_rule_takes_along_what_it_lets_others_flag():
    before = rules(SCOPE, A, S="0 1 2 3 4 5", A="3")
    after = rules(SCOPE, A, S="0 1 2 3 4 5 6 7", A="3 7")
    [scope, together] = compared(past(), before, after, ["S"])
    assert (scope["hits_before"], scope["hits_after"]) == (6, 8)
    assert scope["lists"] == together["lists"]
    assert scope["lists"][0]["enter"] == 1


def test_money_is_empty_where_a_model_declares_none():
    known = past()
    bare = Past(known.population, None, known.labels, 2)
    rows = list_changes(bare, rules(A, A="8"), rules(A, A="9"))
    assert rows[0]["enter_money"] is None


@given(
    hits=st.lists(st.booleans(), min_size=12, max_size=12),
    others=st.lists(st.booleans(), min_size=12, max_size=12),
)
@settings(max_examples=30, deadline=None)
def test_rules_that_did_not_change_move_nobody(hits, others):
    flags = pd.DataFrame({"A": hits, "B": others}, index=UNITS)
    same = RuleSet((A, B), flags)
    # A rule that fires nowhere is no change either.
    silent = RuleSet((A, B, C), flags.assign(C=False))
    [row, together] = compared(past("1", "2"), same, silent, ["C"])
    for change in (row, together):
        assert all(r["enter"] == r["leave"] == 0 for r in change["lists"])
    assert together["confirmed_lost"] == together["cleared_added"] == 0
