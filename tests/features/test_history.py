"""History windows against a plain pandas oracle, and their cost on one busy key."""

import time
from datetime import datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from features.builders.history import moving_found
from features.found import joined
from features.links import Link
from tests.factories import (
    AS_OF,
    CLAIMS,
    VISITS,
    claim,
    frame_of,
    model,
    problems,
    units_of,
    visit,
)

MEASURES = {
    "rows": "*",
    "paid_rows": {"count": "paid"},
    "total": "cost",
    "mean": {"mean": "cost"},
    "low": {"min": "cost"},
    "high": {"max": "cost"},
    "paid_share": {"share": "paid"},
    "first": {"days_since_first": "*"},
    "last": {"days_since_last": "*"},
}
TIMED = {"slope": {"trend": "cost"}, "pace": {"trend": "*"}}
DAY = timedelta(days=1)


def random_data(seed: int):
    """Keys, dates and values with ties, nulls and rows known too late."""
    rng = np.random.default_rng(seed)
    people = ["p1", "p2", "p3", None]
    days = pd.date_range("2024-05-20", "2024-07-10", freq="12h")

    def day(share: float = 0.1):
        return None if rng.random() < share else str(rng.choice(days))[:19]

    visits = [
        {
            "person": rng.choice(people),
            "day": day(),
            "posted": str(rng.choice(days))[:19],
            "cost": rng.choice(["", "-3.1", "0", "7.25", "100"]),
            "paid": rng.choice(["是", "否", ""]),
            "place": rng.choice(["x", "y", ""]),
        }
        for _ in range(120)
    ]
    claims = [
        claim(n, person=rng.choice(people), happened=day(), posted="2024-05-01")
        for n in range(25)
    ]
    return {"claims": claims, "visits": visits}


def expected(row, visits: pd.DataFrame, anchor: str, days: int | None):
    """The measures of one unit by plain filtering."""
    end = pd.Timestamp(AS_OF) if anchor == "as_of" else row["happened"]
    if row["person"] is None or pd.isna(row["person"]) or pd.isna(end):
        return None
    mine = visits[visits["person"] == row["person"]]
    length = None if days is None else timedelta(days=days)
    if anchor == "around":
        inside = (
            mine["day"].notna()
            if length is None
            else (mine["day"] - end).abs() <= length
        )
    else:
        inside = (
            mine["day"] <= end if length else mine["day"].notna() & (mine["day"] <= end)
        )
        if length:
            inside &= mine["day"] > end - length
        if anchor == "as_of" and length is None:
            inside = pd.Series(True, index=mine.index)
    found = mine[inside]
    before = found if anchor == "as_of" else mine[(mine["day"] < end)]
    if anchor != "as_of" and length:
        before = before[before["day"] > end - length]
    cost, since = found["cost"].dropna(), (end - before["day"].dropna()) / DAY
    paid = found["paid"].dropna().astype(bool)
    return {
        "rows": len(found),
        "paid_rows": int(paid.sum()),
        "total": cost.sum(),
        "mean": cost.mean(),
        "low": cost.min(),
        "high": cost.max(),
        "paid_share": paid.mean() if len(paid) else np.nan,
        "first": since.max(),
        "last": since.min(),
        **(_trends(found, end, days) if days and anchor != "around" else {}),
    }


def _trends(found: pd.DataFrame, end, days: int):
    late = found["day"] > end - timedelta(days=days // 2)

    def trend(values: pd.Series):
        new, old = values[late].sum(), values[~late].sum()
        return (new - old) / (abs(new) + abs(old)) if new or old else np.nan

    return {"slope": trend(found["cost"]), "pace": trend(found["cost"].notna() | True)}


@pytest.mark.parametrize("anchor", ["as_of", "unit", "around"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_aggregate_agrees_with_plain_pandas(catalog, anchor, seed):
    timed = TIMED if anchor != "around" else {}
    shared = {"of": "visits", "by": "claimant", "anchor": anchor}
    loaded = model(
        {"history": {**shared, "windows": ["7d", "30d"], "measures": MEASURES | timed}},
        {"history": {**shared, "named": "all", "measures": MEASURES}},
    )
    data = random_data(seed)
    found = frame_of(catalog, units_of(catalog, loaded, data))
    visits = frame_of_visits(data["visits"])
    claims = pd.DataFrame(data["claims"]).set_index("claim_no").sort_index()
    claims["happened"] = pd.to_datetime(claims["happened"])
    for unit, row in claims.iterrows():
        for days, prefix, suffix in (
            (7, "claimant_visits", "_7d"),
            (30, "claimant_visits", "_30d"),
            (None, "all", ""),
        ):
            want = expected(row, visits, anchor, days)
            names = (want or MEASURES).keys()
            got = {n: found.loc[unit, f"{prefix}_{n}{suffix}"] for n in names}
            want = want or dict.fromkeys(names, np.nan)
            assert got == pytest.approx(want, nan_ok=True, abs=1e-9), (unit, days)


def frame_of_visits(rows) -> pd.DataFrame:
    """The visits known at AS_OF with their values, read without our code."""
    frame = pd.DataFrame(rows)
    frame = frame[pd.to_datetime(frame["posted"]) <= AS_OF]
    return frame.assign(
        day=pd.to_datetime(frame["day"]),
        cost=pd.to_numeric(frame["cost"]),
        paid=frame["paid"].map({"是": True, "否": False}),
    )


def test_nunique_counts_different_known_values(catalog):
    step = {"of": "visits", "by": "claimant", "windows": ["all", "30d"]}
    loaded = model({"history": {**step, "measures": {"places": {"nunique": "place"}}}})
    visits = [
        visit("2024-01-01", place="x"),
        visit("2024-06-20", place="y"),
        visit("2024-06-21", place="y"),
        visit("2024-06-22", place=None),
    ]
    data = {"claims": [claim(1), claim(2, person="p2")], "visits": visits}
    found = frame_of(catalog, units_of(catalog, loaded, data))
    assert found["claimant_visits_places"].tolist() == [2, 0]
    assert found["claimant_visits_places_30d"].tolist() == [1, 0]


def test_backward_windows_begin_after_their_first_second(catalog):
    """A window of 7 days over daily rows holds 7 of them, wherever it ends."""
    visits = [visit(str(day)[:10]) for day in pd.date_range("2024-05-01", "2024-07-01")]
    for anchor in ("as_of", "unit"):
        step = {"of": "visits", "by": "claimant", "windows": "7d", "anchor": anchor}
        loaded = model({"history": {**step, "measures": {"n": "*"}}})
        data = {"claims": [claim(1)], "visits": visits}
        found = frame_of(catalog, units_of(catalog, loaded, data))
        assert found["claimant_visits_n_7d"].tolist() == [7]


def test_own_source_counts_the_unit_itself_and_keeps_units_that_where_removes(catalog):
    step = {"of": "claims", "by": "claimant", "where": "amount > 500"}
    measures = {"n": "*", "total": "amount"}
    loaded = model(
        {"derive": {"half": "amount / 2"}},
        {"history": {**step, "measures": {**measures, "halves": "half"}}},
        {
            "history": {
                **step,
                "named": "near",
                "anchor": "unit",
                "windows": "9d",
                "measures": measures,
            }
        },
    )
    rows = [
        claim(1),
        claim(2, amount=700, happened="2024-06-05"),
        claim(3, amount=100),
        claim(4, person="p2", amount=100),
        claim(5, person=None),
    ]
    found = frame_of(catalog, units_of(catalog, loaded, {"claims": rows}))
    assert found["claimant_claims_n"].fillna(-1).tolist() == [2, 2, 2, 0, -1]
    assert found["claimant_claims_halves"].fillna(-1).tolist() == [850, 850, 850, 0, -1]
    assert found["near_n_9d"].fillna(-1).tolist() == [1, 2, 1, 0, -1]


def test_invalid_identifiers_never_tie_people_together(catalog):
    people = {"type": "person_id"}
    claims = {**CLAIMS, "columns": {**CLAIMS["columns"], "person": people}}
    visits = {**VISITS, "columns": {**VISITS["columns"], "person": people}}
    loaded = model(
        {"history": {"of": "visits", "by": "claimant", "measures": {"n": "*"}}},
        sources={"claims": claims, "visits": visits},
    )
    good, bad = "11010519491231002X", "110105194912310021"
    data = {
        "claims": [claim(1, person=good.lower()), claim(2, person=bad)],
        "visits": [visit("2024-05-01", person=good), visit("2024-05-01", person=bad)],
    }
    found = frame_of(catalog, units_of(catalog, loaded, data))
    assert found["claimant_visits_n"].fillna(-1).tolist() == [1, -1]


def test_two_keys_must_both_agree(catalog):
    step = {"of": "visits", "by": ["claimant", "kind"], "as": ["patient", "place"]}
    loaded = model({"history": {**step, "measures": {"n": "*"}}})
    visits = [visit("2024-05-01", place="a"), visit("2024-05-01", place="b")]
    data = {"claims": [claim(1), claim(2, kind=None)], "visits": visits}
    found = frame_of(catalog, units_of(catalog, loaded, data))
    assert found["claimant_kind_visits_n"].fillna(-1).tolist() == [1, -1]


def test_moving_windows_do_not_join_each_unit_with_each_row_of_a_busy_key(catalog):
    """50 000 rows on one key would be 2.5 billion pairs."""
    start = datetime(2020, 1, 1)
    rows = [
        (f"c{n}", "hub", start + timedelta(hours=n % 30_000), 1.0)
        for n in range(50_000)
    ]
    schema = {
        "unit_id": "string",
        "person": "string",
        "_at": "timestamp(6)",
        "amount": "float64",
    }
    units = catalog.keep(ibis.memtable(rows, schema=schema), "hub")
    units = units.mutate(_event_at=units["_at"])
    step = (
        model(
            {
                "history": {
                    "of": "claims",
                    "by": "claimant",
                    "anchor": "unit",
                    "windows": ["30d", "365d"],
                    "measures": {
                        "n": "*",
                        "total": "amount",
                        "high": {"max": "amount"},
                    },
                }
            }
        )
        .spec.features[0]
        .history
    )
    began = time.process_time()
    found = moving_found(units, step, Link((("person", "person"),)), units)
    catalog.keep(joined(units, [found]), "hub_built")
    assert time.process_time() - began < 5


REFUSED = {
    "unknown source": (
        {"of": "visit", "by": "claimant", "measures": {"n": "*"}},
        "unknown source 'visit'; did you mean 'visits'?",
    ),
    "moving distinct": (
        {
            "of": "visits",
            "by": "claimant",
            "anchor": "unit",
            "measures": {"n": {"nunique": "place"}},
        },
        "nunique needs anchor: as_of (no distinct in a moving window)",
    ),
    "trend of everything": (
        {"of": "visits", "by": "claimant", "measures": {"n": {"trend": "cost"}}},
        "trend needs windows with a number of days",
    ),
    "trend around": (
        {
            "of": "visits",
            "by": "claimant",
            "anchor": "around",
            "windows": "9d",
            "measures": {"n": {"trend": "cost"}},
        },
        "trend looks back: it needs anchor: as_of or unit",
    ),
    "count of text": (
        {"of": "visits", "by": "claimant", "measures": {"n": {"count": "place"}}},
        "count needs a boolean, got a text",
    ),
    "sum of text": (
        {"of": "visits", "by": "claimant", "measures": {"n": "place"}},
        "sum needs a number, got a text",
    ),
    "where that is no condition": (
        {"of": "visits", "by": "claimant", "where": "cost", "measures": {"n": "*"}},
        "must be boolean, got a number",
    ),
}


@pytest.mark.parametrize(("step", "message"), REFUSED.values(), ids=REFUSED)
def test_impossible_history_is_refused_on_loading(step, message):
    assert any(message in text for text in problems({"history": step}))
