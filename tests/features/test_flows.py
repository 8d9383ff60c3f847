"""From rows of payments to the units: refunds, unknown parties, the same twice."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.network import FlowsSpec
from features.builders.flows import flows_features
from features.links import Link
from flows.catalog import opened
from tests.factories import (
    AS_OF,
    BOTH,
    CLAIMS,
    VISITS,
    claim,
    frame_of,
    model,
    units_of,
)

STATS = ["reciprocity", "circle_size", "circle_share", "round_trip_share", "hub_share"]
ROWS = {"payer": "string", "payee": "string", "w": "float64"}
PARTIES = ("a", "b", "c", "d", "nobody")
PARTY = st.sampled_from((None, *PARTIES[:4]))
ROW = st.tuples(PARTY, PARTY, st.sampled_from((None, -1.0, 0.0, 1.0, 2.5)))


def built(catalog, rows, **options) -> pd.DataFrame:
    step = FlowsSpec.model_validate(
        {"of": "x", "from": "payer", "to": "payee", "by": "k", "named": "f"}
        | {"amount": "w", "stats": STATS}
        | options
    )
    units = [(party or "unknown", party) for party in (*PARTIES, None)]
    table = flows_features(
        ibis.memtable(units, schema={"unit_id": "string", "k": "string"}),
        ibis.memtable(rows, schema=ROWS),
        step,
        Link((("k", "payer"), ("k", "payee"))),
        catalog,
    )
    return frame_of(catalog, table).drop(columns="k")


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(ROW, max_size=25))
def test_reciprocity_agrees_with_plain_pandas(catalog, rows):
    frame = pd.DataFrame(rows, columns=list(ROWS)).astype({"w": "float64"}).dropna()
    frame = frame[frame["payer"] != frame["payee"]]
    net = frame.groupby(["payer", "payee"])["w"].sum()
    net = net[net > 0].to_dict()
    got = built(catalog, rows)["f_reciprocity"]
    for party in PARTIES:
        out = {b: x for (a, b), x in net.items() if a == party}
        back = sum(min(x, net.get((b, party), 0.0)) for b, x in out.items())
        want = back / sum(out.values()) if out else np.nan
        assert got[party] == pytest.approx(want, nan_ok=True)
    assert np.isnan(got["unknown"])


def test_a_party_without_payments_is_in_no_circle_and_an_unknown_one_is_unknown(
    catalog,
):
    got = built(catalog, [("a", "b", 1.0), ("b", "a", 1.0), ("b", "b", 9.0)])
    assert got["f_circle_size"].fillna(-1).to_dict() == {
        **{"a": 2, "b": 2, "c": 1, "d": 1, "nobody": 1},
        "unknown": -1,
    }
    assert got.loc["nobody"].drop("f_circle_size").isna().all()
    assert got.loc["b", "f_circle_share"] == 1.0


def test_without_payments_nobody_is_in_a_circle(catalog):
    got = built(catalog, [("a", "b", 0.0), ("a", "a", 1.0), (None, "b", 1.0)])
    assert got["f_circle_size"].fillna(-1).tolist() == [1.0] * 5 + [-1.0]


def test_a_refund_is_taken_off_what_was_paid(catalog):
    paid = [("a", "b", 0.1), ("a", "b", 0.2), ("a", "b", -0.3), ("a", "c", 1.0)]
    got = built(catalog, [*paid, ("b", "a", 1.0), ("c", "a", 0.5)])
    assert got.loc["a", "f_reciprocity"] == 0.5
    assert got.loc["a", "f_circle_size"] == 2


def test_conditions_and_counts_stand_for_amounts(catalog):
    rows = [("a", "b", 7.0), ("a", "b", 7.0), ("b", "a", 7.0), ("b", "a", 1.0)]
    got = built(catalog, rows, amount="1", where="w > 5")
    assert got.loc["a", "f_reciprocity"] == 0.5


def test_a_hub_is_left_out_of_the_circles_by_its_partners(catalog):
    rows = [(a, b, 1.0) for a in "abc" for b in "abc" if a != b]
    bank = [("d", a, 1.0) for a in "abc"] + [(a, "d", 1.0) for a in "abc"]
    got = built(catalog, rows + bank, hub=3)
    assert got["f_circle_size"].fillna(-1).tolist()[:4] == [4.0] * 4
    got = built(catalog, rows + bank + [("d", "nobody", 1.0)], hub=3)
    assert got["f_circle_size"].fillna(-1).tolist()[:4] == [3.0] * 3 + [-1.0]
    assert got.loc["a", "f_hub_share"] == pytest.approx(1 / 3)


PAYMENTS = {
    "table": "payments",
    "title": BOTH,
    "department": BOTH,
    "known_at": "posted",
    "columns": {
        "payer": {"type": "person_id"},
        "payee": {"type": "person_id"},
        "posted": {"type": "timestamp"},
        "paid": {"type": "money"},
    },
}
SOURCES = {
    "claims": {
        **CLAIMS,
        "columns": {**CLAIMS["columns"], "person": {"type": "person_id"}},
    },
    "visits": VISITS,
    "payments": PAYMENTS,
}
STEP = {"of": "payments", "from": "payer", "to": "payee", "by": "claimant"}
ONE, TWO, BAD = "11010519491231002X", "440524188001010014", "110105194912310021"


def payment(payer: str, payee: str, paid: float, posted: str = "2024-05-01"):
    return {"payer": payer, "payee": payee, "paid": paid, "posted": posted}


def of_model(catalog, payments, as_of=AS_OF) -> pd.DataFrame:
    step = {**STEP, "amount": "paid", "stats": STATS, "named": "f"}
    loaded = model({"flows": step}, sources=SOURCES)
    claims = [claim(1, person=ONE), claim(2, person=TWO), claim(3, person=BAD)]
    data = {"claims": claims, "payments": payments}
    return frame_of(catalog, units_of(catalog, loaded, data, as_of)).filter(like="f_")


def test_a_payment_posted_later_changes_nothing(catalog):
    before = [payment(ONE, TWO, 10), payment(TWO, ONE, 4)]
    late = payment(TWO, ONE, 6, posted="2024-07-01 00:00:01")
    found = of_model(catalog, before)
    pd.testing.assert_frame_equal(of_model(catalog, [*before, late]), found)
    assert found.loc["c1", "f_reciprocity"] == pytest.approx(0.4)
    later = of_model(catalog, [*before, late], pd.Timestamp("2024-08-01"))
    assert later.loc["c1", "f_reciprocity"] == 1.0


def test_invalid_identifiers_make_no_circle(catalog):
    found = of_model(catalog, [payment(ONE, BAD, 10), payment(BAD, ONE, 10)])
    assert found["f_circle_size"].fillna(-1).tolist() == [1.0, 1.0, -1.0]


def test_two_runs_give_the_same_bytes_however_the_rows_are_ordered(tmp_path):
    """Sums of fractions in another order would move shares by a digit."""
    rng = np.random.default_rng(5)
    names = [f"p{n}" for n in range(300)]
    rows = [
        (*rng.choice(names, 2).tolist(), float(x)) for x in rng.lognormal(3, 2, 20_000)
    ]
    written = []
    for run, given_rows in enumerate((rows, rows[::-1])):
        with opened(tmp_path / str(run)) as catalog:
            catalog.fetch("SET threads = 2")
            step = FlowsSpec.model_validate(
                {**STEP, "amount": "w", "stats": STATS, "named": "f"}
            )
            units = ibis.memtable(
                [(n, n) for n in names], schema={"unit_id": "string", "k": "string"}
            )
            table = flows_features(
                units,
                ibis.memtable(given_rows, schema=ROWS),
                step,
                Link((("k", "payer"), ("k", "payee"))),
                catalog,
            )
            catalog.write(table.order_by("unit_id"), "flows")
            written.append(catalog.path("flows").read_bytes())
    assert written[0] == written[1]
